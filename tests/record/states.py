"""Small states to record."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from aya.model import (
    Collected,
    Facts,
    Instance,
    Interface,
    Measurement,
    Node,
    NodeState,
    Outcome,
    Service,
    Setting,
    Software,
)

ALPHA_UUID = UUID("fff8d0d0-a60f-5087-a79a-17ad9a45da4f")
INSTANCE = "7301234567890123456:5432"


def setting(name: str, value: str | None = "1", **more: Any) -> Setting:
    return Setting(instance=INSTANCE, setting_name=name, setting_value=value, **more)


def settings_of(*settings: Setting, outcome: Outcome = Outcome.OK) -> Collected:
    return Collected(
        collector="postgresql.settings",
        target=INSTANCE,
        outcome=outcome,
        sections=("settings",),
        facts=Facts(settings=settings),
    )


def collected(collector: str = "services", outcome: Outcome = Outcome.OK, **facts: Any) -> Collected:
    return Collected(collector=collector, outcome=outcome, sections=tuple(facts), facts=Facts(**facts))


def identified(
    uuid: UUID | None = ALPHA_UUID, machine_id: str | None = "m1", outcome: Outcome = Outcome.OK
) -> Collected:
    return Collected(
        collector="identification",
        outcome=outcome,
        owns=("hardware_uuid", "serial_number", "metadata.identity"),
        facts=Facts(
            node=Node(hardware_uuid=uuid, serial_number="X99R32LQKN" if uuid else None),
            metadata={"identity": {"machine_id": machine_id, "chassis": "desktop" if uuid else None}},
        ),
    )


def state(*parts: Collected, name: str = "ALPHA", **more: Any) -> NodeState:
    return NodeState(node_name=name, collected_at=datetime.now(UTC), collected=parts or (identified(),), **more)


def whole() -> NodeState:
    """A state with something in every section."""
    return state(
        identified(),
        collected(
            "network", interfaces=(Interface(interface_name="en0", ipv4_address="192.168.0.80", is_primary=True),)
        ),
        collected("packages", software=(Software(software_name="PostgreSQL", software_version="18.0"),)),
        collected("services", services=(Service(service_name="sshd", process_id=7, uptime_seconds=70, port=22),)),
        collected("postgresql.instance", instances=(Instance(instance=INSTANCE, server_role="primary"),)),
        settings_of(setting("work_mem", "65536", setting_unit="kB"), setting("fsync", "on")),
        replace(
            collected("storage"),
            facts=Facts(
                observed={"filesystems": {"/": 5}},
                measurements=(Measurement(category="storage", name="free", value=Decimal(5), unit="bytes"),),
            ),
        ),
    )
