"""`aya kb`: the knowledge base."""

from typing import TYPE_CHECKING, Annotated

import typer

from aya.errors import ExitCode
from aya.serve.cli.app import AsJson, NodeOption, app, tell, working

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aya.knowledge.searching import PassageFound
    from aya.operations.knowledge import Filled, SetState

kb = typer.Typer(help="The knowledge base: documents and the state, found by meaning and words.", no_args_is_help=True)
app.add_typer(kb, name="kb")

SHOWN = 50
"""So many outcomes are shown of each kind but failures, which all are."""


@kb.command("add")
def kb_add(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Files, and folders with all files in them.")],
    category: Annotated[
        str | None, typer.Option("--category", help="What kind of documents [default: as they are, or none].")
    ] = None,
    as_json: AsJson = False,
    node: NodeOption = None,
) -> None:
    """Read files into the knowledge base, without their secrets; exit 3 when one could not be read."""
    from aya.operations.knowledge import add_knowledge

    with working(as_json, node=node) as context:
        done = add_knowledge(context, paths, category=category)
    _show_filled(done, as_json)


@kb.command("sync")
def kb_sync(as_json: AsJson = False, node: NodeOption = None) -> None:
    """Put it in step with the added files, the documentation and the state; exit 3 when a file could not be read."""
    from aya.operations.knowledge import sync_knowledge

    with working(as_json, node=node) as context:
        done = sync_knowledge(context)
    _show_filled(done, as_json)


@kb.command("reembed")
def kb_reembed(
    model: Annotated[
        str | None, typer.Option("--model", help="The model [default: AYA_EMBEDDING_MODEL, or the default].")
    ] = None,
    background: Annotated[
        bool, typer.Option("--background", help="Only begin it: `aya up` goes on, or the next `aya kb sync`.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Embed every document with another model, and then search by that; broken off, it goes on the next time."""
    from aya.operations.knowledge import reembed_knowledge

    with working(as_json) as context:
        done = reembed_knowledge(context, model=model, background=background)
    if background:
        line = f"{done.model} is next: `aya up` embeds for it beside its rounds, or `aya kb sync` now; then it is searched."
        tell(as_json, done, line)
    else:
        _show_filled(done, as_json)


def _show_filled(done: "Filled", as_json: bool) -> None:
    from aya.serve.cli.output import console, print_json, print_table

    if as_json:
        print_json(done)
    else:
        failed = [one for one in done.outcomes if one.change == "failed"]
        others = [one for one in done.outcomes if one.change != "failed"]
        shown = [*failed, *others[:SHOWN]]
        rows = [
            {"source": o.source, "change": o.change.value, "passages": o.passages or None, "reason": o.reason}
            for o in shown
        ]
        print_table(rows, ("source", "change", "passages", "reason"), empty="Nothing changed.")
        if len(shown) < len(done.outcomes):
            console().print(f"… and {len(done.outcomes) - len(shown):,} more: --json tells all.")
        counts = ", ".join(f"{number:,} {change}" for change, number in sorted(done.counts.items())) or "no documents"
        by = f"by {done.model}" if done.model else "by no model: they are found by their words alone"
        console().print(
            f"\n{counts}; {done.passages:,} passages, {done.embedded:,} texts embedded {by}."
            + (" The index was built." if done.index_built else "")
        )
    if done.failed:
        raise typer.Exit(ExitCode.ATTENTION)


@kb.command("remove")
def kb_remove(
    source: Annotated[str, typer.Argument(help="A path that was added, or the source of documents, or its beginning.")],
    as_json: AsJson = False,
) -> None:
    """Remove documents from the knowledge base; the files stay."""
    from aya.operations.knowledge import remove_knowledge

    with working(as_json) as context:
        count = remove_knowledge(context, source)
    tell(as_json, {"removed": count}, f"Removed {count:,} documents of {source}.")


@kb.command("search")
def kb_search(
    text: Annotated[list[str], typer.Argument(metavar="TEXT...", help="A question, or words.")],
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, help="So many passages at most.")] = 5,
    category: Annotated[str | None, typer.Option("--category", help="Only documents of this category.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="Only documents whose source begins so.")] = None,
    node: Annotated[str | None, typer.Option("--node", help="Only documents of this node.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Only what changed at that moment or later.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Only what changed before that moment.")] = None,
    as_json: AsJson = False,
) -> None:
    """Find passages that answer a question, by meaning and by words."""
    from aya.operations.knowledge_search import search_knowledge
    from aya.serve.cli.output import console, print_json, shown

    with working(as_json) as context:
        found = search_knowledge(
            context, " ".join(text), limit=limit, category=category, source=source, node=node, since=since, until=until
        )
    if as_json:
        print_json(found)
        return
    if found.note:
        console().print(f"[yellow]{shown(found.note)}[/]\n")
    _print_passages(found.passages)


def _print_passages(passages: "Sequence[PassageFound]") -> None:
    from aya.serve.cli.output import console, shown

    screen = console()
    if not passages:
        screen.print("[dim]Nothing fits.[/]")
    for place, one in enumerate(passages, 1):
        ranks = [
            f"meaning {one.meaning_rank}" if one.meaning_rank else "",
            f"words {one.words_rank}" if one.words_rank else "",
        ]
        screen.print(f"[bold]{place}. {shown(one.heading or one.title or '')}[/]")
        where = f"{one.source or f'document {one.document_id}'} characters {one.start_offset}-{one.end_offset}"
        screen.print(f"[dim]{shown(where)}; score {one.score:.4f} ({', '.join(filter(None, ranks))})[/]")
        parts = one.passage.split("**")
        for line in _marked(parts).splitlines():
            screen.print(f"   {line}")
        screen.print()


def _marked(parts: "Sequence[str]") -> str:
    """Every second part is a word that was looked for; what the document itself writes between `**` looks the same."""
    from aya.serve.cli.output import shown

    return "".join(
        f"[bold]{_lines(part, shown)}[/]" if place % 2 and "\n" not in part else _lines(part, shown)
        for place, part in enumerate(parts)
    )


def _lines(part: str, shown: "object") -> str:
    return "\n".join(shown(line) for line in part.split("\n"))  # type: ignore[operator]


@kb.command("status")
def kb_status(as_json: AsJson = False) -> None:
    """Show what is in the knowledge base, and how it is indexed."""
    from aya.operations.knowledge import knowledge_status
    from aya.serve.cli.output import console, print_json, print_table

    with working(as_json) as context:
        found = knowledge_status(context)
    if as_json:
        print_json(found)
        return
    print_table([_set_row(one) for one in found.sets], SET, empty="Nothing is in it yet: `aya kb add PATH`.")
    categories = ", ".join(f"{count:,} {name or 'of no category'}" for name, count in found.categories.items())
    console().print(f"\n{found.documents:,} documents" + (f": {categories}." if categories else "."))
    for path in found.paths:
        console().print(f"added: {path}", markup=False)


SET = ("model", "dimensions", "is searched", "documents", "passages", "index", "size")


def _set_row(one: "SetState") -> dict[str, object]:
    from rich.filesize import decimal

    return {
        "model": one.model or "none",
        "dimensions": one.dimensions,
        "is searched": one.is_active,
        "documents": one.documents,
        "passages": one.passages,
        "index": one.index,
        "size": decimal(one.index_bytes) if one.index_bytes else None,
    }


@kb.command("show")
def kb_show(
    number: Annotated[int, typer.Argument(min=1, help="Number of the document, as a search tells it.")],
    as_json: AsJson = False,
) -> None:
    """Print the text of a document of the knowledge base; with --json all that is known of it."""
    from aya.operations.knowledge import get_knowledge_document
    from aya.serve.cli.output import console, print_json, shown

    with working(as_json) as context:
        found = get_knowledge_document(context, number)
    if as_json:
        print_json(found)
        return
    for line in found.content.splitlines():
        console().print(shown(line.replace("\t", "    ")))


@kb.command("index")
def kb_index(
    method: Annotated[str, typer.Option("--method", help="hnsw, ivfflat, or none, which compares all.")] = "hnsw",
    lists: Annotated[
        int | None,
        typer.Option("--lists", min=1, max=32768, help="Of ivfflat: how many lists [default: by the number]."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Build the index of the vectors anew; until it is there the one before serves."""
    from typing import get_args

    from aya.errors import UsageError
    from aya.operations.knowledge import Method, index_knowledge
    from aya.serve.cli.output import print_json, print_table

    chosen: Method | None = next((one for one in get_args(Method) if one == method), None)
    if chosen is None:
        raise UsageError(f"There is no index {method}.", remedy=f"There are: {', '.join(get_args(Method))}.")
    with working(as_json) as context:
        done = index_knowledge(context, method=chosen, lists=lists)
    if as_json:
        print_json(done)
    else:
        print_table([_set_row(done)], SET)


@kb.command("check")
def kb_check(as_json: AsJson = False) -> None:
    """Measure what the index finds against exact search, and look at all recorded vector indexes; exit 3 for a bad one."""
    from dataclasses import asdict

    from aya.operations.knowledge import check_knowledge
    from aya.serve.cli.output import console, print_json, print_table

    with working(as_json) as context:
        found = check_knowledge(context)
    if as_json:
        print_json(found)
    else:
        if found.recall is not None:
            said = found.recall
            console().print(
                f"Of the {said.nearest} nearest of {said.questions} questions the index finds {said.recall:.1%}, in "
                f"{said.index_ms:.1f} ms; comparing all {found.passages:,} takes {said.exact_ms:.1f} ms.\n"
            )
        print_table(
            [asdict(one) for one in found.advice],
            ("database", "index", "method", "rows", "lists", "problem", "advice"),
            empty="No vector index is recorded, and the knowledge base has no vectors.",
        )
    if not found.is_good:
        raise typer.Exit(ExitCode.ATTENTION)
