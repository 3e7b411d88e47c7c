"""The tokens that are kept: make, list, revoke, and tell who holds one."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aya.access.caller import Caller
from aya.access.scope import Scope, included, scopes_named
from aya.access.token import Token, make_token
from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.errors import Conflict, DatabaseError, NotAuthenticated, NotFound

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeptToken:
    """What is kept of a token: everything but itself."""

    id: int
    name: str
    prefix: str
    scopes: tuple[str, ...]
    node_name: str | None
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None
    last_used_at: datetime | None
    last_used_from: str | None
    status: str
    """valid, expired or revoked."""


def create(
    connection: Connection, name: str, scopes: Sequence[Scope], *, node: str | None, expires_at: datetime | None
) -> Token:
    """Make a token and keep its hash. Raises Conflict when the name is taken."""
    token = make_token()
    given = {
        "name": name,
        "prefix": token.prefix,
        "token_hash": token.hash,
        "scopes": list(scopes),
        "node_name": node,
        "expires_at": expires_at,
    }
    with translated(doing=f"making token {name}"), connection.transaction():
        # One at a time, so that the name is free or taken, not both.
        connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('aya.token.' || %(name)s, 0))", {"name": name}
        )
        if any(token.name == name and token.revoked_at is None for token in listing(connection)):
            raise Conflict(
                f"There is a token {name} already.", remedy=f"Choose another name, or first `aya token revoke {name}`."
            )
        connection.execute(query("insert_token"), given)
    return token


def listing(connection: Connection) -> list[KeptToken]:
    """All tokens, newest first."""
    with translated(doing="listing the tokens"):
        return [KeptToken(**row | {"scopes": tuple(row["scopes"])}) for row in rows(connection, query("list_tokens"))]


def revoke(connection: Connection, name: str | None) -> list[str]:
    """Take back the token of that name or number, or with None all; the names. Raises NotFound when there is none."""
    with translated(doing="revoking tokens"):
        revoked = [row["name"] for row in rows(connection, query("revoke_tokens"), {"name": name})]
    if name is not None and not revoked:
        valid = ", ".join(token.name for token in listing(connection) if token.revoked_at is None)
        raise NotFound(f"There is no token {name} to revoke.", remedy=f"There are: {valid or 'none'}.")
    return revoked


def holder(connection: Connection, token: Token, address: str | None) -> tuple[Caller, datetime | None]:
    """Who holds that token, and when it expires; its use is noted. Raises NotAuthenticated, saying why it is not valid."""
    with translated(doing="looking for a token"):
        found = rows(connection, query("find_token"), {"prefix": token.prefix})
        kept = found[0] if found else None
        if kept is None or not token.is_that_of(kept["token_hash"]):
            raise NotAuthenticated("There is no such token.", remedy="`aya token list` lists those that there are.")
        if kept["revoked_at"] is not None or kept["expired"]:
            how = "was revoked" if kept["revoked_at"] is not None else "has expired"
            raise NotAuthenticated(f"The token {kept['name']} {how}.", remedy="`aya token create` makes another one.")
    if kept["use_is_news"]:
        try:
            with translated(doing="noting the use of a token"), connection.transaction():
                connection.execute(query("note_use_of_token"), {"id": kept["id"], "from": address})
        except DatabaseError as error:
            logger.warning("%s", error)  # a database that can only be read is no reason to let nobody in
    caller = Caller(
        name=f"token:{kept['name']}",
        scopes=included(scopes_named(kept["scopes"])),
        node=kept["node_name"],
        address=address,
        token_id=kept["id"],
    )
    return caller, kept["expires_at"]
