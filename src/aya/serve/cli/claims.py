"""How claims are shown: every statement with its verdict, and under it why."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table

from aya.serve.cli.output import console, print_renderable, shown, styled

if TYPE_CHECKING:
    from aya.operations.claims import Imported


def print_imported(done: "Imported") -> None:
    """What was read, recorded and found wrong, and the lines with secrets."""
    screen = console()
    nodes = ", ".join(done.nodes) or "no node"
    screen.print(
        f"[bold]{shown(done.document)}[/] describes {shown(nodes)}: {done.facts} facts, {done.claims} statements."
    )
    counts = f"[green]{done.confirmed} confirmed[/], [bold red]{done.contradicted} contradicted[/]"
    screen.print(f"Judged: {counts}, {done.unverifiable} unverifiable.")
    if done.changed:
        screen.print(
            f"Recorded as claimed: {done.inserted} new, {done.updated} changed, {done.vanished} gone, "
            f"{done.measurements} measurements, {done.claims_written} statements."
        )
    else:
        screen.print("Nothing changed since it was imported the last time.")
    if done.left_as_measured:
        screen.print(f"Left as measured: {shown(', '.join(done.left_as_measured))}.")
    if done.secret_lines:
        lines = ", ".join(map(str, done.secret_lines))
        many = "s" if len(done.secret_lines) > 1 else ""
        screen.print(
            f"[bold red]Secret in the file[/], on line{many} {lines}: nothing that is stored has it. Take it out and change it."
        )
    screen.print("[bold]Go on:[/]  aya claims --contradicted · aya claims NODE · aya show NODE")


def print_claims(found: Sequence[dict[str, Any]]) -> None:
    """One statement after the other, and how many have which verdict."""
    screen = console()
    if not found:
        screen.print("[dim]There is no such statement. `aya import FILE.md --as document` reads a document.[/]")
        return
    documents = {one["document"] for one in found}
    table = Table(box=None, pad_edge=False, header_style="bold")
    columns = ("document", "line", "node", "claim", "verdict", "evidence", "rule")
    wanted = [name for name in columns if name != "document" or len(documents) > 1]
    for name in wanted:
        table.add_column(name, justify="right" if name == "line" else "left", overflow="fold")
    for one in found:
        cells = {
            "document": shown(one["document"]),
            "line": str(one["line"]),
            "node": shown(one["node"] or ""),
            "claim": shown(one["text"][:300]),
            "verdict": styled(one["verdict"]),
            "evidence": shown(one["evidence"] or ""),
            "rule": shown(one["rule"] or ""),
        }
        table.add_row(*(cells[name] for name in wanted))
    print_renderable(table)
    counts = Counter(one["verdict"] for one in found)
    told = ", ".join(
        f"{counts[verdict]} {verdict}" for verdict in ("contradicted", "confirmed", "unverifiable") if counts[verdict]
    )
    screen.print(f"[dim]{shown(', '.join(sorted(documents)))}: {told}[/]")
