"""What a caller may do, and what that includes."""

from collections.abc import Iterable
from enum import StrEnum

from aya.errors import UsageError


class Scope(StrEnum):
    """`read`: read state and history. `sql`: run read-only SQL. `collect`: record the state of one node, its own.

    `verify`: run the checks, and note what was verified. `admin`: everything else that changes something, and all of these
    but `collect`: nobody records a node from elsewhere but who holds its own token.
    """

    READ = "read"
    SQL = "sql"
    COLLECT = "collect"
    VERIFY = "verify"
    ADMIN = "admin"


INCLUDED = {Scope.ADMIN: frozenset({Scope.ADMIN, Scope.READ, Scope.SQL, Scope.VERIFY})}
"""What a scope includes beside itself. `collect` alone includes nothing: a stolen node cannot read about the others."""


def included(scopes: Iterable[Scope]) -> frozenset[Scope]:
    """The scopes with all that they include."""
    return frozenset().union(*(INCLUDED.get(scope, {scope}) for scope in scopes))


def scopes_named(names: Iterable[str]) -> tuple[Scope, ...]:
    """The scopes of these names, in the order of the enumeration. Raises UsageError that names what exists."""
    wanted = list(names)
    for name in wanted:
        if name not in list(Scope):
            raise UsageError(f"There is no scope {name}.", remedy=f"There are: {', '.join(Scope)}.")
    return tuple(scope for scope in Scope if scope in wanted)
