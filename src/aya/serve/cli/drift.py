"""What people see of drift: for few nodes a matrix, for many who is alone with what; then what is not known."""

from collections.abc import Iterable, Sequence, Set
from itertools import groupby
from typing import TYPE_CHECKING, Any

from aya.drift.finding import Finding, Group, Unknown, Verdict
from aya.drift.thing import PRESENCE
from aya.serve.cli.output import console, print_table, shown, text
from aya.serve.cli.quantity import quantity

if TYPE_CHECKING:
    from aya.operations.drift import Drift

FEW_NODES = 4
"""So many nodes have a column each."""
MOST_SHOWN = 40
"""So many findings of a section are shown; --json has all."""
LONGEST = 60
ODD = "← "
"""Marks the value of the odd one."""


def print_drift(drift: "Drift") -> None:
    """What differs, section by section, and what could not be compared."""
    screen = console()
    few = len(drift.nodes) <= FEW_NODES and drift.baseline is None
    for section, group in groupby(drift.findings, key=lambda one: one.section):
        found = list(group)
        screen.print(f"\n[bold]{section}[/]")
        if found[0].verdict is Verdict.RULE:
            _print_rules(found)
        elif few:
            blind = {one.node for one in drift.unknown if one.section == section}
            _print_matrix(found, drift.nodes, blind)
        else:
            _print_odd_ones(found, drift.baseline)
    if drift.unknown:
        _print_unknown(drift.unknown)
    screen.print(f"\n{shown(_summary(drift))}")


def _print_matrix(found: Sequence[Finding], nodes: Sequence[str], blind: Set[str]) -> None:
    """A column for each node. One that does not even have what the thing is in has no value; of a blind one it is not known."""
    rows = []
    for one in found[:MOST_SHOWN]:
        row: dict[str, Any] = {"what": _what(one)}
        for group in (*one.groups, *([one.expected] if one.expected else [])):
            odd = one.verdict is Verdict.MAJORITY and group is not one.expected
            for node in group.nodes:
                row[node] = (ODD if odd else "") + _value(one, group)
        rows.append({node: "not known" if node in blind else "–" for node in nodes} | row)
    print_table(rows, ("what", *nodes))
    _print_more(found)


def _print_odd_ones(found: Sequence[Finding], baseline: str | None) -> None:
    rows = []
    for one in found[:MOST_SHOWN]:
        said = "; ".join(f"{_value(one, group)} on {_nodes(group.nodes)}" for group in one.groups)
        if one.expected is None:
            expected = "no majority"
        elif baseline is not None:
            expected = _value(one, one.expected)
        else:
            expected = f"{_value(one, one.expected)} on {_nodes(one.expected.nodes)}"
        rows.append({"what": _what(one), "odd": said, "expected": expected})
    print_table(rows, ("what", "odd", "expected"))
    _print_more(found)


def _print_rules(found: Sequence[Finding]) -> None:
    rows = [
        {
            "severity": one.severity.value,
            "primary → replica": " ".join(one.scope),
            "what": one.name,
            "primary": _value(one, one.expected) if one.expected else "",
            "replica": "; ".join(_value(one, group) for group in one.groups),
            "why it matters": one.why,
        }
        for one in found
    ]
    print_table(rows, ("severity", "primary → replica", "what", "primary", "replica", "why it matters"))


def _print_more(found: Sequence[Finding]) -> None:
    if len(found) > MOST_SHOWN:
        console().print(
            f"[dim]… and {len(found) - MOST_SHOWN:,} more (--json has all; --section and NODE narrow it)[/]"
        )


def _print_unknown(unknown: Iterable[Unknown]) -> None:
    """What is not known, the sections of a node that share a reason on one line."""
    together: dict[tuple[Any, ...], list[str]] = {}
    for one in unknown:
        together.setdefault((one.node, one.what, one.since, one.reason), []).append(one.section)
    console().print("\n[bold]not known[/]")
    rows = [
        {
            "node": node,
            "section": ", ".join(dict.fromkeys(filter(None, sections))),
            "of": what,
            "not known since": text(since) if since else "never known",
            "because": reason,
        }
        for (node, what, since, reason), sections in together.items()
    ]
    print_table(rows[:MOST_SHOWN], ("node", "section", "of", "not known since", "because"))
    if len(rows) > MOST_SHOWN:
        console().print(f"[dim]… and {len(rows) - MOST_SHOWN:,} more (--json has all)[/]")


def _what(one: Finding) -> str:
    aspect = "" if one.aspect in ("value", "version", PRESENCE) else one.aspect.replace("_", " ")
    scope = [part for part in one.scope if part != "postgresql"]
    return " ".join(filter(None, (*scope, one.name, aspect)))


def _value(one: Finding, group: Group) -> str:
    if group.value is None:
        return "missing"
    if one.aspect == PRESENCE:
        return "there"
    said = quantity(group.value, one.unit) or "''"
    if group.pending is not None:
        said += f" ({quantity(group.pending, one.unit)} after a restart)"
    return said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"


def _nodes(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= FEW_NODES else f"{len(names):,} nodes"


def _summary(drift: "Drift") -> str:
    nodes = f"{len(drift.nodes):,} nodes" if len(drift.nodes) > 1 else drift.nodes[0] if drift.nodes else "no node"
    compared = nodes + (f" against {drift.baseline}" if drift.baseline else "")
    found = {0: "No difference is known", 1: "1 difference"}.get(
        len(drift.findings), f"{len(drift.findings):,} differences"
    )
    said = f"{found} {'of' if len(drift.nodes) == 1 else 'between'} {compared}"
    blind = {one.node for one in drift.unknown}
    if blind:
        return f"{said}; not everything is known of {_nodes(sorted(blind))}."
    return f"{said}."
