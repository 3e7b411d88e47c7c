"""Options: flags beat variables beat the file beat the default, and a wrong one is named with the place it was set."""

from pathlib import Path

import pytest

from aya.errors import ConfigurationError
from aya.settings import describe, load
from tests.serve.command import Command


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of options that AYA_CONFIG names; the test writes it."""
    path = tmp_path / "öptions.toml"
    monkeypatch.setenv("AYA_CONFIG", str(path))
    return path


def test_flags_beat_variables_beat_the_file_beat_the_default(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('node = "FILE"\ninterval_s = 77\nnode_role = "client"\n')
    assert (load().node, load().interval_s, load().node_role, load().tcp_port) == ("FILE", 77, "client", None)
    monkeypatch.setenv("AYA_NODE", "VARIABLE")
    assert (load().node, load().interval_s) == ("VARIABLE", 77)
    assert load(node="FLAG").node == "FLAG"
    set_by = {row["option"]: row["set_by"] for row in describe()}
    assert (set_by["node"], set_by["interval_s"], set_by["tcp_port"]) == ("AYA_NODE", str(file), "default")


def test_the_file_in_the_home_is_read_and_an_empty_variable_counts_as_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "aya.toml").write_text('node = "FILE"\n')
    monkeypatch.setenv("AYA_HOME", str(tmp_path))
    monkeypatch.setenv("AYA_NODE", "")
    assert load().node == "FILE"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'node = "unended\n', "not TOML"),
        (b'node = "\xff"\n', "not TOML"),
        (b'nodee = "x"\n', "nodee"),
        (b'[aya]\nnode = "x"\n', "aya"),
        (b"node = 5\n", "node"),
        (b'interval_s = "soon"\n', "interval_s"),
        (b"interval_s = 0\n", "interval_s"),
        (b"tcp_port = 70000\n", "tcp_port"),
        (b'node_role = "boss"\n', "node_role"),
        (b'postgres_urls = "postgresql://u:hunter2@h/d"\n', "postgres_urls"),
        (b'database_url = ["postgresql://u:hunter2@h/d"]\n', "database_url"),
        (b'home = "~nobody of that name/x"\n', "home"),
    ],
)
def test_a_wrong_file_is_named_with_the_option(file: Path, text: bytes, said: str) -> None:
    file.write_bytes(text)
    with pytest.raises(ConfigurationError) as error:
        load()
    assert said in error.value.message
    assert str(file) in error.value.message + error.value.remedy
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AYA_NODE", "a/b"),
        ("AYA_NODE", " a"),
        ("AYA_NODE", "a\x1b[31m"),
        ("AYA_NODE", "a\nb"),
        ("AYA_NODE", "x" * 201),
        ("AYA_NODE", "\udcff"),
        ("AYA_TCP_PORT", "http"),
        ("AYA_INTERVAL_S", "-1"),
        ("AYA_POSTGRES_URLS", "postgresql://u:hunter2@h/d"),
        ("AYA_POSTGRES_URLS", '["postgresql://u:hunter2@h/d", 5]'),
        ("AYA_HOME", 'quo"te'),
        ("AYA_HOME", "$(id)"),
        ("AYA_HOME", "back\\slash"),
        ("AYA_HOME", "com,ma"),
        ("AYA_HOME", "new\nline"),
        ("AYA_HOME", "bad\udcff"),
        ("AYA_HOME", "~nobody of that name/x"),
    ],
)
def test_a_wrong_variable_is_named_and_its_secrets_are_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, value: str
) -> None:
    monkeypatch.setenv("AYA_HOME", str(tmp_path))
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError) as error:
        load()
    assert variable in error.value.message or variable.removeprefix("AYA_").lower() in error.value.message
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("node", ["ALPHA", "Ünï cödé 😀", 'it\'s "me"', "-dash", "a.b.c", "%s", "[bold]"])
def test_odd_but_printable_names_of_nodes_are_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, node: str) -> None:
    monkeypatch.setenv("AYA_HOME", str(tmp_path))
    monkeypatch.setenv("AYA_NODE", node)
    assert load().node == node


def test_a_config_that_is_not_there_is_wrong_usage_even_for_commands_that_need_none(
    nowhere: Command, tmp_path: Path
) -> None:
    for named in (tmp_path / "none.toml", tmp_path):
        done = nowhere("settings", "--json", AYA_CONFIG=str(named))
        assert done.code == 2
        assert str(named) in done.document["error"]["message"]


def test_the_flag_reaches_what_is_collected(nowhere: Command) -> None:
    done = nowhere("collect", "--dry-run", "--json", "--node", "FLAG", AYA_NODE="VARIABLE")
    assert done.document["node_name"] == "FLAG"
