"""A recording in the making: a machine that is asked as always, and every answer kept, to be written as files with a manifest.

What is written is what `aya.host.recorded` reads; docs/recordings.md tells its form.
"""

import io
import json
import os
import re
import shlex
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

from aya.errors import Conflict, HostError
from aya.host.archive import ARCHIVE_LIMIT_BYTES, MANIFEST
from aya.host.reading import (
    Answer,
    Call,
    Command,
    Distant,
    File,
    Files,
    Found,
    Head,
    Host,
    Links,
    Names,
    Read,
    name_of,
    rest_of,
)
from aya.model import Outcome

FOLDERS = {"commands": "commands", "files": "files", "heads": "heads"}
PROGRAM_BYTES = 4096
"""A head that is longer is of a program. A compiled one is as its maker built it: no secrets of this machine are in it."""
READ_ME = """This is what one machine answered when AYA looked at it: {answers} answers, written {when} by AYA {version}.

host.json says which file answers which question; docs/recordings.md of AYA tells its form. To see what AYA makes of it:

    aya collect --host recorded:PATH --node NAME --dry-run

Known shapes of secrets (passwords, tokens, keys) were replaced by [redacted:...]. {names}
Addresses of networks, names of programs and their arguments, and the list of what is installed are in it.
Look through it before you give it to anybody.
"""
NAMES_KEPT = "Names of people and machines, serial numbers and MAC addresses were kept."
NAMES_LEFT_OUT = (
    "What is known of names of people and the machine, serial numbers, UUIDs and MAC addresses was made up anew."
)


@dataclass(frozen=True, slots=True)
class Written:
    """A recording that was written."""

    path: str
    answers: int
    """Questions with their answers."""
    files: int
    size_bytes: int
    """Of all its files together, unpacked."""
    redacted: int
    """Answers in which a secret was replaced."""


@dataclass
class Tape:
    """Everything that a machine was asked and answered."""

    system: str
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    """By kind (`commands`, `files`, `heads`, `links`, `names`, `calls`) and path, command line or name."""
    whole: dict[str, set[str]] = field(default_factory=lambda: {"files": set(), "links": set(), "names": set()})
    programs: set[str] = field(default_factory=set)
    """Heads that are of programs."""


class RecordingHost:
    """Another host, with every answer kept. May be asked by several threads at once."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._lock = Lock()
        self.tape = Tape(host.system)

    @property
    def system(self) -> str:
        """`Linux` or `Darwin`."""
        return self._host.system

    def ask(self, read: Read) -> Mapping[str, Answer]:
        """Answer a question as the host behind does."""
        answers = self._host.ask(read)
        self._keep(read, answers)
        return answers

    def ask_all(self, reads: Sequence[Read], timeout_s: float) -> Mapping[str, Answer]:
        """Answer questions together, where the host behind does; else one by one."""
        if not isinstance(self._host, Distant):
            return {name: answer for read in reads for name, answer in self.ask(read).items()}
        answers = self._host.ask_all(reads, timeout_s)
        for read in reads:
            if isinstance(read, Files | Links | Names):
                mine = {name for name in answers if Found.covers(read, name)} | {rest_of(read.pattern)}
                self._keep(read, {name: answer for name, answer in answers.items() if name in mine})
            else:
                self._keep(read, {name_of(read): answers[name_of(read)]})
        return answers

    def _keep(self, read: Read, answers: Mapping[str, Answer]) -> None:
        with self._lock:
            match read:
                case Files(pattern=pattern) | Links(pattern=pattern) | Names(pattern=pattern):
                    kind = type(read).__name__.lower()
                    if rest_of(pattern) not in answers:
                        self.tape.whole[kind].add(pattern)
                    for path, answer in answers.items():
                        if path != rest_of(pattern):
                            self.tape.answers.setdefault((kind, path), answer)
                case Command(argv=argv):
                    self.tape.answers.setdefault(("commands", shlex.join(argv)), answers[name_of(read)])
                case Head(path=path, size=size):
                    before = self.tape.answers.get(("heads", path))
                    if before is None or len(before.data) < len(answers[name_of(read)].data):
                        self.tape.answers["heads", path] = answers[name_of(read)]
                    if size > PROGRAM_BYTES:
                        self.tape.programs.add(path)
                case File(path=path):
                    self.tape.answers.setdefault(("files", path), answers[path])
                case Call(name=name):
                    self.tape.answers.setdefault(("calls", name), answers[name])


# --- what is written --------------------------------------------------------------------------------------------------


class Writer:
    """Files of a recording, made one by one: what was answered twice is one file."""

    def __init__(self, clean: Callable[[str], str]) -> None:
        self.files: dict[str, bytes] = {}
        self.redacted = 0
        self._clean = clean
        self._by_content: dict[bytes, str] = {}

    def text(self, text: str) -> str:
        """A path, command line or reason, cleaned."""
        return self._clean(text)

    def content(self, folder: str, name: str, data: bytes, *, as_it_is: bool = False) -> str:
        """Keep the content of an answer; the name of the file that holds it."""
        cleaned = data if as_it_is else self._cleaned(data)
        digest = sha256(cleaned).digest()
        if digest not in self._by_content:
            self._by_content[digest] = self._free(folder, name)
            self.files[self._by_content[digest]] = cleaned
        return self._by_content[digest]

    def _cleaned(self, data: bytes) -> bytes:
        text = data.decode("utf-8", "surrogateescape")
        cleaned = self._clean(text)
        self.redacted += cleaned != text
        return cleaned.encode("utf-8", "surrogateescape")

    def _free(self, folder: str, name: str) -> str:
        """A name of a file by which people find it, that is not taken."""
        plain = re.sub(r"[^A-Za-z0-9._=+-]+", "-", self._clean(name)).strip("-.")[:80] or "answer"
        number, path = 1, f"{folder}/{plain}.txt"
        while path in self.files:
            number += 1
            path = f"{folder}/{plain}-{number}.txt"
        return path


def manifest(tape: Tape, writer: Writer, about: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of everything on the tape, with its files given to the writer."""
    said: dict[str, Any] = {
        "about": dict(about),
        "system": tape.system,
        "commands": {},
        "files": {},
        "heads": {},
        "links": {},
        "calls": {},
    }
    for (kind, asked), answer in sorted(tape.answers.items()):
        name = writer.text(asked)
        match kind:
            case "commands":
                said[kind][name] = _entry("stdout", kind, asked, answer, writer)
            case "files" | "heads":
                binary = kind == "heads" and asked in tape.programs and b"\0" in answer.data[:PROGRAM_BYTES]
                entry = _entry("content", kind, asked, answer, writer, as_it_is=binary)
                said[kind][name] = entry["content"] if set(entry) == {"content"} else entry
            case "links":
                said[kind][name] = (
                    writer.text(answer.text) if answer.outcome is Outcome.OK else _refusal(answer, writer)
                )
            case "calls":
                ok = answer.outcome is Outcome.OK
                said[kind][name] = {"value": json.loads(writer.text(answer.text))} if ok else _refusal(answer, writer)
    said["names"] = sorted(writer.text(path) for kind, path in tape.answers if kind == "names")
    said["whole"] = {kind: sorted(map(writer.text, patterns)) for kind, patterns in tape.whole.items()}
    return said


def _entry(
    content: str, kind: str, asked: str, answer: Answer, writer: Writer, *, as_it_is: bool = False
) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if answer.data or (answer.outcome is Outcome.OK and kind != "commands"):
        entry[content] = writer.content(FOLDERS[kind], asked, answer.data, as_it_is=as_it_is)
    if kind == "commands" and answer.exit_status is not None:
        entry["exit"] = answer.exit_status
    if answer.errors:
        entry["stderr"] = writer.content("errors", asked, answer.errors.encode("utf-8", "surrogateescape"))
    return entry if answer.outcome is Outcome.OK else entry | _refusal(answer, writer)


def _refusal(answer: Answer, writer: Writer) -> dict[str, Any]:
    said: dict[str, Any] = {"outcome": answer.outcome.value, "reason": writer.text(answer.reason)}
    return said | ({"broken_off": True} if answer.broken_off else {})


def write(
    tape: Tape, path: Path, clean: Callable[[str], str], about: Mapping[str, Any], *, names_kept: bool
) -> Written:
    """Write a recording: a folder, or where the name ends so, a `.tar.gz`. Either all of it is there afterwards or nothing.

    Raises Conflict where something is there already, and HostError where it cannot be written.
    """
    writer = Writer(clean)
    listed = manifest(tape, writer, about)
    writer.files[MANIFEST] = json.dumps(listed, indent=1, ensure_ascii=True).encode()
    writer.files["README.txt"] = READ_ME.format(
        answers=len(tape.answers),
        when=about["recorded_at"],
        version=about["aya_version"],
        names=NAMES_KEPT if names_kept else NAMES_LEFT_OUT,
    ).encode()
    size = sum(map(len, writer.files.values()))
    if size > ARCHIVE_LIMIT_BYTES:
        raise HostError(
            f"The recording would be larger than {ARCHIVE_LIMIT_BYTES} bytes, and could not be read again.",
            remedy="Report this, with how many processes and disks the machine has.",
        )
    refuse_what_is_there(path)
    try:
        if is_packed(path):
            _write_packed(path, writer.files)
        else:
            _write_folder(path, writer.files)
    except OSError as error:
        raise HostError(f"The recording cannot be written to {path}: {error}.", remedy="Name another place.") from error
    return Written(str(path), len(tape.answers), len(writer.files), size, writer.redacted)


def is_packed(path: Path) -> bool:
    """Whether a name is that of an archive."""
    return path.name.endswith((".tar.gz", ".tgz"))


def refuse_what_is_there(path: Path) -> None:
    """Raises Conflict where something is at the path."""
    if os.path.lexists(path):
        raise Conflict(f"{path} is there already.", remedy="A recording overwrites nothing: name another place.")


def _write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    making = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.absolute().parent))
    try:
        for name, data in files.items():
            (making / name).parent.mkdir(mode=0o700, exist_ok=True)
            (making / name).write_bytes(data)
            (making / name).chmod(0o600)
        # An empty folder that appeared meanwhile is all that this could replace.
        making.rename(path)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise


def _write_packed(path: Path, files: Mapping[str, bytes]) -> None:
    root = path.name.removesuffix(".gz").removesuffix(".tgz").removesuffix(".tar")
    descriptor, making = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.absolute().parent)
    try:
        with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as archive:
            for name, data in sorted(files.items(), key=lambda item: item[0] != MANIFEST):
                member = tarfile.TarInfo(f"{root}/{name}")
                member.size, member.mode = len(data), 0o600
                archive.addfile(member, io.BytesIO(data))
        os.link(making, path)  # unlike a renaming, this overwrites nothing that appeared meanwhile
    except FileExistsError:
        refuse_what_is_there(path)
        raise
    finally:
        os.unlink(making)
