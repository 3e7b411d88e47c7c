"""The embedded PostgreSQL 18: made, started, stopped and watched by AYA, with the programs of the wheel.

AYA manages it itself rather than through the wheel's own helper, because that opens every folder above the data to
everyone and lets anybody in. Here the data folder is closed, the Unix socket lives in a closed folder, logins are
proved by the kernel (`peer`), and TCP, when asked for, is loopback with SCRAM.
"""

import fcntl
import os
import pwd
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote, urlencode

import psutil

from aya.db.configuration import SUPERUSER, configuration
from aya.db.programs import MAJOR_VERSION, copied_programs, copy_programs, packaged_programs
from aya.errors import HostError, ServerStartFailed
from aya.host.process import run
from aya.host.reading import Answer
from aya.model import Outcome
from aya.secret import kept_secret

SYSTEM_USER = "aya"
DEFAULT_PORT = 5432
SOCKET_PATH_LIMIT_BYTES = 100
START_TIMEOUT_S = 60
LONG_TIMEOUT_S = 300
NEEDED_SPACE_BYTES = 256 * 1024 * 1024
HALF_MADE = ".data-"


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """What the embedded server is doing now."""

    running: bool
    process_id: int | None
    started_at_epoch_s: int | None
    data_folder: Path
    socket_folder: Path
    port: int
    tcp_port: int | None
    log_folder: Path


class EmbeddedServer:
    """The PostgreSQL server that lives in `home`; every method may be called by several processes at once."""

    def __init__(self, home: Path, *, tcp_port: int | None = None) -> None:
        self.home = home
        self.tcp_port = tcp_port
        self.data_folder = home / "data"
        self.log_folder = home / "log"
        self.secrets_folder = home / "secrets"
        self.as_root = os.geteuid() == 0

    # -- where things are -----------------------------------------------------------------------------------------

    @property
    def programs(self) -> Path:
        """The folder of PostgreSQL's programs that the server is run from."""
        return copied_programs(self.home) if self.as_root else packaged_programs()

    @property
    def socket_folder(self) -> Path:
        """The closed folder of the Unix socket: in `home`, or, where that path is too long for a socket, a short one."""
        inside = self.home / "run"
        if len(os.fsencode(inside)) <= SOCKET_PATH_LIMIT_BYTES - len(f"/.s.PGSQL.{DEFAULT_PORT}.lock"):
            return inside
        return Path(tempfile.gettempdir()) / f"aya-{sha256(os.fsencode(self.home)).hexdigest()[:16]}"

    @property
    def owner(self) -> pwd.struct_passwd:
        """The system user that the server runs as: the caller, or as root the user `aya`."""
        if not self.as_root:
            return _named_user(os.geteuid())
        try:
            return pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            return self._create_system_user()

    def url(self, user: str, database: str) -> str:
        """A connection URL through the Unix socket."""
        status = self.status()
        query = urlencode({"host": str(status.socket_folder), "port": status.port}, quote_via=quote, safe="/")
        return f"postgresql://{quote(user)}@/{quote(database)}?{query}"

    # -- what it does ---------------------------------------------------------------------------------------------

    def status(self) -> ServerStatus:
        """Whether it runs, and where. Needs no connection and starts nothing."""
        pid, started, port = self._postmaster()
        tcp_port = self._configured_tcp_port() if pid else self.tcp_port
        return ServerStatus(
            running=pid is not None,
            process_id=pid,
            started_at_epoch_s=started,
            data_folder=self.data_folder,
            socket_folder=self.socket_folder,
            port=port or self.tcp_port or DEFAULT_PORT,
            tcp_port=tcp_port,
            log_folder=self.log_folder,
        )

    def start(self) -> bool:
        """Make sure it runs; True if this call started it. Raises ServerStartFailed or HostError."""
        if self.status().running and self.tcp_port in (None, self._configured_tcp_port()):
            return False
        self._make_home()
        with self._locked():
            self._make_folders()
            if self.as_root:
                copy_programs(self.home)
            if not (self.data_folder / "PG_VERSION").exists():
                self._initialise()
            self._refuse_other_version()
            changed = self._write_configuration()
            if self.status().running:
                if not changed:
                    return False
                self._stop()
            self._remove_stale_locks()
            self._launch()
            return True

    def renew_access(self) -> None:
        """Let a running server know who gets in, should that have changed since it was started."""
        with self._locked():
            parts = self._configuration()
            changed = [self._write(name, parts[name]) for name in ("pg_hba.conf", "pg_ident.conf")]
            if any(changed):
                self.run_program("pg_ctl", "reload", "--silent", f"--pgdata={self.data_folder}", timeout_s=30)

    def stop(self) -> bool:
        """Make sure it does not run; True if this call stopped it."""
        if not self.status().running:
            return False
        with self._locked():
            self._stop()
        return True

    def run_program(self, name: str, *arguments: str, timeout_s: float = LONG_TIMEOUT_S) -> Answer:
        """Run one of PostgreSQL's programs as the server's user."""
        owner = self.owner
        return run(
            [str(self.programs / name), *arguments],
            timeout_s=timeout_s,
            user=owner.pw_uid if self.as_root else None,
            group=owner.pw_gid if self.as_root else None,
            environment={"HOME": owner.pw_dir},
        )

    def password(self, role: str) -> str:
        """The generated password of a role, for TCP; made at first use and kept in a closed file."""
        path = self.secrets_folder / f"{role}.password"
        return kept_secret(path, lambda: secrets.token_urlsafe(32).encode()).decode().strip()

    # -- how ------------------------------------------------------------------------------------------------------

    def _make_home(self) -> None:
        """Make AYA's home. A folder that AYA did not make, and that holds something, keeps its permissions."""
        with self._usable():
            made = not self.home.exists()
            self.home.mkdir(parents=True, exist_ok=True)
            if made or (self.as_root and not any(self.home.iterdir())):
                self.home.chmod(0o755 if self.as_root else 0o700)

    def _make_folders(self) -> None:
        """Make the folders in it, each owned by whom it serves and closed to others."""
        with self._usable():
            for folder, for_server in ((self.data_folder, True), (self.log_folder, True), (self.secrets_folder, False)):
                self._closed_folder(folder, for_server=for_server)
            self._closed_folder(self.socket_folder, for_server=True)
        if self.as_root:
            self._refuse_unreachable_home()
        free = shutil.disk_usage(self.home).free
        if free < NEEDED_SPACE_BYTES and not (self.data_folder / "PG_VERSION").exists():
            raise HostError(
                f"Only {free // 1024**2} MiB are free for {self.home}; a new database needs {NEEDED_SPACE_BYTES // 1024**2}.",
                remedy="Free some space, or set AYA_HOME to a folder on another disk.",
            )

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise HostError(
                f"AYA's folder {self.home} cannot be used: {error}.",
                remedy="Set AYA_HOME to a folder that you may write.",
            ) from error

    def _closed_folder(self, folder: Path, *, for_server: bool) -> None:
        owner = self.owner if for_server else pwd.getpwuid(os.geteuid())
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            found = folder.stat(follow_symlinks=False)
            if self.as_root and found.st_uid == 0 and found.st_mode & 0o777 == 0o700 and not any(folder.iterdir()):
                os.chown(folder, owner.pw_uid, owner.pw_gid)  # by one that was killed before it could
                return
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner.pw_uid or found.st_mode & 0o077:
                raise HostError(
                    f"{folder} is not a closed folder of {owner.pw_name} alone.",
                    remedy="If it is AYA's, give it back with chown and chmod 700; else choose another AYA_HOME.",
                ) from None
            return
        if self.as_root:
            os.chown(folder, owner.pw_uid, owner.pw_gid)

    def _refuse_unreachable_home(self) -> None:
        owner = self.owner
        for folder in (self.home, *self.home.parents):
            mode = folder.stat()
            reachable = (
                mode.st_mode & stat.S_IXOTH
                or (mode.st_uid == owner.pw_uid and mode.st_mode & stat.S_IXUSR)
                or (mode.st_gid == owner.pw_gid and mode.st_mode & stat.S_IXGRP)
            )
            if not reachable:
                raise HostError(
                    f"The server's user {owner.pw_name} cannot reach {self.home}: {folder} is closed to it. "
                    "PostgreSQL does not run as root, and AYA does not open folders that are not its own.",
                    remedy="Set AYA_HOME to a folder that others may pass through, as /var/lib/aya.",
                )

    def _create_system_user(self) -> pwd.struct_passwd:
        answer = run(
            [
                "useradd",
                "--system",
                "--user-group",
                "--no-create-home",
                "--home-dir",
                "/nonexistent",
                "--shell",
                "/usr/sbin/nologin",
                SYSTEM_USER,
            ],
            timeout_s=30,
        )
        try:
            # Somebody else may have made it in the meantime: what counts is that it is there.
            return pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            raise HostError(
                f"The system user {SYSTEM_USER!r}, which runs the server, could not be made: {answer.reason}.",
                remedy=f"Make it yourself (a system user without login, named {SYSTEM_USER}), or run AYA as an ordinary user.",
            ) from None

    def _initialise(self) -> None:
        """Make the database beside its place and move it there: what a killed program leaves half made is none."""
        with self._usable():
            for left in self.home.glob(f"{HALF_MADE}*"):
                shutil.rmtree(left, ignore_errors=True)
            incoming = Path(tempfile.mkdtemp(prefix=HALF_MADE, dir=self.home))
        try:
            if self.as_root:
                os.chown(incoming, self.owner.pw_uid, self.owner.pw_gid)
            answer = self.run_program(
                "initdb",
                f"--pgdata={incoming}",
                f"--username={SUPERUSER}",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                "--data-checksums",
                "--auth-local=peer",
                "--auth-host=scram-sha-256",
            )
            if answer.outcome is not Outcome.OK:
                raise ServerStartFailed(
                    f"No database could be made in {self.data_folder}: {answer.reason or answer.errors}"
                )
            with self._usable():
                incoming.rename(self.data_folder)
        finally:
            shutil.rmtree(incoming, ignore_errors=True)

    def _refuse_other_version(self) -> None:
        found = (self.data_folder / "PG_VERSION").read_text().strip()
        if found != str(MAJOR_VERSION):
            raise ServerStartFailed(
                f"{self.data_folder} holds a database of PostgreSQL {found}, not {MAJOR_VERSION}.",
                remedy="Upgrade it with pg_upgrade, or set AYA_HOME to another folder.",
            )

    def _write_configuration(self) -> bool:
        """Write AYA's part of the configuration; True if it changed. What people set in postgresql.conf comes after
        and wins.
        """
        changed = [self._write(name, lines) for name, lines in self._configuration().items()]
        main = self.data_folder / "postgresql.conf"
        include, text = "include 'aya.conf'\n", main.read_text()
        if include not in text:
            self._write("postgresql.conf", [include.strip(), *text.splitlines()])
        return any(changed)

    def _configuration(self) -> dict[str, list[str]]:
        return configuration(
            port=self.tcp_port or DEFAULT_PORT,
            on_loopback=self.tcp_port is not None,
            socket_folder=self.socket_folder,
            log_folder=self.log_folder,
            system_users=(pwd.getpwuid(os.geteuid()).pw_name, self.owner.pw_name),
        )

    def _write(self, name: str, lines: Sequence[str]) -> bool:
        path, text = self.data_folder / name, "\n".join(lines) + "\n"
        if path.exists() and path.read_text() == text:
            return False
        incoming = path.with_suffix(".incoming")
        with open(incoming, "w", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
            file.write(text)
        if self.as_root:
            os.chown(incoming, self.owner.pw_uid, self.owner.pw_gid)
        incoming.rename(path)
        return True

    def _launch(self) -> None:
        log = self.log_folder / "start.log"
        answer = self._pg_ctl(log)
        # After a kill -9 of everything, children of the old server may live for a moment and hold its shared memory.
        for _ in range(20):
            if answer.outcome is Outcome.OK or "still in use" not in _tail(log):
                break
            time.sleep(0.25)
            answer = self._pg_ctl(log)
        if answer.outcome is not Outcome.OK:
            raise self._explained(_tail(log) + "\n" + answer.text)

    def _pg_ctl(self, log: Path) -> Answer:
        log.unlink(missing_ok=True)
        return self.run_program(
            "pg_ctl",
            "start",
            "--wait",
            f"--timeout={START_TIMEOUT_S}",
            "--silent",
            f"--pgdata={self.data_folder}",
            f"--log={log}",
            timeout_s=START_TIMEOUT_S + 10,
        )

    def _explained(self, log: str) -> ServerStartFailed:
        telling = ("FATAL", "PANIC", "ERROR", "could not")
        newest = max(self.log_folder.glob("postgresql-*.log"), key=lambda path: path.stat().st_mtime, default=None)
        later = _tail(newest).splitlines()[-6:] if newest is not None else []
        said = [line for line in (*log.splitlines(), *later) if any(word in line for word in telling)]
        text = " ".join(dict.fromkeys(said))[-800:] or log.strip()[-600:]
        if "Address already in use" in text:
            remedy = f"Something else listens on port {self.tcp_port}: stop it, or choose another with AYA_TCP_PORT."
        elif "No space left on device" in text:
            remedy = "The disk is full. Nothing is lost: free some space and start again."
        else:
            remedy = f"The whole log is in {self.log_folder}; `aya doctor` looks into the rest."
        return ServerStartFailed(f"The embedded PostgreSQL did not start: {text}", remedy=remedy)

    def _stop(self) -> None:
        answer = self.run_program(
            "pg_ctl", "stop", "--wait", "--mode=fast", "--timeout=60", f"--pgdata={self.data_folder}", timeout_s=70
        )
        if answer.outcome is not Outcome.OK and self.status().running:
            raise HostError(
                f"The embedded PostgreSQL did not stop: {answer.reason}.",
                remedy="Try again, or look for long transactions.",
            )

    def _postmaster(self) -> tuple[int | None, int | None, int | None]:
        """Process, start time and port from postmaster.pid, if that really is a server on this data folder."""
        try:
            lines = (self.data_folder / "postmaster.pid").read_text().splitlines()
            pid, started, port = int(lines[0]), int(lines[2]), int(lines[3])
        except PermissionError as error:
            raise HostError(
                f"Whether the embedded PostgreSQL in {self.home} runs cannot be seen: {error}.",
                remedy="Do this as the user to whom it belongs, or set AYA_HOME to a folder of your own.",
            ) from error
        except (OSError, ValueError, IndexError):
            return None, None, None
        # A number below zero is that of a server without clients, as initdb runs one.
        return (pid, started, port) if pid > 0 and self._serves_here(pid) else (None, None, port)

    def _serves_here(self, pid: int) -> bool:
        try:
            process = psutil.Process(pid)
            if process.name() != "postgres" or process.status() == psutil.STATUS_ZOMBIE:
                return False
            return str(self.data_folder) in " ".join(process.cmdline()) or Path(process.cwd()) == self.data_folder
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True

    def _remove_stale_locks(self) -> None:
        """PostgreSQL itself overlooks a lock whose process is gone, but not one whose number another program has now."""
        if self.status().running:
            return
        (self.data_folder / "postmaster.pid").unlink(missing_ok=True)
        for lock in self.socket_folder.glob(".s.PGSQL.*"):
            lock.unlink(missing_ok=True)

    def _configured_tcp_port(self) -> int | None:
        try:
            lines = (self.data_folder / "aya.conf").read_text().splitlines()
        except OSError:
            return self.tcp_port
        values = dict(line.split(" = ", 1) for line in lines if " = " in line)
        return int(values["port"]) if values.get("listen_addresses", "''") != "''" else None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One `aya` at a time changes the server; others wait. The kernel frees the lock of a process that dies."""
        with self._usable():
            file = open(self.home / ".lock", "a", opener=lambda p, flags: os.open(p, flags, 0o600))  # noqa: SIM115
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _tail(path: Path, limit_bytes: int = 4096) -> str:
    try:
        return path.read_bytes()[-limit_bytes:].decode("utf-8", errors="backslashreplace")
    except OSError:
        return ""


def _named_user(uid: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise HostError(
            f"The user {uid} has no name on this machine, and PostgreSQL does not run for such a user.",
            remedy="Give it an entry in /etc/passwd, run AYA as another user, or set AYA_DATABASE_URL.",
        ) from None
