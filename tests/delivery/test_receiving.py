"""States that agents elsewhere deliver, over real HTTP: recorded once, onto their own node, or refused whole."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest

from aya.access.token import make_token
from aya.db.connection import Connection, rows
from aya.db.database import Database
from aya.delivery.document import write_state
from aya.delivery.post import PATH
from aya.model import NodeState
from aya.operations.calls import list_calls
from aya.operations.changes import list_changes
from aya.operations.context import Context
from aya.operations.delivery import approve_node
from aya.operations.tokens import create_token, revoke_token
from aya.record.recorder import record
from tests.delivery.elsewhere import elsewhere
from tests.delivery.forged import beta, deliver_forged
from tests.record.states import identified, setting, settings_of, state, whole
from tests.serve.guard.port import Port, bearer

FORGED = 120
"""A thousand are tried by `make soak SOAK=forging`."""


@dataclass(frozen=True)
class Agent:
    """An agent elsewhere with the token of a node."""

    port: Port
    token: str

    def deliver(self, body: bytes | NodeState, key: str | None = None, **headers: str) -> tuple[int, Any]:
        data = write_state(body) if isinstance(body, NodeState) else body
        given = bearer(self.token) | {"Content-Type": "application/json"} | headers
        response, document = self.port.request("POST", PATH, data, given | ({"Idempotency-Key": key} if key else {}))
        return response.status, document


@pytest.fixture
def elsewhere_port(context: Context, database: Database) -> Iterator[Port]:
    options = {"rate_per_s": 0, "concurrent_heavy_calls": 16, "delivery_limit_bytes": 1024 * 1024}
    with elsewhere(Context(context.settings.model_copy(update=options))) as port:
        yield port


@pytest.fixture
def alpha(context: Context, elsewhere_port: Port) -> Agent:
    return Agent(elsewhere_port, create_token(context, "agent-alpha", scope=["collect"], node="ALPHA").token)


def runs(admin: Connection) -> list[dict[str, Any]]:
    return rows(
        admin,
        "SELECT r.*, n.node_name FROM collection_runs r JOIN system_nodes n ON n.id = r.node_id ORDER BY r.id",
    )


def everything(admin: Connection) -> dict[str, Any]:
    tables = ("system_nodes", "postgresql_configuration", "services", "software_versions", "network_interfaces")
    tables += ("collection_runs", "performance_metrics", "aya.deliveries")
    return {table: rows(admin, f"SELECT to_jsonb(t) AS row FROM {table} t ORDER BY 1") for table in tables}


def test_a_delivered_state_is_recorded_with_who_delivered_it(alpha: Agent, context: Context, admin: Connection) -> None:
    status, answer = alpha.deliver(whole(), **{"X-Request-ID": "delivery-1"})
    assert status == 200
    assert answer["node_name"] == "ALPHA"
    assert answer["inserted"] > 5
    assert [run["id"] for run in runs(admin)] == [answer["run_id"]]
    assert {(one.changed_by, one.change_reason) for one in list_changes(context)[1:]} == {
        ("token:agent-alpha", "delivery-1")
    }
    call = list_calls(context, caller="token:agent-alpha")[0]
    assert (call.operation, call.outcome, call.rows) == ("record_collection", "done", answer["inserted"])
    assert call.called_from == "127.0.0.1"


def test_the_same_delivered_twice_is_recorded_once_and_answered_the_same(alpha: Agent, admin: Connection) -> None:
    there = whole()
    first = alpha.deliver(there, key="k1")
    assert alpha.deliver(there, key="k1") == first
    assert len(runs(admin)) == 1
    # Without a key the state itself is the key.
    other = replace(there, collected_at=datetime.now(UTC))
    assert alpha.deliver(other) == alpha.deliver(other)
    assert len(runs(admin)) == 2


def test_the_same_delivered_by_many_at_once_is_recorded_once(alpha: Agent, admin: Connection) -> None:
    there = whole()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: alpha.deliver(there, key="k1"), range(16)))
    assert {status for status, _ in answers} == {200}
    assert len({answer["run_id"] for _, answer in answers}) == 1
    assert len(runs(admin)) == 1


def test_a_key_that_came_with_another_state_is_refused(alpha: Agent, admin: Connection) -> None:
    assert alpha.deliver(whole(), key="k1")[0] == 200
    before = everything(admin)
    status, problem = alpha.deliver(state(identified(), settings_of(setting("work_mem", "1"))), key="k1")
    assert (status, "for another state" in problem["detail"]) == (422, True)
    for key in ("x" * 256, "a\tb", "é"):
        assert alpha.deliver(whole(), key=key)[0] in (400, 422)
    assert everything(admin) == before


def test_keys_are_forgotten_after_thirty_days(alpha: Agent, admin: Connection) -> None:
    alpha.deliver(whole(), key="k1")
    admin.execute("UPDATE aya.deliveries SET received_at = now() - interval '31 days'")
    alpha.deliver(whole(), key="k2")
    assert [row["idempotency_key"] for row in rows(admin, "SELECT * FROM aya.deliveries")] == ["k2"]


def test_many_forged_states_and_none_is_recorded(alpha: Agent, context: Context, admin: Connection) -> None:
    with context.database.connect() as writer:
        record(writer, [whole()])
        record(writer, [beta()])
    before = everything(admin)
    statuses = deliver_forged(alpha.port, alpha.token, FORGED, seed=4)
    assert set(statuses) <= {403, 409, 422}, statuses
    assert statuses.total() == FORGED
    assert everything(admin) == before


def test_only_the_token_of_the_node_records_it(alpha: Agent, context: Context, admin: Connection) -> None:
    every = create_token(context, "boss", scope=["admin", "read", "sql", "verify"]).token
    beta = create_token(context, "agent-beta", scope=["collect"], node="BETA").token
    assert replace(alpha, token=every).deliver(whole())[0] == 403
    status, problem = replace(alpha, token=beta).deliver(whole())
    assert (status, problem["detail"]) == (403, "token:agent-beta records BETA, not ALPHA.")
    assert replace(alpha, token=make_token().text).deliver(whole())[0] == 401
    revoke_token(context, "agent-alpha")
    assert alpha.deliver(whole())[0] == 401
    assert runs(admin) == []


def test_another_machine_under_a_known_name_waits_for_an_administrator(
    alpha: Agent, context: Context, admin: Connection
) -> None:
    assert alpha.deliver(whole())[0] == 200
    new = uuid4()
    replaced = state(identified(new, "m9"), settings_of(setting("work_mem", "1")))
    status, problem = alpha.deliver(replaced, key="k1")
    assert status == 409
    assert f"aya node approve ALPHA uuid:{new}" in problem["remedy"]
    approve_node(context, "ALPHA", f"uuid:{new}")
    assert alpha.deliver(replaced, key="k1")[0] == 200
    assert rows(admin, "SELECT node_name, hardware_uuid FROM system_nodes") == [
        {"node_name": "ALPHA", "hardware_uuid": new}
    ]
    assert alpha.deliver(whole(), key="k2")[0] == 409, "the old machine is no longer ALPHA"
    assert any("identity" in (one.new_value or {}) for one in list_changes(context) if one.action == "update")


def test_a_machine_without_uuid_is_approved_by_its_machine_id(alpha: Agent, context: Context) -> None:
    assert alpha.deliver(state(identified(None, "m1")))[0] == 200
    other = state(identified(None, "m2"))
    assert alpha.deliver(other, key="k1")[0] == 409
    approve_node(context, "ALPHA", "machine:m2")
    assert alpha.deliver(other, key="k1")[0] == 200


def test_a_claimed_time_is_kept_but_never_of_the_future(alpha: Agent, admin: Connection) -> None:
    past = datetime.now(UTC) - timedelta(days=2)
    alpha.deliver(replace(whole(), collected_at=past))
    alpha.deliver(replace(whole(), collected_at=datetime.now(UTC) + timedelta(days=400)))
    first, second = runs(admin)
    assert first["collected_at"] == past
    assert second["collected_at"] <= second["recorded_at"] + timedelta(seconds=1)
    assert abs(first["recorded_at"] - datetime.now(UTC)) < timedelta(minutes=5)


def test_secrets_that_an_agent_let_through_are_taken_out(alpha: Agent, admin: Connection) -> None:
    secret = "postgresql://admin:hunter2hunter2@db/x"
    bad = state(
        identified(),
        replace(settings_of(setting("primary_conninfo", secret)), reason=f"failed at {secret}", outcome="failed"),  # type: ignore[arg-type]
    )
    assert alpha.deliver(bad)[0] == 200
    kept = orjson.dumps(
        [everything(admin), rows(admin, "SELECT * FROM change_log"), rows(admin, "SELECT * FROM collection_outcomes")],
        default=str,
    )
    assert b"hunter2" not in kept
    assert b"[redacted:" in kept


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"kind": "aya.collection"}',
        b"[" * 500_000,
        b'{"kind":' * 100_000,
        b'{"kind": "aya.collection", "schema_version": 1, "state": {"node_name": "ALPHA", "node_name": "BETA"}}',
        b'{"kind": "aya.collection", "schema_version": NaN, "state": {}}',
        b'{"kind": "aya.collection", "schema_version": 9223372036854775808, "state": {}}',
        b'{"kind": "aya.collection", "schema_version": 1, "state": {"node_name": "\\u0000"}}',
        b'{"kind": "aya.collection", "schema_version": 1, "state": {"node_name": "\\ud800"}}',
        b'{"kind": "aya.collection", "schema_version": 1, "state": 1}',
        b"x" * (1024 * 1024 + 1),
    ],
)
def test_what_is_no_state_is_refused_and_leaves_nothing(alpha: Agent, admin: Connection, body: bytes) -> None:
    before = everything(admin)
    try:
        status, problem = alpha.deliver(body)
    except (BrokenPipeError, ConnectionResetError):
        assert len(body) > 1024 * 1024  # cut while it was sent
        return
    assert 400 <= status < 500
    assert problem["detail"]
    assert everything(admin) == before


def test_a_state_that_does_not_fit_leaves_nothing(alpha: Agent, admin: Connection) -> None:
    before = everything(admin)
    twice = state(identified(), settings_of(setting("work_mem"), setting("work_mem")))
    assert alpha.deliver(twice, key="k1")[0] == 422
    document = orjson.loads(write_state(whole()))
    document["state"]["collected"][1]["facts"]["interfaces"][0]["ipv4_address"] = "999.1.1.1"
    assert alpha.deliver(orjson.dumps(document), key="k1")[0] == 422
    assert everything(admin) == before
    assert alpha.deliver(whole(), key="k1")[0] == 200, "a key of what was refused is not used up"
