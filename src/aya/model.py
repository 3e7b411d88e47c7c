"""The frozen values that flow through AYA, and the table each of them is recorded in.

`Node`, `Interface`, `Software`, `Service`, `Instance`, `Setting`, `Replication` and `SchemaObject` are one row of state
each: a field is the column of the same name, and a test holds its type and nullability against the catalog.
None is "not known", never "nothing".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, ClassVar
from uuid import UUID

Json = Any
"""What JSON can say: None, bool, int, str, and lists and string-keyed dicts of those. No floats in state."""

BigInt = Annotated[int, "bigint"]
Inet = Annotated[str, "inet"]
MacAddress = Annotated[str, "macaddr"]


class Outcome(StrEnum):
    """How looking at something ended. Only `ok` and `absent` may remove or blank what was recorded before.

    `absent`: looked, and there is none. `denied`: not allowed to look. `unsupported`: this system cannot be asked.
    `unreadable`: an answer came that could not be understood whole. `failed`: the question itself broke or timed out.
    """

    OK = "ok"
    ABSENT = "absent"
    UNSUPPORTED = "unsupported"
    DENIED = "denied"
    UNREADABLE = "unreadable"
    FAILED = "failed"

    @property
    def complete(self) -> bool:
        """Whether what was found is everything there is, so that what was not found is really gone."""
        return self in (Outcome.OK, Outcome.ABSENT)


def observed() -> Any:
    """A field that is observation: overwritten when it differs, never in a snapshot, never audited."""
    return field(default=None, metadata={"observation": True})


def drifting() -> Any:
    """An observation that moves at nearly every look: written along with the row, else once an hour."""
    return field(default=None, metadata={"observation": True, "drifting": True})


def metadata() -> Any:
    """The documented keys that have no column. The key `observed` inside is observation."""
    return field(default_factory=dict)


class Fact:
    """One row of state. `TABLE` is where it lives, `KEY` tells it from the others of its node."""

    __slots__ = ()
    SECTION: ClassVar[str]
    TABLE: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]]
    PRESENCE: ClassVar[str]
    """The boolean column that says whether the fact is there now."""
    ON_VANISHED: ClassVar[Mapping[str, Json]] = {}
    """What else becomes of a row whose fact is gone."""
    KIND_SHAPES_KEY: ClassVar[bool] = False
    """Whether the column `kind` says which parts of the key are filled, so that empty ones need not be written."""

    @classmethod
    @cache
    def state_fields(cls) -> tuple[str, ...]:
        """The names of the fields that are state: compared, audited, in snapshots."""
        return tuple(f.name for f in fields(cls) if not f.metadata.get("observation"))  # type: ignore[arg-type]

    @classmethod
    @cache
    def drifting_fields(cls) -> tuple[str, ...]:
        """The names of the observations that move at nearly every look, and are no reason to write a row."""
        return tuple(f.name for f in fields(cls) if f.metadata.get("drifting"))  # type: ignore[arg-type]

    @property
    def key(self) -> tuple[str, ...]:
        """The values of `KEY` as text; unknown parts are empty."""
        return tuple("" if (value := getattr(self, name)) is None else str(value) for name in self.KEY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What one machine is: the columns of `system_nodes` that collectors fill. See CONTRACT.md for units."""

    TABLE: ClassVar[str] = "system_nodes"
    SECTION: ClassVar[str] = "node"

    model_name: str | None = None
    model_identifier: str | None = None
    model_number: str | None = None
    serial_number: str | None = None
    hardware_uuid: UUID | None = None
    cpu_model: str | None = None
    cpu_architecture: str | None = None
    cpu_cores_total: int | None = None
    cpu_cores_performance: int | None = None
    cpu_cores_efficiency: int | None = None
    cpu_l1_cache_kb: int | None = None
    cpu_l2_cache_mb: Decimal | None = None
    gpu_model: str | None = None
    gpu_cores: int | None = None
    gpu_metal_version: str | None = None
    gpu_compute_tflops: Decimal | None = None
    ram_gb: Decimal | None = None
    ram_type: str | None = None
    ram_manufacturer: str | None = None
    ram_bandwidth_gbps: Decimal | None = None
    storage_internal_tb: Decimal | None = None
    storage_internal_type: str | None = None
    storage_internal_device: str | None = None
    storage_external_tb: Decimal | None = None
    storage_external_device: str | None = None
    os_name: str | None = None
    os_version: str | None = None
    os_build: str | None = None
    kernel_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface(Fact):
    """One network interface; its primary address in the columns, all of them in `metadata.addresses`."""

    SECTION: ClassVar[str] = "interfaces"
    TABLE: ClassVar[str] = "network_interfaces"
    KEY: ClassVar[tuple[str, ...]] = ("interface_name",)
    PRESENCE: ClassVar[str] = "is_present"
    ON_VANISHED: ClassVar[Mapping[str, Json]] = {"is_active": False, "is_primary": False}

    interface_name: str
    interface_type: str | None = None
    mac_address: MacAddress | None = None
    ipv4_address: Inet | None = None
    ipv4_netmask: Inet | None = None
    ipv4_gateway: Inet | None = None
    ipv6_address: Inet | None = None
    ipv6_prefix: int | None = None
    connection_speed_mbps: int | None = None
    connection_type: str | None = None
    is_primary: bool = False
    is_active: bool = True
    metadata: dict[str, Json] = metadata()


@dataclass(frozen=True, slots=True, kw_only=True)
class Software(Fact):
    """One installation of one piece of software; several at once are told apart by path."""

    SECTION: ClassVar[str] = "software"
    TABLE: ClassVar[str] = "software_versions"
    KEY: ClassVar[tuple[str, ...]] = ("software_name", "install_path", "software_architecture")
    PRESENCE: ClassVar[str] = "is_active"

    software_name: str
    software_version: str | None = None
    software_architecture: str | None = None
    runtime_mode: str | None = None
    install_path: str | None = None
    executable_path: str | None = None
    compiler: str | None = None
    performance_notes: str | None = None
    installed_at: datetime | None = None
    metadata: dict[str, Json] = metadata()


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(Fact):
    """One service: a unit of the init system, or a listening program; all its ports in `metadata.listeners`."""

    SECTION: ClassVar[str] = "services"
    TABLE: ClassVar[str] = "services"
    KEY: ClassVar[tuple[str, ...]] = ("service_name",)
    PRESENCE: ClassVar[str] = "is_present"
    ON_VANISHED: ClassVar[Mapping[str, Json]] = {"status": "stopped", "process_id": None, "uptime_seconds": None}

    service_name: str
    service_type: str | None = None
    process_id: int | None = observed()
    port: int | None = None
    bind_address: str | None = None
    executable_path: str | None = None
    config_path: str | None = None
    data_path: str | None = None
    log_path: str | None = None
    pid_file_path: str | None = None
    status: str = "running"
    started_at: datetime | None = None
    uptime_seconds: BigInt | None = drifting()
    auto_start: bool | None = None
    auto_restart: bool | None = None
    metadata: dict[str, Json] = metadata()


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance(Fact):
    """One PostgreSQL server of a node; `instance` is its system identifier and port, `7301…:5432`."""

    SECTION: ClassVar[str] = "instances"
    TABLE: ClassVar[str] = "postgresql_instances"
    KEY: ClassVar[tuple[str, ...]] = ("instance",)
    PRESENCE: ClassVar[str] = "is_active"

    instance: str
    system_identifier: str | None = None
    port: int | None = None
    server_version: str | None = None
    server_version_num: int | None = None
    version_text: str | None = None
    compiler: str | None = None
    architecture: str | None = None
    data_directory: str | None = None
    config_file: str | None = None
    hba_file: str | None = None
    socket_directories: str | None = None
    listen_addresses: str | None = None
    server_role: str | None = None
    timeline: int | None = None
    data_checksums: bool | None = None
    started_at: datetime | None = None
    metadata: dict[str, Json] = metadata()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Fact):
    """One setting of one PostgreSQL server, as `pg_settings` shows it, with what awaits the next restart."""

    SECTION: ClassVar[str] = "settings"
    TABLE: ClassVar[str] = "postgresql_configuration"
    KEY: ClassVar[tuple[str, ...]] = ("instance", "setting_name")
    PRESENCE: ClassVar[str] = "is_active"

    instance: str
    setting_name: str
    setting_value: str | None = None
    setting_unit: str | None = None
    setting_category: str | None = None
    setting_short_desc: str | None = None
    context: str | None = None
    requires_restart: bool = False
    pending_value: str | None = None
    metadata: dict[str, Json] = metadata()


@dataclass(frozen=True, slots=True, kw_only=True)
class Replication(Fact):
    """One replication link or slot, seen from one side. `primary_node` and `replica_node` are node names."""

    SECTION: ClassVar[str] = "replication"
    TABLE: ClassVar[str] = "replication_status"
    KEY: ClassVar[tuple[str, ...]] = ("instance", "side", "slot_name", "application_name", "client_address")
    PRESENCE: ClassVar[str] = "is_active"

    instance: str
    side: str
    slot_name: str | None = None
    application_name: str | None = None
    client_address: Inet | None = None
    peer: str | None = None
    state: str | None = None
    sync_state: str | None = None
    replay_lag_ms: int | None = observed()
    replay_lag_bytes: BigInt | None = observed()
    write_lag_ms: int | None = observed()
    flush_lag_ms: int | None = observed()
    last_check: datetime | None = observed()
    metadata: dict[str, Json] = metadata()


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaObject(Fact):
    """One object of one database: `kind` says which, and only the columns of that kind are filled."""

    SECTION: ClassVar[str] = "schemas"
    TABLE: ClassVar[str] = "database_schemas"
    KEY: ClassVar[tuple[str, ...]] = (
        "instance",
        "database_name",
        "kind",
        "schema_name",
        "table_name",
        "column_name",
        "index_name",
        "constraint_name",
        "object_name",
    )
    PRESENCE: ClassVar[str] = "is_present"
    KIND_SHAPES_KEY: ClassVar[bool] = True

    instance: str
    database_name: str
    kind: str
    schema_name: str | None = None
    table_name: str | None = None
    column_name: str | None = None
    data_type: str | None = None
    is_nullable: bool | None = None
    column_default: str | None = None
    character_maximum_length: int | None = None
    is_primary_key: bool | None = None
    foreign_key_table: str | None = None
    foreign_key_column: str | None = None
    index_name: str | None = None
    index_type: str | None = None
    index_definition: str | None = None
    constraint_name: str | None = None
    constraint_type: str | None = None
    constraint_definition: str | None = None
    object_name: str | None = None
    table_size_bytes: BigInt | None = drifting()
    index_size_bytes: BigInt | None = drifting()
    metadata: dict[str, Json] = metadata()


FACT_TYPES: tuple[type[Fact], ...] = (
    Interface,
    Software,
    Service,
    Instance,
    Setting,
    Replication,
    SchemaObject,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One number that always moves; appended to `performance_metrics`, never audited."""

    category: str
    name: str
    value: Decimal
    unit: str
    conditions: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gap:
    """Something a collector could not look at, and why."""

    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one collector understood. Fields it does not own stay at their defaults."""

    node: Node = Node()
    metadata: dict[str, Json] = field(default_factory=dict)
    """Parts of the node's metadata: only top-level keys the collector owns, and `observed`."""
    interfaces: tuple[Interface, ...] = ()
    software: tuple[Software, ...] = ()
    services: tuple[Service, ...] = ()
    instances: tuple[Instance, ...] = ()
    settings: tuple[Setting, ...] = ()
    replication: tuple[Replication, ...] = ()
    schemas: tuple[SchemaObject, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    observed: dict[str, Json] = field(default_factory=dict)
    """Numbers of the node that move but are worth seeing beside it: free space, temperatures."""
    gaps: tuple[Gap, ...] = ()
    absent: bool = False
    """Looked, and this machine has none of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """How one collector ended on one target, and what it found."""

    collector: str
    target: str = ""
    """What was looked at: '' for the machine, an instance, or an instance and database."""
    outcome: Outcome
    reason: str | None = None
    duration_ms: int = 0
    owns: tuple[str, ...] = ()
    """The columns of `system_nodes`, and the keys of its metadata as `metadata.KEY`, that this collector fills."""
    sections: tuple[str, ...] = ()
    """The sections in which its rows are the whole of what it speaks for."""
    roll_call: tuple[str, ...] | None = None
    """Every PostgreSQL instance that runs now, from the search for them; facts of all others are gone. None: not
    known.
    """
    facts: Facts = Facts()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeState:
    """Everything one collection learned about one node."""

    node_name: str
    node_role: str | None = None
    """primary, replica, client or standalone; None while it could not be found out."""
    role_by_hand: bool = False
    collected_at: datetime
    duration_ms: int = 0
    collected: tuple[Collected, ...]

    @property
    def hardware_uuid(self) -> UUID | None:
        """What makes it the same node after a renaming, where it could be read."""
        return next((c.facts.node.hardware_uuid for c in self.collected if c.facts.node.hardware_uuid), None)

    @property
    def machine_id(self) -> str | None:
        """The identity that the operating system was given at its installation."""
        found = (c.facts.metadata.get("identity", {}).get("machine_id") for c in self.collected)
        return next((str(machine_id) for machine_id in found if machine_id), None)

    @property
    def identity(self) -> str:
        """The strongest identity known: `uuid:…` of the hardware, else `machine:…`, else `name:…`."""
        if self.hardware_uuid:
            return f"uuid:{self.hardware_uuid}"
        return f"machine:{self.machine_id}" if self.machine_id else f"name:{self.node_name}"

    def rows(self, section: str) -> Iterator[tuple[Collected, Fact]]:
        """Every row of a section, with the collector that speaks for it."""
        for collected in self.collected:
            for fact in getattr(collected.facts, section):
                yield collected, fact


class CheckOutcome(StrEnum):
    """How a check ended. `skipped` is not a pass: it says why it could not run."""

    PASS = "pass"
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One functional test that really ran, or the reason it did not."""

    check: str
    node_name: str
    target: str = ""
    outcome: CheckOutcome
    reason: str | None = None
    probe: str | None = None
    """What was run: the statement, command or other probe, readable."""
    evidence: str = ""
    """What came back, cut to an excerpt."""
    started_at: datetime
    duration_ms: int
