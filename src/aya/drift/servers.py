"""Which PostgreSQL server of one node is compared with which of another.

Not by system identifier: a replica shares its primary's, independent servers do not. A node's main server is its only one, or
the one on the port that is most usual among all nodes, or the one that replicates; it is compared with the main servers of
all others, as `postgresql`. A further one is compared with those on the same port, as `postgresql:6432`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

MAIN = "postgresql"


def usual_port(nodes: Iterable[Mapping[str, Mapping[str, Any]]]) -> int | None:
    """The port that most nodes have a server on, given the instances of each; of equally usual ones the lowest."""
    counts = Counter(port for instances in nodes for port in {row.get("port") for row in instances.values()} if port)
    return min(counts, key=lambda port: (-counts[port], port)) if counts else None


def common_names(
    instances: Mapping[str, Mapping[str, Any]], usual: int | None, given: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """What each instance of a node is called on every node alike. `given`: names that instances have already."""

    def order(item: tuple[str, Mapping[str, Any]]) -> tuple[Any, ...]:
        instance, row = item
        replicates = row.get("server_role") in ("primary", "replica")
        return row.get("port") != usual, not replicates, row.get("port") or 0, row.get("data_directory") or "", instance

    names = {instance: name for instance, name in given.items() if instance in instances}
    for instance, row in sorted(instances.items(), key=order):
        if instance in names:
            continue
        name = f"{MAIN}:{row.get('port')}" if MAIN in names.values() else MAIN
        # Several on one port listen on sockets only: their folders tell them apart.
        names[instance] = f"{name} {row.get('data_directory') or instance}" if name in names.values() else name
    return names
