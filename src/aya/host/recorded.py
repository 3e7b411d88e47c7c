"""A machine that is not here: what it answered once is in a recording, and nothing else is known of it.

What a recording does not hold is `unreadable`, never absent. Only what it says was absent is.
"""

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from posixpath import dirname

from aya.errors import UsageError
from aya.host.archive import MANIFEST, UNPACKED, Archive, inside, open_archive
from aya.host.command_line import Argv, distance, parsed, program_of
from aya.host.excerpt import excerpt
from aya.host.manifest import Kept, Manifest, read_manifest
from aya.host.process import judged
from aya.host.reading import (
    Answer,
    Call,
    Command,
    File,
    Files,
    Head,
    Links,
    Names,
    Read,
    name_of,
    path_matches,
    rest_of,
)
from aya.model import Outcome

NOT_THERE = "not in the recording"
NO_SUCH_PROGRAM = 127
"""The exit status by which a shell says that there is no such program."""
KERNEL_VARIABLES = "/proc/sys/"


class RecordedHost:
    """A recording of a machine."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        listed = archive.read(MANIFEST)
        if listed.outcome is not Outcome.OK:
            raise UsageError(f"The recording has no {MANIFEST} that can be read.", remedy=UNPACKED)
        self.manifest: Manifest = read_manifest(listed.data)
        said = self.manifest
        for kept in (*said.commands.values(), *said.files.values(), *said.heads.values()):
            for name in (kept.content, kept.errors):
                if name is not None:
                    inside(name)

    @classmethod
    def open(cls, path: Path) -> "RecordedHost":
        """The recording in a folder or `.tar.gz`. Raises UsageError where there is none, or one that cannot be used."""
        return cls(open_archive(path))

    @property
    def system(self) -> str:
        """`Linux` or `Darwin`."""
        return self.manifest.system

    def ask(self, read: Read) -> Mapping[str, Answer]:
        """Answer a question from the recording; see `aya.host.reading.Host`.

        Where it holds only a part of what was asked for, an answer more says that the rest is not known. Raises
        UsageError where a file of it is a link that leads out of it.
        """
        match read:
            case File(path=path):
                return {path: self._file(path)}
            case Head(path=path, size=size):
                return {name_of(read): self._head(path, size)}
            case Files(pattern=pattern):
                files = {path: self._file(path) for path in _matching(self._files, pattern)}
                return files | self._rest(read, "files", pattern, files)
            case Links(pattern=pattern):
                links = {path: self._link(path) for path in _matching(self._links, pattern)}
                return links | self._rest(read, "links", pattern, links)
            case Names(pattern=pattern):
                names = {path: Answer(Outcome.OK) for path in _matching(self._names, pattern)}
                return names | self._rest(read, "names", pattern, names)
            case Command(argv=argv):
                return self._command(read, argv)
            case Call(name=name):
                return {name: self._call(name)}
        raise TypeError(f"a machine cannot be asked {read!r}")

    # --- files, links, names --------------------------------------------------------------------------------------

    @cached_property
    def _printed_files(self) -> Mapping[str, str]:
        """Files that somebody printed: path -> the line `cat PATH`."""
        return {argv[1]: line for line, argv in self._lines.get("cat", ()) if len(argv) == 2}

    @cached_property
    def _files(self) -> list[str]:
        return sorted({*self.manifest.files, *self._printed_files})

    @cached_property
    def _links(self) -> list[str]:
        return sorted(self.manifest.links)

    @cached_property
    def _names(self) -> list[str]:
        """Every path of which the recording shows that it is there, and the folders above them."""
        kept = {**self.manifest.files, **self.manifest.heads, **self.manifest.links}
        there = {path for path, answer in kept.items() if answer.outcome is not Outcome.ABSENT}
        there |= {path for path in self._printed_files if self._file(path).outcome is Outcome.OK}
        there |= self.manifest.names
        for path in tuple(there):
            while (path := dirname(path)) not in there and path not in ("", "/"):
                there.add(path)
        return sorted(there)

    def _file(self, path: str) -> Answer:
        kept = self.manifest.files.get(path)
        if kept is not None:
            return self._answer(kept, path)
        if path in self._printed_files:
            return self._printed(self._printed_files[path])
        if path.startswith(KERNEL_VARIABLES):
            asked = ("sysctl", "-n", path.removeprefix(KERNEL_VARIABLES).replace("/", "."))
            answer = self._command(Command(asked, optional=True), asked)[" ".join(asked)]
            if answer.outcome is Outcome.OK:
                return answer
        said = self._derived(path)
        return _unknown(path) if said is None else Answer(Outcome.OK, f"{said}\n".encode("utf-8", "surrogateescape"))

    def _head(self, path: str, size: int) -> Answer:
        kept = self.manifest.heads.get(path)
        answer = self._answer(kept, path) if kept is not None else self._file(path)
        if answer.outcome is Outcome.OK:
            return Answer(Outcome.OK, answer.data[:size])
        return answer

    def _link(self, path: str) -> Answer:
        kept = self.manifest.links[path]
        if kept.outcome in (None, Outcome.OK) and kept.content is not None:
            return Answer(Outcome.OK, kept.content.encode("utf-8", "surrogateescape"))
        return Answer(kept.outcome or Outcome.UNREADABLE, reason=kept.reason or f"{path}: {NOT_THERE}")

    def _rest(self, read: Read, kind: str, pattern: str, found: Mapping[str, Answer]) -> dict[str, Answer]:
        """Beside what was found for a pattern: that there may have been more, which nobody wrote down."""
        if read.optional or pattern in self.manifest.whole.get(kind, ()):
            return {}
        if pattern in found and not set(pattern) & set("*?["):
            return {}
        return {rest_of(pattern): _unknown(pattern)}

    # --- commands ------------------------------------------------------------------------------------------------

    @cached_property
    def _lines(self) -> Mapping[str, list[tuple[str, Argv]]]:
        """Program -> every recorded command line of it, as it was written, and as program and arguments."""
        found: dict[str, list[tuple[str, Argv]]] = {}
        for line in self.manifest.commands:
            if (argv := parsed(line)) is not None:
                found.setdefault(program_of(argv), []).append((line, argv))
        return found

    def _command(self, read: Read, argv: Argv) -> Mapping[str, Answer]:
        name = " ".join(argv)
        alike = self._lines.get(program_of(argv), [])
        near = [
            (far, -len(recorded), line) for line, recorded in alike if (far := distance(argv, recorded)) is not None
        ]
        if near:
            return {name: self._printed(min(near)[2])}
        answers = ((recorded, self._printed(line)) for line, recorded in alike)
        if found := excerpt(argv, ((recorded, answer.data) for recorded, answer in answers if answer.data)):
            answer = {name: Answer(Outcome.OK, found.data, exit_status=0)}
            return answer if found.whole or read.optional else answer | {f"the rest of {name}": _unknown(name)}
        if alike and all(self._printed(line).outcome is Outcome.ABSENT for line, _ in alike):
            return {name: self._printed(alike[0][0])}
        return {name: _unknown(name)}

    def _printed(self, line: str) -> Answer:
        return self._answer(self.manifest.commands[line], line)

    # --- calls ---------------------------------------------------------------------------------------------------

    def _call(self, name: str) -> Answer:
        kept = self.manifest.calls.get(name)
        if kept is not None:
            if kept.outcome in (None, Outcome.OK):
                return Answer(Outcome.OK, json.dumps(kept.value).encode())
            return Answer(kept.outcome, reason=kept.reason or f"{name}: {kept.outcome}")
        said = self._derived(name)
        if said is None:
            return _unknown(name)
        return Answer(Outcome.OK, json.dumps(int(said) if said.isdigit() else said).encode())

    def _derived(self, name: str) -> str | None:
        """What programs said of a call, or of a file of the kernel, that says no more than they."""
        for argv, pattern in DERIVED.get(name, ()):
            answer = self._command(Command(argv, optional=True), argv)[" ".join(argv)]
            said = answer.text[:SAID_CHARACTERS] if answer.outcome is Outcome.OK else ""
            found: list[str] = re.findall(pattern, said)
            if found:
                return WORDS.get(found[-1], found[-1])
        return None

    # --- all -----------------------------------------------------------------------------------------------------

    def _answer(self, kept: Kept, what: str) -> Answer:
        """An answer as it was, with the outcome that a live machine would have given it."""
        content = self._archive.read(kept.content) if kept.content is not None else Answer(Outcome.OK)
        errors = self._archive.read(kept.errors).text.strip() if kept.errors is not None else ""
        if content.outcome is not Outcome.OK:
            return content
        if kept.outcome is not None:
            reason = kept.reason or ("" if kept.outcome is Outcome.OK else f"{what}: {kept.outcome}")
            return Answer(kept.outcome, content.data, reason, kept.exit_status, errors, kept.broken_off)
        if kept.exit_status == NO_SUCH_PROGRAM and not content.data:
            return Answer(Outcome.ABSENT, b"", f"{what}: there was no such program", kept.exit_status, errors)
        return judged(what, kept.exit_status or 0, content.data, errors)


_ARCHITECTURE = (
    r"\b(x86_64|aarch64|arm64e?|i[3-6]86|armv[5-8]\w*|ppc64(?:le)?|ppc|riscv64|s390x?|loongarch64|mips\w*)\b"
)
DERIVED: Mapping[str, Iterable[tuple[Argv, str]]] = {
    "machine-architecture": (
        (("uname", "-m"), r"^(\S+)\s*$"),
        (("arch",), r"^(\S+)\s*$"),
        (("uname", "-a"), _ARCHITECTURE),
        (("lscpu",), r"(?m)^Architecture:\s+(\S+)"),
        (("sysctl", "hw.machine"), r"^hw\.machine[:=] *(\S+)"),
    ),
    "page-size": (
        (("getconf", "PAGESIZE"), r"^(\d{1,9})\s*$"),
        (("getconf", "PAGE_SIZE"), r"^(\d{1,9})\s*$"),
        (("pagesize",), r"^(\d{1,9})\s*$"),
        (("sysctl", "-n", "hw.pagesize"), r"^(\d{1,9})\s*$"),
    ),
    "clock-ticks": ((("getconf", "CLK_TCK"), r"^(\d{1,9})\s*$"),),
    "byte-order": ((("lscpu",), r"(?m)^Byte Order:\s+(Little|Big) Endian"),),
    "user-id": ((("id", "-u"), r"^(\d{1,9})\s*$"),),
    "/proc/sys/kernel/hostname": (
        (("hostname",), r"^(\S{1,255})\s*$"),
        (("uname", "-n"), r"^(\S{1,255})\s*$"),
        (("uname", "-a"), r"^Linux (\S{1,255}) "),
    ),
    "/proc/sys/kernel/osrelease": (
        (("uname", "-r"), r"^(\S{1,255})\s*$"),
        (("uname", "-a"), r"^Linux \S{1,255} (\S{1,255}) "),
    ),
}
"""Calls and files that a program says as well: the program, and where its answer has the value."""
SAID_CHARACTERS = 10_000
"""In more than that nobody says one value; of several the last counts, as in `uname -a`."""
WORDS = {"Little": "little", "Big": "big"}


def _matching(paths: list[str], pattern: str) -> Iterator[str]:
    """The paths, of a sorted list, that a shell pattern matches."""
    start = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    for place in range(bisect_left(paths, start), len(paths)):
        if not paths[place].startswith(start):
            return
        if path_matches(paths[place], pattern):
            yield paths[place]


def _unknown(what: str) -> Answer:
    return Answer(Outcome.UNREADABLE, reason=f"{NOT_THERE}: {what}")
