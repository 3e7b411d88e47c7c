"""Settings of PostgreSQL servers: the value in force, and the one that the next restart brings.

By nature different: where files are (the category File Locations), what names the server or its upstream, what is computed from
other settings or from the machine, and what a server says of itself elsewhere.
"""

from collections.abc import Iterator, Mapping

from aya.drift.thing import PRESENCE, Look, NodeDocument, Section, Thing, Value

PLACES = "File Locations"
NAMES_IT = frozenset({"port", "cluster_name", "primary_conninfo", "primary_slot_name", "bonjour_name", "event_source"})
FOLLOWS = frozenset(
    {
        "in_hot_standby",
        "transaction_read_only",
        "shared_memory_size",
        "shared_memory_size_in_huge_pages",
        "num_os_semaphores",
        "server_version",
        "server_version_num",
        "data_checksums",
    }
)


def things(state: NodeDocument, servers: Mapping[str, str]) -> Iterator[Thing]:
    """One for each setting of each server."""
    for row in state.get("settings", {}).values():
        name, instance = row["setting_name"], row["instance"]
        value = row.get("setting_value")
        pending = row.get("pending_value") if row.get("requires_restart") else None
        own = row.get("setting_category") == PLACES or name in NAMES_IT or name in FOLLOWS
        yield Thing(
            (servers.get(instance, instance),),
            name,
            {} if value is None else {"value": Value(value, pending)},
            target=instance,
            by_nature=frozenset({"value", PRESENCE}) if own else frozenset(),
            unit=row.get("setting_unit"),
            about=row.get("setting_short_desc") or "",
        )


def looks(target: str) -> tuple[Look, ...]:
    """The collector that reads them, from each server."""
    return (("postgresql.settings", target),) if target and "/" not in target else ()


section = Section(things=things, reads=("instances", "settings"), looks=looks)
