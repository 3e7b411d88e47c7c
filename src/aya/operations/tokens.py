"""Make, list and revoke the tokens by which others come in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated

from aya.access import tokens
from aya.access.scope import Scope, scopes_named
from aya.access.tokens import KeptToken
from aya.db.database import Login
from aya.errors import UsageError
from aya.operations.context import Context
from aya.operations.operation import operation

UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
LONGEST = timedelta(days=3650)
NAME = re.compile(r"[^\W_][\w.@-]{0,99}")


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made. It is shown this once: what is kept is its hash."""

    name: str
    token: str = field(repr=False)
    scopes: tuple[str, ...]
    node_name: str | None
    expires_at: datetime | None


@operation("POST /tokens", command="token create", scope=Scope.ADMIN)
def create_token(
    context: Context,
    name: Annotated[str, "What to call it: letters, digits, and . _ @ - after the first."],
    *,
    scope: Annotated[Sequence[Scope], "What it may: read, sql, collect, verify or admin; may be repeated."] = (
        Scope.READ,
    ),
    node: Annotated[str | None, "With scope collect: the one node that it may record."] = None,
    expires: Annotated[str | None, "After how long it is refused: 90d, 12h, 4w; or a moment. Left out: never."] = None,
) -> NewToken:
    """Make a token and show it, this once. Raises Conflict when the name is taken.

    `admin` includes all but `collect`; a token with scope collect is bound to one node and can write no other's rows.
    """
    if NAME.fullmatch(name) is None:
        raise UsageError(
            f"{name!r:.120} cannot be the name of a token.", remedy="Use letters, digits and . _ @ -, at most 100."
        )
    scopes = scopes_named(scope)
    if not scopes:
        raise UsageError("A token without a scope may nothing.", remedy=f"There are: {', '.join(Scope)}.")
    if (Scope.COLLECT in scopes) != (node is not None):
        raise UsageError(
            "A token with scope collect is bound to one node, and no other token is.",
            remedy="Give both --scope collect and --node NAME, or neither.",
        )
    if node is not None and (
        not node or not node.isprintable() or node != node.strip() or "/" in node or len(node) > 200
    ):
        raise UsageError(f"{node!r:.120} cannot be the name of a node.", remedy="It is printable, without slash.")
    expires_at = expiry(expires)
    with context.database.connect() as connection:
        token = tokens.create(connection, name, scopes, node=node, expires_at=expires_at)
    return NewToken(name, token.text, tuple(scopes), node, expires_at)


@operation("GET /tokens", command="token list", scope=Scope.ADMIN)
def list_tokens(context: Context) -> list[KeptToken]:
    """All tokens, newest first, with what each may and when it was last used; never the tokens themselves."""
    with context.database.connect(Login.READER) as connection:
        return tokens.listing(connection)


@operation("POST /tokens/revocations", command="token revoke", scope=Scope.ADMIN, destructive=True)
def revoke_token(
    context: Context,
    name: Annotated[str | None, "Name or number of the token."] = None,
    *,
    every: Annotated[bool, "Revoke all of them, at once."] = False,
) -> list[str]:
    """Take a token back, or all of them; the names. It is refused everywhere within a second. Raises NotFound."""
    if (name is None) != every:
        raise UsageError("Say which token, or that all are meant.", remedy="Give a name or a number, or --all.")
    with context.database.connect() as connection:
        return tokens.revoke(connection, name)


def expiry(said: str | None) -> datetime | None:
    """The moment that `90d` or a written moment means. Raises UsageError for one that is past or too far away."""
    if said is None:
        return None
    now = datetime.now(UTC)
    try:
        if span := re.fullmatch(r"(\d{1,6})([mhdw])", said.strip(), re.ASCII):
            at = now + int(span[1]) * UNITS[span[2]]
        else:
            at = datetime.fromisoformat(said)
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{said!r:.60} is no time.", remedy="Write 90d, 12h, 4w, or 2027-01-31.") from None
    if not now < at <= now + LONGEST:
        raise UsageError(f"{said!r:.60} is not within the next ten years.", remedy="Write 90d, 12h, 4w, or 2027-01-31.")
    return at
