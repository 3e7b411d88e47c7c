"""What a collector may ask of a machine, and the answers it gets.

A collector names its questions as `Read` values and never runs anything itself, so that understanding stays pure, and
the same collector works on this machine and on a recorded one.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import translate
from functools import cache
from math import inf
from time import monotonic
from typing import Protocol, runtime_checkable

from aya.model import Gap, Outcome


@dataclass(frozen=True, slots=True)
class Read:
    """One question to a machine."""

    optional: bool = field(default=False, kw_only=True)
    """Whether not being answered, even by a refusal, leaves no gap; only being broken off always does."""


@dataclass(frozen=True, slots=True)
class File(Read):
    """The content of one file."""

    path: str


@dataclass(frozen=True, slots=True)
class Head(Read):
    """The first bytes of one file, however large it is; answered under the name `head PATH`."""

    path: str
    size: int = 64


@dataclass(frozen=True, slots=True)
class Files(Read):
    """The content of every file that a shell pattern matches: `*`, `?`, `[…]`.

    `*` stays within one folder, and finds names that begin with a dot as well: they hide from people, not from us.
    """

    pattern: str


@dataclass(frozen=True, slots=True)
class Links(Read):
    """Where every symbolic link that a shell pattern matches points to; the text is the target."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Names(Read):
    """Which paths a shell pattern matches; the text of each is empty."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Command(Read):
    """What a program prints, run without a shell, in the C locale, with a time limit."""

    argv: tuple[str, ...]
    timeout_s: float = field(default=10.0, kw_only=True)


@dataclass(frozen=True, slots=True)
class Call(Read):
    """What a library of the operating system answers, as JSON: a name out of `aya.host.local.CALLS`."""

    name: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `data` may be there even when the outcome is not `ok`: half an answer is kept."""

    outcome: Outcome
    data: bytes = b""
    reason: str = ""
    exit_status: int | None = None
    errors: str = ""
    broken_off: bool = False
    """Whether it was a program that took too long or printed too much, and was ended."""

    @property
    def text(self) -> str:
        """The data as text; bytes that are not UTF-8 are kept as Python keeps them in file names (`surrogateescape`).

        So a name is the same whether it was read in a file or is the name of one. Before a text is stored, such bytes
        become visible as `\\xNN`.
        """
        return self.data.decode("utf-8", errors="surrogateescape")


class Host(Protocol):
    """A machine that can be asked: this one, or a recording of another."""

    @property
    def system(self) -> str:
        """`Linux` or `Darwin`."""
        ...

    def ask(self, read: Read) -> Mapping[str, Answer]:
        """Answer a question. Patterns give an answer for each path, everything else one under its own name."""
        ...


@runtime_checkable
class Distant(Protocol):
    """A machine so far away that it is asked everything at once."""

    def ask_all(self, reads: Sequence[Read], timeout_s: float) -> Mapping[str, Answer]:
        """Answer questions as `Host.ask` does; programs have `timeout_s` altogether."""
        ...


def name_of(read: Read) -> str:
    """The name under which a question that has one answer is answered."""
    match read:
        case File(path=path):
            return path
        case Head(path=path):
            return f"head {path}"
        case Command(argv=argv):
            return " ".join(argv)
        case Call(name=name):
            return name
    raise TypeError(f"{read!r} is a pattern and has no single answer")


def rest_of(pattern: str) -> str:
    """The name of the answer that says that there may be more than what was found for a pattern; no path looks so."""
    return f"all {pattern} there are"


class Found:
    """The answers to a collector's questions. Asking for something that was not read is a mistake and raises."""

    def __init__(self, reads: Iterable[Read] = (), answers: Mapping[str, Answer] | None = None) -> None:
        self._reads = tuple(reads)
        self._answers = dict(answers or {})

    @classmethod
    def of(cls, host: Host, reads: Iterable[Read], deadline: float = inf) -> "Found":
        """Ask `host` every question once. Programs are run until `deadline`, on the clock of `time.monotonic`."""
        reads = tuple(reads)
        answers: dict[str, Answer] = {}
        distant = host if isinstance(host, Distant) else None
        together: list[Read] = []
        for read in reads:
            asked = read
            if isinstance(read, Command):
                left = deadline - monotonic()
                if left <= 0:
                    name = name_of(read)
                    answers[name] = Answer(Outcome.FAILED, reason=f"{name}: no time was left for it", broken_off=True)
                    continue
                asked = replace(read, timeout_s=min(read.timeout_s, left))
            if distant is None:
                answers.update(host.ask(asked))
            else:
                together.append(asked)
        if distant is not None and together:
            answers.update(distant.ask_all(together, deadline - monotonic()))
        return cls(reads, answers)

    def __add__(self, other: "Found") -> "Found":
        return Found(self._reads + other._reads, self._answers | other._answers)

    def answer(self, name: str) -> Answer:
        """The whole answer to the question with that path, command line or call name."""
        if name in self._answers:
            return self._answers[name]
        if not any(self.covers(read, name) for read in self._reads):
            raise KeyError(f"{name!r} is not among this collector's reads")
        return Answer(Outcome.ABSENT, reason=f"{name} does not exist")

    def text(self, name: str) -> str | None:
        """The text of a file, link, command or call; None where there is none or it could not be had."""
        answer = self.answer(name)
        return answer.text if answer.outcome is Outcome.OK else None

    def line(self, name: str) -> str | None:
        """Like `text`, stripped of white space and NUL; None where nothing is left."""
        text = self.text(name)
        return (text.strip(" \t\r\n\0") or None) if text is not None else None

    def matches(self, pattern: str) -> Iterator[tuple[str, str]]:
        """Path and text of everything that was read well and matches a pattern, in order of path."""
        for path in sorted(self._answers):
            if path_matches(path, pattern) and self._answers[path].outcome is Outcome.OK:
                yield path, self._answers[path].text

    def answers(self) -> Mapping[str, Answer]:
        """Everything that was answered."""
        return self._answers

    def gaps(self) -> tuple[Gap, ...]:
        """What could not be looked at though it is there, for reads that are not optional.

        A program that had to be ended counts also where it is: nobody knows what it would have said.
        """
        quiet = {Outcome.OK, Outcome.ABSENT}
        optional = [read for read in self._reads if read.optional]
        patterns = [read.pattern for read in optional if isinstance(read, Files | Links | Names)]
        names = {name_of(read) for read in optional if not isinstance(read, Files | Links | Names)}

        def is_optional(name: str) -> bool:
            return name in names or any(path_matches(name, pattern) for pattern in patterns)

        return tuple(
            Gap(answer.outcome, answer.reason or name)
            for name, answer in sorted(self._answers.items())
            if answer.outcome not in quiet and (answer.broken_off or not is_optional(name))
        )

    @staticmethod
    def covers(read: Read, name: str) -> bool:
        """Whether a name is among those under which a question is answered."""
        if isinstance(read, Files | Links | Names):
            return path_matches(name, read.pattern)
        return name_of(read) == name


def path_matches(path: str, pattern: str) -> bool:
    """Whether a path matches a shell pattern folder by folder, as a shell would that hides nothing (`dotglob`)."""
    wanted = _folders(pattern)
    # Most paths of a machine are at another depth: counting is all that they cost.
    if path.count("/") != len(wanted) - 1:
        return False
    return all(matches(part) for matches, part in zip(wanted, path.split("/"), strict=True))


@cache
def _folders(pattern: str) -> tuple[Callable[[str], object], ...]:
    return tuple(
        re.compile(translate(part)).match if set(part) & set("*?[") else part.__eq__ for part in pattern.split("/")
    )
