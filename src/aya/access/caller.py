"""Who calls, and what they may."""

from dataclasses import dataclass

from aya.access.scope import Scope
from aya.errors import NotAllowed, NotAuthenticated

ANY_NODE = "/"
"""No node has this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """One who asks for something: a token from elsewhere, somebody on this machine, or the command line."""

    name: str
    """How they stand in the log: `token:NAME`, `loopback`, `anonymous`, or the actor of the command line."""
    scopes: frozenset[Scope]
    """What they may, with all that it includes."""
    node: str | None = None
    """The one node that they may record; ANY_NODE on the command line."""
    address: str | None = None
    """Where they call from; None on the command line."""
    token_id: int | None = None

    def require(self, scope: Scope) -> None:
        """Raise NotAuthenticated or NotAllowed, naming the scope, when it is not theirs."""
        if scope in self.scopes:
            return
        if self.token_id is None:
            raise NotAuthenticated(
                f"This needs a token with scope {scope}.",
                remedy=f"Send `Authorization: Bearer TOKEN`; `aya token create NAME --scope {scope}` makes one.",
            )
        raise NotAllowed(
            f"{self.name} may not do this: it needs scope {scope}, and has {', '.join(sorted(self.scopes))}.",
            remedy=f"Use a token with that scope; `aya token create NAME --scope {scope}` makes one.",
        )

    def require_node(self, node: str) -> None:
        """Raise NotAllowed when they may not record that node: only the holder of its own token may."""
        self.require(Scope.COLLECT)
        if self.node not in (node, ANY_NODE):
            raise NotAllowed(
                f"{self.name} records {self.node}, not {node}.",
                remedy=f"Nothing was recorded. `aya token create NAME --scope collect --node {node}` makes a token for {node}.",
            )


def command_line(actor: str) -> Caller:
    """Whoever runs `aya` here: they hold the database itself."""
    return Caller(name=actor, scopes=frozenset(Scope), node=ANY_NODE)


def loopback(address: str) -> Caller:
    """Somebody on this machine without a token: may read, by SQL as well, which shows nothing more."""
    return Caller(name="loopback", scopes=frozenset({Scope.READ, Scope.SQL}), address=address)


def anonymous(address: str | None) -> Caller:
    """Somebody without a token who may nothing."""
    return Caller(name="anonymous", scopes=frozenset(), address=address)
