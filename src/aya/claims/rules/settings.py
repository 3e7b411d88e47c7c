"""What PostgreSQL itself says of a setting: which values it takes, what they mean, whether a change waits for a restart."""

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from aya.claims.quantity import shown
from aya.claims.rule import Case, Opinion, Rule
from aya.claims.statement import ServerSetting, Stated

_MEANING = re.compile(r"(?P<value>-?\d+(?:\.\d+)?) (?P<meaning>(?:means|disables|turns|specifies)\b[^.]*)")
_NONE_EXTRA = "keeps no more than checkpoints and slots need; nothing is unlimited"
SPECIAL = {
    ("wal_keep_size", "0"): _NONE_EXTRA, ("wal_keep_segments", "0"): _NONE_EXTRA,
    ("synchronous_standby_names", ""): "disables synchronous replication: every standby is asynchronous",
    ("max_prepared_transactions", "0"): "disables prepared transactions",
    ("max_wal_senders", "0"): "disables replication",
    ("idle_replication_slot_timeout", "0"): "disables the timeout",
    ("archive_command", ""): "disables archiving by a command",
    ("log_statement", "none"): "disables logging of statements",
    ("max_parallel_workers_per_gather", "0"): "disables parallel queries",
    ("commit_delay", "0"): "disables the delay", ("reserved_connections", "0"): "means none is reserved",
}  # fmt: skip
"""What special values mean of which the server itself says nothing."""
OLDEST = 14
"""Older servers take values that are not known any more."""
AT_LEAST_AS_PRIMARY = (
    "max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_transactions", "max_locks_per_transaction",
)  # fmt: skip
"""Settings that a hot standby refuses to have smaller than its primary."""
_UNLIMITED = re.compile(r"(?i)\b(?:unlimited|unbegrenzt|illimité|infinite|no limit|no maximum|forever)\b")
_DISABLED = re.compile(r"(?i)\b(?:disabled|disables|off|none|no)\b")
_USES = re.compile(r"(?i)\b(?:uses?|same as|inherits?|from|falls back to)\s+`?(?P<name>[a-z][a-z0-9_]+)`?")
_RESTART = re.compile(r"(?i)requires?\s+(?:a\s+)?restart|restart\s+(?:is\s+)?required|needs?\s+(?:a\s+)?restart")


def _judge(case: Case) -> Iterator[Opinion]:
    for one in case.stated:
        name, _, column = one.subject.rpartition(" ")
        name, _, port = name.partition(" of ")
        setting = case.page.settings.get(name)
        if setting is None or column not in ("setting_value", "pending_value"):
            continue
        version = case.first(one.node, f"PostgreSQL{f' of {port}' if port else ''} server_version")
        if version is None or int(str(version.value).split(".")[0]) >= OLDEST:
            yield from _takes(one, setting)
        if column == "setting_value":
            yield from _means(one, setting)
            yield from _platform(case, one, setting)
            yield from _improvement(one, setting)
        yield from _restart(one, setting)
    for node in case.page.nodes:
        yield from _wal_buffers(case, node)
        yield from _standby(case, node)


def _wal_buffers(case: Case, node: str) -> Iterator[Opinion]:
    """Left to itself, PostgreSQL makes wal_buffers a 32nd of shared_buffers; both are counted in 8 kB."""
    own, shared = (case.first(node, f"{name} setting_value") for name in ("wal_buffers", "shared_buffers"))
    if own and shared and own.said and shared.said and own.said.value * 32 == shared.said.value:
        yield Opinion(
            own.item, True, f"A 32nd of the shared_buffers of line {shared.item.line}, as PostgreSQL itself chooses."
        )


def _standby(case: Case, node: str) -> Iterator[Opinion]:
    """A hot standby has no less of these than its primary; with less it does not run."""
    peer = case.first(node, "replication peer")
    if peer is None or case.page.nodes[node].role != "replica" or str(peer.value) not in case.page.nodes:
        return
    for name in AT_LEAST_AS_PRIMARY:
        own, theirs = (case.first(one, f"{name} setting_value") for one in (node, str(peer.value)))
        if own and theirs and own.said and theirs.said and own.said.value < theirs.said.value:
            told = f"{peer.value} has {theirs.value} on line {theirs.item.line}; a standby with less cannot follow it"
            yield Opinion(own.item, False, f"{told}.")


def _takes(one: Stated, setting: ServerSetting) -> Iterator[Opinion]:
    """A value that no server takes cannot be the one that it has."""
    value = str(one.value)
    if (
        setting.kind == "enum"
        and setting.choices
        and value.lower() not in setting.choices
        and setting.name != "wal_sync_method"
    ):
        yield Opinion(one.item, False, f"{setting.name} takes {', '.join(setting.choices)}, not {value}.")
    if setting.kind == "bool" and value not in ("on", "off"):
        yield Opinion(one.item, False, f"{setting.name} is on or off, not {value}.")
    if setting.kind in ("integer", "real") and setting.least is not None and setting.most is not None:
        try:
            number, least, most = Decimal(value), Decimal(setting.least), Decimal(setting.most)
        except InvalidOperation:
            return
        if not least <= number <= most:
            unit = f" of {setting.unit}" if setting.unit else ""
            yield Opinion(
                one.item, False, f"{setting.name} takes {setting.least} to {setting.most}{unit}, not {value}."
            )


def _means(one: Stated, setting: ServerSetting) -> Iterator[Opinion]:
    """`0 (unlimited)`: what is said of a value is what PostgreSQL says of it."""
    bracket = re.search(r"\(([^()]*)\)", one.item.value) or re.search(r"#\s*(.+)", one.item.text)
    note = bracket[1] if bracket else ""
    if not note or re.search(r"(?i)configured|pending|restart", note):
        return
    meaning = _meaning(setting, str(one.value))
    uses = _USES.search(note)
    if _UNLIMITED.search(note):
        told = meaning or "is a value like any other"
        holds = bool(
            meaning and re.search(r"(?i)no limit|no maximum|forever|unlimited", meaning) and meaning != _NONE_EXTRA
        )
        if meaning or (setting.kind == "integer" and str(one.value) == setting.least and "timeout" not in setting.name):
            yield Opinion(one.item, holds, f"PostgreSQL: {setting.name} = {one.value} {told}.")
    elif uses and meaning:
        if f'"{uses["name"]}"' in meaning:
            yield Opinion(one.item, True, f"PostgreSQL: {one.value} {meaning}.")
        elif re.search(r'"\w+"', meaning):
            yield Opinion(one.item, False, f"PostgreSQL: {one.value} {meaning}.")
    elif _DISABLED.search(note) and meaning and re.search(r"(?i)^disables|^turns", meaning):
        yield Opinion(one.item, True, f"PostgreSQL: {setting.name} = {one.value} {meaning}.")
    elif _DISABLED.fullmatch(note.strip()) and (other := _disabling(setting)) and other != str(one.value):
        told = f"{meaning}; " if meaning else ""
        yield Opinion(one.item, False, f"PostgreSQL: {setting.name} = {one.value}: {told}{other} is what disables it.")
    elif re.search(r"(?i)\basync", note) and setting.name == "synchronous_standby_names":
        yield Opinion(one.item, one.value == "", f"PostgreSQL: an empty {setting.name} {SPECIAL[setting.name, '']}.")


def _disabling(setting: ServerSetting) -> str | None:
    """The one value that disables a setting, where the server says so."""
    found = [
        one["value"] for one in _MEANING.finditer(setting.extra_desc) if re.match(r"(?i)disables|turns", one["meaning"])
    ]
    return found[0] if len(found) == 1 else None


def _meaning(setting: ServerSetting, value: str) -> str | None:
    """What the server says of that value, else what is known of it."""
    for found in _MEANING.finditer(setting.extra_desc):
        if found["value"] == value:
            return found["meaning"]
    return SPECIAL.get((setting.name, value))


def _platform(case: Case, one: Stated, setting: ServerSetting) -> Iterator[Opinion]:
    """What only some systems have."""
    system = case.first(one.node, "os_name")
    version = case.first(one.node, "PostgreSQL server_version")
    if system is None or version is None or not re.search(r"(?i)mac|os x", str(system.value)):
        return
    major = int(str(version.value).split(".")[0])
    if setting.name == "wal_sync_method":
        takes = ("fsync", "fdatasync", "open_sync", "open_datasync", "fsync_writethrough")
        if one.value == "open_datasync":
            told = "It is what PostgreSQL uses on macOS unless told otherwise."
            yield Opinion(one.item, True, f"{told} Only fsync_writethrough there also empties the cache of the drive.")
        elif one.value not in takes:
            yield Opinion(one.item, False, f"wal_sync_method takes {', '.join(takes)}.")
    elif setting.name in ("effective_io_concurrency", "maintenance_io_concurrency") and major < 18 and one.value != "0":
        yield Opinion(
            one.item,
            False,
            f"PostgreSQL {major} on macOS has no posix_fadvise and takes only 0; since 18 it takes more.",
        )


def _restart(one: Stated, setting: ServerSetting) -> Iterator[Opinion]:
    """Only settings of context postmaster wait for a restart."""
    if not _RESTART.search(one.item.text) or one.place is None:
        return
    waits = setting.context == "postmaster"
    if not waits and setting.context not in ("user", "superuser", "sighup"):
        return
    told = "it changes with a restart only" if waits else "no restart is needed"
    yield Opinion(one.item, waits, f"PostgreSQL: {setting.name} has the context {setting.context}; {told}.")


def _improvement(one: Stated, setting: ServerSetting) -> Iterator[Opinion]:
    """A value that is the default, and how many times the default it is."""
    times = re.search(r"(?i)\b(\d+(?:\.\d+)?)x\s+(?:improvement|increase|larger|more|the default)", one.item.text)
    if times and setting.default not in (None, "", "0", "-1") and setting.kind in ("integer", "real"):
        factor = Decimal(str(one.value)) / Decimal(str(setting.default))
        yield Opinion(
            one.item,
            abs(factor - Decimal(times[1])) <= Decimal("0.5"),
            f"The default of {setting.name} is {setting.default} {setting.unit or ''}: it is {shown(factor)} times that.".replace(
                " :", ":"
            ),
        )


rule = Rule(_judge)
