"""What would break when a replica takes its primary's place, by PostgreSQL's own rules."""

from collections.abc import Mapping
from typing import Any

import pytest

from aya.drift.failover import RULES, Side, judge
from aya.drift.finding import Finding, Verdict
from aya.drift.own import Own
from aya.drift.thing import Severity
from tests.drift.fleet import WELL

CLUSTER = "7301234567890123456"
EXTENSION = ("app", "vector")


def side(
    name: str,
    role: str,
    settings: Mapping[str, str | None] | None = None,
    pending: Mapping[str, str] | None = None,
    *,
    identifier: str = CLUSTER,
    databases: Mapping[str, Any] | None = None,
    extensions: Mapping[tuple[str, str], Any] | None = None,
    slots: int = 0,
    **instance: Any,
) -> Side:
    told = {
        "system_identifier": identifier,
        "server_role": role,
        "server_version_num": 180004,
        "server_version": "18.4",
    }
    values = {**WELL, **(settings or {})}
    state = {"node": {}, "instances": {"i": {"data_directory": f"/data/{name}"}}}
    return Side(
        node=name,
        server="postgresql",
        instance=told | instance,
        settings={
            key: {
                "setting_name": key,
                "setting_value": value,
                "requires_restart": key in (pending or {}),
                "pending_value": (pending or {}).get(key),
            }
            for key, value in values.items()
            if value is not None
        },
        databases=databases or {},
        extensions=extensions or {},
        slots=slots,
        own=Own.of(name, state),
    )


def found(primary: Side, replica: Side) -> dict[str, Finding]:
    findings, unknown = judge([primary, replica])
    assert unknown == []
    return {one.name: one for one in findings}


def test_a_well_kept_replica_has_nothing_wrong() -> None:
    assert found(side("ALPHA", "primary"), side("BETA", "replica")) == {}


def test_servers_of_different_clusters_are_not_judged() -> None:
    findings, unknown = judge(
        [side("ALPHA", "primary"), side("BETA", "standalone", {"max_connections": "5"}, identifier="9")]
    )
    assert (findings, unknown) == ([], [])


ENOUGH = [
    "max_connections",
    "max_worker_processes",
    "max_wal_senders",
    "max_prepared_transactions",
    "max_locks_per_transaction",
]


@pytest.mark.parametrize("name", ENOUGH)
@pytest.mark.parametrize(
    ("mine", "theirs", "broken"), [("100", "99", True), ("100", "100", False), ("100", "101", False)]
)
def test_a_standby_needs_as_much_as_its_primary_has(name: str, mine: str, theirs: str, broken: bool) -> None:
    told = found(side("ALPHA", "primary", {name: mine}), side("BETA", "replica", {name: theirs}))
    assert (name in told) is broken
    if broken:
        one = told[name]
        assert (one.severity, one.verdict) == (Severity.CRITICAL, Verdict.RULE)
        assert [row["node"] for row in one.evidence] == ["ALPHA", "BETA"]
        assert [row["setting_value"] for row in one.evidence] == [mine, theirs]


@pytest.mark.parametrize(
    ("primary", "replica", "broken"),
    [
        ({"max_connections": "500"}, {}, True),
        ({}, {"max_connections": "50"}, True),
        ({"max_connections": "500"}, {"max_connections": "500"}, False),
    ],
)
def test_what_a_restart_will_break_is_found_before_it(
    primary: dict[str, str], replica: dict[str, str], broken: bool
) -> None:
    told = found(side("ALPHA", "primary", pending=primary), side("BETA", "replica", pending=replica))
    assert ("max_connections" in told) is broken
    if broken:
        assert told["max_connections"].why.startswith("after a restart")


CASES: list[tuple[str, dict[str, Any], dict[str, Any], str | None, Severity | None]] = [
    ("a level that feeds nobody", {"settings": {"wal_level": "minimal"}}, {}, "wal_level", Severity.CRITICAL),
    ("logical slots that end", {"settings": {"wal_level": "logical"}}, {}, "wal_level", Severity.CRITICAL),
    ("a promoted minimal one", {}, {"settings": {"wal_level": "minimal"}}, "wal_level", Severity.CRITICAL),
    ("more than the primary", {}, {"settings": {"wal_level": "logical"}}, None, None),
    ("a standby nobody reads", {}, {"settings": {"hot_standby": "off"}}, "hot_standby", Severity.WARNING),
    ("another major version", {}, {"server_version_num": 170002}, "server_version", Severity.CRITICAL),
    ("an older minor version", {}, {"server_version_num": 180001}, "server_version", Severity.WARNING),
    ("a newer minor version", {}, {"server_version_num": 180009}, "server_version", Severity.INFO),
    ("checksums", {"data_checksums": True}, {"data_checksums": False}, "data_checksums", Severity.CRITICAL),
    (
        "another architecture",
        {"architecture": "aarch64"},
        {"architecture": "x86_64"},
        "architecture",
        Severity.CRITICAL,
    ),
    ("no archive", {}, {"settings": {"archive_mode": "off"}}, "archive_mode", Severity.CRITICAL),
    ("always archives", {}, {"settings": {"archive_mode": "always"}}, None, None),
    ("another archive", {}, {"settings": {"archive_command": "true"}}, "archive_command", Severity.WARNING),
    (
        "an archive of its own name",
        {"settings": {"archive_command": "cp %p /b/alpha"}},
        {"settings": {"archive_command": "cp %p /b/beta"}},
        None,
        None,
    ),
    (
        "waits for itself",
        {},
        {"settings": {"synchronous_standby_names": "FIRST 1 (beta)", "cluster_name": "beta"}},
        "synchronous_standby_names",
        Severity.CRITICAL,
    ),
    (
        "waits for itself by its connection",
        {},
        {
            "settings": {
                "synchronous_standby_names": "b2",
                "primary_conninfo": "host=alpha application_name=b2 port=5432",
            }
        },
        "synchronous_standby_names",
        Severity.CRITICAL,
    ),
    (
        "waits for others",
        {},
        {"settings": {"synchronous_standby_names": "ANY 1 (alpha, beta)", "cluster_name": "beta"}},
        None,
        None,
    ),
    (
        "no longer synchronous",
        {"settings": {"synchronous_standby_names": "beta"}},
        {},
        "synchronous_standby_names",
        Severity.WARNING,
    ),
    ("no room for slots", {"slots": 12}, {}, "max_replication_slots", Severity.WARNING),
    (
        "a limit of slots",
        {},
        {"settings": {"max_slot_wal_keep_size": "10"}},
        "max_slot_wal_keep_size",
        Severity.WARNING,
    ),
    ("no fsync", {}, {"settings": {"fsync": "off"}}, "fsync", Severity.CRITICAL),
    ("torn pages", {}, {"settings": {"full_page_writes": "off"}}, "full_page_writes", Severity.CRITICAL),
    (
        "another C library",
        {"databases": {"app": {"locale_provider": "libc", "actual_collation_version": "2.36"}}},
        {"databases": {"app": {"locale_provider": "libc", "actual_collation_version": "2.28"}}},
        "actual_collation_version of database app",
        Severity.CRITICAL,
    ),
    (
        "an extension without its library",
        {"extensions": {EXTENSION: {"version": "0.8"}}},
        {"extensions": {EXTENSION: {"version": "0.8", "library_is_missing": True}}},
        "extension vector in app",
        Severity.CRITICAL,
    ),
    (
        "an extension that the replica does not offer",
        {"extensions": {EXTENSION: {"version": "0.8"}}},
        {"metadata": {"available_extensions": [{"name": "plpgsql"}]}},
        "extension vector in app",
        Severity.CRITICAL,
    ),
    ("an unknown value", {}, {"settings": {"max_connections": None, "archive_mode": None}}, None, None),
]


@pytest.mark.parametrize(
    ("primary", "replica", "name", "severity"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_what_breaks_a_failover(
    primary: dict[str, Any], replica: dict[str, Any], name: str | None, severity: Severity | None
) -> None:
    told = found(side("ALPHA", "primary", **primary), side("BETA", "replica", **replica))
    assert {one: told[one].severity for one in told} == ({} if name is None else {name: severity})
    assert all(one.why for one in told.values())


def test_a_primary_that_lost_its_link_is_still_the_primary() -> None:
    told = found(side("ALPHA", "standalone"), side("BETA", "replica", {"max_connections": "5"}))
    assert told.keys() == {"max_connections"}


def test_a_replica_without_its_primary_cannot_be_judged() -> None:
    findings, unknown = judge([side("BETA", "replica")])
    assert findings == []
    assert [(one.node, one.section) for one in unknown] == [("BETA", "failover")]


def test_every_rule_is_tried_here() -> None:
    fired = set()
    sides = [(side("ALPHA", "primary", **one), side("BETA", "replica", **two)) for _, one, two, *_ in CASES]
    sides.append((side("ALPHA", "primary"), side("BETA", "replica", {"max_connections": "1"})))
    for rule in RULES:
        if any(list(rule(*both)) for both in sides):
            fired.add(rule)
    assert fired == set(RULES)
