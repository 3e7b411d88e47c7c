"""What a person sees after looking, checking and examining: the overview after `aya up`, and how each part of it ended."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aya.model import FACT_TYPES, CheckOutcome, CheckResult, NodeState
from aya.record.recorder import count_facts
from aya.serve.cli.documents import merged_node
from aya.serve.cli.output import console, print_table, shown, styled, text

if TYPE_CHECKING:
    from aya.operations.collection import Collection
    from aya.operations.doctor import Diagnosis
    from aya.operations.up import Up
    from aya.operations.verification import Verified
    from aya.verify.catalogue import Entry

REASON_CHARACTERS = 240


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
    _print_seal(up)
    screen.print(
        "\n[bold]Go on:[/]  aya show · aya show settings --match work_mem · aya changes · aya snapshot diff "
        f"{shown(snapshot.snapshot_name)} · aya serve · aya doctor\n"
        "         psql \"$(aya db url)\" -c 'SELECT * FROM v_system_overview'"
    )


def _print_seal(up: "Up") -> None:
    screen = console()
    if up.sealed is None:
        screen.print(f"Log: [bold red]not sealed[/]: {shown(up.seal_problem)}")
    else:
        screen.print(f"Log: {up.sealed.tree_size:,} changes sealed, root {up.sealed.root[:16]}…")


def print_serving(host: str, port: int) -> None:
    """Where it is served."""
    where = f"[{host}]" if ":" in host else host
    console().print(f"Serving on http://{where}:{port}, /docs says what there is. Ctrl-C ends it.", markup=False)


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
    if up.sealed is None:
        _print_seal(up)
    if up.retention is not None and up.retention.rows:
        console().print(f"Let go: {up.retention.rows:,} old rows (`aya retention` says what is kept).")


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
    if verified.state_hash:
        console().print(f"They vouch for the state {verified.state_hash[:16]}… of change #{verified.change_number}.")
    elif verified.state_problem:
        console().print(f"[yellow]They vouch for no state:[/] {shown(verified.state_problem)}.")


def print_check_list(entries: Sequence["Entry"]) -> None:
    """Every check that can be run, and where it is from."""
    from aya.verify.catalogue import summary

    rows = [
        {"check": entry.name, "file": str(entry.file or ""), "about": entry.problem or summary(entry.about)}
        for entry in entries
    ]
    print_table(rows, ("check", "file", "about"))


def print_diagnosis(findings: Sequence["Diagnosis"]) -> None:
    """What was looked at, what is wrong and what to do."""
    rows = [
        {"": "ok" if finding.well else "fail", "what": finding.what, "found": finding.found, "remedy": finding.remedy}
        for finding in findings
    ]
    print_table(rows, ("", "what", "found", "remedy"))
    wrong = sum(not finding.well for finding in findings)
    console().print(f"\n{wrong} of {len(findings)} need attention." if wrong else "\nAll is well.")


def _known(state: NodeState) -> list[str]:
    """What this machine is, in a few words."""
    node = merged_node(state)
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
            {"collector": ", ".join(names), "target": target, "outcome": outcome, "reason": _shortened(reason)}
            for (target, outcome, reason), names in gaps.items()
        ]
        print_table(rows, ("outcome", "target", "reason", "collector"))


def _shortened(reason: str | None) -> str | None:
    """A reason that names very many things, as its first few; `aya show outcomes` shows all."""
    if reason is None or len(reason) <= REASON_CHARACTERS:
        return reason
    return f"{reason[:REASON_CHARACTERS].rsplit('; ', 1)[0]}; … (all of it: `aya show outcomes`)"


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
