"""Hostile SQL, and watching that it does nothing: whoever runs SQL for others is given to `run` as a caller.

The statements are those of the public catalogue in ../shared, made to fit AYA's schema, and mutations of them.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from aya.db.connection import Connection, rows
from tests.conftest import SHARED

CATALOGUE = SHARED / "security" / "hostile_sql.tsv"
CANARY = "CANARY-7f3c9"
Caller = Callable[[str], str]
"""Runs one statement and gives everything that the asker sees, be it rows or an error."""

STAND_INS = {"⏎": "\n", "␍": "\r", "␋": "\v", "␌": "\f", "␀": "\0"}
NAMES = {
    "aya.nodes_id_seq": "public.system_nodes_id_seq",
    "aya.nodes": "public.system_nodes",
    "('aya','nodes'": "('public','system_nodes'",
    "'aya','relname','nodes'": "'public','relname','system_nodes'",
    "aya.change_log": "public.change_log",
    "aya.api_tokens": "aya.planted_secrets",
    "host=": "node_name=",
    "(host)": "(node_name)",
    "id,host ": "id,node_name ",
}
PLANTED = (
    "CREATE TABLE aya.planted_secrets (token text)",
    f"INSERT INTO aya.planted_secrets VALUES ('{CANARY}')",
    "CREATE FUNCTION aya.sd_exec(text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN EXECUTE $1; END'",
    "CREATE FUNCTION aya.sd_write(text) RETURNS SETOF text LANGUAGE sql SECURITY DEFINER "
    "AS 'INSERT INTO aya.planted_secrets VALUES ($1) RETURNING token'",
    "CREATE FUNCTION aya.leaky(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 "
    "AS 'BEGIN RAISE NOTICE ''%'', $1; RETURN true; END'",
)
"""What a careless owner leaves about."""
FORBIDDEN = (CANARY, "root:x:0", "SCRAM-SHA-256$", "PG_VERSION", "listen_addresses =", "peer map=")
"""What no answer may hold: a secret row, and what stands in files of the server."""


@dataclass(frozen=True, slots=True)
class Hostile:
    """A statement and its kind."""

    sql: str
    kind: str


def statements(folder: Path) -> list[Hostile]:
    """Those of the catalogue; what they would write goes to that folder."""
    found = []
    for line in CATALOGUE.read_text("utf-8").split("\n"):
        if line and not line.startswith("#"):
            sql, kind = line.rsplit("\t", 1)
            for name, ours in {**STAND_INS, **NAMES, "/tmp/hostile_out": str(folder)}.items():
                sql = sql.replace(name, ours)
            found.append(Hostile(sql, kind))
    return found


def plant(admin: Connection) -> None:
    """Leave secrets and dangerous functions about."""
    uproot(admin)
    for statement in PLANTED:
        admin.execute(statement)  # type: ignore[arg-type]
    for function in ("sd_exec", "sd_write", "leaky"):
        admin.execute(f"ALTER FUNCTION aya.{function} OWNER TO aya_owner")  # type: ignore[arg-type]


def uproot(admin: Connection) -> None:
    """Take them away."""
    admin.execute("DROP TABLE IF EXISTS aya.planted_secrets")
    admin.execute("DROP FUNCTION IF EXISTS aya.sd_exec(text), aya.sd_write(text), aya.leaky(text)")


# What is the same as long as nobody writes: everything but what autovacuum counts.
CATALOGS = {
    "pg_class": "oid, relname, relnamespace, relowner, relkind, relacl::text, relfilenode, reloptions, relrowsecurity",
    "pg_attribute": "attrelid, attname, atttypid, attacl::text, attoptions",
    "pg_proc": "oid, proname, proacl::text, prosrc",
    "pg_authid": "*",
    "pg_auth_members": "*",
    "pg_db_role_setting": "*",
    "pg_database": "oid, datname, datdba, datacl::text, datallowconn",
    "pg_namespace": "oid, nspname, nspacl::text",
    "pg_default_acl": "*",
    "pg_type": "oid, typname, typacl::text",
    "pg_trigger": "oid, tgname, tgenabled",
    "pg_rewrite": "oid, rulename, ev_class, ev_enabled",
    **dict.fromkeys(
        ("pg_extension", "pg_event_trigger", "pg_publication", "pg_subscription", "pg_tablespace", "pg_language", "pg_cast",
         "pg_statistic_ext", "pg_policy", "pg_foreign_server", "pg_foreign_data_wrapper", "pg_operator", "pg_collation",
         "pg_largeobject_metadata", "pg_seclabel", "pg_shseclabel", "pg_prepared_xacts", "pg_replication_origin",
         "pg_parameter_acl", "pg_file_settings"),
        "*",
    ),
    "pg_replication_slots": "slot_name, plugin, slot_type",
}  # fmt: skip
# Of a call that comes in by a port AYA itself notes that it was made, and by which token; that concerns no node.
CALLER = "hostile"
NOTED = {
    "public.change_log": "SELECT * FROM public.change_log WHERE table_affected <> 'aya.calls'",
    "aya.calls": f"SELECT * FROM aya.calls WHERE (caller, operation) <> ('token:{CALLER}', 'query')",
    "aya.call_ends": "SELECT e.* FROM aya.call_ends e JOIN aya.calls c ON c.id = e.call_id "
    f"WHERE (c.caller, c.operation) <> ('token:{CALLER}', 'query')",
    "aya.feed": "SELECT * FROM aya.feed WHERE node_id <> 0",
    "aya.tokens": "SELECT to_jsonb(one) - '{last_used_at,last_used_from}'::text[] FROM aya.tokens one",
}
NUMBERS = ("public.change_log_id_seq", "aya.calls_id_seq")


class Watch:
    """What must stay as it is, and who must stay alive, while hostile SQL runs."""

    def __init__(
        self, admin: Connection, bystander: Connection, of_same_role: psycopg.Connection, folder: Path
    ) -> None:
        self._admin = admin
        self._bystanders = (bystander, of_same_role)
        self._folder = folder
        bystander.execute("LISTEN aya_changes")
        self.begin()

    def begin(self) -> None:
        """From now on everything stays as it is."""
        self._before = self._state()

    def breaches(self) -> list[str]:
        """What is not as it was, in words."""
        found = [
            f"{name} changed" for name, value in self._state().items() if value != self._before.get(name, "absent")
        ]
        found += [f"file {path.name} was written" for path in self._folder.iterdir()]
        for number, connection in enumerate(self._bystanders):
            try:
                connection.execute("SELECT 1")
            except psycopg.Error as error:
                found.append(f"bystander {number} was harmed: {error}")
        with contextlib.suppress(StopIteration):
            found.append(f"forged notification: {next(self._bystanders[0].notifies(timeout=0, stop_after=1))}")
        if rows(self._admin, "SELECT FROM pg_locks WHERE locktype = 'advisory'"):
            found.append("an advisory lock was left")
        return found

    def sessions_left(self, wait_s: float = 5.0) -> int:
        """Sessions of the role, but the bystander's, that do not end by themselves."""
        until = time.monotonic() + wait_s
        pid = self._bystanders[1].info.backend_pid
        while True:
            left = len(
                rows(
                    self._admin,
                    "SELECT FROM pg_stat_activity WHERE usename = 'aya_sql' AND pid <> %(pid)s",
                    {"pid": pid},
                )
            )
            if not left or time.monotonic() > until:
                return left
            time.sleep(0.05)

    def _state(self) -> dict[str, str]:
        tables = rows(
            self._admin,
            "SELECT format('%%I.%%I', n.nspname, c.relname) AS name FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN ('public', 'aya') AND c.relkind IN ('r', 'S')",
        )
        wanted = {row["name"]: "*" for row in tables if row["name"] not in NUMBERS} | CATALOGS
        asked = {name: f"SELECT {columns} FROM {name}" for name, columns in wanted.items()} | NOTED
        digest = " UNION ALL ".join(
            f"SELECT '{name}' AS name, coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') AS digest "
            f"FROM ({select}) t"
            for name, select in asked.items()
        )
        return {row["name"]: row["digest"] for row in rows(self._admin, digest)}


def leaked(answer: str) -> list[str]:
    """What an answer holds that it may not."""
    return [word for word in FORBIDDEN if word in answer]
