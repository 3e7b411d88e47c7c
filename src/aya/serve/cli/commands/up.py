"""`aya up` and `aya collect`: look at a machine."""

from typing import Annotated

import typer

from aya.errors import AyaError, ExitCode, UsageError
from aya.serve.cli.app import AsJson, NodeOption, app, working

LET_GO_EVERY_S = 24 * 3600


@app.command()
def up(
    once: Annotated[bool, typer.Option("--once", help="Do it once, instead of again and again until Ctrl-C.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document and nothing else; implies --once.")
    ] = False,
    node: NodeOption = None,
) -> None:
    """Make and keep the truth about this machine: server, schema, facts, checks, snapshot."""
    from aya.operations.up import up as operation
    from aya.serve.cli.documents import up_json
    from aya.serve.cli.overview import print_serving, print_up, print_up_again

    with working(as_json, node=node) as context:
        done = operation(context)
    if as_json:
        from aya.serve.cli.output import print_json

        print_json(up_json(done, context))
    else:
        print_up(done)
    if once or as_json:
        raise typer.Exit(
            ExitCode.ATTENTION if any(r.outcome == "fail" for r in done.verified.results) else ExitCode.DONE
        )
    import time
    from contextlib import ExitStack

    from aya.operations.knowledge import keep_in_step
    from aya.serve.cli.embedding import embeddings_beside
    from aya.serve.cli.output import report_error
    from aya.serve.rest.server import serving

    let_go_at = time.monotonic()
    with ExitStack() as meanwhile:
        try:
            port = meanwhile.enter_context(serving(context, context.settings.host, context.settings.port))
            print_serving(context.settings.host, port)
        except AyaError as error:
            report_error(error, as_json=False)  # that nobody can ask is no reason not to look
        meanwhile.enter_context(embeddings_beside(context))
        while True:
            time.sleep(context.settings.interval_s)
            try:
                with working(False, node=node) as context:
                    due = time.monotonic() >= let_go_at
                    done = operation(context, let_go=due)
                    let_go_at += LET_GO_EVERY_S if due else 0
                    keep_in_step(context)
                print_up_again(done)
            except AyaError as error:
                report_error(error, as_json=False)  # the next round may well succeed


@app.command()
def collect(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only look and show; record nothing, need no database.")
    ] = False,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="URL", help="Deliver it to the AYA there instead, by AYA_TOKEN_FILE or AYA_TOKEN."
        ),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            metavar="ADDRESS",
            help="Look at another machine: recorded:DIR, recorded:FILE.tar.gz or ssh:user@host[:port]; name it by --node.",
        ),
    ] = None,
    as_json: AsJson = False,
    node: NodeOption = None,
) -> None:
    """Look at a machine and record what changed, here or elsewhere; exit 3 when it could not be delivered yet."""
    from aya.operations.collection import collect as operation
    from aya.serve.cli.documents import collection_json
    from aya.serve.cli.output import print_json
    from aya.serve.cli.overview import print_collection

    if host is not None and node is None:
        raise UsageError("The other machine has no name.", remedy="Name it by --node: this node is another one.")
    if to is not None:
        if dry_run:
            raise UsageError("A look that is not recorded cannot be delivered.", remedy="Give --to or --dry-run.")
        _deliver(to, as_json, node, host)
        return
    with working(as_json, node=node) as context:
        if not dry_run:
            context.database.start()
        done = operation(context, dry_run=dry_run, host=host)
    if as_json:
        print_json(collection_json(done))
    else:
        print_collection(done)


def _deliver(url: str, as_json: bool, node: str | None, host: str | None) -> None:
    from aya.operations.delivery import deliver
    from aya.serve.cli.output import print_json, report_error

    with working(as_json, node=node) as context:
        done = deliver(context, url, host)
    if as_json:
        print_json(
            {
                "node_name": done.state.node_name,
                "sent": done.sent,
                "waiting": done.waiting,
                "dropped": done.dropped,
                "problem": done.problem.message if done.problem else None,
            }
        )
    else:
        typer.echo(
            f"Delivered {done.sent} of {done.sent + done.waiting} states of {done.state.node_name}."
            + (f" {done.dropped} older ones were dropped: the spool is full." if done.dropped else "")
        )
        if done.problem:
            report_error(done.problem, as_json=False)
    if done.waiting or done.dropped:
        raise typer.Exit(ExitCode.ATTENTION)
