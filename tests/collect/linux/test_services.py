import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.linux._processes import SYSTEMD_RUNS
from aya.collect.linux._systemd import SYSTEMCTL
from aya.collect.linux.services import SS, collector
from aya.host.local import LocalHost
from aya.host.reading import Answer, Found
from aya.model import Facts, Outcome, Service
from tests.collect.answers import found, refused
from tests.collect.declared import floats, undeclared

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
BOOT = 1_760_000_000
CLOCK = {
    "/proc/stat": f"cpu 1 2 3\nbtime {BOOT}\n",
    "/proc/uptime": "5000.25 9000.00\n",
    "clock-ticks": "100",
    "/etc/passwd": "root:x:0:0::/root:/bin/sh\npostgres:x:111:117::/var/lib/postgresql:/bin/bash\n",
}
UNITS = " ".join(SYSTEMCTL)


def understood(given: dict[str, Any]) -> Facts:
    facts = collector.parse(found(collector, CLOCK | given))
    assert not undeclared(collector, facts)
    assert not list(floats([facts.metadata, [row.metadata for row in facts.services]]))
    assert len({row.key for row in facts.services}) == len(facts.services)
    return facts


def service(facts: Facts, name: str) -> Service:
    assert name in [row.service_name for row in facts.services]
    return next(row for row in facts.services if row.service_name == name)


def table(*sockets: tuple[str, int, str], state: str = "0A", remote: str = "0000") -> str:
    """/proc/net/tcp with sockets given as address, port and inode."""
    rows = []
    for address, port, inode in sockets:
        number = socket.inet_aton(address)[::-1].hex().upper()
        rows.append(
            f"   0: {number}:{port:04X} 00000000:{remote} {state} 00000000:00000000 00:00000000 00000000"
            f"     0        0 {inode} 1 00000000 100 0 0 10 0\n"
        )
    return HEADER + "".join(rows)


def process(
    pid: int,
    *argv: str,
    inodes: tuple[str, ...] = (),
    exe: str = "",
    cgroup: str = "/",
    parent: int = 1,
    ticks: int = 1000,
) -> dict[str, str]:
    """The kernel's files of one process; it was started `ticks` hundredths of a second after boot."""
    folder = f"/proc/{pid}"
    exe = exe or argv[0]
    name = exe.rsplit("/", 1)[-1][:15]
    return {
        **{f"{folder}/fd/{number}": f"socket:[{inode}]" for number, inode in enumerate(inodes, start=3)},
        f"{folder}/stat": f"{pid} ({name}) S {parent} 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 {ticks} 1 1\n",
        f"{folder}/status": f"Name:\t{name}\nUid:\t111\t111\t111\t111\n",
        f"{folder}/cmdline": "\0".join(argv) + "\0",
        f"{folder}/comm": f"{name}\n",
        f"{folder}/cgroup": f"0::{cgroup}\n",
        f"{folder}/exe": exe,
    }


def unit(name: str, **properties: str) -> str:
    plain = {
        "Id": name,
        "LoadState": "loaded",
        "ActiveState": "active",
        "SubState": "running",
        "UnitFileState": "enabled",
    }
    return "".join(f"{key}={value}\n" for key, value in (plain | {"Type": "simple"} | properties).items())


def units(*blocks: str) -> dict[str, str]:
    return {SYSTEMD_RUNS: "", UNITS: "\n".join(blocks)}


POSTGRES = "/usr/lib/postgresql/15/bin/postgres"


# --- listening programs -----------------------------------------------------------------------------------------------


def test_a_listening_program_is_a_service_with_its_port_user_and_start():
    given = {"/proc/net/tcp": table(("127.0.0.1", 5432, "77"))}
    row = service(
        understood(given | process(500, POSTGRES, "-D", "/data/main", inodes=("77",), ticks=12345)), "postgres"
    )
    assert (row.service_type, row.process_id, row.port, row.bind_address) == ("database", 500, 5432, "127.0.0.1")
    assert (row.executable_path, row.data_path) == (POSTGRES, "/data/main")
    assert (row.config_path, row.pid_file_path) == ("/data/main/postgresql.conf", "/data/main/postmaster.pid")
    assert row.started_at == datetime.fromtimestamp(BOOT + 123, UTC)
    assert row.uptime_seconds == 5000 - 123
    assert (row.metadata["user"], row.status, row.auto_start) == ("postgres", "running", None)


def test_a_configuration_named_on_the_command_line_is_found():
    argv = (POSTGRES, "-D", "/data/main", "-c", "config_file=/etc/postgresql/15/main/postgresql.conf")
    facts = understood({"/proc/net/tcp": table(("0.0.0.0", 5432, "77"))} | process(500, *argv, inodes=("77",)))
    assert service(facts, "postgres").config_path == "/etc/postgresql/15/main/postgresql.conf"


def test_all_sockets_of_a_program_are_one_row_and_the_lowest_port_stands_in_the_columns():
    ipv6 = "   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 8 1 0\n"
    given = {
        "/proc/net/tcp": table(("0.0.0.0", 8081, "6"), ("0.0.0.0", 8080, "7")),
        "/proc/net/tcp6": HEADER + ipv6,
    }
    row = service(understood(given | process(9, "/opt/app/bin/app", inodes=("6", "7", "8"))), "app:8080")
    assert row.metadata["listeners"] == [
        {"protocol": "tcp", "address": "0.0.0.0", "port": 8080},
        {"protocol": "tcp", "address": "::", "port": 8080},
        {"protocol": "tcp", "address": "0.0.0.0", "port": 8081},
    ]


def test_the_name_of_a_server_does_not_depend_on_who_else_runs():
    first = process(500, POSTGRES, "-D", "/a", inodes=("1",))
    second = process(501, POSTGRES, "-D", "/b", inodes=("2",))
    alone = understood({"/proc/net/tcp": table(("0.0.0.0", 5433, "2"))} | second)
    both = understood({"/proc/net/tcp": table(("0.0.0.0", 5432, "1"), ("0.0.0.0", 5433, "2"))} | first | second)
    assert [row.service_name for row in both.services] == ["postgres", "postgres:5433"]
    assert service(alone, "postgres:5433") == service(both, "postgres:5433")


def test_a_server_keeps_its_name_when_it_is_restarted_with_another_process_id():
    sockets = {"/proc/net/tcp": table(("127.0.0.1", 8000, "1"))}
    names = [
        [
            row.service_name
            for row in understood(sockets | process(pid, "python3", "-m", "uvicorn", inodes=("1",))).services
        ]
        for pid in (10, 20000)
    ]
    assert names == [["uvicorn"], ["uvicorn"]]


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (("python3", "-m", "http.server", "9001"), "http.server:9001"),
        (("/usr/bin/python3.11", "-u", "-W", "error", "/srv/app/manage.py", "runserver"), "manage.py:9001"),
        (("/usr/bin/node", "/srv/server.js"), "server.js:9001"),
        (("java", "-Xmx1g", "-cp", "/x", "-jar", "/opt/kafka/kafka.jar"), "kafka.jar:9001"),
        (("python3", "-c", "import x"), "python3:9001"),
        (("/usr/sbin/nginx", "-g", "daemon off;"), "nginx:9001"),
    ],
)
def test_a_script_is_named_and_not_its_interpreter(argv, name):
    facts = understood({"/proc/net/tcp": table(("0.0.0.0", 9001, "1"))} | process(7, *argv, inodes=("1",)))
    assert [row.service_name for row in facts.services] == [name]


def test_workers_that_share_a_socket_are_one_service_of_the_process_that_opened_it():
    master = process(100, "/usr/sbin/nginx", inodes=("5",), ticks=100)
    worker = process(99, "/usr/sbin/nginx", inodes=("5",), parent=100, ticks=200)
    facts = understood({"/proc/net/tcp": table(("0.0.0.0", 80, "5"))} | master | worker)
    assert [(row.service_name, row.process_id) for row in facts.services] == [("nginx", 100)]


def test_workers_that_each_opened_the_same_port_are_one_service():
    both = process(1, "/srv/bin/w", inodes=("1",)) | process(2, "/srv/bin/w", inodes=("2",), ticks=2000)
    facts = understood({"/proc/net/tcp": table(("0.0.0.0", 7000, "1"), ("0.0.0.0", 7000, "2"))} | both)
    assert [(row.service_name, row.process_id) for row in facts.services] == [("w:7000", 1)]


def test_a_program_whose_file_was_replaced_says_so():
    given = process(7, "/usr/bin/app", inodes=("1",), exe="/usr/bin/app (deleted)")
    row = service(understood({"/proc/net/tcp": table(("0.0.0.0", 9001, "1"))} | given), "app:9001")
    assert (row.executable_path, row.metadata["executable_replaced"]) == ("/usr/bin/app", True)


def test_a_connection_and_a_question_of_a_client_are_no_services():
    given = {
        "/proc/net/tcp": table(("10.0.0.1", 8080, "1"), state="01", remote="C350"),
        "/proc/net/udp": table(("0.0.0.0", 45678, "2"), state="07"),
    }
    assert understood(given | process(7, "/usr/bin/app", inodes=("1", "2"))).services == ()


def test_a_udp_server_is_a_service():
    facts = understood(
        {"/proc/net/udp": table(("0.0.0.0", 53, "2"), state="07")} | process(7, "/sbin/dnsmasq", inodes=("2",))
    )
    assert [(row.service_name, row.port, row.service_type) for row in facts.services] == [("dnsmasq", 53, "dns")]


def test_a_database_that_listens_on_a_unix_socket_only_is_named_by_its_data():
    sockets = (
        "Num       RefCount Protocol Flags    Type St Inode Path\n"
        "0000000000000000: 00000002 00000000 00010000 0001 01 900 /tmp/run/.s.PGSQL.5432\n"
        "0000000000000000: 00000002 00000000 00010000 0001 01 901 /run/user/1/bus\n"
        "0000000000000000: 00000003 00000000 00000000 0001 03 902 /run/connected\n"
    )
    given = {"/proc/net/unix": sockets} | process(50, POSTGRES, "-D", "/tmp/data", inodes=("900",))
    facts = understood(given | process(60, "/usr/bin/dbus-daemon", inodes=("901", "902")))
    assert [(row.service_name, row.port, row.bind_address) for row in facts.services] == [
        ("postgres:/tmp/data", None, None)
    ]
    assert facts.services[0].metadata["listeners"] == [
        {"protocol": "unix", "address": "/tmp/run/.s.PGSQL.5432", "port": None}
    ]


def test_a_listener_whose_process_may_not_be_seen_is_no_row_but_a_gap():
    facts = understood({"/proc/net/tcp": table(("0.0.0.0", 2024, "1499"))} | {"/proc/1/fd/3": refused()})
    assert facts.services == ()
    assert facts.metadata["services"]["unattributed_listeners"] == [
        {"protocol": "tcp", "address": "0.0.0.0", "port": 2024, "user": "root"}
    ]
    assert [gap.outcome for gap in facts.gaps] == [Outcome.DENIED]


def test_what_even_root_may_not_see_is_listed_and_no_gap_so_that_stopped_services_vanish():
    facts = understood({"/proc/net/tcp": table(("0.0.0.0", 2049, "1499")), "user-id": "0"})  # the kernel's own NFS
    assert [one["port"] for one in facts.metadata["services"]["unattributed_listeners"]] == [2049]
    assert facts.gaps == ()


def test_a_socket_that_was_closed_while_we_looked_is_nobodys():
    given = {"/proc/net/tcp": table(("0.0.0.0", 80, "5"), ("0.0.0.0", 8080, "6"))}
    facts = understood(given | {"/proc/self/net/tcp": table(("0.0.0.0", 80, "5"))})
    assert [one["port"] for one in facts.metadata["services"]["unattributed_listeners"]] == [80]


def test_a_hidden_database_behind_a_unix_socket_is_a_gap_and_other_hidden_sockets_are_not():
    row = "0000000000000000: 00000002 00000000 00010000 0001 01 {} {}\n"
    sockets = "Num RefCount Protocol Flags Type St Inode Path\n" + row.format(900, "/run/postgresql/.s.PGSQL.5432")
    facts = understood({"/proc/net/unix": sockets + row.format(901, "/run/user/7/bus")})
    assert [one["address"] for one in facts.metadata["services"]["unattributed_listeners"]] == [
        "/run/postgresql/.s.PGSQL.5432"
    ]
    assert [gap.outcome for gap in facts.gaps] == [Outcome.DENIED]


def test_what_one_process_hides_leaves_no_gap_where_nothing_is_missing():
    given = {"/proc/net/tcp": table(("0.0.0.0", 80, "5")), "/proc/1/fd/3": refused()}
    answers = found(collector, CLOCK | given | process(100, "/usr/sbin/nginx", inodes=("5",)))
    assert (*answers.gaps(), *collector.parse(answers).gaps) == ()


def test_the_table_of_ss_alone_is_enough():
    text = (
        "Netid State  Recv-Q Send-Q Local Address:Port  Peer Address:Port Process\n"
        'tcp   LISTEN 0      128    0.0.0.0:22          0.0.0.0:*         users:(("sshd",pid=600,fd=3))\n'
        'tcp   LISTEN 0      128    [::]:22             [::]:*            users:(("sshd",pid=600,fd=4))\n'
        "tcp   LISTEN 0      128    127.0.0.1:6379      0.0.0.0:*\n"
    )
    facts = understood({SS[0]: text})
    assert [(row.service_name, row.process_id, row.bind_address) for row in facts.services] == [
        ("sshd", 600, "0.0.0.0")
    ]
    assert len(facts.services[0].metadata["listeners"]) == 2
    assert [one["port"] for one in facts.metadata["services"]["unattributed_listeners"]] == [6379]


def test_a_file_that_is_several_programs_is_what_it_calls_itself():
    given = {"/proc/net/tcp": table(("0.0.0.0", 6379, "1"), ("0.0.0.0", 80, "2"))}
    given |= process(5, "redis-server *:6379", exe="/usr/bin/redis-check-rdb", inodes=("1",))
    given |= process(6, "httpd", "-f", "-p", "80", exe="/bin/busybox", inodes=("2",))
    facts = understood(given)
    assert [(row.service_name, row.service_type) for row in facts.services] == [
        ("httpd", "web"),
        ("redis-server", "cache"),
    ]


def test_files_are_found_in_the_title_that_a_program_wrote_over_its_command_line():
    title = "nginx: master process /usr/sbin/nginx -c /etc/nginx/own.conf"
    facts = understood(
        {"/proc/net/tcp": table(("0.0.0.0", 80, "1"))} | process(5, title, exe="/usr/sbin/nginx", inodes=("1",))
    )
    assert service(facts, "nginx").config_path == "/etc/nginx/own.conf"


def test_addresses_are_read_in_the_byte_order_of_the_machine():
    row = "   0: 7F000001:1538 00000000:0000 0A 0:0 00:0 0 0 0 77 1 0\n"
    given = {"/proc/net/tcp": HEADER + row, "byte-order": '"big"'} | process(5, POSTGRES, inodes=("77",))
    assert service(understood(given), "postgres").bind_address == "127.0.0.1"


# --- units ------------------------------------------------------------------------------------------------------------


def test_a_unit_and_its_listening_process_are_one_row():
    show = unit(
        "postgresql@15-main.service",
        Description="PostgreSQL Cluster 15-main",
        MainPID="500",
        Restart="on-failure",
        ExecMainStartTimestamp="Thu 2025-10-09 12:34:56 UTC",
        FragmentPath="/lib/systemd/system/postgresql@.service",
        User="postgres",
    )
    listening = process(
        500, POSTGRES, "-D", "/data/main", inodes=("77",), cgroup="/system.slice/postgresql@15-main.service"
    )
    facts = understood({"/proc/net/tcp": table(("0.0.0.0", 5432, "77"))} | listening | units(show))
    assert [row.service_name for row in facts.services] == ["postgresql@15-main"]
    row = facts.services[0]
    assert (row.status, row.port, row.process_id, row.service_type) == ("running", 5432, 500, "database")
    assert row.started_at == datetime(2025, 10, 9, 12, 34, 56, tzinfo=UTC)
    assert (row.auto_start, row.auto_restart, row.metadata["restart"]) == (True, True, "on-failure")
    assert (row.data_path, row.metadata["unit_file"]) == ("/data/main", "/lib/systemd/system/postgresql@.service")


def test_the_older_form_of_control_groups_names_the_unit_too():
    listening = process(500, "/usr/sbin/sshd", inodes=("77",))
    listening["/proc/500/cgroup"] = "12:pids:/x.service\n1:name=systemd:/system.slice/ssh.service\n"
    facts = understood({"/proc/net/tcp": table(("0.0.0.0", 22, "77"))} | listening | units(unit("ssh.service")))
    assert [(row.service_name, row.port) for row in facts.services] == [("ssh", 22)]


def test_a_program_of_a_user_is_not_the_service_that_manages_users():
    cgroup = "/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope"
    listening = process(500, "python3", "-m", "http.server", "8000", inodes=("77",), cgroup=cgroup)
    facts = understood(
        {"/proc/net/tcp": table(("0.0.0.0", 8000, "77"))}
        | listening
        | units(unit("user@1000.service", UnitFileState="static"))
    )
    assert {row.service_name: row.port for row in facts.services} == {"http.server": 8000, "user@1000": None}


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"ActiveState": "active"}, "running"),
        ({"ActiveState": "inactive", "SubState": "dead"}, "stopped"),
        ({"ActiveState": "failed", "SubState": "failed"}, "failed"),
        ({"ActiveState": "failed", "SubState": "failed", "UnitFileState": "disabled"}, "failed"),
        ({"ActiveState": "activating", "SubState": "auto-restart"}, "failed"),
        ({"ActiveState": "active", "SubState": "exited", "Type": "oneshot"}, "stopped"),
        ({"ActiveState": "activating", "SubState": "start", "Type": "oneshot"}, "stopped"),
        ({"ActiveState": "active", "UnitFileState": "disabled"}, "running"),
        ({"ActiveState": "inactive", "UnitFileState": "disabled"}, None),
        ({"ActiveState": "inactive", "UnitFileState": "masked", "LoadState": "masked"}, None),
        ({"ActiveState": "inactive", "UnitFileState": "static"}, None),
        ({"ActiveState": "activating", "SubState": "start", "Type": "oneshot", "UnitFileState": "static"}, None),
        ({"ActiveState": "inactive", "LoadState": "not-found", "UnitFileState": ""}, None),
    ],
)
def test_units_count_that_are_enabled_active_or_failed(properties, expected):
    rows = understood(units(unit("some.service", **properties))).services
    assert [row.status for row in rows] == ([expected] if expected else [])
    assert all(row.started_at is None and row.process_id is None for row in rows if row.status != "running")


def test_a_service_behind_an_open_socket_unit_owns_its_port_before_it_runs():
    sockets = unit("ssh.socket", Listen="0.0.0.0:22 (Stream)\nListen=[::]:22 (Stream)", Triggers="ssh.service")
    asleep = unit("ssh.service", ActiveState="inactive", SubState="dead", UnitFileState="disabled")
    given = {"/proc/net/tcp": table(("0.0.0.0", 22, "7"))} | process(1, "/usr/lib/systemd/systemd", inodes=("7",))
    rows = understood(given | units(asleep, sockets)).services
    assert [(row.service_name, row.status, row.port) for row in rows] == [("ssh", "stopped", 22)]


def test_a_socket_that_systemd_shares_with_the_service_it_started_is_the_services():
    systemd = process(1, "/usr/lib/systemd/systemd", inodes=("7",), ticks=1)
    started = process(40, "/usr/sbin/sshd", inodes=("7",), ticks=900)
    rows = understood({"/proc/net/tcp": table(("0.0.0.0", 22, "7"))} | systemd | started).services
    assert [(row.service_name, row.process_id) for row in rows] == [("sshd", 40)]


def test_a_program_outside_of_a_unit_of_its_name_is_not_lost():
    given = {"/proc/net/tcp": table(("0.0.0.0", 80, "5"))} | process(9, "/usr/sbin/nginx", inodes=("5",))
    facts = understood(given | units(unit("nginx.service", ActiveState="inactive", SubState="dead")))
    assert [(row.service_name, row.status) for row in facts.services] == [("nginx", "stopped"), ("nginx:80", "running")]


def test_units_that_systemctl_did_not_tell_are_a_gap_and_their_listeners_keep_the_name():
    given = {SYSTEMD_RUNS: "", UNITS: Answer(Outcome.FAILED, b"", "systemctl show did not end within 10 s")}
    listening = process(500, "/usr/sbin/sshd", inodes=("77",), cgroup="/system.slice/ssh.service")
    answers = found(collector, CLOCK | given | listening | {"/proc/net/tcp": table(("0.0.0.0", 22, "77"))})
    facts = collector.parse(answers)
    assert [(row.service_name, row.port, row.auto_start) for row in facts.services] == [("ssh", 22, None)]
    assert Outcome.FAILED in [gap.outcome for gap in answers.gaps()]


def test_a_machine_without_systemd_has_no_units_and_that_is_no_gap():
    answers = found(collector, CLOCK | {"/proc/net/tcp": HEADER})
    assert (*answers.gaps(), *collector.parse(answers).gaps) == ()
    assert collector.more is not None
    assert not any("systemctl" in str(read) for read in collector.more(answers))


# --- robustness -------------------------------------------------------------------------------------------------------

SOURCES = st.sampled_from(
    [
        *("/proc/net/tcp", "/proc/net/tcp6", "/proc/net/udp", "/proc/net/unix", "/proc/7/stat", "/proc/7/cmdline"),
        *("/proc/7/cgroup", "/proc/7/comm", "/proc/7/exe", "/proc/stat", "/proc/uptime", "clock-ticks", "/etc/passwd"),
        *(UNITS, SS[0], "/proc/sys/net/ipv4/ip_local_port_range", SYSTEMD_RUNS),
    ]
)
LINES = st.lists(
    st.sampled_from(
        [
            *(table(("0.0.0.0", 80, "5")), "0: FFFFFFFF:GGGG 0:0 0A\n", "Id=x.service\n", "ActiveState=active\n", "\n"),
            *("Listen=:80 (Stream)\n", "btime 99999999999\n", "0::/x.service\n", "Uid:\n", "1 2 3\n", ":", "((("),
            *("ExecMainStartTimestamp=Thu 2025-99-99 12:34:56 UTC\n", "@99999999999", "999999999999999999999999"),
        ]
    ),
    max_size=6,
).map(lambda lines: "".join(lines).encode())


@given(st.dictionaries(SOURCES, st.binary(max_size=80) | LINES, max_size=6))
def test_garbage_never_breaks_it(garbage):
    understood({"/proc/net/tcp": table(("0.0.0.0", 80, "5"))} | process(7, "/usr/bin/x", inodes=("5",)) | garbage)


def test_a_command_line_of_ten_thousand_strange_letters_is_survived_and_not_kept():
    secret = "é'\"\n" * 2500
    given = process(7, "/usr/bin/app", secret, inodes=("1",))
    facts = understood({"/proc/net/tcp": table(("0.0.0.0", 9001, "1"))} | given)
    assert service(facts, "app:9001")
    assert secret[:20] not in repr(facts)


# --- this machine -----------------------------------------------------------------------------------------------------


def live() -> Facts:
    first = Found.of(LocalHost(), collector.reads)
    assert collector.more is not None
    return collector.parse(first + Found.of(LocalHost(), collector.more(first)))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """A server of our own: its process id and port."""
    script = tmp_path / "aya_test_server.py"
    script.write_text(
        "import socket, time\n"
        "s = socket.create_server(('127.0.0.1', 0))\n"
        "print(s.getsockname()[1], flush=True)\n"
        "time.sleep(99)\n"
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield process.pid, int(process.stdout.readline())
        process.kill()


def test_a_server_started_now_is_found_with_its_start(server):
    pid, port = server
    row = service(live(), f"aya_test_server.py:{port}")
    assert (row.process_id, row.port, row.bind_address, row.status) == (pid, port, "127.0.0.1", "running")
    assert row.started_at is not None
    assert abs(row.started_at.timestamp() - psutil.Process(pid).create_time()) <= 1
    assert row.executable_path == str(Path(sys.executable).resolve())


def test_every_listening_port_of_this_machine_is_in_a_row_or_among_the_unattributed(server):
    facts = live()
    known = {one["port"] for row in facts.services for one in row.metadata["listeners"]}
    known |= {one["port"] for one in facts.metadata["services"]["unattributed_listeners"]}
    with contextlib.suppress(psutil.AccessDenied):
        seen = {c.laddr.port for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN}
        # Others may have come since the first look: what was there before and after must be known.
        again = {one["port"] for row in live().services for one in row.metadata["listeners"]}
        assert server[1] in seen & known
        assert seen - known <= seen - again


def test_an_unchanged_service_is_equal_at_two_looks(server):
    one = {(row.service_name, row.process_id): row for row in live().services}
    time.sleep(1.1)
    other = {(row.service_name, row.process_id): row for row in live().services}
    assert any(pid == server[0] for _, pid in one.keys() & other.keys())
    for key in one.keys() & other.keys():
        for name in Service.state_fields():
            assert getattr(one[key], name) == getattr(other[key], name)


def test_the_lists_of_systemctl_tell_the_services(recordings):
    folder = recordings / "linux/jc-centos-7.7"
    files = {"systemctl": "systemctl.txt", "systemctl list-unit-files": "systemctl-luf.txt"}
    facts = understood({command: (folder / name).read_text() for command, name in files.items()})
    sshd, kdump = service(facts, "sshd"), service(facts, "kdump")
    assert (sshd.status, sshd.auto_start, sshd.auto_restart) == ("running", True, None)
    # It is active because it has done its work.
    assert (kdump.status, kdump.auto_start) == ("stopped", True)
    names = {row.service_name for row in facts.services}
    assert names & {"ntpd", "emergency", "kmod-static-nodes"} == set()


@pytest.mark.parametrize("command", ["netstat -tulpn", "ss -ltnp"])
def test_who_listens_belongs_to_the_unit_of_its_name(command):
    rows = {
        "netstat -tulpn": "tcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN      812/sshd\n"
        "udp        0      0 127.0.0.1:323           0.0.0.0:*                           900/chronyd\n"
        "tcp6       0      0 ::1:5432                :::*                    LISTEN      -\n",
        "ss -ltnp": 'LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=812,fd=3))\n',
    }
    units = "sshd.service  loaded active running OpenSSH server daemon\n"
    facts = understood({command: rows[command], "systemctl list-units --all": units})
    assert (service(facts, "sshd").port, service(facts, "sshd").bind_address) == (22, "0.0.0.0")
    assert [row.service_name for row in facts.services if row.port == 22] == ["sshd"]
    if command == "netstat -tulpn":
        assert service(facts, "chronyd").metadata["listeners"][0]["protocol"] == "udp"
        unknown = facts.metadata["services"]["unattributed_listeners"]
        assert [(one["address"], one["port"]) for one in unknown] == [("::1", 5432)]


def test_a_socket_unit_gives_its_port_to_the_service_it_starts():
    lists = {
        "systemctl list-units --all": "cups.service  loaded inactive dead CUPS Scheduler\n",
        "systemctl list-sockets": "LISTEN           UNIT        ACTIVATES\n127.0.0.1:631    cups.socket cups.service\n",
    }
    cups = service(understood(lists), "cups")
    assert (cups.status, cups.port, cups.bind_address) == ("stopped", 631, "127.0.0.1")
