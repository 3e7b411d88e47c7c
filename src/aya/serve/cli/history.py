"""What people see of history: changes, one a line, and why a thing is as it is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aya.history.changes import Change
from aya.history.why import Evidence, Explained, Why
from aya.serve.cli.output import console, print_table, shown, styled, text

COLUMNS = ("change", "node_name", "between", "what", "by", "why", "run", "status")
MOST_SHOWN_CHANGES = 3


def print_changes(found: Sequence[Change]) -> None:
    """Changes as a table, oldest first."""
    print_table(
        [_row(one) for one in found], COLUMNS, empty="No change fits. `aya changes` without filters lists the latest."
    )


def print_change_line(one: Change) -> None:
    """A change as one line, for those who follow."""
    row = _row(one)
    screen = console()
    screen.print(
        f"[dim]{shown(text(one.created_at))}[/]  [bold]{one.id}[/]  {shown(row['what'])}  "
        f"[dim]{shown(text(one.changed_by))}{shown(f': {one.change_reason}') if one.change_reason else ''}[/]"
    )


def print_why(told: Why) -> None:
    """The changes of a thing, newest first, with what else changed around each."""
    screen = console()
    screen.print(f"[bold]{shown(told.thing)}[/] on [bold]{shown(told.node_name)}[/]")
    if told.known_since is not None:
        screen.print(f"[dim]known since {shown(text(told.known_since))}[/]")
    if told.complete_since is not None:
        screen.print(
            f"[yellow]of what changed before {shown(text(told.complete_since))} only the last is kept; the rest was pruned[/]"
        )
    if not told.changes:
        screen.print("It has not changed since.")
    for one in told.changes:
        _print_explained(one)


def _print_explained(one: Explained) -> None:
    screen = console()
    change = one.change
    screen.print(f"\n[yellow]{shown(change.change_description)}[/]")
    found = f"found by run {change.run_id}" if change.run_id is not None else "written by hand"
    reason = f", because: {shown(change.change_reason)}" if change.change_reason else ""
    screen.print(
        f"  change {change.id}, {_between(change)}, {found}, by {shown(text(change.changed_by))}{reason}, "
        f"{styled(text(change.verification_status))}"
    )
    if change.verification_notes:
        screen.print(f"  verification: {shown(change.verification_notes)}")
    if not one.evidence:
        screen.print("  [dim]nothing else changed around that time[/]")
    for evidence in one.evidence:
        _print_evidence(evidence)


def _print_evidence(evidence: Evidence) -> None:
    screen = console()
    strength = "likely" if evidence.weight >= 70 else "perhaps" if evidence.weight >= 40 else "beside it"
    screen.print(f"  [bold]{strength}[/]: {shown(evidence.because)}")
    for other in evidence.changes[:MOST_SHOWN_CHANGES]:
        screen.print(f"    [dim]{other.id}[/] {shown(other.change_description[:160])} [dim]({_between(other)})[/]")
    if len(evidence.changes) > MOST_SHOWN_CHANGES:
        screen.print(f"    [dim]… and {len(evidence.changes) - MOST_SHOWN_CHANGES} more (--json has all)[/]")


def _row(one: Change) -> dict[str, Any]:
    return {
        "change": one.id,
        "node_name": one.node_name,
        "between": _between(one),
        "what": one.change_description,
        "by": one.changed_by,
        "why": one.change_reason,
        "run": one.run_id,
        "status": one.verification_status,
    }


def _between(one: Change) -> str:
    """The interval in which it must have happened."""
    before = one.happened_before or one.created_at
    if one.happened_after is None:
        return f"by {text(before)}"
    return f"{text(one.happened_after)} – {_without_same_day(one.happened_after, before)}"


def _without_same_day(first: datetime, second: datetime) -> str:
    one, two = first.astimezone(), second.astimezone()
    return two.strftime("%H:%M:%S") if one.date() == two.date() else text(second)
