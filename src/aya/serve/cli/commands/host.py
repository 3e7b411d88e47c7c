"""`aya host`: what machines answer."""

from pathlib import Path
from typing import Annotated

import typer

from aya.serve.cli.app import AsJson, app, working

host = typer.Typer(help="What machines answer when AYA looks at them.", no_args_is_help=True)
app.add_typer(host, name="host")


@host.command("record")
def host_record(
    path: Annotated[Path, typer.Argument(help="Where to: a folder, or FILE.tar.gz; nothing may be there yet.")],
    without_names: Annotated[
        bool,
        typer.Option(
            "--without-names",
            help="Replace names of people and of the machine, serial numbers, UUIDs and MAC addresses by made-up ones.",
        ),
    ] = False,
    address: Annotated[
        str | None,
        typer.Option("--host", metavar="ADDRESS", help="Another machine instead of this one: ssh:user@host[:port]."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write down everything that the collectors read, without secrets of known shapes: to report a fault, or to look at it
    elsewhere by `aya collect --host recorded:PATH`.
    """
    from aya.operations.host_recording import record_host
    from aya.operations.operation import of
    from aya.serve.cli.output import console, print_json, shown

    with working(as_json) as context:
        done = of(record_host)(context, path=path, without_names=without_names, host=address)
    if as_json:
        print_json(done)
        return
    written, screen = done.written, console()
    ended = ", ".join(f"{count} {outcome}" for outcome, count in done.outcomes.items())
    screen.print(
        f"Wrote {shown(written.path)}: {written.answers:,} answers in {written.files:,} files, "
        f"{written.size_bytes / 2**20:.1f} MiB unpacked. The collectors ended: {ended}."
    )
    screen.print(
        f"Secrets were replaced in {written.redacted:,} answers. Look through it before you give it to anybody."
    )
