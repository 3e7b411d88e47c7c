"""The embedded server: closed to others, and up again after whatever happened to it."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from aya.db.connection import rows
from aya.db.database import Database, Login
from aya.db.migrate import migrate
from aya.errors import ConfigurationError, DatabaseError, DatabaseUnreachable, HostError, ServerStartFailed
from aya.operations.context import Context
from aya.operations.server import start_server
from aya.record.recorder import record
from aya.settings import Settings
from tests.conftest import make_home
from tests.record.states import identified, setting, settings_of, state


@pytest.fixture
def fresh() -> Iterator[Database]:
    """An AYA of its own, not started yet."""
    database = Database(Settings(home=make_home()))
    yield database
    database.server.stop()
    shutil.rmtree(database.settings.home)


def alive(database: Database) -> bool:
    with database.connect(Login.ADMIN) as connection:
        return len(rows(connection, "SELECT FROM system_nodes")) >= 0


def kill_everything(database: Database) -> None:
    postmaster = psutil.Process(database.server.status().process_id)
    family = [postmaster, *postmaster.children(recursive=True)]
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):  # a worker that ended by itself meanwhile
            process.kill()
    psutil.wait_procs(family, timeout=10)


def test_starting_twice_starts_once(fresh: Database) -> None:
    assert fresh.start() is True
    assert fresh.start() is False
    assert fresh.server.status().running


def test_stopping_twice_stops_once(fresh: Database) -> None:
    fresh.start()
    assert fresh.server.stop() is True
    assert fresh.server.stop() is False
    with pytest.raises(DatabaseUnreachable, match="does not run"):
        fresh.connect()


def test_what_was_recorded_survives_a_kill_of_everything(fresh: Database) -> None:
    fresh.start()
    migrate(fresh)
    with fresh.connect() as connection:
        record(connection, [state()])
    kill_everything(fresh)
    assert not fresh.server.status().running
    assert fresh.start() is True
    with fresh.connect() as connection:
        assert len(rows(connection, "SELECT FROM system_nodes")) == 1


def test_a_killed_postmaster_whose_children_live_on_is_replaced(fresh: Database) -> None:
    fresh.start()
    migrate(fresh)
    os.kill(fresh.server.status().process_id or 0, signal.SIGKILL)
    time.sleep(0.1)
    assert fresh.start() is True
    assert alive(fresh)


def test_a_pid_file_whose_number_now_belongs_to_another_program_is_stale(fresh: Database) -> None:
    fresh.start()
    migrate(fresh)
    pid_file = fresh.server.data_folder / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    kill_everything(fresh)
    owner = fresh.server.owner.pw_uid
    with subprocess.Popen(["sleep", "60"], user=owner if os.geteuid() == 0 else None) as other:
        pid_file.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        assert not fresh.server.status().running
        assert fresh.start() is True
        other.kill()
    assert alive(fresh)


def test_many_at_once_start_one_server_and_one_database(fresh: Database) -> None:
    def begin(_: int) -> int | None:
        mine = Database(fresh.settings)
        mine.start()
        migrate(mine)
        return mine.server.status().process_id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(begin, range(4)))) == 1


def test_two_programs_at_once_start_one_server(fresh: Database) -> None:
    program = [sys.executable, "-m", "aya", "db", "migrate"]
    environment = os.environ | {"AYA_HOME": str(fresh.settings.home)}
    both = [subprocess.Popen(program, env=environment) for _ in range(2)]
    assert [process.wait(120) for process in both] == [0, 0]


def test_tcp_is_off_unless_asked_for(fresh: Database) -> None:
    fresh.start()
    migrate(fresh)
    with fresh.connect(Login.ADMIN) as connection:
        assert rows(connection, "SELECT current_setting('listen_addresses') AS a")[0]["a"] == ""
    with pytest.raises(ConfigurationError, match="Unix socket only"):
        fresh.tcp_url(Login.READER)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_tcp_takes_the_generated_password_and_nothing_else(fresh: Database) -> None:
    migrate_with_tcp = Context(fresh.settings.model_copy(update={"tcp_port": free_port()}))
    start_server(migrate_with_tcp)
    migrate(migrate_with_tcp.database)
    url = migrate_with_tcp.database.tcp_url(Login.READER)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("aya_reader",)
    without = url.replace(url.split(":")[2].split("@")[0], "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(without)
    hba = (fresh.server.data_folder / "pg_hba.conf").read_text()
    assert "trust" not in [word for line in hba.splitlines() if not line.startswith("#") for word in line.split()]
    # A later caller that does not ask for TCP does not take it away from others.
    assert fresh.start() is False
    psycopg.connect(url).close()


def test_a_port_that_is_taken_is_named(fresh: Database) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        taken = Database(fresh.settings.model_copy(update={"tcp_port": port}))
        with pytest.raises(ServerStartFailed, match="Address already in use") as error:
            taken.start()
    assert str(port) in error.value.remedy


def test_folders_that_are_not_ayas_keep_their_permissions(tmp_path: Path) -> None:
    outer = make_home()
    inner = outer / "kept" / "home"
    (outer / "kept").mkdir()
    (outer / "kept").chmod(0o711)
    database = Database(Settings(home=inner))
    try:
        database.start()
        assert (outer / "kept").stat().st_mode & 0o777 == 0o711
        for closed in ("data", "run", "log", "secrets"):
            assert (inner / closed).stat().st_mode & 0o777 == 0o700
    finally:
        database.server.stop()
        shutil.rmtree(outer)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
def test_a_home_below_a_closed_folder_is_refused_and_left_closed() -> None:
    outer = make_home()
    outer.chmod(0o700)
    with pytest.raises(HostError, match="cannot reach"):
        Database(Settings(home=outer / "home")).start()
    assert outer.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(outer)


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HostError, match="cannot be used"):
        Database(Settings(home=tmp_path / "file")).start()


def test_a_home_with_a_long_path_gets_a_short_socket() -> None:
    outer = make_home()
    database = Database(Settings(home=outer / ("long" * 40)))
    try:
        database.start()
        with psycopg.connect(database.url(Login.ADMIN, database="postgres")) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        database.server.stop()
        shutil.rmtree(database.server.socket_folder)
        shutil.rmtree(outer)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_said_and_loses_nothing() -> None:
    home = make_home()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m,mode=755", "tmpfs", str(home)], check=False)
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount")
    database = Database(Settings(home=home))
    try:
        database.start()
        migrate(database)
        with database.connect() as connection:
            record(connection, [state()])
        filler = home / "filler"
        with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
            while True:
                file.write(b"x" * 2**16)
        with pytest.raises(DatabaseError, match=r"disk is full|No space left"), database.connect() as connection:
            for _ in range(100):
                record(connection, [state(identified(), settings_of(setting("big", os.urandom(2**21).hex())))])
        filler.unlink()
        database.start()
        with database.connect() as connection:
            assert len(rows(connection, "SELECT FROM system_nodes")) == 1
            record(connection, [state()])
    finally:
        database.server.stop()
        subprocess.run(["umount", "-l", str(home)], check=False)
        shutil.rmtree(home, ignore_errors=True)
