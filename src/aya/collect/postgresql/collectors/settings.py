"""All settings of a PostgreSQL server, and what awaits its next restart.

Values are as `pg_settings` shows them, in `setting_unit`. A setting that AYA's own login or its database overrides is
shown with the value everybody else gets; where that cannot be known the value is unknown. `requires_restart` is the
server's own mark. `pending_value` is what the configuration files say, in the same unit and form; the built-in value
where the line is gone; the value in force where the command line wins. It is unknown where the files may not be read
(superuser only) or not as a whole, hold a value that the server would refuse (`file_error`), or leave it to the
server (`pending_is_automatic`).
"""

import re
from collections.abc import Iterable
from typing import Any

from aya.collect.postgresql.collector import Row, Rows, Server, ServerCollector
from aya.collect.postgresql.collectors._value import normalised
from aya.model import Facts, Gap, Outcome, Setting

OF_THE_SESSION = frozenset({"client", "session", "global", "database", "user", "database user"})
"""Sources that stand above the server's own value: given by AYA's session, its database or its role."""
AUTOMATIC = {
    "wal_buffers": "-1",
    "transaction_buffers": "0",
    "subtransaction_buffers": "0",
    "commit_timestamp_buffers": "0",
}
"""Values that make the server choose at its start; `pg_settings` then shows what it chose."""
SECRET_NAME = re.compile(r"(?i)passw(or)?d|passphrase|secret|token|api_?key|private_?key|access_?key|credential")

METADATA = {
    "vartype": "vartype",
    "source": "source",
    "boot_value": "boot_val",
    "reset_value": "reset_val",
    "source_file": "sourcefile",
    "source_line": "sourceline",
    "minimum": "min_val",
    "maximum": "max_val",
    "choices": "enumvals",
}
VALUES = ("boot_value", "reset_value")


def parse(rows: Rows, server: Server) -> Facts:
    """One row for each setting; unknown pending values are gaps, unless the files could not be read at all."""
    lines = rows.get("file_settings")
    files = None if lines is None else {line["name"].lower(): line for line in lines if line["name"] is not None}
    broken = _broken(lines or (), rows["settings"])
    overrides = _overrides(rows.get("overrides", ()), server)

    gaps: list[Gap] = []
    if not server.reads_all_settings:
        gaps.append(Gap(Outcome.DENIED, "settings that only some may see: pg_read_all_settings is not granted"))
    settings: list[Setting] = []
    metadata_columns = tuple(METADATA.items())
    for row in rows["settings"]:
        name, value, waits = row["name"], row["setting"], row["pending_restart"]
        metadata = {key: told for key, column in metadata_columns if (told := row[column]) is not None}
        line = files.get(name.lower()) if files else None
        pending = None
        if row["source"] in OF_THE_SESSION:
            value, metadata = _of_the_server(row, None if broken else files, metadata)
            if value is None:
                gaps.append(Gap(Outcome.DENIED, f"{name} is overridden for AYA's login, and the files may not be read"))
        if waits and broken:
            where = f"{broken['sourcefile']} line {broken['sourceline']}: {broken['error']}"
            gaps.append(Gap(Outcome.UNREADABLE, f"{where}: what a restart would bring is not known"))
        elif waits and files is not None:
            pending = _pending(row, line)
            if pending is None and AUTOMATIC.get(name) == (line["setting"] if line else row["boot_val"]):
                metadata["pending_is_automatic"] = True
        # While a restart is pending the server says "could not be applied" of a good value as well.
        if line and line["error"] and not (waits and (pending is not None or "pending_is_automatic" in metadata)):
            metadata["file_error"] = line["error"]
        if name.lower() in overrides:
            metadata["overrides"] = overrides.pop(name.lower())
        if is_secret(name):
            value, pending, metadata = _marked(name, value, pending, metadata, server)
        settings.append(
            Setting(
                instance=server.instance,
                setting_name=name,
                setting_value=value,
                setting_unit=row["unit"],
                setting_category=row["category"],
                setting_short_desc=row["short_desc"],
                context=row["context"],
                requires_restart=waits,
                pending_value=pending,
                metadata=metadata,
            )
        )
    # A setting of an application that only a role or database has: no value of the server's, but still a setting.
    settings += (
        Setting(instance=server.instance, setting_name=name, metadata={"overrides": given})
        for name, given in sorted(overrides.items())
    )
    return Facts(settings=tuple(settings), gaps=tuple(dict.fromkeys(gaps)))


def _broken(lines: Iterable[Row], settings: Iterable[Row]) -> Row | None:
    """The error because of which the files cannot be read whole, so that the last line for a name is not known."""
    waiting = [row["name"] for row in settings if row["pending_restart"]]
    for line in lines:
        # A line that is gone, of a setting that waits for a restart, is announced without name and file.
        announced = line["sourcefile"] is None and any(name in line["error"] for name in waiting)
        if line["name"] is None and not announced:
            return line
    return None


def _overrides(given: Iterable[Row], server: Server) -> dict[str, list[dict[str, Any]]]:
    overrides: dict[str, list[dict[str, Any]]] = {}
    for row in given:
        for entry in row["entries"]:
            name, _, value = entry.partition("=")
            shown = server.mark(value) if is_secret(name) else value
            override = {"database": row["database"], "role": row["role"], "value": shown}
            overrides.setdefault(name.lower(), []).append(override)
    return overrides


def is_secret(name: str) -> bool:
    """Whether the whole value is secret: that of an application, or the command that says a passphrase."""
    return name == "ssl_passphrase_command" or ("." in name and SECRET_NAME.search(name) is not None)


def _as_shown(row: Row, text: str) -> str | None:
    return normalised(
        text,
        vartype=row["vartype"],
        unit=row["unit"],
        choices=row["enumvals"],
        least=row["min_val"],
        most=row["max_val"],
    )


def _pending(row: Row, line: Row | None) -> str | None:
    if row["source"] == "command line":
        return str(row["setting"])
    text = line["setting"] if line else row["boot_val"]
    if text is None or AUTOMATIC.get(row["name"]) == text:
        return None
    return _as_shown(row, text)


def _of_the_server(
    row: Row, files: dict[str, dict[str, Any]] | None, metadata: dict[str, Any]
) -> tuple[str | None, dict[str, Any]]:
    """The value that everybody else gets, out of the files, and metadata that fits it."""
    own = {"reset_value", "source", "source_file", "source_line"}
    kept = {key: value for key, value in metadata.items() if key not in own}
    if files is None:
        return None, kept
    line = files.get(row["name"].lower())
    if line is None:
        return row["boot_val"], kept | {"source": "default", "reset_value": row["boot_val"]}
    value = _as_shown(row, line["setting"])
    origin = {"source_file": line["sourcefile"], "source_line": line["sourceline"]}
    return value, kept | {"source": "configuration file", "reset_value": value} | origin


def _marked(
    name: str, value: str | None, pending: str | None, metadata: dict[str, Any], server: Server
) -> tuple[str | None, str | None, dict[str, Any]]:
    """The same with the secret replaced, so that a change of it still shows; of a command its program stays."""

    def marked(text: str | None) -> str | None:
        if not text:
            return text
        if name == "ssl_passphrase_command":
            program, space, arguments = text.partition(" ")
            return f"{program} {server.mark(arguments)}" if space else program
        return server.mark(text)

    values = {key: marked(metadata[key]) for key in VALUES if key in metadata}
    return marked(value), marked(pending), metadata | values


collector = ServerCollector(
    queries=("settings",),
    further=("file_settings", "overrides"),
    bare=frozenset({"settings", "file_settings", "overrides"}),
    parse=parse,
    sections=("settings",),
    metadata={
        "settings:vartype": "bool, enum, integer, real or string",
        "settings:source": "where the value in force comes from: default, configuration file, command line, ...",
        "settings:boot_value": "built-in value, in `setting_unit`",
        "settings:reset_value": "value that RESET would bring, in `setting_unit`",
        "settings:source_file": "configuration file that says it",
        "settings:source_line": "line in that file",
        "settings:minimum": "least value allowed, in `setting_unit`",
        "settings:maximum": "greatest value allowed, in `setting_unit`",
        "settings:choices": "values allowed of an enum",
        "settings:overrides": "other values for a role, a database, or a role in a database",
        "settings:overrides[].database": "database it is for; null: all",
        "settings:overrides[].role": "role it is for; null: all",
        "settings:overrides[].value": "value as written in ALTER ROLE or ALTER DATABASE",
        "settings:file_error": "what PostgreSQL says is wrong with the value in the configuration file",
        "settings:pending_is_automatic": "true: the server will choose the value at its next start",
    },
)
