"""What was measured since decides: a claim agrees with what was found on the node, or is contradicted by it.

Only what stays is compared: a start, a process, a size or a lag of another day contradicts nothing.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from aya.claims.judging import Judgement
from aya.claims.rule import Verdict
from aya.db.connection import Connection, rows, translated
from aya.db.queries import query

RULE = "measured"
_STAYS = {
    "node": None,
    "interfaces": {
        "mac_address",
        "ipv4_address",
        "ipv4_netmask",
        "ipv4_gateway",
        "connection_speed_mbps",
        "interface_type",
    },
    "software": {"software_version", "software_architecture", "runtime_mode"},
    "services": {"port", "bind_address", "log_path", "data_path"},
    "instances": {"server_version", "port", "data_directory", "architecture", "server_role"},
    "settings": {"setting_value", "pending_value"},
    "replication": {"slot_name", "state", "sync_state"},
    "schemas": {"metadata.version", "metadata.encoding", "metadata.collation", "metadata.owner"},
}
"""The columns of each section that are compared; None: all."""
_KEY = {
    "interfaces": ("interface_name",),
    "software": ("software_name",),
    "services": ("service_name",),
    "settings": ("setting_name",),
    "replication": ("side",),
    "schemas": ("database_name", "kind", "table_name", "object_name"),
    "instances": (),
    "node": (),
}
"""By what a claimed row is found again among those that were measured; a document knows no instance."""
_ROUNDED = {"ram_gb", "ram_bandwidth_gbps", "gpu_compute_tflops", "storage_internal_tb", "storage_external_tb"}
_ABOUT = Decimal("0.03")
"""How far people round such figures: 800 for 819, 16 for 16.06."""


def measured_of(connection: Connection, node: str, facts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What was found on a node of the things that claims are about; nothing where nobody looked."""
    names = {str(value).lower() for fact in facts for value in fact["key"].values()}
    with translated(doing=f"reading what was measured of {node}"):
        return rows(connection, query("measured_facts"), {"node": node, "names": sorted(names)})


def judge_measured(facts: Sequence[Mapping[str, Any]], measured: Sequence[Mapping[str, Any]]) -> Judgement | None:
    """What the measured facts say of one claim; None where they have nothing to it."""
    told: list[tuple[bool, str]] = []
    for fact in facts:
        stays = _STAYS[fact["section"]]
        if stays is not None and fact["column"] not in stays:
            continue
        values = {
            str(value)
            for row in measured
            if row["section"] == fact["section"] and _is_row(fact, row["row"])
            and (value := _value(row["row"], fact["column"])) not in (None, "")
        }  # fmt: skip
        if values:
            holds = any(_alike(fact["column"], fact["value"], value) for value in values)
            looked_at = measured[0]["looked_at"]
            told.append(
                (
                    holds,
                    f"Measured {looked_at:%Y-%m-%d %H:%M} UTC: {fact['column']} is {', '.join(sorted(values))[:200]}.",
                )
            )
    if not told:
        return None
    wrong = [evidence for holds, evidence in told if not holds]
    if wrong:
        return Judgement(RULE, Verdict.CONTRADICTED, " ".join(wrong))
    return Judgement(RULE, Verdict.CONFIRMED, " ".join(evidence for _, evidence in told))


def _is_row(fact: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    for column in _KEY[fact["section"]]:
        if column not in fact["key"]:
            continue
        found = str(row.get(column) or "").casefold()
        if column == "software_name":
            found = re.sub(r"^(?:pip|brew|deb|npm|cask):", "", found)
        if found != str(fact["key"][column]).casefold():
            return False
    return True


def _value(row: Mapping[str, Any], column: str) -> Any:
    name, _, inner = column.partition(".")
    value = row.get(name)
    return value.get(inner) if inner and isinstance(value, dict) else None if inner else value


_NAMES = {"model_name", "cpu_model", "gpu_model", "os_name"}
_NOISE = re.compile(
    r"cpu|processor|geforce|graphics|with|gen|\d+(?:st|nd|rd|th)|\d+(?:\.\d+)?ghz|\d+-core|gnu|linux|\d{1,2}x?|x|macos|the"
)
"""Words of a name that some write and others do not."""
_TIERS = {"pro", "max", "ultra", "ti", "super", "xt", "xtx", "plus", "mini", "air", "studio", "mobile", "laptop"}
"""Words that make a name that of another thing."""


def _same_name(claimed: str, measured: str) -> bool:
    """Whether both may name one thing: `AMD EPYC 9654` and `AMD EPYC 9654 96-Core Processor`."""
    one, other = (_words(text) for text in (claimed, measured))
    short, long = sorted((one, other), key=len)
    return bool(short) and short <= long and not (long - short) & _TIERS


def _words(name: str) -> set[str]:
    bare = re.sub(r"\([^()]*\)", " ", re.sub(r"(?i)\brhel\b", "red hat enterprise", name)).casefold()
    return {word for word in re.findall(r"[a-z0-9][\w.+-]*", bare) if not _NOISE.fullmatch(word)}


def _alike(column: str, claimed: Any, measured: str) -> bool:
    if column in _NAMES and _same_name(str(claimed), measured):
        return True
    if isinstance(claimed, bool):
        return str(claimed).lower() == measured.lower()
    try:
        one, other = Decimal(str(claimed)), Decimal(measured)
    except InvalidOperation:
        one_text, other_text = (
            re.sub(r"\s*\([^()]*\)|[\s,]+|^(?:Linux|Darwin)\s+(?=\d)", "", str(text)).casefold()
            for text in (claimed, measured)
        )
        return bool(one_text) and (one_text == other_text or _is_part(one_text, other_text))
    return one == other or (column in _ROUNDED and abs(one - other) <= _ABOUT * abs(other))


def _is_part(one: str, other: str) -> bool:
    """`12` of `12.11`, and `Darwin25.0.0` of `25.0.0`: a name or a version that is told in more or fewer words."""
    short, long = sorted((one, other), key=len)
    return long.startswith((f"{short}.", f"{short}-")) or (len(short) >= 3 and long.endswith(short))
