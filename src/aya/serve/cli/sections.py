"""What `aya show` shows: one table for each section, with the columns that fit a terminal."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from aya.serve.cli.output import print_renderable, print_table, shown, styled, text
from aya.serve.cli.quantity import quantity

COLUMNS = {
    "system": (
        "node_name",
        "node_role",
        "cpu_model",
        "cpu_cores_total",
        "ram_gb",
        "storage_internal_tb",
        "os_version",
        "primary_ip",
        "running_services",
        "installed_software",
        "status",
        "last_collected",
        "last_verified",
        "origin",
        "origin_snapshot",
    ),
    "interfaces": (
        "node_name",
        "interface_name",
        "interface_type",
        "is_primary",
        "is_active",
        "ipv4_address",
        "ipv4_gateway",
        "ipv6_address",
        "mac_address",
        "connection_speed_mbps",
    ),
    "software": (
        "node_name",
        "software_name",
        "software_version",
        "software_architecture",
        "runtime_mode",
        "install_path",
    ),
    "services": (
        "node_name",
        "service_name",
        "service_type",
        "status",
        "bind_address",
        "port",
        "process_id",
        "started_at",
        "auto_start",
        "auto_restart",
    ),
    "instances": ("node_name", "instance", "server_version", "server_role", "port", "data_directory", "started_at"),
    "settings": ("node_name", "instance", "setting", "value", "after_restart", "source", "context"),
    "replication": (
        "node_name",
        "side",
        "primary_node",
        "replica_node",
        "slot_name",
        "state",
        "sync_state",
        "replay_lag_ms",
        "replay_lag_bytes",
        "last_check",
    ),
    "schemas": (
        "node_name",
        "database_name",
        "kind",
        "schema_name",
        "table_name",
        "column_name",
        "data_type",
        "index_name",
        "constraint_name",
        "object_name",
        "table_size_bytes",
    ),
    "runs": (
        "node_name",
        "run",
        "collected_at",
        "duration_ms",
        "rows_inserted",
        "rows_updated",
        "rows_vanished",
        "recorded_by",
    ),
    "outcomes": ("node_name", "collector", "target", "outcome", "facts", "duration_ms", "reason"),
    "checks": ("node_name", "check_name", "target", "outcome", "reason", "started_at"),
    "metrics": (
        "node_name",
        "metric_category",
        "metric_name",
        "avg_value",
        "min_value",
        "max_value",
        "metric_unit",
        "sample_count",
    ),
}
"""The columns that fit a terminal; --json has all of them."""


def print_section(
    section: str, rows: Sequence[dict[str, Any]], match: str | None = None, as_of: str | None = None
) -> None:
    """The rows of `aya show SECTION`, of which only those that hold `match` were wanted."""
    if section == "node":
        for row in rows:
            _print_node(row)
        return
    if section == "settings":
        rows = [_readable_setting(row) for row in rows]
    print_table(
        rows,
        COLUMNS.get(section) or tuple(rows[0] if rows else ()),
        empty=f"Nothing under {section} holds {match}."
        if match
        else f"No {section} recorded as of {as_of}."
        if as_of
        else f"No {section} recorded. `aya up` records this machine.",
    )


def _readable_setting(row: dict[str, Any]) -> dict[str, Any]:
    """A setting in the units people use, with what the next restart brings where it brings something else."""
    unit, pending = row["setting_unit"], row["pending_value"]
    after = quantity(pending, unit) if pending is not None else "not known" if row["requires_restart"] else ""
    return row | {
        "setting": row["setting_name"],
        "value": quantity(row["setting_value"], unit),
        "after_restart": after,
        "source": row["metadata"].get("source"),
    }


def _print_node(node: dict[str, Any]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    metadata = dict(node.get("metadata") or {})
    claimed = dict(metadata.pop("claimed", {}))
    lines = claimed.pop("columns", {})
    for name, value in node.items():
        if name not in ("id", "metadata") and value is not None:
            is_claimed = f" [dim](claimed, line {lines[name]})[/]" if name in lines else ""
            table.add_row(name, styled(text(value)) + is_claimed)
    for path, value in (*_leaves((), metadata), *_leaves(("claimed",), claimed)):
        if value not in (None, "", [], {}):
            table.add_row(path, shown(text(value)))
    print_renderable(table)


def _leaves(path: tuple[str, ...], value: Any) -> list[tuple[str, Any]]:
    """A nested value as dotted names with plain values; lists of plain values stay one line."""
    if isinstance(value, dict) and value:
        return [leaf for name, item in value.items() for leaf in _leaves((*path, name), item)]
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [leaf for number, item in enumerate(value) for leaf in _leaves((*path, str(number)), item)]
    return [(".".join(path), ", ".join(map(str, value)) if isinstance(value, list) else value)]
