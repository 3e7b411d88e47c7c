"""What is wrong with AYA itself on this machine, and what to do about it."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from aya.audit.guards import broken
from aya.collect.catalogue import collectors
from aya.db.adhoc.workers import memory_is_limited
from aya.db.connection import Connection, rows, translated
from aya.db.database import ROLES, Login
from aya.db.migrate import NEEDED_VERSION_NUM, is_current
from aya.db.programs import packaged_programs
from aya.db.server import NEEDED_SPACE_BYTES
from aya.db.wall import gaps
from aya.errors import AyaError
from aya.host.process import find, run
from aya.host.reading import Command
from aya.model import Outcome
from aya.operations.context import Context
from aya.operations.operation import Scope, operation

KNOWN_BROKEN = {
    "pg_verifybackup": "it crashes as shipped in this wheel (a damaged ELF header); AYA does not use it",
}
"""Programs of the wheel that are known not to work, and why that is no harm."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that was looked at."""

    what: str
    well: bool
    found: str
    remedy: str = ""


@operation("GET /doctor", command="doctor", scope=Scope.ADMIN)
def doctor(context: Context) -> list[Diagnosis]:
    """Look at the programs, the folders, the disk, the server, its version, roles and schema, read-only SQL, and the tools that
    collectors use.
    """
    findings: list[Diagnosis] = []
    for look in (_programs, _home, _disk, _database, _memory_of_sql, _tools):
        context.progress(look.__name__.strip("_"))
        try:
            findings += look(context)
        except AyaError as error:
            findings.append(Diagnosis(look.__name__.strip("_"), False, error.message, error.remedy))
    return findings


def _programs(context: Context) -> Iterator[Diagnosis]:
    """Start every program of the wheel once: one was shipped damaged before."""
    if not context.database.is_embedded:
        return
    folder = packaged_programs()
    broken = []
    programs = sorted(entry for entry in os.listdir(folder) if os.access(folder / entry, os.X_OK))
    for program in programs:
        answer = run([str(folder / program), "--version"], timeout_s=10)
        if answer.outcome is not Outcome.OK:
            broken.append((program, answer.reason))
    for program, reason in broken:
        known = KNOWN_BROKEN.get(program)
        yield Diagnosis(
            f"program {program}",
            known is not None,
            f"{reason}; {known}" if known else reason,
            "" if known else "Build the environment anew: rm -r .venv, then make setup.",
        )
    yield Diagnosis("programs", True, f"{len(programs) - len(broken)} of {len(programs)} programs of PostgreSQL start")


def _home(context: Context) -> Iterator[Diagnosis]:
    home = context.settings.home
    if not home.exists():
        yield Diagnosis("home", False, f"{home} does not exist yet", "Run `aya up`.")
    elif not os.access(home, os.W_OK | os.X_OK):
        yield Diagnosis("home", False, f"{home} cannot be written", "Set AYA_HOME to a folder that you may write.")
    else:
        yield Diagnosis("home", True, str(home))
    secrets = context.secrets_folder
    for path in secrets.glob("*") if os.access(secrets, os.R_OK | os.X_OK) else ():
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            yield Diagnosis(
                f"secret {path.name}", False, f"its mode is {mode:o}: others may read it", f"chmod 600 {path}"
            )


def _disk(context: Context) -> Iterator[Diagnosis]:
    folder = next(path for path in (context.settings.home, *context.settings.home.parents) if path.exists())
    usage = shutil.disk_usage(folder)
    enough = usage.free >= NEEDED_SPACE_BYTES
    found = f"{usage.free / 1e9:.1f} GB of {usage.total / 1e9:.1f} GB are free for {folder}"
    yield Diagnosis("disk", enough, found, "" if enough else "Free some space: PostgreSQL stops when the disk is full.")


def _database(context: Context) -> Iterator[Diagnosis]:
    with context.database.connect(Login.ADMIN) as connection, translated(doing="examining the server"):
        yield Diagnosis("server", True, f"answers: {context.database}")
        version = connection.info.server_version
        yield Diagnosis(
            "version",
            version >= NEEDED_VERSION_NUM,
            f"PostgreSQL {version // 10000}.{version % 10000}",
            "" if version >= NEEDED_VERSION_NUM else "AYA needs PostgreSQL 18 or newer.",
        )
        extension = rows(connection, "SELECT extversion FROM pg_extension WHERE extname = 'vector'")
        yield Diagnosis(
            "pgvector",
            bool(extension),
            extension[0]["extversion"] if extension else "is not installed in the database",
            "" if extension else "Run `aya db migrate`.",
        )
        current = is_current(connection)
        yield Diagnosis(
            "schema",
            current,
            "is current" if current else "is not what this version of AYA needs",
            "" if current else "Run `aya db migrate`.",
        )
        yield from _roles(connection)
        if current:
            yield _log(connection)
            yield _wall(connection)
        durable = rows(connection, "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes')")
        off = [row["name"] for row in durable if row["setting"] != "on"]
        yield Diagnosis(
            "durability",
            not off,
            f"{', '.join(off)} is off: a crash can lose or break data" if off else "commits survive a crash",
            f"Set {', '.join(off)} to on." if off else "",
        )


def _log(connection: Connection) -> Diagnosis:
    """Whether what writes and guards the log of changes is as it was made."""
    problems = [problem.said for problem in broken(connection)]
    return Diagnosis(
        "log of changes",
        not problems,
        "; ".join(problems) or "every change of state is logged",
        "`aya audit verify` shows what was changed meanwhile. To put back what AYA made: "
        "DELETE FROM aya.applied_objects, then `aya db migrate`."
        if problems
        else "",
    )


def _wall(connection: Connection) -> Diagnosis:
    """Whether the role of read-only SQL can only read."""
    found = gaps(connection)
    listed = "; ".join(gap.gap for gap in found[:5]) + ("; …" if found[5:] else "")
    return Diagnosis(
        "read-only SQL",
        not found,
        f"refused, as its role may do more than read ({len(found)} things): {listed}" if found else "can only read",
        "Run `aya db migrate` as a superuser, then `SELECT * FROM aya.sql_gaps` shows what is left." if found else "",
    )


def _memory_of_sql(context: Context) -> Iterator[Diagnosis]:
    """Whether a session of read-only SQL could take all memory: found out in one."""
    if sys.platform != "linux" or not context.database.is_embedded or context.settings.sql_url is not None:
        return  # AYA never limits it there, as docs/sql.md says
    limited = memory_is_limited(context.database)
    yield Diagnosis(
        "memory of read-only SQL",
        limited,
        "a session has its limit"
        if limited
        else "a session has no limit but PostgreSQL's own: this system lets AYA set none",
        "" if limited else "Run AYA as the user that its server runs as, or give it CAP_SYS_RESOURCE.",
    )


def _roles(connection: Connection) -> Iterator[Diagnosis]:
    found = {
        row["rolname"]: row
        for row in rows(
            connection,
            "SELECT rolname, rolcanlogin, rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication AS strong "
            "FROM pg_roles WHERE rolname LIKE 'aya\\_%%'",
        )
    }
    for role in ("aya_owner", *ROLES.values()):
        row = found.get(role)
        if row is None:
            yield Diagnosis(f"role {role}", False, "does not exist", "Run `aya db migrate`.")
            continue
        problems = []
        if role == "aya_owner" and row["rolcanlogin"]:
            problems.append(("can log in", "ALTER ROLE aya_owner NOLOGIN"))
        if row["strong"]:
            problems.append(
                (
                    "has more rights than it needs",
                    f"ALTER ROLE {role} NOSUPERUSER NOCREATEROLE NOCREATEDB NOBYPASSRLS NOREPLICATION",
                )
            )
        if role == "aya_reader" and _may_write(connection):
            problems.append(
                (
                    "may write",
                    "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public, aya FROM aya_reader",
                )
            )
        yield Diagnosis(
            f"role {role}",
            not problems,
            "; ".join(what for what, _ in problems) or "is as it should be",
            "; ".join(remedy for _, remedy in problems),
        )


def _may_write(connection: Connection) -> bool:
    return bool(
        rows(
            connection,
            "SELECT FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v') "
            "AND s.nspname IN ('public', 'aya') "
            "AND has_table_privilege('aya_reader', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') LIMIT 1",
        )
    )


def _tools(context: Context) -> Iterator[Diagnosis]:
    """Tools that collectors would use: without one they know less, and say so."""
    wanted: dict[str, list[str]] = {}
    for name, collector in collectors(context.host.system).items():
        for read in collector.reads:
            if isinstance(read, Command):
                wanted.setdefault(read.argv[0], []).append(name)
    missing = sorted(tool for tool in wanted if find(tool) is None)
    yield Diagnosis(
        "tools",
        True,
        f"{len(wanted) - len(missing)} of {len(wanted)} that collectors can use are installed"
        + (f"; without {', '.join(missing)} they read kernel files only" if missing else ""),
    )
