"""PostgreSQL servers: whether a node has one, its version, build and layout, and who may log in how.

By nature different: folders, ports, sockets, addresses, names and identifiers, role, timeline and start.
"""

from collections.abc import Iterator, Mapping

from aya.drift.thing import Look, NodeDocument, Section, Thing, Value, text, told

COMPARED = ("server_version", "architecture", "data_checksums")
LAYOUT = ("block_bytes", "wal_segment_bytes", "catalog_version")
NATURE = (
    "port", "data_directory", "config_file", "hba_file", "socket_directories", "listen_addresses", "system_identifier",
    "server_role", "timeline", "started_at", "version_text", "compiler",
)  # fmt: skip


def things(state: NodeDocument, servers: Mapping[str, str]) -> Iterator[Thing]:
    """One for each server of the node."""
    for instance, row in state.get("instances", {}).items():
        metadata = row.get("metadata", {})
        aspects = told(row, (*COMPARED, *NATURE)) | told(metadata, LAYOUT)
        if (rules := metadata.get("hba_rules")) is not None:
            # The line and file of a rule are no part of what it says.
            said = [
                " ".join(
                    text(rule[key])
                    for key in ("type", "databases", "users", "address", "netmask", "method")
                    if rule.get(key)
                )
                for rule in rules
            ]
            aspects["hba_rules"] = Value("; ".join(said))
        if available := metadata.get("available_extensions"):
            aspects["available_extensions"] = Value(
                ", ".join(sorted(f"{one['name']} {one.get('default_version')}" for one in available))
            )
        yield Thing((), servers[instance], aspects, target=instance, by_nature=frozenset(NATURE))


def looks(target: str) -> tuple[Look, ...]:
    """Whether there is a server is known by the search for them, what it is by looking at it."""
    if "/" in target:
        return ()
    return (("postgresql.instance", target),) if target else (("postgresql.servers", ""),)


section = Section(things=things, reads=("instances",), looks=looks)
