"""Well-known programs that serve: what kind of service each is, and where its command line names its files."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from aya.collect.listener import Listener


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is known of a program by its name."""

    type: str
    ports: tuple[int, ...] = ()
    """Where it listens by default: there it needs no port in its name."""
    config: tuple[str, ...] = ()
    """Options whose value is the configuration file; `""` is the first bare argument."""
    data: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    pid_file: tuple[str, ...] = ()


REDIS = Program(type="cache", ports=(6379,), config=("",), data=("--dir",), log=("--logfile",), pid_file=("--pidfile",))
MYSQL = Program(
    type="database",
    ports=(3306,),
    config=("--defaults-file",),
    data=("--datadir", "-h"),
    log=("--log-error",),
    pid_file=("--pid-file",),
)

PROGRAMS: dict[str, Program] = {
    "postgres": Program(type="database", ports=(5432,), data=("-D",), config=("config_file",), log=()),
    "postmaster": Program(type="database", ports=(5432,), data=("-D",), config=("config_file",)),
    "mysqld": MYSQL,
    "mariadbd": MYSQL,
    "mongod": Program(
        type="database",
        ports=(27017,),
        config=("--config", "-f"),
        data=("--dbpath",),
        log=("--logpath",),
        pid_file=("--pidfilepath",),
    ),
    "clickhouse-server": Program(type="database", ports=(8123,), config=("--config-file", "--config", "-C")),
    "influxd": Program(type="database", ports=(8086,), config=("--config",)),
    "etcd": Program(type="database", ports=(2379,), config=("--config-file",), data=("--data-dir",)),
    "pgbouncer": Program(type="database", ports=(6432,), config=("",)),
    "redis-server": REDIS,
    "valkey-server": REDIS,
    "keydb-server": REDIS,
    "memcached": Program(type="cache", ports=(11211,), pid_file=("-P", "--pidfile")),
    "varnishd": Program(type="cache", ports=(6081,), config=("-f",)),
    "nginx": Program(type="web", ports=(80, 443), config=("-c",), log=("-e",)),
    "apache2": Program(type="web", ports=(80, 443), config=("-f",)),
    "httpd": Program(type="web", ports=(80, 443), config=("-f",)),
    "caddy": Program(type="web", ports=(80, 443), config=("--config",)),
    "lighttpd": Program(type="web", ports=(80, 443), config=("-f",)),
    "traefik": Program(type="web", ports=(80, 443), config=("--configFile", "--configfile")),
    "haproxy": Program(type="web", ports=(80, 443), config=("-f",), pid_file=("-p",)),
    "http.server": Program(type="web", ports=(8000,)),
    "uvicorn": Program(type="api", ports=(8000,)),
    "gunicorn": Program(type="api", ports=(8000,), config=("-c", "--config"), pid_file=("-p", "--pid")),
    "hypercorn": Program(type="api", ports=(8000,)),
    "ollama": Program(type="api", ports=(11434,)),
    "sshd": Program(type="ssh", ports=(22,), config=("-f",)),
    "dropbear": Program(type="ssh", ports=(22,), pid_file=("-P",)),
    "dockerd": Program(type="container engine", ports=(2375, 2376), config=("--config-file",), data=("--data-root",)),
    "containerd": Program(type="container engine", config=("--config", "-c"), data=("--root",)),
    "podman": Program(type="container engine"),
    "kubelet": Program(type="container engine", ports=(10250,), config=("--config",), data=("--root-dir",)),
    "named": Program(type="dns", ports=(53,), config=("-c",)),
    "dnsmasq": Program(type="dns", ports=(53,), config=("-C", "--conf-file"), pid_file=("-x", "--pid-file")),
    "unbound": Program(type="dns", ports=(53,), config=("-c",)),
    "systemd-resolved": Program(type="dns", ports=(53,)),
    "chronyd": Program(type="time", ports=(323, 123), config=("-f",)),
    "ntpd": Program(type="time", ports=(123,), config=("-c",), pid_file=("-p",)),
    "master": Program(type="mail", ports=(25,)),
    "exim4": Program(type="mail", ports=(25,)),
    "dovecot": Program(type="mail", ports=(143, 993), config=("-c",)),
    "smbd": Program(type="file", ports=(445, 139), config=("-s", "--configfile")),
    "vsftpd": Program(type="file", ports=(21,), config=("",)),
    "rpcbind": Program(type="daemon", ports=(111,)),
    "cupsd": Program(type="print", ports=(631,), config=("-c",)),
    "tailscaled": Program(type="vpn", ports=(41641,)),
    "openvpn": Program(type="vpn", ports=(1194,), config=("--config",)),
    "prometheus": Program(type="monitoring", ports=(9090,), config=("--config.file",), data=("--storage.tsdb.path",)),
    "grafana": Program(type="monitoring", ports=(3000,), config=("--config", "-config")),
    "node_exporter": Program(type="monitoring", ports=(9100,)),
    "postgres_exporter": Program(type="monitoring", ports=(9187,)),
    "rabbitmq-server": Program(type="queue", ports=(5672,)),
    "nats-server": Program(type="queue", ports=(4222,), config=("-c", "--config")),
    "mosquitto": Program(type="queue", ports=(1883,), config=("-c",)),
}

INTERPRETERS = re.compile(
    r"([Pp]ython|pypy)[\d.]*|node(js)?|deno|bun|ruby[\d.]*|perl[\d.]*|php(-fpm)?[\d.]*|java|bash|dash|sh|busybox"
)
TAKES_VALUE = {"-W", "-X", "-cp", "-classpath", "--class-path", "-r", "--require", "-I", "-p", "--module-path"}
"""Options of interpreters that are followed by a value and not by the program."""


def program_name(executable: str | None, argv: Sequence[str], comm: str | None) -> str | None:
    """What people call the program: the file it was started from; behind an interpreter, the script or module.

    `postgres`, `http.server` (for `python -m http.server`), `manage.py`, `app.jar`.
    """
    own = (executable or "").removesuffix(" (deleted)").rsplit("/", 1)[-1]
    called = _calls_itself(argv)
    # One file may be several programs: Debian's redis-server is a link to redis-check-rdb, busybox is dozens.
    if called in PROGRAMS and own not in PROGRAMS:
        return called
    if own and INTERPRETERS.fullmatch(own):
        return _script(argv[1:]) or own
    return own or called or comm or None


def _calls_itself(argv: Sequence[str]) -> str:
    """The program's own word: the end of a path, or the start of a title such as `nginx: master process ...`."""
    words = argv[0].split() if argv else []
    return words[0].rstrip(":").rsplit("/", 1)[-1].lstrip("-") if words else ""


def arguments(argv: Sequence[str]) -> tuple[str, ...]:
    """The words of a command line, also where the program wrote a title over it.

    `nginx: master process /usr/sbin/nginx -c /etc/nginx.conf`
    """
    title = re.match(r"[\w.-]+: master process (\S.*)", argv[0]) if len(argv) == 1 else None
    return tuple(title[1].split() if title else argv)


def _script(arguments: Sequence[str]) -> str | None:
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        if word in ("-m", "-jar") and waiting:
            return waiting[0].rsplit("/", 1)[-1] or None
        if word == "-c":
            return None
        if word in TAKES_VALUE and waiting:
            waiting.pop(0)
        elif not word.startswith("-"):
            return word.rsplit("/", 1)[-1] or None
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a running program keeps its files, as far as its command line says."""

    config: str | None = None
    data: str | None = None
    log: str | None = None
    pid_file: str | None = None


def places(name: str, argv: Sequence[str]) -> Places:
    """The absolute paths that a command line names."""
    program = PROGRAMS.get(name)
    if program is None:
        return Places()
    found = Places(
        config=_option(argv, program.config),
        data=_option(argv, program.data),
        log=_option(argv, program.log),
        pid_file=_option(argv, program.pid_file),
    )
    if name in ("postgres", "postmaster") and found.data is not None:
        # PostgreSQL itself fixes these: without config_file it reads, and always it writes, in its data directory.
        return Places(
            config=found.config or f"{found.data}/postgresql.conf",
            data=found.data,
            pid_file=_option(argv, ("external_pid_file",)) or f"{found.data}/postmaster.pid",
        )
    return found


def _option(argv: Sequence[str], names: tuple[str, ...]) -> str | None:
    """The value of the first of these options that is an absolute path."""
    for place, word in enumerate(argv[1:], start=1):
        following = argv[place + 1] if place + 1 < len(argv) else ""
        for name in names:
            value = ""
            if name == "":
                value = word if place == 1 else ""
            elif word == name:
                value = following
            elif word.startswith(f"{name}="):
                value = word[len(name) + 1 :]
            elif word in (f"--{name}", "-c") and following.startswith(f"{name}="):
                value = following[len(name) + 1 :]
            elif word.startswith((f"--{name}=", f"-c{name}=")):
                value = word.partition("=")[2]
            elif len(name) == 2 and word.startswith(f"{name}/"):
                value = word[2:]
            if value.startswith("/") and len(value) <= LONGEST_PATH:
                return value.rstrip("/") or "/"
    return None


LONGEST_PATH = 4096


def service_type(program: str | None) -> str:
    """`database`, `web`, `api`, ...; `daemon` for a program that is not known."""
    known = PROGRAMS.get(program or "")
    return known.type if known else "daemon"


def service_name(name: str, listeners: Sequence[Listener], data: str | None) -> str:
    """A name that only this server of a program has, whoever else runs."""
    port = next((listener.port for listener in listeners if listener.port is not None), None)
    if port is None:
        socket = next((listener.address for listener in listeners), None)
        return f"{name}:{data or socket}" if data or socket else name
    return name if name in PROGRAMS and port in PROGRAMS[name].ports else f"{name}:{port}"
