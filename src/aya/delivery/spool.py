"""Documents that wait to be delivered: a closed folder of numbered files, sent in their order.

It never grows beyond its limit. Then the oldest go, and one small document in their place says which: a gap that the
recording side keeps as the failed outcome of the collector `delivery`, rather than a silence.
"""

import fcntl
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from aya.delivery.document import read_state, write_state
from aya.errors import HostError, PayloadRefused
from aya.model import Collected, NodeState, Outcome
from aya.strict_json import read_json

COLLECTOR = "delivery"
FILE = re.compile(r"(\d{12})\.json", re.ASCII)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One document that waits."""

    path: Path
    size_bytes: int

    @property
    def number(self) -> int:
        """Its place: lower ones are older."""
        return int(self.path.stem)

    def read(self) -> bytes:
        """The document."""
        return self.path.read_bytes()


@dataclass(frozen=True)
class Spool:
    """The folder, and how much it may hold."""

    folder: Path
    limit_bytes: int

    def put(self, document: bytes) -> int:
        """Add a document as the newest, dropping the oldest where there is no room; how many were dropped."""
        with self._usable():
            dropped = self._make_room(len(document))
            waiting = self.waiting()
            number = waiting[-1].number + 1 if waiting else 1
            self._write(self.folder / f"{number:012}.json", document)
        return dropped

    def waiting(self) -> list[Waiting]:
        """What waits, oldest first."""
        if not self.folder.is_dir():
            return []
        files = sorted(path for path in self.folder.iterdir() if FILE.fullmatch(path.name))
        return [Waiting(path, path.stat().st_size) for path in files]

    def deliver(self, send: Callable[[bytes], object]) -> int:
        """Send what waits in its order, each until it has arrived; how many did.

        One that `send` refuses for good (PayloadRefused) is dropped, which is sent in its place. Whatever else it raises, or
        when even that is refused, ends it; what has not arrived stays.
        """
        sent = 0
        with self._usable():
            for waiting in self.waiting():
                document = waiting.read()
                try:
                    send(document)
                except PayloadRefused as refused:
                    if _is_gap(read_state(read_json(document))):
                        raise
                    self._replace([waiting], refused.message)
                    send(waiting.read())
                waiting.path.unlink()
                sent += 1
        return sent

    def _make_room(self, needed_bytes: int) -> int:
        waiting = self.waiting()
        size = sum(one.size_bytes for one in waiting)
        going: list[Waiting] = []
        for one in waiting:
            if size + needed_bytes <= self.limit_bytes:
                break
            going.append(one)
            size -= one.size_bytes
        if going:
            self._replace(going, f"there was no room: what waits may be {self.limit_bytes} bytes")
        return len(going)

    def _replace(self, going: list[Waiting], reason: str) -> None:
        gap = _gap([read_state(read_json(one.read())) for one in going], reason)
        self._write(going[-1].path, write_state(gap))
        for one in going[:-1]:
            one.path.unlink()

    def _write(self, path: Path, document: bytes) -> None:
        """All of it or nothing, whatever is killed."""
        descriptor, incoming = tempfile.mkstemp(dir=self.folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(document)
                file.flush()
                os.fsync(file.fileno())
            os.rename(incoming, path)
        except BaseException:
            os.unlink(incoming)
            raise

    @contextmanager
    def _usable(self) -> Iterator[None]:
        """One `aya` at a time, and errors of the disk in words."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with (self.folder / "lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise HostError(
                f"What waits to be delivered cannot be kept in {self.folder}: {error}.",
                remedy="Free some space, or set AYA_HOME to a folder that you may write.",
            ) from error


def _gap(states: list[NodeState], reason: str) -> NodeState:
    """What is told of collections that were dropped; a gap among them is part of it."""
    dropped = sum(_dropped(state)[0] for state in states)
    first: datetime = min(_dropped(state)[1] for state in states)
    last = states[-1]
    one = "one collection" if dropped == 1 else f"{dropped} collections"
    told = f"{one} of {first.isoformat()} to {last.collected_at.isoformat()} never arrived: {reason}"
    return NodeState(
        node_name=last.node_name,
        collected_at=last.collected_at,
        collected=(Collected(collector=COLLECTOR, outcome=Outcome.FAILED, reason=told),),
    )


def _is_gap(state: NodeState) -> bool:
    return state.collected[0].collector == COLLECTOR


def _dropped(state: NodeState) -> tuple[int, datetime]:
    """How many collections a document stands for, and when the first of them was."""
    told = state.collected[0].reason if _is_gap(state) else None
    said = re.match(r"(one|\d+) collections? of (\S+) to ", told or "")
    if said is None:
        return 1, state.collected_at
    return 1 if said[1] == "one" else int(said[1]), datetime.fromisoformat(said[2])
