"""The servers of a machine are found by what the kernel tells, without asking any of them."""

import os
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from aya.collect.postgresql import servers
from aya.collect.postgresql.servers import ServerAddress
from aya.host.local import LocalHost
from aya.host.reading import Answer, Found
from aya.model import Outcome
from tests.collect.postgresql.cluster import Cluster

UNIX = "Num       RefCount Protocol Flags    Type St Inode Path\n"
TCP = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
PASSWD = "root:x:0:0:root:/root:/bin/sh\npostgres:x:105:110::/var/lib/postgresql:/bin/bash\n"


def found(given: Mapping[str, str | bytes]) -> tuple[ServerAddress, ...]:
    answers = {
        name: Answer(Outcome.OK, value.encode() if isinstance(value, str) else value) for name, value in given.items()
    }
    first = Found(servers.reads, answers)
    return servers.parse(first + Found(servers.more(first), answers))


def listening(path: str) -> str:
    return f"0000000000000000: 00000002 00000000 00010000 0001 01 12345 {path}\n"


def process(pid: int, *argv: str, uid: int = 105, parent: int = 1) -> dict[str, str]:
    return {
        f"/proc/{pid}/cmdline": "\0".join(argv) + "\0",
        f"/proc/{pid}/status": f"Name:\tpostgres\nPPid:\t{parent}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n",
    }


MAIN = {
    **process(800, "/usr/lib/postgresql/15/bin/postgres", "-D", "/var/lib/postgresql/15/main"),
    **process(801, "postgres: checkpointer ", parent=800),
    "/proc/800/cwd": "/var/lib/postgresql/15/main",
    "/proc/800/cwd/postmaster.pid": "800\n/var/lib/postgresql/15/main\n1700000000\n5433\n/run/postgresql\nlocalhost\n",
    "/proc/net/unix": UNIX + listening("/run/postgresql/.s.PGSQL.5433") + listening("/run/dbus/system_bus_socket"),
    "/proc/net/tcp": TCP
    + "   0: 0100007F:1539 00000000:0000 0A 00000000:00000000 00:00000000 00000000   105        0 1 1\n",
    "/run/postgresql/.s.PGSQL.5433.lock": "800\n/var/lib/postgresql/15/main\n1700000000\n5433\n/run/postgresql\n",
    "/etc/passwd": PASSWD,
}


def test_a_server_is_found_with_its_socket_port_owner_and_folder() -> None:
    assert found(MAIN) == (
        ServerAddress(
            port=5433,
            socket_folders=("/run/postgresql",),
            hosts=("127.0.0.1",),
            owner_uid=105,
            owner_name="postgres",
            process_id=800,
            data_directory="/var/lib/postgresql/15/main",
        ),
    )


def test_a_child_that_has_not_named_itself_yet_is_no_server() -> None:
    child = process(802, "/usr/lib/postgresql/15/bin/postgres", "-D", "/var/lib/postgresql/15/main", parent=800)
    assert len(found(MAIN | child)) == 1


def test_without_readable_lock_files_the_command_line_tells_the_port() -> None:
    hidden = {
        **process(9, "postgres", "-D", "data", "-c", "port=6000", "-h", "*"),
        "/proc/net/unix": UNIX + listening("/tmp/.s.PGSQL.6000") + listening("/tmp/.s.PGSQL.7000"),
        "/proc/net/tcp6": TCP + f"   0: {'0' * 32}:1770 {'0' * 32}:0000 0A 0:0 00:0 0 105 0 1 1\n",
    }
    ours, other = found(hidden)
    assert (ours.port, ours.socket_folders, ours.hosts, ours.process_id) == (6000, ("/tmp",), ("::1",), 9)
    assert ours.data_directory is None
    assert other == ServerAddress(port=7000, socket_folders=("/tmp",))


def test_a_socket_whose_lock_names_another_process_is_not_taken_for_a_servers_own() -> None:
    container = process(50, "postgres", uid=999) | {"/proc/50/cwd/postmaster.pid": "1\n/data\n1\n5433\n/tmp\n*\n"}
    first, second = found(MAIN | container)
    assert (first.process_id, first.socket_folders) == (50, ())
    assert (second.process_id, second.socket_folders) == (800, ("/run/postgresql",))


def test_servers_that_cannot_be_told_apart_have_names_of_their_own() -> None:
    """As an ordinary user sees two servers of others on one port, and as root sees two containers."""
    of_others = {
        **process(7, "postgres", "-D", "/a", uid=1),
        **process(8, "postgres", "-D", "/b", uid=2),
        "/proc/net/unix": UNIX + listening("/a/.s.PGSQL.5432") + listening("/b/.s.PGSQL.5432"),
    }
    assert [server.label for server in found(of_others)] == ["/a:5432", "/b:5432"]
    containers = {**process(7, "postgres", uid=999), **process(8, "postgres", uid=999)}
    assert [server.label for server in found(containers)] == ["process 7:5432", "process 8:5432"]


def test_programs_of_postgresql_that_serve_nobody_are_no_servers() -> None:
    assert (
        found({**process(5, "postgres", "--single", "-D", "/d"), **process(6, "psql"), **process(7, "postgres", "-V")})
        == ()
    )


def test_without_proc_the_usual_folders_are_looked_at() -> None:
    assert found({"/tmp/.s.PGSQL.5432": "", "/tmp/.s.PGSQL.5432.lock": ""}) == (
        ServerAddress(port=5432, socket_folders=("/tmp",)),
    )


def test_root_goes_in_as_the_owner_and_others_as_themselves() -> None:
    (server,) = found(MAIN)
    assert [(r.host, r.user, r.effective_uid) for r in server.routes(0, "root")] == [
        ("/run/postgresql", "postgres", 105),
        ("127.0.0.1", "postgres", None),
    ]
    assert [(r.host, r.user, r.effective_uid) for r in server.routes(1000, "ann")] == [
        ("/run/postgresql", "ann", None),
        ("/run/postgresql", "postgres", None),
        ("127.0.0.1", "postgres", None),
    ]


def test_a_running_server_is_found_on_this_machine(cluster: Cluster) -> None:
    first = Found.of(LocalHost(), servers.reads)
    addresses = servers.parse(first + Found.of(LocalHost(), servers.more(first)))
    (ours,) = (address for address in addresses if address.port == cluster.port)
    assert cluster.process is not None
    assert ours.process_id == cluster.process.pid
    assert ours.socket_folders == (str(cluster.folder),)
    assert ours.owner_uid == cluster.uid
    assert ours.data_directory == os.path.realpath(cluster.data)


GARBAGE = st.one_of(st.binary(max_size=200), st.text(max_size=80).map(lambda text: text.encode("utf-8", "replace")))


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(MAIN, GARBAGE)))
def test_garbage_finds_nothing_wrong_and_breaks_nothing(garbage: dict[str, bytes]) -> None:
    for server in found({**MAIN, **garbage}):
        assert 0 < server.port < 65536


@given(st.sampled_from(sorted(MAIN)), st.integers(0, 300))
def test_half_an_answer_breaks_nothing(name: str, length: int) -> None:
    found(MAIN | {name: MAIN[name][:length]})
