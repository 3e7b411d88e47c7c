"""Fleets of a few nodes with PostgreSQL servers, to be recorded and compared."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid5

from aya.db.connection import Connection
from aya.model import Collected, Facts, Instance, Interface, NodeState, Outcome, Service, Setting, Software
from aya.record.recorder import record
from tests.record.states import ALPHA_UUID, collected, identified

WELL: Mapping[str, str] = {
    "max_connections": "100",
    "max_worker_processes": "8",
    "max_wal_senders": "10",
    "max_prepared_transactions": "0",
    "max_locks_per_transaction": "64",
    "wal_level": "replica",
    "hot_standby": "on",
    "archive_mode": "on",
    "archive_command": "cp %p /backup/%f",
    "synchronous_standby_names": "",
    "max_replication_slots": "10",
    "max_slot_wal_keep_size": "-1",
    "fsync": "on",
    "full_page_writes": "on",
    "work_mem": "4096",
}


def server(
    collector: str, instance: str, outcome: Outcome = Outcome.OK, reason: str | None = None, **facts: Any
) -> Collected:
    """What a collector told of a server, or of one of its databases if the target says so."""
    return Collected(
        collector=f"postgresql.{collector}",
        target=instance,
        outcome=outcome,
        reason=reason,
        sections=tuple(facts),
        facts=Facts(**facts),
    )


def node(
    name: str,
    settings: Mapping[str, str] | None = None,
    *,
    identifier: str | None = None,
    port: int = 5432,
    role: str = "standalone",
    at: datetime | None = None,
    pending: Mapping[str, str] | None = None,
    address: str | None = None,
    instance: Mapping[str, Any] | None = None,
    outcome: Outcome = Outcome.OK,
    software: tuple[Software, ...] = (Software(software_name="deb:openssl", software_version="3.0"),),
    services: tuple[Service, ...] = (Service(service_name="ssh", port=22),),
    schemas: tuple[Any, ...] = (),
    inside: Mapping[str, tuple[Any, ...]] | None = None,
    links: tuple[Any, ...] = (),
) -> NodeState:
    """A node with one server, as healthy as the others unless it is said otherwise."""
    uuid = uuid5(ALPHA_UUID, name)
    system = identifier or str(uuid.int)[:19]
    here = f"{system}:{port}"
    values = {**WELL, **(settings or {})}
    rows = tuple(
        Setting(
            instance=here,
            setting_name=setting,
            setting_value=value,
            setting_unit="kB" if setting == "work_mem" else None,
            requires_restart=setting in (pending or {}),
            pending_value=(pending or {}).get(setting),
        )
        for setting, value in values.items()
    )
    told: dict[str, Any] = {
        "instance": here, "system_identifier": system, "port": port, "server_version": "18.4", "server_version_num": 180004,
        "data_checksums": True, "data_directory": f"/data/{name}", "server_role": role, **(instance or {}),
    }  # fmt: skip
    seen = Facts() if outcome is not Outcome.OK else Facts(settings=rows)
    parts = (
        identified(uuid, f"machine-{name}"),
        collected("network", interfaces=(Interface(interface_name="en0", ipv4_address=address, is_primary=True),)),
        collected("packages", software=software),
        collected("services", services=services),
        replace(server("servers", ""), roll_call=(here,)),
        server("instance", here, instances=(Instance(**told),)),
        replace(server("settings", here, outcome, "permission denied"), sections=("settings",), facts=seen),
        server("databases", here, schemas=tuple(replace(one, instance=here) for one in schemas)),
        server("replication", here, replication=tuple(replace(one, instance=here) for one in links)),
        *(
            part
            for database, objects in (inside or {}).items()
            for part in (
                server("schemas", f"{here}/{database}", schemas=tuple(replace(o, instance=here) for o in objects)),
                server("extensions", f"{here}/{database}", schemas=()),
            )
        ),
    )
    return NodeState(node_name=name, collected_at=at or datetime.now(UTC), collected=parts)


def recorded(writer: Connection, *states: NodeState) -> None:
    """Record a fleet."""
    record(writer, list(states))
