"""All settings are told as the server has them, and so is what awaits its next restart."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aya.collect.postgresql.collector import Server
from aya.collect.postgresql.collectors.settings import parse
from aya.model import Facts, Outcome, Setting
from tests.collect.postgresql.cluster import Cluster
from tests.collect.postgresql.conftest import REDACTOR, collected, made


def settings_of(cluster: Cluster, **options: str) -> dict[str, Setting]:
    return by_name(collected("settings", cluster, **options))


def by_name(facts: Facts) -> dict[str, Setting]:
    return {setting.setting_name: setting for setting in facts.settings}


@pytest.fixture(scope="module")
def spoilt(cluster: Cluster) -> Iterator[Cluster]:
    """A server of each version whose files these tests may spoil."""
    own = made(cluster.version)
    try:
        own.run("CREATE ROLE monitor LOGIN IN ROLE pg_monitor")
        yield own
    finally:
        own.remove()


@pytest.fixture
def server(spoilt: Cluster) -> Iterator[Cluster]:
    """The same with its files, and what it has in force, put back after each test."""
    conf = (spoilt.data / "postgresql.conf").read_text()
    yield spoilt
    (spoilt.data / "postgresql.conf").write_text(conf)
    (spoilt.data / "postgresql.auto.conf").write_text("")
    spoilt.restart()


def test_every_setting_is_as_the_server_shows_it(cluster: Cluster) -> None:
    columns = "name, setting, unit, category, short_desc, context, pending_restart"
    shown = cluster.run(f"SELECT {columns} FROM pg_settings")
    told = [
        (
            s.setting_name,
            s.setting_value,
            s.setting_unit,
            s.setting_category,
            s.setting_short_desc,
            s.context,
            s.requires_restart,
        )
        for s in collected("settings", cluster).settings
    ]
    assert len(told) > 350
    assert sorted(told) == sorted(shown)


def test_a_setting_says_where_it_comes_from(cluster: Cluster) -> None:
    fsync = settings_of(cluster)["fsync"]
    assert fsync.setting_value == "off"
    lines = (cluster.data / "postgresql.conf").read_text().splitlines()
    assert fsync.metadata == {
        "vartype": "bool",
        "source": "configuration file",
        "boot_value": "on",
        "reset_value": "off",
        "source_file": str(cluster.data / "postgresql.conf"),
        "source_line": lines.index("fsync = off") + 1,
    }


def test_an_enum_and_a_number_say_what_is_allowed(cluster: Cluster) -> None:
    settings = settings_of(cluster)
    assert settings["bytea_output"].metadata["choices"] == ["escape", "hex"]
    assert (settings["port"].metadata["minimum"], settings["port"].metadata["maximum"]) == ("1", "65535")


def test_what_alter_system_said_is_pending_in_the_unit_of_the_setting(server: Cluster) -> None:
    server.run("ALTER SYSTEM SET shared_buffers = '1GB'", "ALTER SYSTEM SET max_connections = '0x96'")
    server.reload()
    settings = settings_of(server)
    assert settings["shared_buffers"].setting_value == "16384"
    assert (settings["shared_buffers"].setting_unit, settings["shared_buffers"].requires_restart) == ("8kB", True)
    assert settings["shared_buffers"].pending_value == "131072"
    assert settings["max_connections"].pending_value == "150"
    assert "file_error" not in settings["shared_buffers"].metadata
    assert {name for name, s in settings.items() if s.requires_restart} == {"shared_buffers", "max_connections"}
    server.restart()
    settings = settings_of(server)
    assert (settings["shared_buffers"].setting_value, settings["max_connections"].setting_value) == ("131072", "150")
    assert (settings["shared_buffers"].requires_restart, settings["shared_buffers"].pending_value) == (False, None)


def test_of_several_lines_in_the_file_the_last_one_is_pending(server: Cluster) -> None:
    server.configure("max_wal_senders = 7\nMAX_WAL_SENDERS = 9\nhuge_pages = TRUE\nwal_level = LOGICAL\n")
    server.reload()
    settings = settings_of(server)
    assert settings["max_wal_senders"].pending_value == "9"
    assert settings["huge_pages"].pending_value == "on"
    assert settings["wal_level"].pending_value == "logical"


def test_the_built_in_value_is_pending_where_the_line_is_gone(server: Cluster) -> None:
    conf = (server.data / "postgresql.conf").read_text()
    (server.data / "postgresql.conf").write_text(conf.replace("max_wal_senders = 5\n", ""))
    server.reload()
    facts = collected("settings", server)
    waiting = by_name(facts)["max_wal_senders"]
    assert (waiting.setting_value, waiting.requires_restart, waiting.pending_value) == ("5", True, "10")
    assert facts.gaps == ()
    assert collected("instance", server).instances[0].metadata["configuration_errors"] == []
    server.restart()
    assert settings_of(server)["max_wal_senders"].setting_value == "10"


def test_what_the_server_will_choose_at_its_start_is_not_guessed(server: Cluster) -> None:
    server.configure("wal_buffers = 1MB\n")
    server.restart()
    conf = (server.data / "postgresql.conf").read_text()
    (server.data / "postgresql.conf").write_text(conf.replace("wal_buffers = 1MB\n", ""))
    server.reload()
    waiting = settings_of(server)["wal_buffers"]
    assert (waiting.setting_value, waiting.requires_restart, waiting.pending_value) == ("128", True, None)
    assert waiting.metadata["pending_is_automatic"] is True
    assert "file_error" not in waiting.metadata


def test_the_command_line_wins_at_the_next_start_as_well(server: Cluster) -> None:
    server.stop()
    server.start(["-c", "max_connections=33"])
    server.configure("max_connections = 44\n")
    server.reload()
    waiting = settings_of(server)["max_connections"]
    assert (waiting.setting_value, waiting.metadata["source"]) == ("33", "command line")
    assert waiting.pending_value in ("33", None)
    assert waiting.pending_value == ("33" if waiting.requires_restart else None)


def test_an_invalid_value_is_an_error_and_never_pending(server: Cluster) -> None:
    server.run("ALTER SYSTEM SET max_connections = 150")
    server.reload()
    (server.data / "postgresql.auto.conf").write_text("")
    server.configure("max_connections = 'many'\nwork_mem = '1 parsec'\n")
    server.reload()
    settings = settings_of(server)
    assert settings["max_connections"].pending_value is None
    assert settings["max_connections"].metadata["file_error"] == "setting could not be applied"
    assert settings["work_mem"].metadata["file_error"] == "setting could not be applied"
    assert settings["work_mem"].setting_value == "4096"


def test_after_a_syntax_error_nothing_is_known_to_be_pending(server: Cluster) -> None:
    server.run("ALTER SYSTEM SET max_connections = 150")
    server.reload()
    server.configure("this is = = not a setting\n")
    server.reload()
    facts = collected("settings", server)
    waiting = by_name(facts)["max_connections"]
    assert (waiting.requires_restart, waiting.pending_value) == (True, None)
    assert by_name(facts)["shared_buffers"].setting_value == "16384"
    (gap,) = facts.gaps
    assert gap.outcome is Outcome.UNREADABLE
    assert "syntax error" in gap.reason
    (instance,) = collected("instance", server).instances
    (error,) = instance.metadata["configuration_errors"]
    assert (error["name"], error["error"]) == (None, "syntax error")
    assert Path(error["file"]) == server.data / "postgresql.conf"


def test_a_monitor_sees_that_a_restart_is_pending_but_not_what_it_brings(server: Cluster) -> None:
    server.run("ALTER SYSTEM SET max_connections = 150")
    server.reload()
    facts = collected("settings", server, user="monitor")
    assert len(facts.settings) == len(collected("settings", server).settings)
    waiting = by_name(facts)["max_connections"]
    assert (waiting.setting_value, waiting.requires_restart, waiting.pending_value) == ("100", True, None)


def test_an_edit_that_was_not_loaded_yet_is_not_a_pending_restart(server: Cluster) -> None:
    server.configure("max_connections = 150\n")
    assert settings_of(server)["max_connections"].requires_restart is False


def test_values_for_a_role_or_database_stand_beside_the_servers_own(server: Cluster) -> None:
    server.run(
        'CREATE ROLE "Ann é"',
        "ALTER ROLE \"Ann é\" SET work_mem = '64MB'",
        "ALTER ROLE \"Ann é\" IN DATABASE postgres SET work_mem = '1GB'",
        "ALTER DATABASE postgres SET search_path = '$user', other",
        "ALTER ROLE \"Ann é\" SET app.tenant = 'a=b'",
        "ALTER ROLE \"Ann é\" SET app.api_token = 'hunter2'",
    )
    settings = settings_of(server)
    assert settings["work_mem"].metadata["overrides"] == [
        {"database": None, "role": "Ann é", "value": "64MB"},
        {"database": "postgres", "role": "Ann é", "value": "1GB"},
    ]
    assert settings["work_mem"].setting_value == "4096"
    assert settings["app.tenant"].metadata["overrides"][0]["value"] == "a=b"
    assert settings["app.tenant"].setting_value is None
    assert settings["app.api_token"].metadata["overrides"][0]["value"] == REDACTOR.mark("hunter2")
    server.run("ALTER DATABASE postgres RESET ALL", 'DROP ROLE "Ann é"')


def test_an_override_for_the_login_that_looks_is_not_taken_for_the_servers_value(server: Cluster) -> None:
    server.configure("maintenance_work_mem = 100MB\n")
    server.run(
        "ALTER DATABASE postgres SET work_mem = '77MB'",
        "ALTER ROLE ALL SET maintenance_work_mem = '55MB'",
        "ALTER ROLE monitor SET random_page_cost = 2",
    )
    server.reload()
    settings = settings_of(server)
    assert (settings["work_mem"].setting_value, settings["work_mem"].metadata["source"]) == ("4096", "default")
    assert settings["maintenance_work_mem"].setting_value == "102400"
    assert settings["maintenance_work_mem"].metadata["source"] == "configuration file"
    facts = collected("settings", server, user="monitor")
    assert by_name(facts)["random_page_cost"].setting_value is None
    assert any("random_page_cost" in gap.reason for gap in facts.gaps)
    server.run("ALTER DATABASE postgres RESET ALL", "ALTER ROLE ALL RESET ALL", "ALTER ROLE monitor RESET ALL")


def test_a_secret_that_only_its_name_betrays_is_marked(server: Cluster) -> None:
    server.configure("ssl_passphrase_command = 'echo hunter2'\n")
    server.reload()
    settings = settings_of(server)
    assert settings["ssl_passphrase_command"].setting_value == f"echo {REDACTOR.mark('hunter2')}"
    assert "hunter2" not in repr(settings)


def test_a_secret_of_an_application_is_marked_wherever_it_stands() -> None:
    columns = (
        "unit",
        "category",
        "short_desc",
        "context",
        "sourcefile",
        "sourceline",
        "min_val",
        "max_val",
        "enumvals",
    )
    row = dict.fromkeys(columns) | {"name": "app.jwt_secret", "setting": "hunter2", "pending_restart": False}
    row |= {"vartype": "string", "source": "default", "boot_val": "hunter2", "reset_val": "hunter2"}
    server = Server(
        instance="1:5432", system_identifier="1", port=5432, version_num=180000, database="postgres", mark=REDACTOR.mark
    )
    (setting,) = parse({"settings": [row]}, server).settings
    assert setting.setting_value == setting.metadata["reset_value"] == REDACTOR.mark("hunter2")
    assert "hunter2" not in repr(setting)
