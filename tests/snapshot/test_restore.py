"""What a snapshot holds can be recorded again exactly, here or as another AYA's."""

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aya.db.connection import Connection, rows
from aya.errors import NotFound, SnapshotError, UsageError
from aya.model import FACT_TYPES, Collected, Fact, Facts, Node, Outcome
from aya.operations.context import Context
from aya.operations.show import show
from aya.operations.snapshot_exports import (
    FileVerification,
    export_snapshot,
    import_snapshot,
    restore_snapshot,
    verify_snapshot_file,
)
from aya.operations.snapshots import create_snapshot, diff_states
from aya.record.columns import columns, nullable
from aya.record.recorder import record
from aya.snapshot import snapshots
from aya.snapshot.canonical import canonical, digest
from aya.snapshot.document import read_document
from tests.conftest import empty
from tests.record.states import identified, setting, settings_of, state, whole
from tests.snapshot.test_exports import NOWHERE


def node_hash(connection: Connection, name: str) -> str:
    return digest(canonical(read_document(connection)["nodes"][name]))


words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": words,
    "integer": st.integers(1, 128),
    "bigint": st.integers(0, 2**63 - 1),
    "boolean": st.booleans(),
    "numeric": st.decimals(min_value="0.00001", max_value=10**12, allow_nan=False, allow_infinity=False),
    "timestamptz": st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),
    "uuid": st.uuids(),
    "jsonb": st.dictionaries(words, json_values, max_size=3),
    "inet": st.ip_addresses().map(str) | st.sampled_from(["10.0.0.0/8", "192.168.1.7/24", "fe80::1/64"]),
    "macaddr": st.sampled_from(["08:00:2b:01:02:03", "ff:ff:ff:ff:ff:ff"]),
}


def of_type(row_type: type) -> st.SearchStrategy[Any]:
    unknown = nullable(row_type)
    special = {"status": st.sampled_from(["running", "stopped", "failed"])}
    return st.builds(
        row_type,
        **{
            name: special.get(name, VALUES[kind]) | (st.none() if name in unknown else st.nothing())
            for name, kind in columns(row_type).items()
        },
    )


def facts_of(fact_type: type[Fact]) -> st.SearchStrategy[tuple[Fact, ...]]:
    return st.lists(of_type(fact_type), max_size=3, unique_by=lambda fact: fact.key).map(tuple)


parts = st.builds(
    lambda node, metadata, sections: Collected(
        collector="generated",
        outcome=Outcome.OK,
        owns=(*(f.name for f in fields(Node)), *(f"metadata.{key}" for key in metadata)),
        sections=tuple(sections),
        facts=Facts(node=node, metadata=metadata, **sections),
    ),
    of_type(Node),
    st.dictionaries(
        words.filter(lambda key: key != "observed"), json_values.filter(lambda v: v is not None), max_size=3
    ),
    st.fixed_dictionaries({fact_type.SECTION: facts_of(fact_type) for fact_type in FACT_TYPES}),
)


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(parts)
def test_any_state_comes_back_bit_by_bit_by_way_of_a_file(
    aya: Context, writer: Connection, admin: Connection, tmp_path: Path, part: Collected
) -> None:
    empty(admin)
    record(writer, [state(part)])
    before = node_hash(writer, "ALPHA")
    snapshots.create(writer, "one", created_by="tester")
    assert snapshots.read(writer, "one") == read_document(writer)
    told = export_snapshot(aya, "one", tmp_path / "one.snapshot")
    assert snapshots.verify(writer, "one").intact
    assert verify_snapshot_file(NOWHERE, told.file, keys=[told.signer]).intact
    empty(admin)
    (restored,) = restore_snapshot(aya, str(told.file))
    assert restored.state_hash == before == node_hash(writer, "ALPHA")


def test_a_file_is_restored_into_an_empty_database(
    context: Context, writer: Connection, admin: Connection, exported: FileVerification
) -> None:
    before = node_hash(writer, "ALPHA")
    empty(admin)
    (restored,) = restore_snapshot(context, str(exported.file), keys=[exported.signer])
    assert restored.state_hash == before == node_hash(writer, "ALPHA")
    assert snapshots.read_state(writer).document["nodes"].keys() == {"ALPHA"}
    logged = rows(writer, "SELECT DISTINCT change_reason FROM change_log")
    assert [row["change_reason"] for row in logged] == [f"restored from snapshot one, SHA-256 {exported.state_hash}"]


def test_only_the_chosen_nodes_are_restored(context: Context, writer: Connection) -> None:
    record(writer, [whole()])
    record(writer, [state(settings_of(setting("a")), name="BETA")])
    snapshots.create(writer, "one", created_by="tester")
    writer.execute("DELETE FROM system_nodes")
    assert [one.node_name for one in restore_snapshot(context, "one", nodes=["BETA"])] == ["BETA"]
    assert read_document(writer)["nodes"].keys() == {"BETA"}
    with pytest.raises(NotFound, match="No node GAMMA") as error:
        restore_snapshot(context, "one", nodes=["GAMMA"])
    assert "ALPHA, BETA" in error.value.remedy


def test_a_node_that_is_recorded_is_left_alone(context: Context, writer: Connection) -> None:
    record(writer, [whole()])
    record(writer, [state(settings_of(setting("a")), name="BETA")])
    snapshots.create(writer, "one", created_by="tester")
    writer.execute("DELETE FROM system_nodes WHERE node_name = 'BETA'")
    changes = rows(writer, "SELECT count(*) AS n FROM change_log")
    with pytest.raises(UsageError, match="Already recorded: ALPHA"):
        restore_snapshot(context, "one")
    writer.execute("UPDATE system_nodes SET node_name = 'OTHER'")
    with pytest.raises(UsageError, match="Already recorded: OTHER"):
        restore_snapshot(context, "one")
    assert rows(writer, "SELECT count(*) AS n FROM change_log")[0]["n"] == changes[0]["n"] + 1
    assert read_document(writer)["nodes"].keys() == {"OTHER"}


def test_what_cannot_be_held_exactly_is_not_restored(context: Context, admin: Connection) -> None:
    from psycopg.types.json import Jsonb

    node = {"node_role": "primary", "node_role_source": "found", "status": "active", "from_the_future": 1}
    sections = {fact_type.SECTION: {} for fact_type in FACT_TYPES}
    document = {"kind": "aya.state", "schema_version": 1, "nodes": {"ALPHA": {"node": node, **sections}}}
    insert = "INSERT INTO system_state_snapshots (snapshot_name, state_json) VALUES (%s, %s)"
    admin.execute(insert, ("one", Jsonb(document)))
    with pytest.raises(SnapshotError, match="cannot be held here exactly"):
        restore_snapshot(context, "one")
    assert rows(admin, "SELECT FROM system_nodes") == []
    admin.execute(insert, ("two", "{}"))
    with pytest.raises(SnapshotError, match="holds no node"):
        restore_snapshot(context, "two")


def test_a_restored_node_goes_on_as_the_same_machine(context: Context, writer: Connection) -> None:
    record(writer, [whole()])
    snapshots.create(writer, "one", created_by="tester")
    writer.execute("DELETE FROM system_nodes")
    restore_snapshot(context, "one")
    record(writer, [whole()])
    assert diff_states(context, "one").differences == []


# Foreign nodes --------------------------------------------------------------------------------------------------------


@pytest.fixture
def imported(context: Context, writer: Connection, exported: FileVerification) -> FileVerification:
    """Beside a node of this AYA, one of another: as it happens, the same machine."""
    import_snapshot(context, exported.file, keys=[exported.signer], label="lab")
    return exported


def test_a_foreign_node_has_the_state_that_was_proven_and_tells_where_it_is_from(
    context: Context, writer: Connection, imported: FileVerification
) -> None:
    assert node_hash(writer, "lab/ALPHA") == node_hash(writer, "ALPHA")
    (node,) = rows(writer, "SELECT origin, last_verified FROM system_nodes WHERE node_name = 'lab/ALPHA'")
    assert node["last_verified"] is None
    assert node["origin"] == {
        "log": imported.log,
        "verifier_key": imported.signer,
        "signer_known": True,
        "snapshot": "one",
        "state_hash": imported.state_hash,
        "verification_status": "verified",
        "created_at": imported.created_at,
        "node_name": "ALPHA",
        "node_state_hash": node_hash(writer, "ALPHA"),
    }
    shown = {row["node_name"]: row["origin"] for row in show(context, "system")}
    assert shown == {"ALPHA": None, "lab/ALPHA": imported.log}


def test_a_collect_never_writes_a_foreign_node(writer: Connection, imported: FileVerification) -> None:
    before = node_hash(writer, "lab/ALPHA")
    record(writer, [state(identified(), settings_of(setting("fsync", "off")))])
    assert node_hash(writer, "lab/ALPHA") == before != node_hash(writer, "ALPHA")
    writer.execute("DELETE FROM system_nodes WHERE node_name = 'ALPHA'")
    record(writer, [state(identified(), name="AGAIN")])
    assert read_document(writer)["nodes"].keys() == {"lab/ALPHA", "AGAIN"}


def test_a_foreign_node_is_in_no_snapshot_and_never_verified(
    context: Context, writer: Connection, imported: FileVerification
) -> None:
    snapshot = create_snapshot(context, "two")
    assert (snapshot.nodes, snapshot.verification_status) == (["ALPHA"], "verified")
    with pytest.raises(psycopg.errors.CheckViolation, match="foreign_nodes_are_not_verified_here"):
        writer.execute("UPDATE system_nodes SET last_verified = now() WHERE node_name = 'lab/ALPHA'")


def test_a_foreign_node_is_compared_like_any_other(
    context: Context, writer: Connection, imported: FileVerification
) -> None:
    assert diff_states(context, "one", "now").differences == []
    assert diff_states(context, "lab/ALPHA", "ALPHA").differences == []
    record(writer, [state(settings_of(setting("fsync", "off"), setting("work_mem", "65536", setting_unit="kB")))])
    (found,) = diff_states(context, "lab/ALPHA", "ALPHA").differences
    assert (found.key.endswith("fsync"), found.old, found.new) == (True, "on", "off")


def test_an_import_again_needs_to_be_said(context: Context, writer: Connection, imported: FileVerification) -> None:
    def again(**more: Any) -> list[str]:
        return [one.node_name for one in import_snapshot(context, imported.file, **more)]

    with pytest.raises(UsageError, match="Already recorded: lab/ALPHA"):
        again(label="lab")
    assert again(label="lab", replace=True) == ["lab/ALPHA"]
    assert again() == [f"aya-{imported.log.removeprefix('aya/')[:8]}/ALPHA"]
    with pytest.raises(UsageError, match="no label"):
        again(label="a b")


def test_nothing_is_taken_out_of_a_file_that_does_not_hold(
    context: Context, writer: Connection, exported: FileVerification, tmp_path: Path
) -> None:
    from aya.audit.note import make_key

    stranger = str(make_key(tmp_path, exported.log).verifier)
    calls: list[Callable[[], object]] = [
        lambda: import_snapshot(context, exported.file, keys=[stranger]),
        lambda: restore_snapshot(context, str(exported.file), keys=[stranger]),
    ]
    for call in calls:
        with pytest.raises(SnapshotError, match="none of the keys that signed is one that is trusted"):
            call()
    assert read_document(writer)["nodes"].keys() == {"ALPHA"}
