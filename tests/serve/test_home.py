"""AYA_HOME in odd places, and AYA as a user who may do little."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import make_home
from tests.serve.command import NOBODY, Command, as_ordinary_user


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user can pass through."""
    made = make_home()
    yield made
    shutil.rmtree(made)


@pytest.fixture
def ordinary() -> Command:
    """`aya` as a user who owns nothing."""
    command = as_ordinary_user()
    if command is None:
        pytest.skip("only root can become another user, and only with a Python that others may run")
    return command


def test_a_home_with_spaces_quotes_and_other_letters_works_throughout(folder: Path) -> None:
    aya = Command.at(folder / "it's Ünï [cödé] 100%;x")
    try:
        assert aya("db", "migrate").code == 0
        assert aya("db", "psql", "-AtXc", "SELECT 6 * 7").out == "42\n"
        assert aya("db", "status", "--json").document["data_folder"] == str(aya.home / "data")
        assert aya("doctor").code == 0
    finally:
        assert aya("db", "stop").code == 0


@pytest.mark.parametrize("place", ["file", "file/below", "dangling"])
def test_a_home_that_cannot_be_one_is_named_and_left_alone(folder: Path, place: str) -> None:
    (folder / "file").write_text("mine")
    (folder / "dangling").symlink_to(folder / "nowhere")
    aya = Command.at(folder / place)
    for arguments in (("up", "--once"), ("collect",)):
        done = aya(*arguments, "--json")
        assert done.code == 1
        assert str(aya.home) in done.document["error"]["message"]
        assert "AYA_HOME" in done.document["error"]["remedy"]
    assert aya("doctor").code == 3
    assert sorted(entry.name for entry in folder.iterdir()) == ["dangling", "file"]
    assert (folder / "file").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() != 0, reason="as an ordinary user AYA needs no folder that others can pass")
def test_root_is_told_of_a_closed_folder_above_the_home_and_leaves_it_closed(folder: Path) -> None:
    folder.chmod(0o700)
    done = Command.at(folder / "home")("up", "--once", "--json")
    assert done.code == 1
    assert f"{folder} is closed" in done.document["error"]["message"]
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
def test_a_careful_umask_of_root_does_not_lock_the_server_out(folder: Path) -> None:
    aya = Command.at(folder / "home")
    before = os.umask(0o077)
    try:
        assert aya("db", "migrate").code == 0
    finally:
        os.umask(before)
        aya("db", "stop")


def test_an_ordinary_user_has_everything_but_what_may_not_be_read(folder: Path, ordinary: Command) -> None:
    os.chown(folder, NOBODY, NOBODY)
    aya = ordinary.given(HOME=str(folder), AYA_NODE="MINE")
    try:
        up = aya("up", "--once", "--json")
        assert up.code in (0, 3), up.err
        told = up.document
        assert told["home"] == str(folder / ".local/share/aya")
        assert told["snapshot"]["snapshot_name"] == "baseline"
        outcomes = {(o["collector"], o["target"]): o for o in told["collection"]["outcomes"]}
        assert len(outcomes) == len(told["collection"]["outcomes"])
        assert outcomes["os_release", ""]["outcome"] == "ok"
        for outcome in outcomes.values():
            assert (outcome["reason"] is None) is (outcome["outcome"] in ("ok", "absent"))
        own = [i for i in aya("show", "instances", "--json").document if i["data_directory"].startswith(str(folder))]
        assert len(own) == 1
        assert aya("doctor").code == 0
        (node,) = aya("show", "node", "--json").document
        assert node["kernel_version"].endswith(os.uname().release)
    finally:
        assert aya("db", "stop").code == 0


def test_an_ordinary_user_is_told_what_may_not_be_used(folder: Path, ordinary: Command) -> None:
    (folder / "mine").mkdir()
    (folder / "closed").mkdir(0o700)
    others = folder / "others"
    for part in ("", "data", "secrets"):
        (others / part).mkdir(0o755 if not part else 0o700)
    for home in ("mine", "mine/below", "closed/home"):
        done = ordinary.given(AYA_HOME=str(folder / home))("up", "--once", "--json")
        assert done.code in (1, 2)
        assert str(folder / home) in done.document["error"]["message"]
    aya = ordinary.given(AYA_HOME=str(others))
    for arguments in (("up", "--once"), ("collect",), ("show",), ("db", "status"), ("db", "stop")):
        done = aya(*arguments, "--json")
        assert done.code == 1
        assert "cannot be seen" in done.document["error"]["message"]
    assert aya("collect", "--dry-run").code == 0


def test_a_user_without_a_name_is_told_so(folder: Path, ordinary: Command) -> None:
    nameless = 54321
    (folder / "mine").mkdir()
    os.chown(folder / "mine", nameless, nameless)
    aya = Command({**ordinary.variables, "AYA_HOME": str(folder / "mine")}, ordinary.program, nameless)
    done = aya("up", "--once", "--json")
    assert done.code == 1
    assert "54321 has no name" in done.document["error"]["message"]
    assert aya("collect", "--dry-run").code == 0
