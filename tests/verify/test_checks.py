"""Every check passes on a record that is so, and fails on one that is not. The younger checks have a file each."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psutil
import pytest

from aya.db.connection import Connection, rows
from aya.db.observed import Observed, Route, effective_user
from aya.model import Instance, Interface, Service, Software
from aya.verify.catalogue import own_checks
from tests.conftest import make_home
from tests.verify.conftest import Node, OwnServer

LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)


def test_every_check_is_tested() -> None:
    here = {
        "addresses_present",
        "files_exist",
        "server_answers",
        "services_listen",
        "settings_match",
        "vector_distance",
    }
    elsewhere = {file.stem.removeprefix("test_") for file in Path(__file__).parent.glob("test_*.py")}
    assert set(own_checks()) - here <= elsewhere
    assert here <= set(own_checks())


# --- services_listen --------------------------------------------------------------------------------------------------


def listening_on(address: str, port: int, protocol: str = "tcp") -> Service:
    listener = {"protocol": protocol, "address": address, "port": port}
    return Service(service_name="sshd", process_id=os.getpid(), port=port, metadata={"listeners": [listener]})


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        yield opened


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_service_whose_port_accepts_connections_passes(node: Node, listener: socket.socket, address: str) -> None:
    port = listener.getsockname()[1]
    node.has(listening_on(address, port))
    assert node.tested_by("services_listen") == [(f"sshd {address} port {port}", "pass", None)]


def test_a_service_whose_port_nobody_listens_on_fails(node: Node, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.close()
    node.has(listening_on("127.0.0.1", port))
    ((target, outcome, reason),) = node.tested_by("services_listen")
    assert (target, outcome) == (f"sshd 127.0.0.1 port {port}", "fail")
    assert "refused" in str(reason)


def test_every_port_of_a_service_is_tested(node: Node, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    both = [{"protocol": "tcp", "address": address, "port": port} for address in ("127.0.0.1", "127.9.9.9")]
    node.has(Service(service_name="two", metadata={"listeners": both}))
    assert [outcome for _, outcome, _ in node.tested_by("services_listen")] == ["pass", "fail"]


@pytest.mark.parametrize("address", ["nonsense", ""])
def test_a_port_on_something_that_is_no_address_fails(node: Node, address: str) -> None:
    node.has(listening_on(address, 22))
    assert [outcome for _, outcome, _ in node.tested_by("services_listen")] == ["fail"]


def test_a_service_without_a_port_passes_while_its_process_runs(node: Node) -> None:
    started = datetime.fromtimestamp(psutil.Process().create_time(), UTC)
    node.has(Service(service_name="cron", process_id=os.getpid(), started_at=started))
    assert node.tested_by("services_listen") == [("cron", "pass", None)]


def test_a_service_whose_process_ended_fails_even_before_its_parent_noticed(node: Node) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        node.has(Service(service_name="cron", process_id=process.pid))
        assert [outcome for _, outcome, _ in node.tested_by("services_listen")] == ["pass"]
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert node.tested_by("services_listen") == [("cron", "fail", f"its process {process.pid} is gone")]
    assert node.tested_by("services_listen") == [("cron", "fail", f"its process {process.pid} is gone")]


def test_a_process_whose_number_another_one_has_now_is_gone(node: Node) -> None:
    node.has(Service(service_name="cron", process_id=os.getpid(), started_at=LONG_AGO))
    ((_, outcome, reason),) = node.tested_by("services_listen")
    assert outcome == "fail"
    assert "another" in str(reason)


def test_a_service_on_udp_is_tested_by_its_process(node: Node) -> None:
    node.has(listening_on("127.0.0.1", 9, "udp"))
    assert node.tested_by("services_listen") == [("sshd", "pass", None)]


def test_a_service_of_which_neither_port_nor_process_is_known_is_skipped_and_a_stopped_one_not_tested(
    node: Node,
) -> None:
    node.has(Service(service_name="dark"), Service(service_name="off", status="stopped", process_id=1))
    assert [(target, outcome) for target, outcome, _ in node.tested_by("services_listen")] == [("dark", "skipped")]


# --- addresses_present ------------------------------------------------------------------------------------------------


def an_address() -> tuple[str, str]:
    """An interface of this machine and an IPv4 address on it."""
    return next(
        (name, address.address)
        for name, addresses in psutil.net_if_addrs().items()
        for address in addresses
        if address.family is socket.AF_INET
    )


def test_an_address_that_is_on_its_interface_passes(node: Node) -> None:
    name, address = an_address()
    node.has(Interface(interface_name=name, ipv4_address=address))
    assert node.tested_by("addresses_present") == [(name, "pass", None)]


def test_an_address_that_is_not_on_the_machine_fails(node: Node) -> None:
    name, address = an_address()
    node.has(Interface(interface_name=name, ipv4_address=address, ipv6_address="2001:db8::1"))
    assert node.tested_by("addresses_present") == [(name, "fail", "2001:db8::1 is not on it now")]


def test_an_address_on_another_interface_than_recorded_fails(node: Node) -> None:
    _, address = an_address()
    node.has(Interface(interface_name="no-such0", ipv4_address=address))
    assert node.tested_by("addresses_present") == [("no-such0", "fail", f"{address} is not on it now")]


def test_an_interface_without_addresses_is_not_tested(node: Node) -> None:
    node.has(Interface(interface_name="no-such0"))
    assert node.tested_by("addresses_present") == []


# --- files_exist ------------------------------------------------------------------------------------------------------


def test_a_path_that_exists_passes_and_one_that_does_not_fails(node: Node, tmp_path: Path) -> None:
    there, gone = tmp_path / "näme with 'quotes'", tmp_path / "zz gone"
    there.write_text("")
    node.has(Service(service_name="web", executable_path=str(there), config_path=str(gone)))
    assert node.tested_by("files_exist") == [(str(there), "pass", None), (str(gone), "fail", "it is not there now")]


def test_paths_of_servers_and_software_are_tested_and_those_of_stopped_services_are_not(node: Node) -> None:
    node.has(Software(software_name="x", install_path="/no/software", executable_path="relative"))
    node.has(Instance(instance="1:5432", data_directory="/no/server"))
    node.has(Service(service_name="web", status="stopped", executable_path="/no/service"))
    assert [target for target, _, _ in node.tested_by("files_exist")] == ["/no/server", "/no/software"]


def test_a_path_that_may_not_be_looked_at_is_skipped_and_not_passed(node: Node) -> None:
    closed = make_home()
    closed.chmod(0)
    node.has(Service(service_name="web", config_path=str(closed / "inside")))
    subject = node.subject()
    try:
        with subject.database, effective_user(65534 if os.geteuid() == 0 else None):
            # In this process: the one of a check would be root again.
            findings = list(own_checks()["files_exist"].run(subject))
        assert [(finding.target, finding.outcome.value) for finding in findings] == [
            (str(closed / "inside"), "skipped")
        ]
    finally:
        closed.chmod(0o700)
        shutil.rmtree(closed)


# --- server_answers ---------------------------------------------------------------------------------------------------


def test_a_server_that_is_what_was_recorded_passes(described: Node, own_server: OwnServer) -> None:
    assert described.tested_by("server_answers", own_server.reachable) == [(own_server.instance, "pass", None)]


def test_a_server_of_another_version_than_recorded_fails(
    described: Node, own_server: OwnServer, admin: Connection
) -> None:
    admin.execute("UPDATE postgresql_instances SET server_version = '9.6'")
    ((_, outcome, reason),) = described.tested_by("server_answers", own_server.reachable)
    assert outcome == "fail"
    assert "recorded as 9.6" in str(reason)


def test_a_server_that_is_not_found_on_the_machine_fails(described: Node) -> None:
    assert [outcome for _, outcome, _ in described.tested_by("server_answers")] == ["fail"]


def test_a_server_that_vanished_since_it_was_found_fails(
    described: Node, own_server: OwnServer, tmp_path: Path
) -> None:
    gone = {own_server.instance: partial(Observed.open, Route(host=str(tmp_path), user="postgres"))}
    assert [outcome for _, outcome, _ in described.tested_by("server_answers", gone)] == ["fail"]


def test_a_server_that_lets_nobody_in_is_skipped_and_not_passed(described: Node, own_server: OwnServer) -> None:
    refused = Route(host=own_server.route.host, port=own_server.route.port, user="nobody of that name")
    servers = {own_server.instance: partial(Observed.open, refused)}
    for check in ("server_answers", "settings_match"):
        assert [outcome for _, outcome, _ in described.tested_by(check, servers)] == ["skipped"]


# --- settings_match ---------------------------------------------------------------------------------------------------


def test_settings_that_are_as_recorded_pass(described: Node, own_server: OwnServer) -> None:
    assert described.tested_by("settings_match", own_server.reachable) == [(own_server.instance, "pass", None)]


@pytest.mark.parametrize(
    ("by_hand", "said"),
    [
        (
            "UPDATE postgresql_configuration SET setting_value = '1' WHERE setting_name = 'work_mem'",
            "work_mem: recorded '1'kB, now '4096'kB",
        ),
        (
            "UPDATE postgresql_configuration SET setting_unit = 'MB' WHERE setting_name = 'work_mem'",
            "work_mem: recorded '4096'MB, now '4096'kB",
        ),
        (
            "DELETE FROM postgresql_configuration WHERE setting_name = 'work_mem'",
            "work_mem: recorded nothing, now '4096'kB",
        ),
        (
            "UPDATE postgresql_configuration SET setting_name = 'made_up' WHERE setting_name = 'work_mem'",
            "made_up: recorded '4096'kB, now nothing",
        ),
    ],
)
def test_a_setting_changed_by_hand_in_the_table_fails(
    described: Node, own_server: OwnServer, admin: Connection, by_hand: str, said: str
) -> None:
    admin.execute(by_hand.encode())
    ((_, outcome, reason),) = described.tested_by("settings_match", own_server.reachable)
    assert outcome == "fail"
    assert said in str(reason)


def test_a_setting_changed_on_the_server_since_fails(described: Node, own_server: OwnServer, admin: Connection) -> None:
    try:
        change(admin, "ALTER SYSTEM SET work_mem = '7MB'")
        ((_, outcome, reason),) = described.tested_by("settings_match", own_server.reachable)
        assert outcome == "fail"
        assert "work_mem: recorded '4096'kB, now '7168'kB" in str(reason)
    finally:
        change(admin, "ALTER SYSTEM RESET work_mem")
    assert [outcome for _, outcome, _ in described.tested_by("settings_match", own_server.reachable)] == ["pass"]


def change(admin: Connection, statement: str) -> None:
    """Change a setting of the running server, and wait until it has taken it."""
    before = rows(admin, "SELECT pg_conf_load_time()")
    admin.execute(statement.encode())
    admin.execute("SELECT pg_reload_conf()")
    while rows(admin, "SELECT pg_conf_load_time()") == before:
        time.sleep(0.02)


def test_a_server_whose_settings_nobody_can_read_now_fails(described: Node) -> None:
    assert [outcome for _, outcome, _ in described.tested_by("settings_match")] == ["fail"]


# --- vector_distance --------------------------------------------------------------------------------------------------


def test_the_vector_extension_passes(node: Node) -> None:
    assert node.tested_by("vector_distance") == [("vector", "pass", None)]


def test_a_vector_extension_that_computes_something_else_fails(node: Node, admin: Connection) -> None:
    admin.execute("CREATE SCHEMA broken")
    try:
        admin.execute(
            "CREATE FUNCTION broken.distance(vector, vector) RETURNS float8 LANGUAGE sql RETURN 0; "
            "CREATE OPERATOR broken.<-> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = broken.distance); "
            "GRANT USAGE ON SCHEMA broken TO aya_reader; "
            "ALTER ROLE aya_reader SET search_path = broken, public"
        )
        assert node.tested_by("vector_distance") == [("vector", "fail", "wrong: euclidean")]
    finally:
        admin.execute("ALTER ROLE aya_reader RESET search_path; DROP SCHEMA broken CASCADE")
