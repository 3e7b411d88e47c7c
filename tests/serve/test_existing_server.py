"""AYA_DATABASE_URL: a PostgreSQL that is not AYA's, good or bad."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.collect.postgresql.cluster import Cluster
from tests.collect.postgresql.conftest import made
from tests.serve.command import Command, Done

PASSWORD = "hunter2"
HBA = """
local all all trust
local replication all trust
host all all 127.0.0.1/32 scram-sha-256
"""


def served(**databases: str) -> Cluster:
    """A new PostgreSQL 18 with logins of different rights, and databases that some of them own."""
    cluster = made(18, conf="listen_addresses = '127.0.0.1'\n", hba=HBA)
    cluster.run(
        f"CREATE ROLE boss SUPERUSER LOGIN PASSWORD '{PASSWORD}'",
        "CREATE ROLE creator CREATEROLE LOGIN",
        "CREATE ROLE plain LOGIN",
        *(f"CREATE DATABASE {name} OWNER {owner}" for name, owner in databases.items()),
    )
    return cluster


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A server that a creator of roles has prepared for AYA, after an administrator had installed pgvector for it."""
    cluster = served(of_boss="boss", of_creator="creator", of_plain="plain")
    try:
        cluster.run("CREATE EXTENSION vector", database="of_creator")
        migrated = using(tmp_path_factory.mktemp("home"), url(cluster, "creator", "of_creator"))("db", "migrate")
        assert migrated.code == 0, migrated.err
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def unprepared() -> Iterator[Cluster]:
    """A server that AYA has never seen."""
    cluster = served(of_creator="creator", of_plain="plain", bare="boss")
    yield cluster
    cluster.remove()


def url(cluster: Cluster, user: str, database: str) -> str:
    return f"postgresql://{user}@/{database}?host={cluster.folder}&port={cluster.port}"


def by_tcp(cluster: Cluster, user: str, database: str, password: str = PASSWORD) -> str:
    return f"postgresql://{user}:{password}@127.0.0.1:{cluster.port}/{database}"


def using(tmp_path: Path, database_url: str) -> Command:
    return Command.at(tmp_path / "home", AYA_DATABASE_URL=database_url, AYA_NODE="GUEST")


def refused(done: Done, code: int = 1) -> str:
    """What a command that failed said; it did not say the password."""
    assert done.code == code, done
    assert PASSWORD not in done.out + done.err
    error: dict[str, Any] = done.document["error"]
    assert error["remedy"]
    return str(error["message"]) + "\n" + str(error["remedy"])


def untouched(cluster: Cluster, database: str) -> bool:
    """Whether AYA left nothing: no role, no relation, no extension."""
    roles = "SELECT FROM pg_roles WHERE rolname LIKE 'aya%'"
    relations = (
        "SELECT FROM pg_class WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'aya'))"
    )
    extensions = "SELECT FROM pg_extension WHERE extname = 'vector'"
    return (
        cluster.run(roles)
        == cluster.run(relations, database=database)
        == cluster.run(extensions, database=database)
        == []
    )


def test_a_server_that_does_not_suit_is_told_why_and_left_as_it_was(unprepared: Cluster, tmp_path: Path) -> None:
    plain = using(tmp_path, url(unprepared, "plain", "of_plain"))
    assert "permission denied to create role" in refused(plain("up", "--once", "--json"))
    for arguments in (("collect",), ("show",)):
        assert "aya db migrate" in refused(plain(*arguments, "--json"))
    creator = using(tmp_path, url(unprepared, "creator", "of_creator"))
    assert "CREATE EXTENSION vector" in refused(creator("up", "--once", "--json"))
    unprepared.configure("extension_control_path = '/nowhere'\n")
    unprepared.reload()
    bare = using(tmp_path, url(unprepared, "postgres", "bare"))
    assert "no pgvector" in refused(bare("up", "--once", "--json"))
    for database in ("of_plain", "of_creator", "bare"):
        assert untouched(unprepared, database)


def everything_works(aya: Command, *, by_superuser: bool) -> None:
    up = aya("up", "--once", "--json")
    assert up.code in (0, 3), up.err
    assert up.document["url"] is None
    assert up.document["server_started"] is False
    assert up.document["snapshot"]["snapshot_name"] == "baseline"
    assert aya("collect", "--json").document["recorded"]["node_name"] == "GUEST"
    assert aya("show", "system", "--json").document[0]["node_name"] == "GUEST"
    assert aya("snapshot", "verify", "baseline").code == 0
    doctor = {finding["what"]: finding["well"] for finding in aya("doctor", "--json").document}
    # This server runs without fsync; and only a superuser can take rights away that PostgreSQL gives everybody.
    unwell = ["durability"] if by_superuser else ["read-only SQL", "durability"]
    assert [what for what, well in doctor.items() if not well] == unwell
    assert aya("db", "migrate", "--json").document == {"migrations": [], "objects": [], "mended": []}
    stop = aya("db", "stop", "--json")
    assert (stop.code, stop.document["error"]["kind"]) == (2, "UsageError")
    assert not (aya.home / "data").exists()


def test_a_creator_of_roles_who_owns_the_database_can_do_everything(cluster: Cluster, tmp_path: Path) -> None:
    everything_works(using(tmp_path, url(cluster, "creator", "of_creator")), by_superuser=False)


def test_a_superuser_can_do_everything_and_the_password_is_shown_nowhere(cluster: Cluster, tmp_path: Path) -> None:
    aya = using(tmp_path, by_tcp(cluster, "boss", "of_boss"))
    everything_works(aya, by_superuser=True)
    for arguments in (("db", "status"), ("doctor",), ("settings",)):
        done = aya(*arguments)
        assert PASSWORD not in done.out + done.err, arguments
    with aya.start("db", "psql", "-AtXc", "SELECT pg_sleep(2), current_user") as process:
        while psutil.Process(process.pid).name() != "psql":
            pass
        assert PASSWORD not in " ".join(psutil.Process(process.pid).cmdline())
        assert process.communicate()[0] == "|boss\n"


def test_an_owner_to_whom_the_administrator_gave_the_roles_can_do_everything(cluster: Cluster, tmp_path: Path) -> None:
    aya = using(tmp_path, url(cluster, "plain", "of_plain"))
    assert "plain" in refused(aya("collect", "--json"))
    cluster.run("GRANT aya_owner, aya_writer, aya_reader TO plain")
    cluster.run("CREATE EXTENSION vector", database="of_plain")
    assert aya("db", "migrate").code == 0
    assert aya("collect").code == 0


WHO = "SELECT current_user, session_user, count(*) FROM system_nodes"


def test_sql_runs_as_its_own_role_or_not_at_all(unprepared: Cluster, tmp_path: Path) -> None:
    # Only a superuser can take rights away that PostgreSQL gives everybody.
    creator = using(tmp_path, url(unprepared, "creator", "of_creator"))
    assert "not prepared" in refused(creator("query", WHO, "--json")) or "cannot enter" in refused(
        creator("query", WHO, "--json")
    )
    unprepared.run("CREATE EXTENSION vector", database="of_creator")
    assert creator("db", "migrate").code == 0
    message = refused(creator("query", WHO, "--json"))
    assert "may do more than read" in message
    assert "as a superuser" in message
    boss = using(tmp_path, by_tcp(unprepared, "boss", "of_creator"))
    assert len(boss("db", "migrate", "--json").document["mended"]) > 100
    assert boss("db", "migrate", "--json").document["mended"] == []
    # By TCP it takes the password that migrating gave the role; by the socket this server trusts everybody.
    for aya in (boss, creator):
        assert aya("query", WHO, "--json").document["rows"] == [["aya_sql", "aya_sql", 0]]
    psql = boss("db", "url", "--reader").out.strip()
    assert f"aya_sql:{(boss.home / 'secrets' / 'aya_sql.password').read_text()}@127.0.0.1" in psql
    elsewhere = using(tmp_path / "second", by_tcp(unprepared, "boss", "of_creator"))
    assert "cannot enter" in refused(elsewhere("query", WHO, "--json"))
    assert elsewhere("query", WHO, "--json", AYA_SQL_URL=psql).document["rows"] == [["aya_sql", "aya_sql", 0]]
    unprepared.run("ALTER ROLE aya_sql NOLOGIN")
    assert "cannot enter" in refused(boss("query", WHO, "--json"))


def test_a_reader_may_look_and_not_record(cluster: Cluster, tmp_path: Path) -> None:
    cluster.run("CREATE ROLE looker LOGIN IN ROLE aya_reader")
    aya = using(tmp_path, url(cluster, "looker", "of_creator"))
    for arguments in (("show",), ("snapshot", "list")):
        assert isinstance(aya(*arguments, "--json").document, list)
    for arguments in (("up", "--once"), ("collect",), ("verify",), ("snapshot", "create", "x")):
        assert "looker may not act as aya_writer" in refused(aya(*arguments, "--json"))


def test_a_standby_is_read_and_not_written_to(cluster: Cluster, tmp_path: Path) -> None:
    standby = Cluster(18)
    try:
        source = f"host={cluster.folder} port={cluster.port} user=postgres"
        standby.program("pg_basebackup", "--no-sync", "--checkpoint=fast", "-R", "-D", str(standby.data), "-d", source)
        standby.configure(f"port = {standby.port}\nunix_socket_directories = '{standby.folder}'\n")
        standby.start()
        aya = using(tmp_path, url(standby, "postgres", "of_creator"))
        assert isinstance(aya("show", "--json").document, list)
        for arguments in (("up", "--once"), ("collect",), ("snapshot", "create", "x")):
            assert "primary" in refused(aya(*arguments, "--json"))
    finally:
        standby.remove()


def test_an_old_server_is_refused(tmp_path: Path) -> None:
    old = made(15)
    try:
        aya = using(tmp_path, url(old, "postgres", "postgres"))
        assert "PostgreSQL 15" in refused(aya("up", "--once", "--json"))
        found = {finding["what"]: finding for finding in aya("doctor", "--json").document}
        assert found["version"]["well"] is False
        assert untouched(old, "postgres")
    finally:
        old.remove()


def test_a_wrong_password_and_a_database_that_is_not_there_are_said(cluster: Cluster, tmp_path: Path) -> None:
    wrong = using(tmp_path, by_tcp(cluster, "boss", "of_boss", password=PASSWORD + "x"))
    assert "password authentication failed" in refused(wrong("up", "--once", "--json"))
    missing = using(tmp_path, by_tcp(cluster, "boss", "no_such_database"))
    assert '"no_such_database" does not exist' in refused(missing("up", "--once", "--json"))
    status = wrong("db", "status", "--json")
    assert (status.code, status.document["reachable"]) == (3, False)
    assert PASSWORD not in status.out + wrong("doctor").out


def nobody_listens() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_a_place_where_no_server_is_fails_every_command_alike(tmp_path: Path, host: str) -> None:
    aya = using(tmp_path, f"postgresql://me:{PASSWORD}@{host}:{nobody_listens()}/x")
    for arguments in (("up", "--once"), ("show",)):
        message = refused(aya(*arguments, "--json"))
        assert "me:***@" in message
        assert "aya doctor" in message
    assert aya("doctor").code == 3


@pytest.mark.parametrize(
    "garbage",
    [
        "garbage",
        f"http://me:{PASSWORD}@host/x",
        f"postgresql://me:my {PASSWORD}@host/x",
        f"postgresql://me:{PASSWORD}%ZZ@host/x",
        f"postgresql://me:{PASSWORD}@[::1/x",
        f"postgresql://me:{PASSWORD}@host/x?nonsense=1",
        f"host=h password='{PASSWORD} dbname=x",
    ],
)
def test_a_url_that_cannot_be_understood_is_wrong_usage_and_not_repeated(tmp_path: Path, garbage: str) -> None:
    message = refused(using(tmp_path, garbage)("up", "--once", "--json"), code=2)
    assert "AYA_DATABASE_URL" in message
