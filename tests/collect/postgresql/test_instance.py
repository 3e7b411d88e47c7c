"""A server is told by what it says itself."""

import platform

import pytest

from aya.collect.postgresql.collectors.instance import VERSION, parse
from aya.collect.postgresql.run import identify
from tests.collect.postgresql.cluster import Cluster
from tests.collect.postgresql.conftest import REDACTOR, collected


def test_a_server_is_told_with_its_files_build_and_start(cluster: Cluster) -> None:
    (instance,) = collected("instance", cluster).instances
    control = cluster.run("SELECT system_identifier::text FROM pg_control_system()")[0][0]
    assert instance.instance == f"{control}:{cluster.port}"
    assert (instance.system_identifier, instance.port) == (control, cluster.port)
    assert instance.server_version_num is not None
    assert instance.server_version_num // 10000 == cluster.version
    assert instance.server_version == f"{cluster.version}.{instance.server_version_num % 10000}"
    assert instance.data_directory == str(cluster.data)
    assert instance.config_file == str(cluster.data / "postgresql.conf")
    assert instance.hba_file == str(cluster.data / "pg_hba.conf")
    assert (instance.socket_directories, instance.listen_addresses) == (str(cluster.folder), "")
    assert (instance.server_role, instance.timeline) == ("standalone", 1)
    assert instance.data_checksums is (cluster.version >= 18)
    assert instance.architecture == platform.machine()
    assert instance.compiler is not None
    assert instance.compiler.startswith("gcc")
    assert instance.started_at == cluster.run("SELECT pg_postmaster_start_time()")[0][0]
    assert instance.metadata["bits"] == 64
    assert instance.metadata["block_bytes"] == 8192
    assert instance.metadata["hba_rules"][0]["method"] == "trust"
    assert instance.metadata["configuration_errors"] == []
    assert "plpgsql" in [extension["name"] for extension in instance.metadata["available_extensions"]]


def test_a_monitor_is_told_the_same_but_not_who_may_log_in(cluster: Cluster) -> None:
    (ours,) = collected("instance", cluster, user="monitor").instances
    (all_of_it,) = collected("instance", cluster).instances
    assert ours.data_directory == all_of_it.data_directory
    assert "hba_rules" not in ours.metadata


def test_a_wrong_rule_of_authentication_is_told_with_its_error(newest: Cluster) -> None:
    with (newest.data / "pg_hba.conf").open("a") as hba:
        hba.write("local all all nonsense\n")
    (instance,) = collected("instance", newest).instances
    assert [rule["error"] for rule in instance.metadata["hba_rules"] if rule["error"]] == [
        'invalid authentication method "nonsense"'
    ]


def test_an_unknown_setting_in_the_file_is_told(newest: Cluster) -> None:
    newest.configure("no_such_setting = 1\nwork_mem = nonsense\n")
    (instance,) = collected("instance", newest).instances
    (error,) = instance.metadata["configuration_errors"]
    assert (error["name"], error["error"]) == ("no_such_setting", "unrecognized configuration parameter")


def test_without_the_system_identifier_a_server_is_named_by_its_address(newest: Cluster) -> None:
    newest.run("CREATE ROLE plain LOGIN", "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    with newest.observed(user="plain") as connection:
        server = identify(connection, REDACTOR)
    assert server.instance == f"{newest.folder}:{newest.port}"
    facts = collected("instance", newest, user="plain")
    assert facts.instances[0].system_identifier is None
    assert facts.instances[0].data_directory is None
    assert [gap.outcome.value for gap in facts.gaps] == ["denied", "denied"]


@pytest.mark.parametrize(
    ("text", "platform_name", "compiler", "bits"),
    [
        (
            "PostgreSQL 18.0 on x86_64-apple-darwin23.6.0, compiled by "
            "Apple clang version 16.0.0 (clang-1600.0.26.6), 64-bit",
            "x86_64-apple-darwin23.6.0",
            "Apple clang version 16.0.0 (clang-1600.0.26.6)",
            "64",
        ),
        (
            "PostgreSQL 15.20 (Debian 15.20-0+deb12u1) on aarch64-unknown-linux-gnu, compiled by "
            "gcc (Debian 12.2.0) 12.2.0, 64-bit",
            "aarch64-unknown-linux-gnu",
            "gcc (Debian 12.2.0) 12.2.0",
            "64",
        ),
        (
            "PostgreSQL 17.2 on x86_64-windows, compiled by msvc-19.42.34435, 64-bit",
            "x86_64-windows",
            "msvc-19.42.34435",
            "64",
        ),
    ],
)
def test_a_version_text_is_taken_apart(text: str, platform_name: str, compiler: str, bits: str) -> None:
    build = VERSION.search(text)
    assert build is not None
    assert (build["platform"], build["compiler"], build["bits"]) == (platform_name, compiler, bits)


def test_a_version_text_that_says_no_build_leaves_it_unknown(cluster: Cluster) -> None:
    with cluster.observed() as connection:
        server = identify(connection, REDACTOR)
    given = dict.fromkeys(
        ("received_timeline", "written_timeline", "data_directory", "config_file", "hba_file", "socket_directories",
         "listen_addresses", "data_checksums", "cluster_name", "block_bytes", "wal_segment_bytes", "started_at")
    )  # fmt: skip
    row = given | {
        "version_text": "SomethingElse 9",
        "server_version": "9",
        "in_recovery": False,
        "feeds_others": False,
    }
    (instance,) = parse({"instance": [row]}, server).instances
    assert (instance.architecture, instance.compiler, instance.timeline, instance.data_checksums) == (None,) * 4
