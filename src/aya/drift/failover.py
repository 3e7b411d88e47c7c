"""What would break, or change, when a replica takes its primary's place: judged by PostgreSQL's own rules.

A server and its replicas share a system identifier. Each rule is a function of both sides; what either side does not tell is
not judged, and is said.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aya.drift.finding import Finding, Group, Unknown, Verdict
from aya.drift.own import Own
from aya.drift.thing import NodeDocument, Severity, text
from aya.drift.view import Known

SECTION = "failover"
ENOUGH = (
    "max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_transactions", "max_locks_per_transaction",
)  # fmt: skip
"""What a standby needs as much of as its primary has, as the primary's log tells it."""
SAFE = ("fsync", "full_page_writes")
LIKE_PRIMARY = (
    "max_slot_wal_keep_size", "wal_keep_size", "idle_replication_slot_timeout", "synchronous_commit", "wal_log_hints",
    "track_commit_timestamp", "password_encryption", "ssl", "shared_preload_libraries",
)  # fmt: skip
"""What a replica has of its own and clients of the primary would find changed after a failover."""
NEEDED = (
    *ENOUGH, *SAFE, *LIKE_PRIMARY, "wal_level", "hot_standby", "archive_mode", "archive_command", "archive_library",
    "synchronous_standby_names", "max_replication_slots", "cluster_name", "primary_conninfo",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Side:
    """One server of a cluster, with what the rules need of it."""

    node: str
    server: str
    """Its common name on the node."""
    instance: Mapping[str, Any]
    settings: Mapping[str, Mapping[str, Any]]
    databases: Mapping[str, Mapping[str, Any]]
    """Metadata of its databases."""
    extensions: Mapping[tuple[str, str], Mapping[str, Any]]
    """Metadata of its extensions, by database and name."""
    slots: int
    """Replication slots that are kept on it."""
    own: Own

    @property
    def label(self) -> str:
        """As people call it."""
        return self.node if self.server == "postgresql" else f"{self.node} {self.server}"

    def now(self, name: str) -> str | None:
        """The value of a setting in force; None: not known."""
        value = self.settings.get(name, {}).get("setting_value")
        return None if value is None else str(value)

    def later(self, name: str) -> str | None:
        """The value after a restart."""
        row = self.settings.get(name, {})
        pending = row.get("pending_value") if row.get("requires_restart") else None
        return self.now(name) if pending is None else str(pending)

    def said(self, name: str) -> str:
        """A setting without what is the node's own, for comparing."""
        return self.own.replaced(self.now(name) or "")


@dataclass(frozen=True, slots=True)
class Broken:
    """What a rule says."""

    name: str
    severity: Severity
    why: str
    primary: str | None
    replica: str | None
    unit: str | None = None
    evidence: tuple[Mapping[str, object], ...] = ()


Rule = Callable[[Side, Side], Iterator[Broken]]


def sides(node: str, state: NodeDocument, servers: Mapping[str, str], known: Known) -> tuple[list[Side], list[Unknown]]:
    """The servers of a node as the rules see them, and those that are not known."""
    found: list[Side] = []
    unknown: list[Unknown] = []
    for instance, row in state.get("instances", {}).items():
        looks = [(f"postgresql.{name}", instance) for name in ("instance", "settings", "databases", "replication")]
        for look in looks:
            if (gap := known([look])) is not None:
                unknown.append(Unknown(node, SECTION, servers[instance], gap.since, gap.reason))
                break
        else:
            found.append(_side(node, instance, row, state, servers[instance]))
    return found, unknown


def _side(node: str, instance: str, row: Mapping[str, Any], state: NodeDocument, server: str) -> Side:
    objects = [one for one in state.get("schemas", {}).values() if one["instance"] == instance]
    of_it = [one for one in state.get("settings", {}).values() if one["instance"] == instance]
    links = [one for one in state.get("replication", {}).values() if one["instance"] == instance]
    return Side(
        node=node,
        server=server,
        instance=row,
        settings={one["setting_name"]: one for one in of_it if one["setting_name"] in NEEDED},
        databases={one["database_name"]: one.get("metadata", {}) for one in objects if one["kind"] == "database"},
        extensions={
            (one["database_name"], one["object_name"]): one.get("metadata", {})
            for one in objects
            if one["kind"] == "extension"
        },
        slots=sum(1 for one in links if one.get("side") == "primary" and one.get("slot_name")),
        own=Own.of(node, state),
    )


def judge(found: Sequence[Side], unknown: Iterable[Unknown] = ()) -> tuple[list[Finding], list[Unknown]]:
    """What is broken between each replica and its primary, and which replicas cannot be judged."""
    findings: list[Finding] = []
    not_judged = list(unknown)
    for replica in found:
        if replica.instance.get("server_role") != "replica":
            continue
        identifier = replica.instance.get("system_identifier")
        others = [
            side
            for side in found
            if identifier
            and side.instance.get("system_identifier") == identifier
            and side.instance.get("server_role") != "replica"
        ]
        # A primary that nobody streams from calls itself standalone.
        primaries = [side for side in others if side.instance.get("server_role") == "primary"] or others
        if not primaries:
            not_judged.append(
                Unknown(
                    replica.node, SECTION, replica.server, None, "its primary is not among the nodes that are known"
                )
            )
        for primary in primaries:
            findings += (_finding(broken, primary, replica) for rule in RULES for broken in rule(primary, replica))
    return findings, not_judged


def _finding(broken: Broken, primary: Side, replica: Side) -> Finding:
    return Finding(
        section=SECTION,
        scope=(f"{primary.label} → {replica.label}",),
        name=broken.name,
        aspect="value",
        verdict=Verdict.RULE,
        severity=broken.severity,
        expected=Group(broken.primary, (primary.node,)),
        groups=(Group(broken.replica, (replica.node,)),),
        unit=broken.unit,
        why=broken.why,
        evidence=broken.evidence or _rows(broken.name, primary, replica),
    )


def _rows(name: str, *both: Side) -> tuple[Mapping[str, object], ...]:
    return tuple(
        {"node": side.node, "server": side.server, **side.settings[name]} for side in both if name in side.settings
    )


def _number(value: str | None) -> int | None:
    try:
        return None if value is None else int(value)
    except ValueError:
        return None


def _enough(primary: Side, replica: Side) -> Iterator[Broken]:
    for name in ENOUGH:
        for when, of in (("", Side.now), ("after a restart, ", Side.later)):
            wanted, has = _number(of(primary, name)), _number(of(replica, name))
            if wanted is not None and has is not None and has < wanted:
                why = (
                    f"{when}the standby has less than its primary: it pauses replay as soon as the log says so, and does not "
                    "start again"
                )
                yield Broken(name, Severity.CRITICAL, why, str(wanted), str(has))
                break


def _wal_level(primary: Side, replica: Side) -> Iterator[Broken]:
    wanted, has = primary.later("wal_level"), replica.later("wal_level")
    if wanted == "minimal":
        yield Broken("wal_level", Severity.CRITICAL, "a log of this level cannot feed a standby", wanted, has)
    elif wanted == "logical" and has == "replica":
        why = "after a failover logical replication and its slots stop working"
        yield Broken("wal_level", Severity.CRITICAL, why, wanted, has)
    elif wanted and has == "minimal":
        why = "after a failover it can neither be archived nor feed a standby"
        yield Broken("wal_level", Severity.CRITICAL, why, wanted, has)


def _hot_standby(primary: Side, replica: Side) -> Iterator[Broken]:
    if replica.later("hot_standby") == "off":
        why = "nobody can read from the standby, and nothing can be looked at on it until it is promoted"
        yield Broken("hot_standby", Severity.WARNING, why, primary.now("hot_standby"), "off")


def _version(primary: Side, replica: Side) -> Iterator[Broken]:
    one, two = (side.instance.get("server_version_num") for side in (primary, replica))
    if not one or not two or one == two:
        return
    mine, theirs = (side.instance.get("server_version") for side in (primary, replica))
    evidence = tuple({"node": side.node, **_short(side.instance)} for side in (primary, replica))
    if one // 10_000 != two // 10_000:
        why = "a server of another major version cannot replay the log"
        yield Broken("server_version", Severity.CRITICAL, why, mine, theirs, evidence=evidence)
    else:
        why = "minor versions differ: update standbys first, so that none replays what it does not know"
        severity = Severity.WARNING if one > two else Severity.INFO
        yield Broken("server_version", severity, why, mine, theirs, evidence=evidence)


def _layout(primary: Side, replica: Side) -> Iterator[Broken]:
    for name in ("data_checksums", "architecture", "block_bytes", "wal_segment_bytes", "catalog_version"):
        one, two = (side.instance.get(name, side.instance.get("metadata", {}).get(name)) for side in (primary, replica))
        if one is not None and two is not None and one != two:
            why = "the files of a replica have the form of its primary's: these two were not made from one another"
            evidence = tuple({"node": side.node, **_short(side.instance)} for side in (primary, replica))
            yield Broken(name, Severity.CRITICAL, why, text(one), text(two), evidence=evidence)


def _short(instance: Mapping[str, Any]) -> Mapping[str, object]:
    return {name: value for name, value in instance.items() if name != "metadata"}


def _collations(primary: Side, replica: Side) -> Iterator[Broken]:
    for database in sorted(primary.databases.keys() & replica.databases.keys()):
        one, two = primary.databases[database], replica.databases[database]
        evidence = tuple(
            {"node": side.node, "database": database}
            | {key: value for key, value in side.databases[database].items() if "colla" in key or "locale" in key}
            for side in (primary, replica)
        )
        for name in ("locale_provider", "locale", "actual_collation_version"):
            if one.get(name) and two.get(name) and one[name] != two[name]:
                why = (
                    "texts sort differently there: indexes on text give wrong answers, and are corrupt after a failover"
                )
                what = f"{name} of database {database}"
                yield Broken(what, Severity.CRITICAL, why, str(one[name]), str(two[name]), evidence=evidence)


def _extensions(primary: Side, replica: Side) -> Iterator[Broken]:
    offered = {
        one["name"] for one in replica.instance.get("metadata", {}).get("available_extensions") or () if one.get("name")
    }
    for (database, name), mine in sorted(primary.extensions.items()):
        theirs = replica.extensions.get((database, name), {})
        lacks = theirs.get("library_is_missing") or theirs.get("control_file_is_there") is False
        if lacks or (offered and not theirs and name not in offered):
            why = "its functions fail there: on the standby now, and for everybody after a failover"
            evidence = tuple(
                {"node": node, "database": database, "extension": name, **row}
                for node, row in ((primary.node, mine), (replica.node, theirs))
            )
            what = f"extension {name} in {database}"
            yield Broken(what, Severity.CRITICAL, why, mine.get("version"), "its files are missing", evidence=evidence)


def _archiving(primary: Side, replica: Side) -> Iterator[Broken]:
    mine, theirs = primary.later("archive_mode"), replica.later("archive_mode")
    if mine in ("on", "always") and theirs == "off":
        why = "after a failover nothing is archived any more: the backup chain ends there"
        yield Broken("archive_mode", Severity.CRITICAL, why, mine, theirs)
    elif mine in ("on", "always"):
        for name in ("archive_command", "archive_library"):
            if None not in (primary.now(name), replica.now(name)) and primary.said(name) != replica.said(name):
                why = "after a failover the log is archived in another way"
                yield Broken(name, Severity.WARNING, why, primary.now(name), replica.now(name))


def _synchronous(primary: Side, replica: Side) -> Iterator[Broken]:
    name = "synchronous_standby_names"
    mine, theirs = primary.now(name), replica.now(name)
    if mine is None or theirs is None:
        return
    members = _members(theirs)
    if members and members <= {member.lower() for member in _names(replica)}:
        why = "after a failover it waits for itself: every commit hangs"
        yield Broken(name, Severity.CRITICAL, why, mine, theirs)
    elif mine and not theirs:
        why = "after a failover commits wait for no standby: what was promised to be safe no longer is"
        yield Broken(name, Severity.WARNING, why, mine, theirs)


def _members(said: str) -> set[str]:
    """The names in `FIRST 2 (a, b)`, `ANY 1 (a, b)`, `2 (a, b)` or `a, b`."""
    inside = said.partition("(")[2].rpartition(")")[0] or said
    return {part.strip().strip('"').lower() for part in inside.split(",") if part.strip()}


def _names(replica: Side) -> set[str]:
    """What the replica calls itself to its primary."""
    given = replica.now("primary_conninfo") or ""
    named = given.partition("application_name=")[2].split()
    return {named[0].strip("'")} if named else {replica.now("cluster_name") or "walreceiver"}


def _slots(primary: Side, replica: Side) -> Iterator[Broken]:
    has = _number(replica.later("max_replication_slots"))
    if has is not None and has < primary.slots:
        why = "after a failover there is no room for the slots that the primary has"
        yield Broken("max_replication_slots", Severity.WARNING, why, f"{primary.slots} in use", str(has))


def _safety(primary: Side, replica: Side) -> Iterator[Broken]:
    for name in SAFE:
        if primary.later(name) == "on" and replica.later(name) == "off":
            why = "a crash of that machine corrupts its data, also after a failover"
            yield Broken(name, Severity.CRITICAL, why, "on", "off")


def _like_primary(primary: Side, replica: Side) -> Iterator[Broken]:
    for name in LIKE_PRIMARY:
        if None not in (primary.now(name), replica.now(name)) and primary.said(name) != replica.said(name):
            unit = primary.settings[name].get("setting_unit")
            why = "after a failover the replica's own value counts"
            yield Broken(name, Severity.WARNING, why, primary.now(name), replica.now(name), unit)


RULES: tuple[Rule, ...] = (
    _version, _layout, _enough, _wal_level, _hot_standby, _collations, _extensions, _archiving, _synchronous, _slots, _safety,
    _like_primary,
)  # fmt: skip
