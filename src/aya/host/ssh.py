"""A machine that is reached by the system's own `ssh`. Nothing is installed there and nothing left behind.

All questions that are known at one time go there together, as one script for the plain shell that every system has, and
come back as one stream of bytes. Whatever a question holds is quoted; where an answer ends, marks say that nobody there
could have foreseen.
"""

import errno
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from shlex import quote

from aya.errors import HostError, UsageError
from aya.host.local import FILE_LIMIT_BYTES, refusal
from aya.host.process import OUTPUT_LIMIT_BYTES, SEARCH_PATH, judged, run
from aya.host.reading import Answer, Call, Command, File, Files, Head, Links, Names, Read, name_of, rest_of
from aya.model import Outcome

CONNECT_S = 10
SHELL = "exec /bin/sh -s"
FILES_S = 60.0
"""How long the files of one batch may take, beside its programs."""
BATCH_LIMIT_BYTES = 64 * 1024 * 1024
STAYS_S = 60
"""How long a connection that nobody asks stays open, where it was not closed."""
NUMBERS: Mapping[str, int] = {os.strerror(number): number for number in errno.errorcode}
"""The kernel's errors by the words in which every program says them in the C locale."""
TIMED_OUT = {124, 137, 142}
"""How programs end that `timeout`, or an alarm, has ended."""
NO_SUCH_PROGRAM = 127

OPTIONS = (
    "BatchMode=yes",
    f"ConnectTimeout={CONNECT_S}",
    "ControlMaster=auto",
    f"ControlPersist={STAYS_S}",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "PermitLocalCommand=no",
    "RequestTTY=no",
    "Compression=yes",
)
"""No question is asked, nothing of ours is lent to the other machine, and one connection serves all questions."""

CALLS: Mapping[str, str] = {
    "machine-architecture": 'printf \'"%s"\' "$(uname -m)"',
    "page-size": "getconf PAGESIZE",
    "clock-ticks": "getconf CLK_TCK",
    "user-id": "id -u",
    "byte-order": "case $(printf '\\001\\000' | od -An -td2 | tr -d ' ') in 1) printf '\"little\"';; *) printf '\"big\"';; esac",
}
"""What the shell says as well as Python does here; the answer is JSON."""
NOT_BY_SSH: Mapping[str, Answer] = {
    "running-python": Answer(Outcome.ABSENT, reason="AYA runs in no Python there"),
    "interface-addresses": Answer(Outcome.ABSENT, reason="getifaddrs is not asked by ssh"),
    "nvml": Answer(Outcome.ABSENT, reason="NVML is not asked by ssh; nvidia-smi is"),
}

PREAMBLE = """
exec 3>&1
LC_ALL=C LANGUAGE=C TZ=UTC
PATH=$PATH:{path}
export LC_ALL LANGUAGE TZ PATH
cd /
if timeout 5 true 2>/dev/null; then limited() {{ timeout -s KILL "$@"; }}
elif command -v perl >/dev/null 2>&1; then limited() {{ perl -e 'alarm shift @ARGV; exec @ARGV or exit 127' "$@"; }}
else limited() {{ shift; "$@"; }}
fi
if find / -maxdepth 0 -printf '' 2>/dev/null; then by_find=1; else by_find=; fi
begin() {{ printf '\\n{mark}A%s\\0' "$1"; }}
end() {{ printf '\\n{mark}Z%s %s\\0' "$1" "$2"; }}
slurp() {{
  begin "$2"
  if [ -f "$2" ] || [ -d "$2" ] || ! [ -e "$2" ]; then said=$( {{ head -c "$1" "$2" >&3; }} 2>&1 ); end $? "$said"
  else end 255 "neither a file nor a folder"; fi
}}
there() {{ case $1 in */.|*/..|*/./*|*/../*) return 1;; esac; [ -e "$1" ] || [ -L "$1" ]; }}
program() {{
  begin ''
  if command -v "$2" >/dev/null 2>&1; then said=$( {{ limited "$@" </dev/null >&3; }} 2>&1 ); end $? "$said"
  else end {absent} ''; fi
}}
link() {{
  begin "$1"
  if [ -L "$1" ]; then said=$( {{ readlink "$1" >&3; }} 2>&1 ); end $? "$said"; else end 254 'not a link'; fi
}}
""".strip()


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to, and as whom; None is as the user's own configuration of ssh says."""

    host: str
    user: str | None = None
    port: int | None = None

    @property
    def arguments(self) -> tuple[str, ...]:
        """For `ssh`."""
        place = f"{self.user}@{self.host}" if self.user else self.host
        return (*(("-p", str(self.port)) if self.port else ()), "--", place)

    def __str__(self) -> str:
        return self.arguments[-1] + (f":{self.port}" if self.port else "")


def destination(text: str) -> Destination:
    """`user@host:port` as people write it, `[::1]:22` for addresses with colons. Raises UsageError."""
    match = re.fullmatch(
        r"(?:(?P<user>[A-Za-z0-9_.][\w.-]{0,99})@)?(?:\[(?P<six>[0-9A-Fa-f:.]+(?:%\w+)?)\]|(?P<host>[A-Za-z0-9_][\w.-]{0,252}))"
        r"(?::(?P<port>\d{1,5}))?",
        text,
        re.ASCII,
    )
    if match is None or not 0 < int(match["port"] or 22) < 65536:
        raise UsageError(
            f"{text!r:.200} is not where ssh could go.",
            remedy="Write user@host or user@host:port; a password is never given here, keys are the way.",
        )
    return Destination(match["six"] or match["host"], match["user"], int(match["port"]) if match["port"] else None)


class SshHost:
    """A machine at the other end of `ssh`."""

    def __init__(self, destination: Destination, folder: str) -> None:
        self._destination = destination
        self._folder = folder
        self.system = self._system()

    @classmethod
    @contextmanager
    def connected(cls, destination: Destination) -> Iterator["SshHost"]:
        """The machine, with a connection that is closed at the end. Raises HostError where there is no way to it."""
        folder = tempfile.mkdtemp(prefix="aya-ssh-", dir="/tmp")  # short: the path of a socket has a limit
        try:
            host = cls(destination, folder)
            try:
                yield host
            finally:
                host._ssh(("-O", "exit"), timeout_s=CONNECT_S)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def ask(self, read: Read) -> Mapping[str, Answer]:
        """Answer one question; see `aya.host.reading.Host`."""
        return self.ask_all([read], read.timeout_s if isinstance(read, Command) else FILES_S)

    def ask_all(self, reads: Sequence[Read], timeout_s: float) -> Mapping[str, Answer]:
        """Answer questions together; programs have `timeout_s` altogether, and what was not reached then is `failed`."""
        if not reads:
            return {}
        mark = secrets.token_hex(16)
        programs_s = sum(read.timeout_s for read in reads if isinstance(read, Command))
        done = self._ssh((), script=script(reads, mark), timeout_s=min(programs_s, timeout_s) + FILES_S, command=SHELL)
        return answers(reads, done, mark)

    def _system(self) -> str:
        done = self._ssh((), command="uname -s", timeout_s=2 * CONNECT_S)
        system = (done.text.split() or [""])[-1]  # a shell may greet before
        if done.outcome is Outcome.ABSENT:
            raise HostError("There is no ssh on this machine.", remedy="Install OpenSSH's client.")
        if done.outcome is not Outcome.OK or not re.fullmatch(r"[\w.-]{1,40}", system):
            said = (done.errors or done.reason or "it did not say what it is").strip().splitlines()
            raise HostError(
                f"{self._destination} could not be asked: {said[-1][:300]}",
                remedy=f"`ssh {self._destination}` must work here without a question: try it, accept its key, give it yours.",
            )
        if system not in ("Linux", "Darwin"):
            raise UsageError(
                f"{self._destination} runs {system}.", remedy="There are collectors for Linux and Darwin (macOS)."
            )
        return system

    def _ssh(
        self, arguments: Iterable[str], *, timeout_s: float, command: str | None = None, script: bytes = b""
    ) -> Answer:
        options = (part for option in (*OPTIONS, f"ControlPath={self._folder}/%C") for part in ("-o", option))
        agent = os.environ.get("SSH_AUTH_SOCK")
        return run(
            ("ssh", *options, *arguments, *self._destination.arguments, *((command,) if command else ())),
            timeout_s=timeout_s,
            environment={"SSH_AUTH_SOCK": agent} if agent else None,
            output_limit_bytes=BATCH_LIMIT_BYTES,
            given=script,
        )


# --- questions as a script --------------------------------------------------------------------------------------------


def script(reads: Sequence[Read], mark: str) -> bytes:
    """The script that asks all questions, in their order. Each begins with `mark Q number`."""
    lines = [PREAMBLE.format(mark=mark, path=SEARCH_PATH, absent=NO_SUCH_PROGRAM)]
    for number, read in enumerate(reads):
        lines.append(f"printf '\\n{mark}Q{number}\\0'")
        lines.append(_asked(read))
    lines.append(f"printf '\\n{mark}.\\0'")
    # All of it is read before anything runs, so that no program can take the rest for its input.
    body = "\n".join(lines)
    return f"ask() {{\n{body}\n}}\nask\n".encode("utf-8", "surrogateescape")


def _asked(read: Read) -> str:
    match read:
        case File(path=path):
            return f"slurp {FILE_LIMIT_BYTES + 1} {quote(path)}"
        case Head(path=path, size=size):
            return f"slurp {size} {quote(path)}"
        case Files(pattern=pattern):
            return f'for f in {globs(pattern)}; do if there "$f"; then slurp {FILE_LIMIT_BYTES + 1} "$f"; fi; done'
        case Links(pattern=pattern):
            found = globs(pattern)
            return (
                f"if [ -n \"$by_find\" ]; then printf '%s\\0' {found} | "
                'xargs -0 sh -c \'find "$@" -maxdepth 0 -printf "%y%p\\0%l\\0" 2>/dev/null\' find\n'
                f'else for f in {found}; do if there "$f"; then link "$f"; fi; done; fi'
            )
        case Names(pattern=pattern):
            return f'for f in {globs(pattern)}; do if there "$f"; then printf \'%s\\0\' "$f"; fi; done'
        case Command(argv=argv, timeout_s=timeout_s):
            return f"program {max(1, round(timeout_s))} {' '.join(map(quote, argv))}"
        case Call(name=name):
            return f"program 5 sh -c {quote(CALLS[name])}" if name in CALLS else ":"
    raise TypeError(f"a machine cannot be asked {read!r}")


def globs(pattern: str) -> str:
    """A pattern for the shell: everything quoted but `*`, `?` and `[…]`; once more for names that begin with a dot."""
    whole = [""]
    for part in pattern.strip("/").split("/"):
        pieces = re.findall(r"\[!?\]?[^\]\[]*\]|[*?]|[^*?\[]+|\[", part)
        ways = [pieces, *(_dotted(pieces) if _is_wild(pieces[0]) else ())] if pieces else [[]]
        whole = [f"{start}/{''.join(map(_quoted, way))}" for start in whole for way in ways]
    return " ".join(whole)


def _dotted(pieces: list[str]) -> Iterator[list[str]]:
    """The forms of a name's pattern that begin with a dot; for the shell no sign that stands for others matches one."""
    if not pieces:
        return
    first, *rest = pieces
    if not _is_wild(first):
        if first.startswith("."):
            yield pieces
    elif fnmatchcase(".", first):
        yield [".", *(pieces if first == "*" else rest)]
        if first == "*":
            yield from _dotted(rest)


def _is_wild(piece: str) -> bool:
    """Whether a piece of a pattern stands for others; a bracket is a set only where it is closed."""
    return piece in ("*", "?") or (len(piece) > 2 and piece[0] == "[" and piece[-1] == "]")


def _quoted(piece: str) -> str:
    if not _is_wild(piece):
        return quote(piece)
    if piece[0] != "[":
        return piece
    # `[0-9]` as it is; what could mean something to the shell is quoted.
    return "[" + re.sub(r"[^\w.!-]", lambda found: quote(found[0]), piece[1:-1], flags=re.ASCII) + "]"


# --- answers ----------------------------------------------------------------------------------------------------------


def answers(reads: Sequence[Read], done: Answer, mark: str) -> Mapping[str, Answer]:
    """What came back, question by question; those that were not reached are `failed`."""
    pieces = done.data.split(f"\n{mark}".encode())
    found: dict[str, Answer] = {}
    reached, path, said = -1, b"", b""
    for piece in pieces[1:]:
        kind, head, rest = piece[:1], *piece[1:].partition(b"\0")[::2]
        if kind == b"Q":
            reached = int(head)
            found.update(_listed(reads[reached], rest))
        elif kind == b"A":
            path, said = head, rest
        elif kind == b"Z":
            status, _, errors = head.partition(b" ")
            name, answer = _judged(reads[reached], path, said, int(status), errors)
            found[name] = answer
    whole = pieces[-1].startswith(b".")
    trouble = done.reason.partition(f"{SHELL} ")[2] or "the answer broke off"
    broken = Answer(Outcome.FAILED, reason=f"ssh: {trouble}", broken_off=True)
    for number, read in enumerate(reads):
        if not isinstance(read, Files | Links | Names):
            found.setdefault(name_of(read), broken)
        elif not whole and number >= reached:
            found[rest_of(read.pattern)] = broken
    for read in reads:
        if isinstance(read, Call) and read.name in NOT_BY_SSH:
            found[read.name] = NOT_BY_SSH[read.name]
    return found


def _listed(read: Read, data: bytes) -> Iterator[tuple[str, Answer]]:
    """The paths, and links with their targets, that were printed one after the other."""
    words = [word.decode("utf-8", "surrogateescape") for word in data.split(b"\0")[:-1]]
    if isinstance(read, Names):
        for path in words:
            yield path, Answer(Outcome.OK)
    elif isinstance(read, Links):
        for path, target in zip(words[::2], words[1::2], strict=False):
            if not {".", ".."} & set(path.split("/")):
                yield path[1:], _link(path[1:], path[:1] == "l", target)


def _link(path: str, is_link: bool, target: str) -> Answer:
    if is_link:
        return Answer(Outcome.OK, target.encode("utf-8", "surrogateescape"))
    return Answer(Outcome.ABSENT, reason=f"{path}: Invalid argument")


def _judged(read: Read, path: bytes, data: bytes, status: int, said: bytes) -> tuple[str, Answer]:
    errors = said.decode("utf-8", errors="backslashreplace").strip()
    where = path.decode("utf-8", "surrogateescape")
    match read:
        case Command() | Call():
            return name_of(read), _program(name_of(read), data, status, errors, getattr(read, "timeout_s", 5.0))
        case Head():
            return name_of(read), _file(where, data, status, errors)
        case Links():
            return where, _link(where, status == 0, data.removesuffix(b"\n").decode("utf-8", "surrogateescape"))
    if len(data) > FILE_LIMIT_BYTES:
        return where, Answer(Outcome.UNREADABLE, reason=f"{where} is larger than {FILE_LIMIT_BYTES} bytes")
    return where, _file(where, data, status, errors)


def _program(name: str, data: bytes, status: int, errors: str, timeout_s: float) -> Answer:
    if status == NO_SUCH_PROGRAM and not data and not errors:
        return Answer(Outcome.ABSENT, reason=f"{name.split(' ')[0]} is not installed")
    if len(data) > OUTPUT_LIMIT_BYTES:
        reason = f"{name} printed more than {OUTPUT_LIMIT_BYTES} bytes"
        return Answer(Outcome.FAILED, data[:OUTPUT_LIMIT_BYTES], reason, status, errors, broken_off=True)
    if status in TIMED_OUT:
        return Answer(
            Outcome.FAILED, data, f"{name} did not end within {timeout_s:g} s", status, errors, broken_off=True
        )
    return judged(name, status, data, errors)


def _file(path: str, data: bytes, status: int, errors: str) -> Answer:
    """What the shell, or `head`, said of a file, as the kernel's error would have said it."""
    if status == 0:
        return Answer(Outcome.OK, data)
    said = errors.rsplit(": ", 1)[-1]
    reason = f"{path}: {said or f'ended with {status}'}"
    number = NUMBERS.get(said)
    return refusal(path, OSError(number, said)) if number else Answer(Outcome.UNREADABLE, reason=reason)
