"""What a person sees after a command: the overview after `aya up`, and one table for each kind of answer."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.table import Table

from aya.model import FACT_TYPES, CheckOutcome, CheckResult, NodeState
from aya.record.recorder import count_facts
from aya.serve.cli.output import console, print_renderable, print_table, shown, styled, text
from aya.serve.cli.quantity import quantity
from aya.snapshot.diff import Difference
from aya.snapshot.snapshots import Snapshot, Verification

if TYPE_CHECKING:
    from aya.operations.collection import Collection
    from aya.operations.context import Context
    from aya.operations.doctor import Diagnosis
    from aya.operations.up import Up
    from aya.operations.verification import Verified

COLUMNS = {
    "system": (
        "node_name",
        "node_role",
        "cpu_model",
        "cpu_cores_total",
        "ram_gb",
        "storage_internal_tb",
        "os_version",
        "primary_ip",
        "running_services",
        "installed_software",
        "status",
        "last_collected",
        "last_verified",
    ),
    "interfaces": (
        "node_name",
        "interface_name",
        "interface_type",
        "is_primary",
        "is_active",
        "ipv4_address",
        "ipv4_gateway",
        "ipv6_address",
        "mac_address",
        "connection_speed_mbps",
    ),
    "software": (
        "node_name",
        "software_name",
        "software_version",
        "software_architecture",
        "runtime_mode",
        "install_path",
    ),
    "services": (
        "node_name",
        "service_name",
        "service_type",
        "status",
        "bind_address",
        "port",
        "process_id",
        "started_at",
        "auto_start",
        "auto_restart",
    ),
    "instances": ("node_name", "instance", "server_version", "server_role", "port", "data_directory", "started_at"),
    "settings": ("node_name", "instance", "setting", "value", "after_restart", "source", "context"),
    "replication": (
        "node_name",
        "side",
        "primary_node",
        "replica_node",
        "slot_name",
        "state",
        "sync_state",
        "replay_lag_ms",
        "replay_lag_bytes",
        "last_check",
    ),
    "schemas": (
        "node_name",
        "database_name",
        "kind",
        "schema_name",
        "table_name",
        "column_name",
        "data_type",
        "index_name",
        "constraint_name",
        "object_name",
        "table_size_bytes",
    ),
    "runs": (
        "node_name",
        "run",
        "collected_at",
        "duration_ms",
        "rows_inserted",
        "rows_updated",
        "rows_vanished",
        "recorded_by",
    ),
    "outcomes": ("node_name", "collector", "target", "outcome", "facts", "duration_ms", "reason"),
    "checks": ("node_name", "check_name", "target", "outcome", "reason", "started_at"),
    "metrics": (
        "node_name",
        "metric_category",
        "metric_name",
        "avg_value",
        "min_value",
        "max_value",
        "metric_unit",
        "sample_count",
    ),
}
"""The columns that fit a terminal; --json has all of them."""

MOST_ALIKE = 20
"""So many differences of one kind in one section are shown before they are counted instead."""


def print_section(section: str, rows: Sequence[dict[str, Any]], match: str | None = None) -> None:
    """The rows of `aya show SECTION`, of which only those that hold `match` were wanted."""
    if section == "node":
        for row in rows:
            _print_node(row["node"])
        return
    if section == "settings":
        rows = [_readable_setting(row) for row in rows]
    print_table(
        rows,
        COLUMNS.get(section) or tuple(rows[0] if rows else ()),
        empty=f"Nothing under {section} holds {match}."
        if match
        else f"No {section} recorded. `aya up` records this machine.",
    )


def _readable_setting(row: dict[str, Any]) -> dict[str, Any]:
    """A setting in the units people use, with what the next restart brings where it brings something else."""
    unit, pending = row["setting_unit"], row["pending_value"]
    after = quantity(pending, unit) if pending is not None else "not known" if row["requires_restart"] else ""
    return row | {
        "setting": row["setting_name"],
        "value": quantity(row["setting_value"], unit),
        "after_restart": after,
        "source": row["metadata"].get("source"),
    }


def _print_node(node: dict[str, Any]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in node.items():
        if name != "metadata" and value is not None:
            table.add_row(name, styled(text(value)))
    for path, value in _leaves((), node.get("metadata") or {}):
        if value not in (None, "", [], {}):
            table.add_row(path, shown(text(value)))
    print_renderable(table)


def _leaves(path: tuple[str, ...], value: Any) -> list[tuple[str, Any]]:
    """A nested value as dotted names with plain values; lists of plain values stay one line."""
    if isinstance(value, dict) and value:
        return [leaf for name, item in value.items() for leaf in _leaves((*path, name), item)]
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [leaf for number, item in enumerate(value) for leaf in _leaves((*path, str(number)), item)]
    return [(".".join(path), ", ".join(map(str, value)) if isinstance(value, list) else value)]


def print_up(up: "Up") -> None:
    """The overview after `aya up`: what this machine is, what was looked at, whether it is believed, and how to go
    on.
    """
    state, screen = up.collection.state, console()
    facts = _known(state)
    screen.print(f"[bold]{shown(state.node_name)}[/]  {shown(' · '.join(filter(None, facts)))}\n")
    _print_counts(state)
    _print_gaps(state)
    recorded = up.collection.recorded
    if recorded is not None:
        what = (
            f"{recorded.inserted} new, {recorded.updated} changed, {recorded.vanished} gone"
            if recorded.changed
            else "nothing changed since the last time"
        )
        screen.print(f"\nRecorded: {what} (run {recorded.run_id}, {state.duration_ms} ms to look).")
    _print_check_summary(up.verified.results)
    snapshot = up.snapshot
    screen.print(
        f"Snapshot: {shown(snapshot.snapshot_name)} {'taken' if up.snapshot_taken else 'still holds'}, "
        f"{styled(str(snapshot.verification_status))}, SHA-256 {str(snapshot.state_hash)[:16]}…"
    )
    screen.print(
        "\n[bold]Go on:[/]  aya show · aya show settings --match work_mem · aya show services · aya snapshot diff "
        f"{shown(snapshot.snapshot_name)} · aya doctor\n"
        "         psql \"$(aya db url)\" -c 'SELECT * FROM v_system_overview'"
    )


def print_up_again(up: "Up") -> None:
    """One line for each further round of `aya up`."""
    recorded = up.collection.recorded
    if recorded is None:
        return
    counts = Counter(result.outcome.value for result in up.verified.results)
    console().print(
        f"{text(up.collection.state.collected_at)}  "
        f"{recorded.inserted} new, {recorded.updated} changed, {recorded.vanished} gone; "
        f"checks: {counts['pass']} passed, {counts['fail']} failed, {counts['skipped']} skipped"
    )


def up_json(up: "Up", context: "Context") -> dict[str, Any]:
    """The document of `aya up --json`."""
    counts = Counter(result.outcome.value for result in up.verified.results)
    return {
        "node": up.collection.state.node_name,
        "home": str(context.settings.home),
        "url": context.database.url() if context.database.is_embedded else None,
        "server_started": up.server_started,
        "migrated": up.migrated,
        "collection": _run_json(up.collection),
        "checks": {
            "passed": counts["pass"],
            "failed": counts["fail"],
            "skipped": counts["skipped"],
            "results": up.verified.results,
        },
        "snapshot": up.snapshot,
        "snapshot_taken": up.snapshot_taken,
    }


def collection_json(collection: "Collection") -> dict[str, Any]:
    """The document of `aya collect --json`: what was found; recorded or not."""
    state = collection.state
    return _run_json(collection) | {
        "state": {
            "node": _merged_node(state),
            **{fact_type.SECTION: [fact for _, fact in state.rows(fact_type.SECTION)] for fact_type in FACT_TYPES},
            "measurements": [m for collected in state.collected for m in collected.facts.measurements],
        }
    }


def _run_json(collection: "Collection") -> dict[str, Any]:
    state = collection.state
    return {
        "node_name": state.node_name,
        "node_role": state.node_role,
        "identity": state.identity,
        "collected_at": state.collected_at,
        "duration_ms": state.duration_ms,
        "recorded": collection.recorded,
        "outcomes": [
            {
                "collector": c.collector,
                "target": c.target,
                "outcome": c.outcome,
                "reason": c.reason,
                "duration_ms": c.duration_ms,
                "facts": count_facts(c),
            }
            for c in state.collected
        ],
    }


def _merged_node(state: NodeState) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    observed: dict[str, Any] = {}
    for collected in state.collected:
        columns |= {
            name: getattr(collected.facts.node, name) for name in collected.owns if not name.startswith("metadata.")
        }
        metadata |= collected.facts.metadata
        observed |= collected.facts.observed
    return columns | {"metadata": metadata | {"observed": observed}}


def print_collection(collection: "Collection") -> None:
    """How each collector ended, and what was recorded."""
    state = collection.state
    rows = [
        {
            "collector": c.collector,
            "target": c.target,
            "outcome": c.outcome.value,
            "facts": count_facts(c),
            "ms": c.duration_ms,
            "reason": c.reason,
        }
        for c in state.collected
    ]
    print_table(rows, ("collector", "target", "outcome", "facts", "ms", "reason"))
    recorded = collection.recorded
    if recorded is None:
        console().print(
            f"\nDry run: looked at {shown(state.node_name)} in {state.duration_ms} ms; nothing was recorded."
        )
    else:
        console().print(
            f"\nRecorded {shown(state.node_name)} (run {recorded.run_id}): {recorded.inserted} new, {recorded.updated} changed, "
            f"{recorded.vanished} gone, in {state.duration_ms} ms of looking."
        )


def print_checks(verified: "Verified") -> None:
    """Every result, failures first."""
    order = {CheckOutcome.FAIL: 0, CheckOutcome.SKIPPED: 1, CheckOutcome.PASS: 2}
    rows = [
        {"check": r.check, "target": r.target, "outcome": r.outcome.value, "ms": r.duration_ms, "reason": r.reason}
        for r in sorted(verified.results, key=lambda r: (order[r.outcome], r.check, r.target))
    ]
    print_table(rows, ("outcome", "check", "target", "ms", "reason"), empty="There was nothing to test.")
    _print_check_summary(verified.results)


def print_diagnosis(findings: Sequence["Diagnosis"]) -> None:
    """What was looked at, what is wrong and what to do."""
    rows = [
        {"": "ok" if finding.well else "fail", "what": finding.what, "found": finding.found, "remedy": finding.remedy}
        for finding in findings
    ]
    print_table(rows, ("", "what", "found", "remedy"))
    wrong = sum(not finding.well for finding in findings)
    console().print(f"\n{wrong} of {len(findings)} need attention." if wrong else "\nAll is well.")


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
    screen.print(f"SHA-256 {snapshot.state_hash}\n")
    rows = [
        {"node": name, **{section: len(items) for section, items in node.items() if section != "node"}}
        for name, node in document["nodes"].items()
    ]
    print_table(rows, ("node", *(fact_type.SECTION for fact_type in FACT_TYPES)))


def print_verification(verification: Verification) -> None:
    """Whether a snapshot is what it was."""
    screen = console()
    if verification.intact:
        screen.print(f"[green]intact[/]  {shown(verification.snapshot_name)}  SHA-256 {verification.state_hash}")
    for problem in verification.problems:
        screen.print(f"[bold red]not intact[/]  {shown(verification.snapshot_name)}: {shown(problem)}")


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


def _known(state: NodeState) -> list[str]:
    """What this machine is, in a few words."""
    node = _merged_node(state)
    cores, ram, disk = node.get("cpu_cores_total"), node.get("ram_gb"), node.get("storage_internal_tb")
    return [
        state.node_role or "",
        node.get("model_name") or "",
        node.get("cpu_model") or "",
        f"{cores} cores" if cores else "",
        f"{float(ram):g} GiB" if ram else "",
        f"{float(disk):g} TB" if disk else "",
        " ".join(filter(None, (node.get("os_name"), node.get("os_version")))),
    ]


def _print_counts(state: NodeState) -> None:
    counts = {fact_type.SECTION: sum(1 for _ in state.rows(fact_type.SECTION)) for fact_type in FACT_TYPES}
    console().print("  ".join(f"{number} {section}" for section, number in counts.items() if number))


def _print_gaps(state: NodeState) -> None:
    """What could not be looked at is said, always; collectors that one target refused alike share a line."""
    gaps: dict[tuple[str, str, str | None], list[str]] = {}
    for c in state.collected:
        if not c.outcome.complete:
            gaps.setdefault((c.target, c.outcome.value, c.reason), []).append(c.collector)
    if gaps:
        console().print("\n[bold]Could not be looked at whole:[/]")
        rows = [
            {"collector": ", ".join(names), "target": target, "outcome": outcome, "reason": reason}
            for (target, outcome, reason), names in gaps.items()
        ]
        print_table(rows, ("outcome", "target", "reason", "collector"))


def _print_check_summary(results: Sequence[CheckResult]) -> None:
    counts = Counter(result.outcome for result in results)
    screen = console()
    screen.print(
        f"Checks: {counts[CheckOutcome.PASS]} passed, {counts[CheckOutcome.FAIL]} failed, {counts[CheckOutcome.SKIPPED]} skipped."
    )
    for result in results:
        if result.outcome is not CheckOutcome.PASS:
            said = f"{result.check} {result.target}: {result.reason}"
            screen.print(f"  {styled(result.outcome.value)} {shown(said)}")
