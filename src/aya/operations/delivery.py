"""States that come from elsewhere, and states that go there."""

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import orjson
from pydantic import StringConstraints

from aya.access.scope import Scope
from aya.claims.store import judge_again
from aya.collect.runner import cleaned
from aya.delivery.document import read_state, write_state
from aya.delivery.post import Destination
from aya.delivery.spool import Spool
from aya.errors import AyaError, ConfigurationError, DeliveryFailed, PayloadRefused, UsageError
from aya.model import NodeState
from aya.operations.collection import look
from aya.operations.context import Context
from aya.operations.operation import operation
from aya.record.delivery import Received, approve_identity, record_delivery
from aya.redaction import Redactor

KEY_LIMIT_CHARACTERS = 255


@dataclass(frozen=True, slots=True)
class Delivered:
    """What was looked at, and what of it and of what waited has arrived."""

    state: NodeState
    sent: int
    """States that arrived now, the older ones first."""
    waiting: int
    """States that wait for the next time."""
    dropped: int
    """States that went to make room."""
    problem: AyaError | None
    """Why not all has arrived."""


@operation("POST /collections", command="collection record", scope=Scope.COLLECT)
def record_collection(
    context: Context,
    kind: Annotated[str, "`aya.collection`."],
    schema_version: Annotated[int, "1."],
    state: Annotated[dict[str, Any], "The node's state as `aya collect --to` writes it, see docs/delivery.md."],
) -> Received:
    """Record the state that an agent elsewhere found on its node.

    Only the holder of that node's own token may. The header Idempotency-Key makes sending it again harmless: the same key with
    the same state is recorded once and answered the same; with another state it is refused (422). Secrets are taken out again.
    A machine that is recorded as another node, or a node that is recorded as another machine, is refused (409) until an
    administrator approves it. The state's time is kept as claimed, but never of the future.
    """
    document = {"kind": kind, "schema_version": schema_version, "state": state}
    found = read_state(document)
    context.caller.require_node(found.node_name)
    said = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    context.tally.bytes = len(said)
    digest = sha256(said)
    with context.database.connect() as connection:
        received = record_delivery(
            connection,
            _without_secrets(found, context.redactor),
            key=_key(context.idempotency_key) or digest.hexdigest(),
            body_sha256=digest.digest(),
            payload_limit_bytes=context.settings.payload_limit_bytes,
        )
        judge_again(connection, [received.node_name])
    context.tally.rows = received.inserted + received.updated + received.vanished
    return received


@operation("POST /nodes/{node}/identity", command="node approve", scope=Scope.ADMIN, destructive=True)
def approve_node(
    context: Context,
    node: Annotated[str, "The node whose machine was replaced."],
    identity: Annotated[
        str,
        "The identity of the new machine, uuid:… or machine:…, as the refusal says it.",
        StringConstraints(pattern=r"^(uuid:[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|machine:[!-~]{1,200})$"),
    ],
) -> str:
    """Let a node be another machine from now on. Raises NotFound, and Conflict when that machine is another node."""
    with context.database.connect() as connection:
        approve_identity(connection, node, identity)
    return f"{node} is {identity} from now on."


def deliver(context: Context, url: str, host: str | None = None) -> Delivered:
    """Look, here or at another machine, and send what was found to the AYA at that URL, after all that still waits. Needs
    no database.

    Raises ConfigurationError without a token. What cannot be sent waits in AYA_HOME/spool.
    """
    settings = context.settings
    destination = Destination(url, _token(context), settings.plain_http_allowed)
    state = look(context, context.redactor, host)
    spool = Spool(settings.home / "spool", settings.spool_limit_bytes)
    dropped = spool.put(write_state(state))
    context.progress(f"delivering to {url}")
    before = len(spool.waiting())
    problem: AyaError | None = None
    try:
        spool.deliver(destination.send)
    except (DeliveryFailed, PayloadRefused) as error:
        problem = error
    waiting = len(spool.waiting())
    return Delivered(state, sent=before - waiting, waiting=waiting, dropped=dropped, problem=problem)


def _without_secrets(state: NodeState, redactor: Redactor) -> NodeState:
    """The agent took secrets out by its own rules and key; this side relies on its own."""
    collected = tuple(
        replace(
            one,
            reason=redactor.text(one.reason)[:2000] if one.reason else None,
            facts=replace(cleaned(one.facts, redactor.text), gaps=()),
        )
        for one in state.collected
    )
    return replace(state, collected=collected)


def _key(sent: str | None) -> str | None:
    if sent is not None and not (0 < len(sent) <= KEY_LIMIT_CHARACTERS and sent.isascii() and sent.isprintable()):
        raise UsageError(
            "The Idempotency-Key cannot be used.",
            remedy=f"Send 1 to {KEY_LIMIT_CHARACTERS} printable ASCII characters.",
        )
    return sent


def _token(context: Context) -> str:
    settings = context.settings
    if settings.token_file is not None:
        return _read_token(settings.token_file)
    if settings.token is not None:
        return settings.token.get_secret_value().strip()
    raise ConfigurationError(
        "There is no token to deliver with.",
        remedy="Name its file by AYA_TOKEN_FILE, or set AYA_TOKEN; where AYA runs, `aya token create NAME --scope collect "
        f"--node {settings.node}` makes one.",
    )


def _read_token(path: Path) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigurationError(f"Others may read the token in {path}.", remedy=f"chmod 600 {path}")
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The token cannot be read from {path}: {error}.", remedy="Set AYA_TOKEN_FILE to the file that holds it."
        ) from error
