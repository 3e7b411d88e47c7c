"""Who differs from whom in what, and what is not known."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from aya.db.connection import Connection
from aya.db.database import Database
from aya.drift.finding import Finding, Verdict
from aya.drift.own import Own
from aya.drift.servers import common_names, usual_port
from aya.drift.thing import PRESENCE
from aya.drift.view import sections
from aya.errors import NotFound, UsageError
from aya.model import Outcome, SchemaObject, Service, Software
from aya.operations.context import Context
from aya.operations.drift import Drift, find_drift
from aya.operations.snapshots import create_snapshot
from aya.record.recorder import record
from tests.conftest import empty
from tests.drift.fleet import node, recorded, server
from tests.history.test_past import change_number


@pytest.fixture
def aya(context: Context, database: Database) -> Context:
    return context


def differs(drift: Drift) -> dict[str, Finding]:
    return {" ".join((one.section, *one.scope, one.name, one.aspect)): one for one in drift.findings}


def values(finding: Finding) -> dict[str | None, tuple[str, ...]]:
    return {group.value: group.nodes for group in finding.groups}


WORK_MEM = "settings postgresql work_mem value"


def test_nodes_that_are_alike_do_not_drift(aya: Context, writer: Connection) -> None:
    recorded(
        writer, *(node(name, address=f"192.0.2.{n}", port=5432 + n) for n, name in enumerate(("ALPHA", "BETA", "AIR")))
    )
    found = find_drift(aya)
    assert not found.attention, (found.findings, found.unknown)
    assert found.nodes == ("AIR", "ALPHA", "BETA")


def test_the_odd_one_of_three_is_named_with_what_the_others_have(aya: Context, writer: Connection) -> None:
    recorded(writer, node("ALPHA"), node("BETA"), node("AIR", {"work_mem": "65536"}))
    (finding,) = find_drift(aya).findings
    assert finding.verdict is Verdict.MAJORITY
    assert values(finding) == {"65536": ("AIR",)}
    assert finding.expected is not None
    assert (finding.expected.value, finding.expected.nodes, finding.unit) == ("4096", ("ALPHA", "BETA"), "kB")


def test_of_two_nodes_neither_is_accused(aya: Context, writer: Connection) -> None:
    recorded(writer, node("ALPHA"), node("BETA", {"work_mem": "65536"}))
    (finding,) = find_drift(aya).findings
    assert finding.verdict is Verdict.TIE
    assert finding.expected is None
    assert values(finding) == {"4096": ("ALPHA",), "65536": ("BETA",)}


def test_a_tie_is_said_as_a_tie(aya: Context, writer: Connection) -> None:
    recorded(
        writer,
        node("A1"),
        node("A2"),
        node("B1", {"work_mem": "1"}),
        node("B2", {"work_mem": "1"}),
        node("C1", {"work_mem": "2"}),
    )
    (finding,) = find_drift(aya).findings
    assert finding.verdict is Verdict.TIE
    assert values(finding) == {"2": ("C1",), "1": ("B1", "B2"), "4096": ("A1", "A2")}


def test_what_a_restart_will_change_is_told(aya: Context, writer: Connection) -> None:
    recorded(writer, node("ALPHA"), node("BETA"), node("AIR", pending={"max_connections": "500"}))
    (finding,) = find_drift(aya, sections=["settings"]).findings
    (group,) = finding.groups
    assert (group.value, group.pending, group.nodes) == ("100", "500", ("AIR",))


OWN_VALUES = [
    ("archive_command", "cp %p /backup/ALPHA/%f", "cp %p /backup/beta/%f", True),
    ("archive_command", "cp %p /backup/ALPHABET/%f", "cp %p /backup/BETA/%f", False),
    ("listen_addresses", "192.0.2.1, localhost", "192.0.2.2, localhost", True),
    ("listen_addresses", "*", "localhost", False),
    ("log_directory", "/data/ALPHA/log", "/data/BETA/log", True),
    ("port", "5432", "5433", True),
    ("cluster_name", "one", "two", True),
    ("primary_conninfo", "", "host=alpha port=5432", True),
    ("shared_buffers", "128", "256", False),
]


@pytest.mark.parametrize(("name", "one", "two", "alike"), OWN_VALUES)
def test_what_is_a_nodes_own_is_no_drift_but_is_shown_with_everything(
    aya: Context, writer: Connection, name: str, one: str, two: str, alike: bool
) -> None:
    recorded(
        writer,
        node("ALPHA", {name: one}, address="192.0.2.1"),
        node("BETA", {name: two}, address="192.0.2.2", port=5433),
    )
    assert (not find_drift(aya, sections=["settings"]).findings) is alike
    assert f"settings postgresql {name} value" in differs(find_drift(aya, sections=["settings"], everything=True))


def test_a_node_named_like_a_word_makes_no_drift(aya: Context, writer: Connection) -> None:
    recorded(writer, *(node(name, {"log_destination": "stderr"}) for name in ("stderr", "BETA", "AIR")))
    assert find_drift(aya).findings == ()


@pytest.mark.parametrize("outcome", [Outcome.DENIED, Outcome.FAILED, Outcome.UNREADABLE, Outcome.UNSUPPORTED])
def test_what_could_not_be_looked_at_is_not_known_and_in_no_majority(
    aya: Context, writer: Connection, outcome: Outcome
) -> None:
    first = datetime.now(UTC) - timedelta(minutes=2)
    recorded(writer, node("ALPHA"), node("BETA", {"work_mem": "1"}), node("AIR", at=first))
    assert differs(find_drift(aya))[WORK_MEM].verdict is Verdict.MAJORITY
    recorded(writer, node("AIR", outcome=outcome))
    found = find_drift(aya)
    assert differs(found)[WORK_MEM].verdict is Verdict.TIE, "AIR still has 4096 recorded, but nobody knows"
    (unknown,) = found.unknown
    assert (unknown.node, unknown.section, unknown.what, unknown.since) == ("AIR", "settings", "postgresql", first)
    assert outcome.value in unknown.reason
    assert "permission denied" in unknown.reason


def test_what_is_not_known_calls_for_attention_even_if_nothing_drifts(aya: Context, writer: Connection) -> None:
    recorded(writer, node("ALPHA"), node("BETA"), node("AIR", outcome=Outcome.DENIED))
    found = find_drift(aya)
    assert not found.findings
    assert found.attention


def test_a_node_that_was_not_looked_at_for_long_is_not_known(aya: Context, writer: Connection) -> None:
    seen = datetime.now(UTC) - timedelta(seconds=3 * aya.settings.interval_s + 60)
    recorded(writer, node("ALPHA"), node("BETA"), node("AIR", {"work_mem": "1"}, at=seen))
    found = find_drift(aya)
    assert not found.findings
    assert {(one.node, one.since) for one in found.unknown} == {("AIR", seen)}
    assert {one.section for one in found.unknown} >= set(sections())
    assert WORK_MEM in differs(find_drift(aya, stale_after="1 day"))


def test_a_node_that_was_never_looked_at_is_not_known(aya: Context, writer: Connection, admin: Connection) -> None:
    recorded(writer, node("ALPHA"), node("BETA"))
    admin.execute("INSERT INTO system_nodes (node_name, node_role, status) VALUES ('AIR', 'client', 'pending')")
    found = find_drift(aya)
    assert not found.findings
    assert {(one.node, one.since, one.reason) for one in found.unknown} == {("AIR", None, "never looked at")}


def test_a_server_that_the_last_look_did_not_come_to_is_not_known(aya: Context, writer: Connection) -> None:
    first = datetime.now(UTC) - timedelta(minutes=2)
    recorded(writer, node("ALPHA"), node("BETA"), node("AIR", {"work_mem": "1"}, at=first))
    state = node("AIR")
    refused = server("instance", "/run/postgresql", Outcome.DENIED, "password")

    machine = tuple(replace(part, roll_call=None) for part in state.collected if not part.target)
    record(writer, [replace(state, collected=(*machine, refused))])
    found = find_drift(aya)
    assert not found.findings
    told = {(one.section, one.what): one for one in found.unknown}
    assert told["settings", "postgresql"].since == first
    assert "/run/postgresql ended denied" in told["instances", ""].reason


def test_software_is_compared_by_name_and_version_not_by_place(aya: Context, writer: Connection) -> None:
    def with_software(name: str, *what: tuple[str, str, str | None]) -> Any:
        return node(
            name,
            software=tuple(
                Software(
                    software_name=n, software_version=v, software_architecture=a, install_path=f"/opt/{name}/{n}/{a}"
                )
                for n, v, a in what
            ),
        )

    recorded(
        writer,
        with_software("ALPHA", ("Python", "3.12", "ARM64"), ("Python", "3.11", "x86_64"), ("MLX", "0.2", None)),
        with_software("BETA", ("Python", "3.12", "ARM64"), ("Python", "3.11", "x86_64"), ("MLX", "0.3", None)),
        with_software(
            "AIR", ("Python", "3.12", "ARM64"), ("Python", "3.11", "x86_64"), ("MLX", "0.2", None), ("Node", "22", None)
        ),
    )
    found = differs(find_drift(aya, sections=["software"]))
    assert found.keys() == {"software MLX version", f"software Node {PRESENCE}"}
    assert values(found["software MLX version"]) == {"0.3": ("BETA",)}
    assert values(found[f"software Node {PRESENCE}"]) == {"there": ("AIR",)}


def test_services_are_compared_by_name_even_if_it_holds_a_nodes_own_folder(aya: Context, writer: Connection) -> None:
    def with_service(name: str, **more: Any) -> Any:
        return node(name, services=(Service(service_name=f"postgres:/data/{name}", auto_start=True, **more),))

    recorded(writer, with_service("ALPHA"), with_service("BETA"), with_service("AIR", status="failed"))
    (finding,) = find_drift(aya, sections=["services"]).findings
    assert (finding.name, finding.aspect, values(finding)) == (
        "postgres:{data_directory}",
        "status",
        {"failed": ("AIR",)},
    )


def table(name: str, *columns: str, data_type: str = "text") -> tuple[SchemaObject, ...]:
    common = {"instance": "", "database_name": "app", "schema_name": "public", "table_name": name}
    return (
        SchemaObject(kind="table", metadata={"kind": "table"}, **common),
        *(SchemaObject(kind="column", column_name=c, data_type=data_type, metadata={"kind": "column", "position": n}, **common)
          for n, c in enumerate(columns)),
    )  # fmt: skip


DATABASE = (
    SchemaObject(instance="", database_name="app", kind="database", metadata={"kind": "database", "encoding": "UTF8"}),
)


def test_of_a_missing_table_the_columns_are_not_told_again(aya: Context, writer: Connection) -> None:
    both = table("orders", "id", "total") + table("people", "name")
    recorded(
        writer,
        node("ALPHA", schemas=DATABASE, inside={"app": both}),
        node("BETA", schemas=DATABASE, inside={"app": both}),
        node("AIR", schemas=DATABASE, inside={"app": table("people", "name", data_type="varchar")}),
    )
    found = differs(find_drift(aya, sections=["schemas"]))
    assert found.keys() == {
        f"schemas postgresql app table public.orders {PRESENCE}",
        "schemas postgresql app public.people column public.people.name data_type",
    }
    assert values(found[f"schemas postgresql app table public.orders {PRESENCE}"]) == {None: ("AIR",)}


def test_a_node_without_a_server_is_not_asked_for_its_settings(aya: Context, writer: Connection) -> None:
    without = node("AIR")
    parts = tuple(
        replace(part, roll_call=()) if part.roll_call else part for part in without.collected if not part.target
    )
    recorded(writer, node("ALPHA"), node("BETA"), replace(without, collected=parts))
    (finding,) = find_drift(aya).findings
    assert (finding.section, finding.name, values(finding)) == ("instances", "postgresql", {None: ("AIR",)})


def test_against_a_node_that_was_chosen_each_other_is_compared(aya: Context, writer: Connection) -> None:
    recorded(writer, node("ALPHA", {"work_mem": "1"}), node("BETA"), node("AIR"))
    found = find_drift(aya, baseline="ALPHA")
    (finding,) = found.findings
    assert finding.verdict is Verdict.BASELINE
    assert finding.expected is not None
    assert (finding.expected.value, values(finding)) == ("1", {"4096": ("AIR", "BETA")})


def test_against_a_snapshot_or_a_moment_each_node_is_compared_with_itself(aya: Context, writer: Connection) -> None:
    recorded(writer, node("ALPHA", {"work_mem": "1"}), node("BETA"))
    create_snapshot(aya, "before")
    then = change_number(writer)
    recorded(writer, node("ALPHA", {"work_mem": "1", "fsync": "off"}), node("BETA"), node("AIR"))
    for baseline in ("before", f"#{then}"):
        found = find_drift(aya, baseline=baseline, sections=["settings"])
        (finding,) = found.findings
        assert (finding.name, finding.odd) == ("fsync", {"ALPHA"})
        assert [(one.node, one.reason) for one in found.unknown] == [("AIR", f"it is not in {baseline}")]
    writer.execute("DELETE FROM system_nodes WHERE node_name = 'BETA'")
    (gone,) = (one for one in find_drift(aya, baseline="before").unknown if one.node == "BETA")
    assert gone.reason == "it is in before, but not recorded any more"
    recorded(writer, node("BETA"))
    (finding,) = find_drift(aya, nodes=["BETA"], baseline="ALPHA@before", sections=["settings"]).findings
    assert (finding.name, finding.odd) == ("work_mem", {"BETA"})


def test_the_past_is_compared_as_it_was(aya: Context, writer: Connection) -> None:
    recorded(writer, node("ALPHA"), node("BETA"), node("AIR", {"work_mem": "1"}))
    then = change_number(writer)
    recorded(writer, node("AIR"))
    assert not find_drift(aya).attention
    assert values(differs(find_drift(aya, as_of=f"#{then}"))[WORK_MEM]) == {"1": ("AIR",)}


def test_one_node_alone_is_compared_with_all_others(aya: Context, writer: Connection) -> None:
    recorded(writer, node("ALPHA", {"fsync": "off"}), node("BETA", {"work_mem": "1"}), node("AIR"))
    assert differs(find_drift(aya, nodes=["BETA"])).keys() == {WORK_MEM}
    assert find_drift(aya, nodes=["AIR"]).findings == ()
    assert len(find_drift(aya, nodes=["ALPHA", "AIR"]).findings) == 1


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"nodes": ["GAMMA"]}, NotFound),
        ({"sections": ["moods"]}, NotFound),
        ({"baseline": "yesterday's"}, NotFound),
        ({"stale_after": "soon"}, UsageError),
        ({"as_of": "someday"}, UsageError),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(
    aya: Context, writer: Connection, asked: dict[str, Any], error: type[UsageError]
) -> None:
    recorded(writer, node("ALPHA"))
    with pytest.raises(error) as refused:
        find_drift(aya, **asked)
    assert refused.value.remedy


def instances(*ports_and_roles: tuple[int, str]) -> dict[str, dict[str, Any]]:
    return {f"{n}:{port}": {"port": port, "server_role": role} for n, (port, role) in enumerate(ports_and_roles)}


def test_servers_are_aligned_by_port_and_role() -> None:
    one = instances((5432, "primary"))
    several = instances((5433, "standalone"), (5432, "replica"), (6432, "standalone"))
    elsewhere = instances((7000, "standalone"))
    usual = usual_port([one, several, elsewhere])
    assert usual == 5432
    assert common_names(one, usual) == {"0:5432": "postgresql"}
    assert common_names(several, usual) == {
        "1:5432": "postgresql",
        "0:5433": "postgresql:5433",
        "2:6432": "postgresql:6432",
    }
    assert common_names(elsewhere, usual) == {"0:7000": "postgresql"}
    assert usual_port([]) is None


def test_servers_on_one_port_are_told_apart() -> None:
    alike = instances((5432, "standalone"), (5432, "replica"), (5432, "standalone"))
    assert len(set(common_names(alike, 5432).values())) == 3
    assert common_names(alike, 5432)["1:5432"] == "postgresql", "the one that replicates"


def test_what_is_own_is_replaced_as_whole_words_only() -> None:
    own = Own.of("web1", {"node": {"serial_number": "X9"}, "instances": {"a": {"data_directory": "/data/web1"}}})
    assert (
        own.replaced("/data/web1/log of WEB1, web10 and web1.example")
        == "{data_directory}/log of {node}, web10 and web1.example"
    )


fleets = st.lists(st.sampled_from(["1", "2", "3", None]), min_size=2, max_size=7)


@given(fleets)
@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_majority_is_more_than_half_of_the_known_and_nothing_else(
    aya: Context, writer: Connection, admin: Connection, fleet: list[str | None]
) -> None:
    empty(admin)
    record(
        writer,
        [
            node(f"N{n}", {"work_mem": value or "9"}, outcome=Outcome.OK if value else Outcome.DENIED)
            for n, value in enumerate(fleet)
        ],
    )
    found = find_drift(aya, sections=["settings"])
    known = [value for value in fleet if value]
    assert {one.node for one in found.unknown} == {f"N{n}" for n, value in enumerate(fleet) if value is None}
    if len(set(known)) < 2:
        assert found.findings == ()
        return
    (finding,) = found.findings
    everywhere = sorted(_nodes(finding))
    assert everywhere == sorted(f"N{n}" for n, value in enumerate(fleet) if value)
    most = max(set(known), key=known.count)
    decided = len(known) > 2 and 2 * known.count(most) > len(known)
    assert (finding.verdict is Verdict.MAJORITY) is decided
    assert (finding.expected.value if finding.expected else None) == (most if decided else None)


def _nodes(finding: Finding) -> Iterable[str]:
    for group in (*finding.groups, *([finding.expected] if finding.expected else [])):
        yield from group.nodes


def test_every_section_says_what_is_compared_and_what_is_not() -> None:
    from importlib import import_module

    for name in sections():
        said = import_module(f"aya.drift.sections.{name}").__doc__ or ""
        assert "compared" in said or "different" in said, name
