"""The shape of a collector of facts about one PostgreSQL server: what to ask in SQL, and how to understand it.

A collector is one file in `aya/collect/postgresql/collectors/` that defines `collector = ServerCollector(...)`; its
module docstring is its page in the docs. Its queries are `.sql` files beside it. `parse` is pure: rows in, `Facts`
out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aya.model import Facts

OLDEST_MAJOR = 14
"""The oldest major version of PostgreSQL whose catalogs the queries know."""

Row = Mapping[str, Any]
Rows = Mapping[str, list[dict[str, Any]]]
"""The rows of each query by its name. Queries among `further` that were refused are not in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What is known of a server before any collector looks at it, and which of its databases is looked at."""

    instance: str
    """`system identifier:port`; `host:port` where the identifier may not be read."""
    system_identifier: str | None
    port: int
    version_num: int
    database: str
    in_recovery: bool = False
    reads_all_settings: bool = True
    """Whether this session may see every setting: superuser, or member of pg_read_all_settings."""
    reads_all_stats: bool = True
    """Whether this session may see the activity of others: superuser, or member of pg_read_all_stats."""
    mark: Callable[[str], str] = lambda _secret: "[redacted]"
    """What stands in the place of a secret that only its name betrays; all others are redacted later."""

    @property
    def major(self) -> int:
        """The major version: 18 for 18.4."""
        return self.version_num // 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerCollector:
    """What to ask a server, how to understand it, and what it speaks for."""

    queries: tuple[str, ...]
    """Names of the `.sql` files without which there is nothing to tell: refused means the collector is refused.

    `links` stands for `links.sql`, or for the newest `links.pgNN.sql` that is not newer than the server.
    """
    further: tuple[str, ...] = ()
    """Names of those that may be refused or fail: a gap then, and not among the rows."""
    bare: frozenset[str] = frozenset()
    """Those whose answer would show the limits of AYA's own session: asked without them, before any other."""
    parse: Callable[[Rows, Server], Facts]
    each_database: bool = False
    """Whether it looks at every database that accepts connections, or once at the server."""
    sections: tuple[str, ...]
    """The sections it adds rows to: `instances`, `settings`, `replication`, `schemas`."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What it puts into the metadata of its rows: `section:key` or `section:key[].key` -> meaning with unit."""
    measures: Mapping[str, str] = field(default_factory=dict)
    """The measurements it takes: `category.name` -> `unit: meaning`."""
