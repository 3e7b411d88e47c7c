"""Run one check where it can do no harm: in a process of its own, with limits on time, memory and what it may say.

It may take `check_limit_s` seconds and 1 GiB of memory, write files of 64 MiB, print 1 MiB, and find 4 MiB. Whatever
becomes of it is a result: a check that hangs, crashes, leaves, needs too much memory, or says or prints too much is a failed
finding with its reason, and what it found before stays. The processes come from a small server process that was started
fresh, so that neither threads nor connections of the caller are in them.
"""

import multiprocessing
import os
import resource
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing import forkserver
from multiprocessing.connection import Connection as Pipe
from pkgutil import iter_modules
from secrets import token_bytes
from typing import Any, NoReturn

import orjson

import aya.verify.checks
from aya.collect.runner import storable
from aya.errors import AyaError
from aya.model import CheckOutcome
from aya.redaction import Redactor
from aya.verify.catalogue import PACKAGE, Entry, load
from aya.verify.check import Finding, Subject, failed, skipped

MEMORY_LIMIT_BYTES = 1024**3
"""Address space, of which a check of AYA's uses about a third before it does anything."""
FILE_LIMIT_BYTES = 64 * 1024**2
"""Largest file that a check may write."""
PRINTED_LIMIT_BYTES = 1024**2
SAID_LIMIT_BYTES = 4 * 1024**2
"""All findings of one check together."""
GRACE_S = 5
KILL_WAIT_S = 5.0
MARK_BYTES = 16
"""Chance that is written among what a check prints after each finding: what stands before it belongs to that."""

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(
    [
        "__main__",
        __name__,
        "psycopg",
        *(f"{PACKAGE}.{module.name}" for module in iter_modules(aya.verify.checks.__path__)),
    ]
)


@dataclass(frozen=True, slots=True)
class Tested:
    """One finding, and when and how long it was tested."""

    finding: Finding
    started_at: datetime
    duration_ms: int


def get_ready() -> None:
    """Start what the processes of checks come from, without waiting for it: the first check is then as quick as the rest."""
    forkserver.ensure_running()


def confined(entry: Entry, subject: Subject) -> Iterator[Tested]:
    """Run a check; its findings in order, the last of them failed if it did not come to its end."""
    limit_s = subject.own.settings.check_limit_s
    mark = token_bytes(MARK_BYTES)
    started_at, started = datetime.now(UTC), time.monotonic()

    def broken(trouble: str, printed: str = "") -> Tested:
        duration_ms = round((time.monotonic() - started) * 1000)
        return Tested(failed(_place(entry), trouble, printed), started_at, duration_ms)

    said_by_it, says = _processes.Pipe(duplex=False)
    printed_by_it, prints = _processes.Pipe(duplex=False)
    arguments = (entry, subject, limit_s, says, prints, mark)
    process: Any = _processes.Process(target=_run, args=arguments, daemon=True)
    with said_by_it, printed_by_it:
        try:
            with says, prints:
                process.start()
            listening = _Listening(said_by_it, printed_by_it, process, started + limit_s, subject.redactor, mark)
            yield from listening
        except (OSError, EOFError) as error:
            yield broken(f"no process could be had for it: {type(error).__name__}: {error}")
            return
        finally:
            _end(process)
    trouble = listening.trouble
    if trouble == TOO_LATE:
        trouble = f"it did not end within {limit_s} s and was stopped"
    elif not trouble and not listening.came_to_its_end:
        trouble = _how_it_ended(process.exitcode)
    if trouble:
        yield broken(trouble, listening.printed())


TOO_LATE = "too late"


class _Listening:
    """What a check says and prints, until it ends or must be ended: `trouble` then says why."""

    def __init__(
        self, said: Pipe, printed: Pipe, process: Any, deadline: float, redactor: Redactor, mark: bytes
    ) -> None:
        self._said, self._printed, self._process, self._deadline = said.fileno(), printed.fileno(), process, deadline
        self._redactor, self._mark = redactor, mark
        self._line, self._unattached, self._said_bytes, self._printed_bytes = bytearray(), bytearray(), 0, 0
        self.trouble = ""
        self.came_to_its_end = False
        for descriptor in (self._said, self._printed):
            os.set_blocking(descriptor, False)

    def __iter__(self) -> Iterator[Tested]:
        with selectors.DefaultSelector() as selector:
            for source in (self._said, self._printed, self._process.sentinel):
                selector.register(source, selectors.EVENT_READ)
            while not (self.trouble or self.came_to_its_end):
                ready = {key.fd for key, _ in selector.select(max(0.0, self._deadline - time.monotonic()))}
                self._hear_printed()
                yield from self._hear_said()
                if self._process.sentinel in ready:
                    yield from self._hear_said()
                    self._hear_printed()
                    return
                if time.monotonic() >= self._deadline:
                    self.trouble = self.trouble or TOO_LATE

    def printed(self) -> str:
        """What was printed up to the next finding, fit to be stored."""
        data, mark, rest = bytes(self._unattached).partition(self._mark)
        self._unattached = bytearray(rest)
        self._printed_bytes -= len(mark)
        return self._redactor.text(storable(data.decode("utf-8", errors="backslashreplace")))

    def _hear_printed(self) -> None:
        while not self.trouble and (chunk := _read(self._printed)):
            self._printed_bytes += len(chunk)
            self._unattached += chunk
            if self._printed_bytes > PRINTED_LIMIT_BYTES:
                self.trouble = f"it printed more than {PRINTED_LIMIT_BYTES:,} bytes and was stopped"

    def _hear_said(self) -> Iterator[Tested]:
        # Also where it printed too much: what it had found before that is found.
        while not self.came_to_its_end and (chunk := _read(self._said)):
            self._said_bytes += len(chunk)
            if self._said_bytes > SAID_LIMIT_BYTES:
                self.trouble = f"its findings are larger than {SAID_LIMIT_BYTES:,} bytes, and it was stopped"
                return
            *lines, rest = (bytes(self._line) + chunk).split(b"\n")
            self._line = bytearray(rest)
            for line in lines:
                if line == THE_END:
                    self.came_to_its_end = True
                    return
                try:
                    yield self._with_printed(_understood(line))
                except (ValueError, KeyError, TypeError) as error:
                    self.trouble = f"its finding cannot be understood: {error}"
                    return

    def _with_printed(self, tested: Tested) -> Tested:
        self._hear_printed()
        if not (printed := self.printed()):
            return tested
        evidence = f"{tested.finding.evidence}\nprinted: {printed}".lstrip("\n")
        return replace(tested, finding=replace(tested.finding, evidence=evidence))


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except BlockingIOError:
        return b""


def _understood(line: bytes) -> Tested:
    told = orjson.loads(line)
    finding = Finding(
        str(told["target"]), CheckOutcome(told["outcome"]), str(told["evidence"]), told["reason"], told["probe"]
    )
    return Tested(finding, datetime.fromisoformat(told["started_at"]), int(told["duration_ms"]))


def _end(process: Any) -> None:
    """End the check and whatever it started in its session, whether it has ended by itself or not."""
    if process.pid is None:
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(ProcessLookupError, PermissionError):
        process.kill()
    process.join(KILL_WAIT_S)  # one that hangs in the kernel does not even die: then it is left to end by itself


def _how_it_ended(exit_code: int | None) -> str:
    if exit_code is None:
        return "its process does not end, not even when killed"
    if exit_code == NO_MEMORY:
        return f"it needed more than {MEMORY_LIMIT_BYTES:,} bytes of memory"
    if exit_code >= 0:
        return f"its process left with exit status {exit_code} before the check came to its end"
    name = signal.Signals(-exit_code).name
    return f"it crashed: its process was ended by {name}" + (
        ", perhaps because the machine had no memory left" if name == "SIGKILL" else ""
    )


# --- inside the process of the check ----------------------------------------------------------------------------------

THE_END = b"the end"
NO_MEMORY = 77
"""Exit status of a check that got no more memory: it may have none left to say so."""


def _run(entry: Entry, subject: Subject, limit_s: int, says: Pipe, prints: Pipe, mark: bytes) -> NoReturn:
    os.setsid()
    signal.alarm(limit_s + GRACE_S)  # should the caller be killed, nobody else would end it
    for descriptor in (1, 2):
        os.dup2(prints.fileno(), descriptor)
    sys.stdout, sys.stderr = (os.fdopen(fd, "w", errors="backslashreplace", closefd=False) for fd in (1, 2))
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY_LIMIT_BYTES),
        (resource.RLIMIT_FSIZE, FILE_LIMIT_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # where the system has no such limit, or a lower one is set
            resource.setrlimit(kind, (most, most))
    try:
        for tested in _tested(entry, subject):
            with suppress(OSError, ValueError):  # it may have closed them
                sys.stdout.flush()
                sys.stderr.flush()
                os.write(1, mark)
            _say(says, _told(tested, subject))
        _say(says, THE_END)
    except MemoryError:
        os._exit(NO_MEMORY)
    finally:
        os._exit(0)  # threads that it started may not hold it


def _tested(entry: Entry, subject: Subject) -> Iterator[Tested]:
    """The findings, and as the last one what broke, if something did."""
    started_at, started = datetime.now(UTC), time.monotonic()

    def tested(finding: Finding) -> Tested:
        return Tested(finding, started_at, round((time.monotonic() - started) * 1000))

    try:
        check = load(entry)
        if not (subject.is_here or check.from_afar):
            yield tested(skipped("", f"it can only be tested on {subject.node_name} itself"))
            return
        for finding in check.run(subject):
            if not isinstance(finding, Finding):
                raise TypeError(f"it yielded {type(finding).__name__}, not a Finding")
            if len(finding.evidence) > SAID_LIMIT_BYTES:
                raise ValueError(f"{len(finding.evidence):,} characters of evidence are too many")
            yield tested(finding)
            started_at, started = datetime.now(UTC), time.monotonic()
    except AyaError as error:
        yield tested(failed(_place(entry), error.message))
    except MemoryError:
        raise
    except BaseException as error:  # noqa: BLE001 - a broken check is a result, and the other checks go on
        traceback.print_exc()
        yield tested(failed(_place(entry), f"the check itself broke: {type(error).__name__}: {error}"))


def _place(entry: Entry) -> str:
    """What a broken check is named by: the user's file, if it is one."""
    return str(entry.file or "")


def _told(tested: Tested, subject: Subject) -> bytes:
    """A finding as one line, fit to be stored: no secrets, no NUL, valid Unicode."""

    def clean(text: str | None) -> str | None:
        return None if text is None else subject.redactor.text(storable(str(text)))

    finding = tested.finding
    return orjson.dumps(
        {
            "target": clean(finding.target),
            "outcome": finding.outcome.value,
            "evidence": clean(finding.evidence),
            "reason": clean(finding.reason),
            "probe": clean(finding.probe),
            "started_at": tested.started_at,
            "duration_ms": tested.duration_ms,
        }
    )


def _say(says: Pipe, line: bytes) -> None:
    left = memoryview(line + b"\n")
    while left:
        left = left[os.write(says.fileno(), left) :]
