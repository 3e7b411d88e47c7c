"""How nodes differ from one another, or from what they should be."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Annotated, Any

from aya.db.connection import Connection, rows, translated
from aya.db.database import Login
from aya.db.queries import query
from aya.drift import failover
from aya.drift.baseline import Against
from aya.drift.failover import Side
from aya.drift.finding import Finding, Unknown, Verdict
from aya.drift.looks import Gap, Looks
from aya.drift.majority import Tally
from aya.drift.servers import common_names, usual_port
from aya.drift.thing import Look, NodeDocument
from aya.drift.view import Known, View, view
from aya.drift.view import sections as comparable
from aya.errors import NotFound
from aya.history.moment import Moment, as_of, moment
from aya.operations.context import Context
from aya.operations.operation import AsOf, operation
from aya.operations.retention import age
from aya.operations.snapshots import NOW, is_of_one_node, named_state
from aya.snapshot import snapshots
from aya.snapshot.document import Document, read_document

NODES_AT_ONCE = 100
"""So many nodes are in memory at once."""
OWN = ("instances", "interfaces")
"""What tells a node's own names and folders, whatever is compared."""
JUDGED = ("instances", "settings", "schemas", "replication")
"""What a failover is judged by."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What differs, and what could not be compared."""

    nodes: tuple[str, ...]
    """The nodes that were compared."""
    sections: tuple[str, ...]
    baseline: str | None
    """What they were compared with; None: with one another."""
    at: datetime
    """As of when."""
    findings: tuple[Finding, ...]
    unknown: tuple[Unknown, ...]

    @property
    def attention(self) -> bool:
        """Whether something differs, or it cannot be said that nothing does."""
        return bool(self.findings or self.unknown)


def section_names() -> list[str]:
    """What can be compared."""
    return [failover.SECTION, *comparable()]


@operation("GET /drift", command="drift", tool=True)
def find_drift(
    context: Context,
    *,
    nodes: Annotated[
        Sequence[str], "Only these nodes; one alone is compared with all others. All when none is named."
    ] = (),
    sections: Annotated[
        Sequence[str], "Only these: failover, instances, node, schemas, services, settings, software."
    ] = (),
    baseline: Annotated[
        str | None,
        "Compare with a node, or each node with itself in a snapshot or at a moment, or with a node in one: ALPHA@baseline. "
        "Left out: with what most nodes have.",
    ] = None,
    everything: Annotated[
        bool, "Also what differs between machines by nature: folders, addresses, names, ports."
    ] = False,
    stale_after: Annotated[
        str | None, "What was not looked at for so long is not known: `1 hour`. Left out: three intervals."
    ] = None,
    as_of: AsOf = None,
) -> Drift:
    """What differs between nodes, who is alone with what, and what would break a failover.

    What could not be looked at, or not for long, is neither equal nor different: it is `unknown`, and in no majority. Raises
    NotFound, naming what there is, for an unknown node, section or baseline.
    """
    wanted = _wanted(sections)
    at = moment(as_of) if as_of is not None else None
    limit = _stale_after(context, stale_after)
    with context.database.connect(Login.READER) as connection, translated(doing="comparing nodes"):
        reference = _Reference.read(connection, baseline, limit) if baseline is not None else None
        return _compared(context, connection, nodes, wanted, reference, at, limit, everything=everything)


def _wanted(sections: Sequence[str]) -> tuple[str, ...]:
    for name in sections:
        if name not in section_names():
            raise NotFound(
                f"There is no section named {name} to compare.", remedy=f"There are: {', '.join(section_names())}."
            )
    return tuple(name for name in section_names() if not sections or name in sections)


def _stale_after(context: Context, said: str | None) -> timedelta:
    settings = context.settings
    return age(said) if said is not None else timedelta(seconds=settings.stale_after_s or 3 * settings.interval_s)


def _compared(
    context: Context,
    connection: Connection,
    only: Sequence[str],
    wanted: tuple[str, ...],
    reference: "_Reference | None",
    at: Moment | None,
    stale_after: timedelta,
    *,
    everything: bool,
) -> Drift:
    with as_of(connection, at), connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        now = rows(connection, "SELECT coalesce(aya.as_of_time(), now()) AS at")[0]["at"]
        fleet = _fleet(connection, only)
        alone = len(only) == 1 and reference is None
        names = list(fleet) if alone or not only else list(only)
        looks = _looks(connection, names)
        usual = usual_port(fleet[name]["instances"] for name in names)
        replicas = _clusters(fleet[name] for name in names)
        tally, against = Tally(), Against()
        unknown: list[Unknown] = []
        sides: list[Side] = []
        not_judged: list[Unknown] = []
        reads = _reads(wanted)
        names_of_settings = _differing_settings(connection, names) if reference is None else None
        states = _states(connection, names, reads, names_of_settings, whole=at is not None)
        for done, (name, state) in enumerate(states, 1):
            servers = common_names(state["instances"], usual)
            known = _known(looks[name], now, stale_after)
            seen = _view(name, state, wanted, servers, known, looks[name], everything=everything)
            unknown += seen.unknown
            if reference is None:
                tally.add(seen)
            elif (expected := reference.view_for(name, servers, wanted, usual, everything=everything)) is not None:
                against.add(seen, expected)
            else:
                unknown.append(Unknown(name, "", "", None, f"it is not in {reference.said}"))
            if failover.SECTION in wanted and _identifiers(state["instances"]) & replicas:
                found, gaps = failover.sides(name, state, servers, known)
                sides += found
                not_judged += gaps
            context.progress(f"compared {done:,} of {len(names):,} nodes")
    if reference is not None and not only:
        unknown += reference.no_longer(fleet)
    findings = list(tally.findings() if reference is None else against.findings())
    broken, gaps_of_replicas = failover.judge(sides, not_judged)
    findings += broken
    unknown += gaps_of_replicas
    if alone:
        findings = [one for one in findings if only[0] in one.odd or (_is_rule(one) and only[0] in _sides_of(one))]
        unknown = [one for one in unknown if one.node == only[0]]
    order = {name: place for place, name in enumerate(wanted)}
    findings.sort(key=lambda one: (order[one.section], list(type(one.severity)).index(one.severity)))
    said = reference.said if reference is not None else None
    return Drift(tuple(names), wanted, said, now, tuple(findings), tuple(unknown))


def _is_rule(finding: Finding) -> bool:
    return finding.verdict is Verdict.RULE


def _sides_of(finding: Finding) -> frozenset[str]:
    return finding.odd | (frozenset(finding.expected.nodes) if finding.expected else frozenset())


def _fleet(connection: Connection, only: Sequence[str]) -> dict[str, NodeDocument]:
    """The servers of every node."""
    nodes: dict[str, NodeDocument] = read_document(connection, sections=("instances",))["nodes"]
    for name in only:
        if name not in nodes:
            there = ", ".join(list(nodes)[:20])
            raise NotFound(
                f"No node named {name} is recorded.",
                remedy=f"There are: {there}." if there else "None is: `aya up` records this machine.",
            )
    return nodes


def _reads(wanted: Iterable[str]) -> set[str]:
    """The sections of the state document that are needed."""
    found = {*OWN, *(name for section in wanted if section in comparable() for name in comparable()[section].reads)}
    return found | set(JUDGED) if failover.SECTION in wanted else found


def _differing_settings(connection: Connection, names: Sequence[str]) -> list[str]:
    """The settings that must be looked at: most are the same everywhere, and a failover is judged by some."""
    found = rows(connection, query("drift_settings_that_differ"), {"nodes": list(names)})
    return [*failover.NEEDED, *(row["setting_name"] for row in found)]


def _states(
    connection: Connection, names: Sequence[str], reads: set[str], settings: Sequence[str] | None, *, whole: bool
) -> Iterator[tuple[str, NodeDocument]]:
    """The nodes, a few at a time; of the past all at once, since going back costs the same for one as for all.

    `settings`: only those of these names; None: all.
    """
    at_once = len(names) if whole else NODES_AT_ONCE
    for start in range(0, len(names), max(at_once, 1)):
        some = names[start : start + at_once]
        sections = reads if settings is None else reads - {"settings"}
        nodes: dict[str, NodeDocument] = read_document(connection, nodes=some, sections=sections)["nodes"]
        if settings is not None and "settings" in reads:
            asked = {"nodes": list(some), "names": list(settings)}
            for number, row in enumerate(rows(connection, query("drift_settings"), asked)):
                known = {name: value for name, value in row.items() if value is not None}
                nodes[known.pop("node_name")]["settings"][str(number)] = known
        yield from nodes.items()


def _looks(connection: Connection, names: Sequence[str] | None) -> Mapping[str, Looks]:
    found = rows(connection, query("latest_looks"), {"nodes": None if names is None else list(names)})
    return {name: Looks.of(of_node) for name, of_node in groupby(found, key=lambda row: row["node_name"])}


def _known(looks: Looks, now: datetime, stale_after: timedelta) -> Known:
    def known(wanted: Iterable[Look]) -> Gap | None:
        return looks.gap(wanted, now, stale_after)

    return known


def _view(
    name: str,
    state: NodeDocument,
    wanted: Iterable[str],
    servers: Mapping[str, str],
    known: Known,
    looks: Looks,
    *,
    everything: bool,
) -> View:
    sections = [section for section in wanted if section in comparable()]
    looked_at = [target for target in looks.targets if target.partition("/")[0] in servers]
    return view(name, state, sections, servers, known, looks.refusals(servers), looked_at, everything=everything)


def _clusters(nodes: Iterable[NodeDocument]) -> set[str]:
    """The system identifiers that replicas have."""
    return {
        str(row["system_identifier"])
        for node in nodes
        for row in node["instances"].values()
        if row.get("server_role") == "replica" and row.get("system_identifier")
    }


def _identifiers(instances: Mapping[str, Mapping[str, Any]]) -> set[str]:
    return {str(row["system_identifier"]) for row in instances.values() if row.get("system_identifier")}


@dataclass(frozen=True, slots=True)
class _Reference:
    """The state that nodes are compared with."""

    said: str
    document: Document
    looks: Mapping[str, Looks]
    at: datetime
    stale_after: timedelta
    node: str | None
    """The one node that all are compared with; None: each with itself."""

    @classmethod
    def read(cls, connection: Connection, said: str, stale_after: timedelta) -> "_Reference":
        document = named_state(connection, said)
        node = next(iter(document["nodes"])) if is_of_one_node(said, document) else None
        when = said if node is None else NOW if said == node else said.rpartition("@")[2]
        then = _moment_of(connection, when)
        with as_of(connection, then):
            looks = _looks(connection, None)
            at = rows(connection, "SELECT coalesce(aya.as_of_time(), now()) AS at")[0]["at"]
        return cls(said, document, looks, at, stale_after, node)

    def view_for(
        self, name: str, servers: Mapping[str, str], wanted: Iterable[str], usual: int | None, *, everything: bool
    ) -> View | None:
        """What a node is compared with; None when that is not in it. With itself, each server is compared with itself."""
        of = self.node or name
        state = self.document["nodes"].get(of)
        if state is None:
            return None
        servers = common_names(state["instances"], usual, servers if of == name else {})
        looks = self.looks.get(of, Looks(None, {}, {}))
        # Of what was kept without its looks, as in a snapshot from elsewhere, what it says is all that is known.
        known = _known(looks, self.at, self.stale_after) if looks.at is not None else _all_known
        return _view(of, state, wanted, servers, known, looks, everything=everything)

    def no_longer(self, names: Iterable[str]) -> list[Unknown]:
        """The nodes that are only in the baseline."""
        gone = [] if self.node else sorted(self.document["nodes"].keys() - set(names))
        return [Unknown(name, "", "", self.at, f"it is in {self.said}, but not recorded any more") for name in gone]


def _all_known(_looks: Iterable[Look]) -> Gap | None:
    return None


def _moment_of(connection: Connection, when: str) -> Moment | None:
    if when == NOW:
        return None
    for snapshot in snapshots.listing(connection):
        if snapshot.snapshot_name == when:
            return Moment(when, snapshot.created_at.astimezone(UTC).isoformat())
    return moment(when)
