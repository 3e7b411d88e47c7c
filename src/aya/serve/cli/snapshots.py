"""What people see of snapshots: lists, what is in one, whether it is intact, and what differs between two."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from aya.model import FACT_TYPES
from aya.operations.snapshot_exports import FileVerification
from aya.serve.cli.output import console, print_table, shown, styled, text
from aya.snapshot.diff import Difference
from aya.snapshot.restore import Restored
from aya.snapshot.snapshots import Snapshot, Verification

MOST_ALIKE = 20
"""So many differences of one kind in one section are shown before they are counted instead."""


def print_snapshots(found: Sequence[Snapshot]) -> None:
    """Snapshots, one a line."""
    rows = [
        {
            "snapshot": s.snapshot_name,
            "type": s.snapshot_type,
            "status": s.verification_status,
            "passed": s.tests_passed,
            "failed": s.tests_failed,
            "skipped": s.tests_skipped,
            "nodes": len(s.nodes),
            "bytes": s.state_bytes,
            "by": s.created_by,
            "taken": s.created_at,
            "SHA-256": (s.state_hash or "")[:16],
        }
        for s in found
    ]
    print_table(
        rows,
        ("snapshot", "type", "status", "passed", "failed", "skipped", "nodes", "bytes", "by", "taken", "SHA-256"),
        empty="There is no snapshot yet: `aya snapshot create NAME`.",
    )


def print_snapshot(snapshot: Snapshot, document: dict[str, Any]) -> None:
    """A snapshot and how much of what it holds."""
    print_snapshots([snapshot])
    screen = console()
    if snapshot.description:
        screen.print(f"\n{shown(snapshot.description)}")
    screen.print(f"SHA-256 {snapshot.state_hash}, logged as change {snapshot.logged_change}\n")
    rows = [
        {"node": name, **{section: len(items) for section, items in node.items() if section != "node"}}
        for name, node in document["nodes"].items()
    ]
    print_table(rows, ("node", *(fact_type.SECTION for fact_type in FACT_TYPES)))
    if snapshot.partial_reasons:
        screen.print("\nCould not be looked at:")
        print_table(snapshot.partial_reasons, ("node", "what", "name", "target", "reason"))


def print_verification(verification: Verification) -> None:
    """Whether a snapshot is what it was."""
    screen = console()
    if verification.intact:
        screen.print(f"[green]intact[/]  {shown(verification.snapshot_name)}  SHA-256 {verification.state_hash}")
    for problem in verification.problems:
        screen.print(f"[bold red]not intact[/]  {shown(verification.snapshot_name)}: {shown(problem)}")


def print_file_verification(found: FileVerification) -> None:
    """Whether an exported snapshot holds, the first thing that is wrong first, and who signed it."""
    screen = console()
    for problem in found.problems:
        screen.print(f"[bold red]wrong[/]  {shown(problem)}")
    for remark in found.remarks:
        screen.print(f"[yellow]note[/]   {shown(remark)}")
    if not found.intact:
        screen.print(f"[bold red]does not hold[/]  {shown(str(found.file))}")
        return
    screen.print(
        f"[green]intact[/]  {shown(found.snapshot_name)}  {styled(found.verification_status)}  "
        f"{', '.join(map(shown, found.nodes))}\nSHA-256 {found.state_hash}, taken {shown(found.created_at)}"
    )
    word = "signed by the trusted key" if found.signer_known else "says it is signed by"
    screen.print(f"{word} {shown(found.signer)}")


def print_exported(done: FileVerification) -> None:
    """What was written, and what others need to verify it."""
    console().print(
        f"Wrote snapshot {shown(done.snapshot_name)} ({styled(done.verification_status)}) to {shown(str(done.file))}.\n"
        f"Anywhere: aya snapshot verify {shown(done.file.name)} --key '{shown(done.signer)}'"
    )


def print_restored(done: Sequence[Restored], *, signer_known: bool) -> None:
    """The nodes that are recorded again."""
    if not signer_known:
        console().print("[yellow]note[/]   the signer is not known: no key was given to trust")
    print_table(
        [{"node": one.node_name, "rows": one.rows, "SHA-256 as in the snapshot": one.state_hash} for one in done],
        ("node", "rows", "SHA-256 as in the snapshot"),
    )


def print_differences(before: str, after: str, differences: Sequence[Difference], *, all_of_them: bool = False) -> None:
    """Differences grouped by node and section; of many that are alike only the first, unless all are wanted."""
    screen = console()
    if not differences:
        screen.print(f"{shown(before)} and {shown(after)} are equal.")
        return
    for (node, section), group in groupby(differences, key=lambda d: (d.node, d.section)):
        screen.print(f"\n[bold]{shown(node)}[/] {shown(section)}".rstrip())
        for change, alike in groupby(sorted(group, key=lambda d: d.change), key=lambda d: d.change):
            ones = list(alike)
            for difference in ones if all_of_them else ones[:MOST_ALIKE]:
                screen.print(_difference_line(difference))
            if len(ones) > MOST_ALIKE and not all_of_them:
                screen.print(f"  [dim]… and {len(ones) - MOST_ALIKE} more {change} (--all shows them)[/]")
    counts = Counter(d.change for d in differences)
    screen.print(f"\n{counts['added']} added, {counts['removed']} removed, {counts['changed']} changed.")


def _difference_line(d: Difference) -> str:
    name = shown(" ".join(filter(None, (d.key, ".".join(map(str, d.path))))) or "node")
    match d.change:
        case "added":
            return f"  [green]+ {name}[/]" + (f" = {_short(d.new)}" if d.path else "")
        case "removed":
            return f"  [red]- {name}[/]" + (f" = {_short(d.old)}" if d.path else "")
    return f"  [yellow]~ {name}[/]: {_short(d.old)} → {_short(d.new)}"


def _short(value: Any, most: int = 200) -> str:
    said = text(value)
    return shown(said if len(said) <= most else said[: most - 1] + "…")
