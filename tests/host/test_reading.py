"""Questions and answers: what was asked, what came back, and what that leaves open."""

import os
import tempfile
from collections.abc import Mapping
from glob import glob
from math import inf
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.host.reading import Answer, Call, Command, File, Files, Found, Head, Links, Names, Read, name_of, path_matches
from aya.model import Gap, Outcome

REFUSED = Answer(Outcome.DENIED, reason="no")
BROKEN_OFF = Answer(Outcome.FAILED, reason="too slow", broken_off=True)


class Asked:
    """A machine that keeps the questions and answers none."""

    system = "Linux"

    def __init__(self) -> None:
        self.reads: list[Read] = []

    def ask(self, read: Read) -> Mapping[str, Answer]:
        self.reads.append(read)
        return {}


# --- patterns ---------------------------------------------------------------------------------------------------------

NAMES = st.text("ab.-*[]!?1é\n \\", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
PATTERNS = st.lists(
    st.one_of(NAMES, st.sampled_from(["*", "?", "[ab]", "[!a]*", "a*", "*.*", "[0-9]*", ".*", "[", "[a", "a[", "[]]"])),
    min_size=1,
    max_size=3,
).map("".join)


@given(st.lists(NAMES, max_size=6), PATTERNS, PATTERNS)
def test_a_path_matches_a_pattern_as_it_does_on_a_real_disk(names: list[str], folder: str, name: str) -> None:
    with tempfile.TemporaryDirectory() as root:
        for one in names:
            (Path(root) / one).mkdir(exist_ok=True)
            for other in names:
                (Path(root) / one / other).touch()
        there = [f"{one}/{other}" for one in os.listdir(root) for other in os.listdir(f"{root}/{one}")]
        found = glob(f"{folder}/{name}", root_dir=root, include_hidden=True)
        assert sorted(path for path in there if path_matches(path, f"{folder}/{name}")) == sorted(found)


@pytest.mark.parametrize(
    ("path", "pattern", "matches"),
    [
        ("/sys/block/sda/size", "/sys/block/*/size", True),
        ("/sys/block/sda/sda1/size", "/sys/block/*/size", False),
        ("/sys/block/size", "/sys/block/*/size", False),
        ("/proc/12/fd/3", "/proc/[0-9]*/fd/[0-9]*", True),
        ("/proc/self/fd/3", "/proc/[0-9]*/fd/[0-9]*", False),
        ("/sys/class/net/.hidden/type", "/sys/class/net/*/type", True),
        ("/sys/class/net/a\nb/type", "/sys/class/net/*/type", True),
    ],
)
def test_a_star_stays_in_its_folder(path: str, pattern: str, matches: bool) -> None:
    assert path_matches(path, pattern) is matches


# --- answers ----------------------------------------------------------------------------------------------------------


def test_an_answer_to_a_question_that_was_asked_and_not_answered_is_absent() -> None:
    found = Found([File("/a"), Files("/b/*"), Command(("c", "-d")), Call("e"), Head("/f")])
    for name in ("/a", "/b/x", "c -d", "e", "head /f"):
        assert found.answer(name).outcome is Outcome.ABSENT
        assert (found.text(name), found.line(name)) == (None, None)


@pytest.mark.parametrize("name", ["/b", "/a/b", "c", "/f", "head /a"])
def test_asking_for_what_was_not_read_is_a_mistake(name: str) -> None:
    with pytest.raises(KeyError, match="not among"):
        Found([File("/a"), Command(("c", "-d")), Head("/f")]).text(name)


def test_half_an_answer_is_no_text_but_is_kept() -> None:
    half = Answer(Outcome.FAILED, b"half", "ended with 1")
    found = Found([Command(("c",))], {"c": half})
    assert found.text("c") is None
    assert found.answer("c").text == "half"


def test_a_line_has_no_blanks_around_it_and_is_never_empty() -> None:
    answers = {"/a": Answer(Outcome.OK, b" x y\n\0"), "/b": Answer(Outcome.OK, b" \r\n")}
    found = Found([File("/a"), File("/b")], answers)
    assert (found.line("/a"), found.line("/b"), found.text("/b")) == ("x y", None, " \r\n")


def test_a_name_is_the_same_in_a_file_and_as_one() -> None:
    name = b"caf\xe9"
    assert Answer(Outcome.OK, name).text == os.fsdecode(name)


def test_matches_are_those_read_well_in_order_of_their_paths() -> None:
    answers = {f"/d/{name}": Answer(Outcome.OK, name.encode()) for name in "cab"} | {"/d/no": REFUSED}
    assert list(Found([Files("/d/*")], answers).matches("/d/*")) == [("/d/a", "a"), ("/d/b", "b"), ("/d/c", "c")]


def test_later_answers_are_added_to_the_first() -> None:
    first = Found([File("/a")], {"/a": Answer(Outcome.OK, b"1")})
    both = first + Found([File("/b")], {"/b": Answer(Outcome.OK, b"2")})
    assert (both.text("/a"), both.text("/b")) == ("1", "2")
    with pytest.raises(KeyError):
        first.text("/b")


@pytest.mark.parametrize("pattern", [Files("/a*"), Links("/a*"), Names("/a*")])
def test_a_pattern_has_no_single_answer(pattern: Read) -> None:
    with pytest.raises(TypeError):
        name_of(pattern)


# --- gaps -------------------------------------------------------------------------------------------------------------


def test_what_is_not_there_leaves_no_gap_and_a_refusal_does() -> None:
    found = Found([File("/a"), File("/b")], {"/a": Answer(Outcome.ABSENT, reason="none"), "/b": REFUSED})
    assert found.gaps() == (Gap(Outcome.DENIED, "no"),)


def test_an_optional_question_may_be_refused_or_fail_but_not_be_broken_off() -> None:
    reads = [File("/a", optional=True), Command(("b",), optional=True), Command(("c",), optional=True)]
    answers = {"/a": REFUSED, "b": Answer(Outcome.FAILED, reason="ended with 1"), "c": BROKEN_OFF}
    assert Found(reads, answers).gaps() == (Gap(Outcome.FAILED, "too slow"),)


def test_an_optional_pattern_covers_all_its_paths() -> None:
    reads = [Files("/a/*", optional=True), Files("/b/*")]
    assert Found(reads, {"/a/x": REFUSED, "/b/x": REFUSED}).gaps() == (Gap(Outcome.DENIED, "no"),)


# --- time -------------------------------------------------------------------------------------------------------------


def test_no_program_is_started_when_the_time_is_over_and_files_are_still_read() -> None:
    machine = Asked()
    found = Found.of(machine, [Command(("a",), optional=True), File("/b"), Command(("c",))], deadline=-inf)
    assert machine.reads == [File("/b")]
    assert [gap.outcome for gap in found.gaps()] == [Outcome.FAILED, Outcome.FAILED]
    assert "no time was left" in found.answer("a").reason


def test_a_program_gets_its_own_time_or_what_is_left() -> None:
    machine = Asked()
    Found.of(machine, [Command(("a",), timeout_s=5)])
    Found.of(machine, [Command(("a",), timeout_s=1000)], deadline=monotonic() + 500)
    given_s = [read.timeout_s for read in machine.reads if isinstance(read, Command)]
    assert given_s[0] == 5
    assert 0 < given_s[1] <= 500
