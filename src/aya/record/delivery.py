"""Record a state that came from elsewhere: once for each key, and only onto the node that it is of."""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.errors import Conflict, NotFound, UsageError
from aya.model import NodeState
from aya.record.recorder import record


@dataclass(frozen=True, slots=True)
class Received:
    """What recording a delivered state did; the same again when it is delivered again."""

    node_name: str
    node_id: int
    run_id: int
    inserted: int
    updated: int
    vanished: int


def record_delivery(
    connection: Connection, state: NodeState, *, key: str, body_sha256: bytes, payload_limit_bytes: int
) -> Received:
    """Record it in one transaction, unless the key says that it was.

    Raises UsageError when the key came with another body, Conflict when the state is of a machine that is recorded as another
    node or when its node is recorded as another machine, and what `record` raises; then nothing was recorded.
    """
    # No clock but this machine's decides what was before and after: what claims to be of the future is of now.
    state = replace(state, collected_at=min(state.collected_at, datetime.now(UTC)))
    with translated(doing="recording what was delivered"), connection.transaction():
        # The locks of recording, so that what is looked up here still holds when it is recorded.
        connection.execute(query("begin_recording"), {"names": sorted({state.node_name, state.identity})})
        earlier = rows(connection, query("find_delivery"), {"node": state.node_name, "key": key})
        if earlier:
            if bytes(earlier[0]["body_sha256"]) != body_sha256:
                raise UsageError(
                    f"The Idempotency-Key {key!r:.80} was used before, for another state.",
                    remedy="Nothing was recorded. Use a new key for each state; the same only to send it again.",
                )
            return Received(**earlier[0]["answer"])
        _refuse_other_machine(connection, state)
        done = record(connection, [state], payload_limit_bytes=payload_limit_bytes)[0]
        received = Received(
            done.node_name,
            done.node_id,
            done.run_id,
            inserted=done.inserted,
            updated=done.updated,
            vanished=done.vanished,
        )
        given = {
            "node": state.node_name,
            "key": key,
            "body_sha256": body_sha256,
            "run_id": done.run_id,
            "answer": orjson.dumps(asdict(received)).decode(),
        }
        connection.execute(query("insert_delivery"), given)
    return received


def _refuse_other_machine(connection: Connection, state: NodeState) -> None:
    """A name proves no machine, and an identity no name: whoever holds the token of one node gets at no other by claiming."""
    known = {
        "number": 0,
        "node_name": state.node_name,
        "identity": state.identity,
        "hardware_uuid": state.hardware_uuid,
        "machine_id": state.machine_id,
    }
    found = rows(connection, query("find_nodes"), {"nodes": orjson.dumps([known], default=str).decode()})[0]
    if found["taken"] is not None:
        raise Conflict(
            f"{state.node_name} is recorded as another machine ({found['taken']}) than the one that delivers ({state.identity}).",
            remedy=f"Nothing was recorded. If the machine was replaced: `aya node approve {state.node_name} {state.identity}`.",
        )
    if found["id"] is None:
        return
    name = rows(connection, "SELECT node_name FROM system_nodes WHERE id = %(id)s", {"id": found["id"]})[0]["node_name"]
    if name != state.node_name:
        raise Conflict(
            f"The machine that delivers for {state.node_name} ({state.identity}) is recorded as another node.",
            remedy="Nothing was recorded. Let it deliver under its own name, or rename the node where AYA runs.",
        )


def approve_identity(connection: Connection, node: str, identity: str) -> None:
    """Let a node be another machine from now on: the one of that identity. Raises NotFound, UsageError or Conflict."""
    kind, _, value = identity.partition(":")
    given: dict[str, Any] = {"node": node, "identity": identity, "hardware_uuid": None, "machine_id": None}
    if kind == "uuid":
        try:
            given["hardware_uuid"] = UUID(value)
        except ValueError:
            raise UsageError(f"{value!r:.60} is not a UUID.", remedy="Copy the identity from the refusal.") from None
        given["identity"] = f"uuid:{given['hardware_uuid']}"
    elif kind == "machine" and value and value.isprintable() and len(value) <= 200:
        given["machine_id"] = value
    else:
        raise UsageError(
            f"{identity!r:.80} is not the identity of a machine.",
            remedy="It is uuid:… or machine:…, as the refusal says.",
        )
    with translated(doing=f"approving another machine for {node}"), connection.transaction():
        connection.execute(query("begin_recording"), {"names": sorted({node, given["identity"]})})
        holder = rows(
            connection,
            "SELECT node_name FROM system_nodes WHERE identity = %(identity)s AND node_name <> %(node)s",
            given,
        )
        if holder:
            raise Conflict(
                f"{given['identity']} is recorded as {holder[0]['node_name']} already.",
                remedy="One machine is one node: rename that node, or let the machine deliver under its name.",
            )
        if not rows(connection, query("approve_identity"), given):
            names = [
                row["node_name"] for row in rows(connection, "SELECT node_name FROM system_nodes ORDER BY 1 LIMIT 20")
            ]
            raise NotFound(f"No node named {node} is recorded.", remedy=f"There are: {', '.join(names) or 'none'}.")
