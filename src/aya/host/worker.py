"""A helper process that answers one message after the other, in memory that has a limit.

What may run wild, because strangers decide what it does, runs there: it can be killed, and takes nobody with it.
"""

import os
import resource
import selectors
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum

from aya.host.process import KILL_WAIT_S, plain_environment

HEADER = struct.Struct(">I")


class Ended(Enum):
    """How asking a worker ended; after anything but ANSWERED it is dead."""

    ANSWERED = "answered"
    SLOW = "did not answer in time"
    LONG = "answered at too great a length"
    DIED = "died"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a question."""

    ended: Ended
    message: bytes = b""


class Worker:
    """A running worker: a module of AYA that calls `serve`. One question at a time."""

    def __init__(self, module: str, environment: Mapping[str, str]) -> None:
        self._ready = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=plain_environment(environment),
            cwd="/",
            bufsize=0,
            start_new_session=True,  # Ctrl-C is for the program that asks
        )

    def wait(self, timeout_s: float) -> Reply:
        """Until it can answer, which takes as long as its imports; one that does not come up is killed."""
        if self._ready:
            return Reply(Ended.ANSWERED)
        reply = self._received(time.monotonic() + timeout_s, 0)
        self._ready = reply.ended is Ended.ANSWERED
        return reply

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def ask(self, message: bytes, *, timeout_s: float, limit_bytes: int) -> Reply:
        """Its answer to a message. One that is late, dead or longer than `limit_bytes` is killed."""
        deadline = time.monotonic() + timeout_s
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(HEADER.pack(len(message)) + message)
        except BrokenPipeError:
            self.kill()
            return Reply(Ended.DIED)
        return self._received(deadline, limit_bytes)

    def kill(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        with suppress(subprocess.TimeoutExpired):  # one that hangs in the kernel does not even die
            self._process.wait(KILL_WAIT_S)

    def _received(self, deadline: float, limit_bytes: int) -> Reply:
        try:
            reply = self._receive(deadline, limit_bytes)
        except BaseException:
            self.kill()
            raise
        if reply.ended is not Ended.ANSWERED:
            self.kill()
        return reply

    def _receive(self, deadline: float, limit_bytes: int) -> Reply:
        assert self._process.stdout is not None
        output, received, wanted = self._process.stdout.fileno(), bytearray(), HEADER.size
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            while len(received) < wanted:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    return Reply(Ended.SLOW)
                chunk = os.read(output, min(1 << 20, wanted - len(received)))
                if not chunk:
                    return Reply(Ended.DIED)
                received += chunk
                if len(received) == HEADER.size == wanted:
                    wanted += HEADER.unpack(received)[0]
                    if wanted > HEADER.size + limit_bytes:
                        return Reply(Ended.LONG)
        return Reply(Ended.ANSWERED, bytes(received[HEADER.size :]))


def serve(answer: Callable[[bytes], bytes], *, memory_limit_bytes: int) -> None:
    """Be a worker: say that it is ready, then answer what comes, until nobody asks any more. For a process of its own."""
    limit_memory(memory_limit_bytes)
    # What anything prints must not get between the answers.
    output = os.dup(sys.stdout.fileno())
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    os.write(output, HEADER.pack(0))
    questions = sys.stdin.buffer
    while header := questions.read(HEADER.size):
        said = answer(questions.read(HEADER.unpack(header)[0]))
        rest = memoryview(HEADER.pack(len(said)) + said)
        while rest:
            rest = rest[os.write(output, rest) :]


def limit_memory(limit_bytes: int, process_id: int = 0) -> bool:
    """Let a process, this one or one that belongs to the caller, have only so much memory of its own; whether that was
    possible. What it shares with others, and its stack, do not count: a process that cannot grow its stack crashes.
    """
    limit = (limit_bytes, limit_bytes)
    if process_id == 0:
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(
            resource.RLIMIT_DATA, limit if most == resource.RLIM_INFINITY else (min(limit_bytes, most), most)
        )
        return True
    if not hasattr(resource, "prlimit"):
        return False
    try:
        with _as_owner_of(process_id):
            resource.prlimit(process_id, resource.RLIMIT_DATA, limit)
    except (PermissionError, FileNotFoundError, ProcessLookupError):
        return False
    return True


@contextmanager
def _as_owner_of(process_id: int) -> Iterator[None]:
    """As root: be who that process belongs to, but for what root may touch. The kernel lets limit one's own processes, while
    in a container root may lack the right to limit those of others.
    """
    if os.geteuid() != 0:
        yield
        return
    owner = os.stat(f"/proc/{process_id}")
    os.setresgid(owner.st_gid, -1, -1)
    os.setresuid(owner.st_uid, -1, -1)
    try:
        yield
    finally:
        os.setresuid(0, -1, -1)
        os.setresgid(0, -1, -1)
