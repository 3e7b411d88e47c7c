"""Collectors on spoiled recordings: each ends as it is declared to, and what it found can be delivered and recorded."""

import json
import random
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from aya.collect.catalogue import collectors
from aya.collect.collector import Collector, Unreadable
from aya.collect.runner import collect_machine, conclude, put_together, run_collector
from aya.delivery.document import read_state, write_state
from aya.host.archive import missing
from aya.host.local import LocalHost
from aya.host.reading import Answer, Found, Read
from aya.host.recorded import NOT_THERE, RecordedHost
from aya.host.recording import RecordingHost, Writer, manifest
from aya.model import FACT_TYPES, Collected, Facts, Outcome
from aya.record.payload import check
from aya.redaction import Redactor
from tests.collect.mutated import mutated
from tests.collect.recordings import Recording, host_json, recordings

REDACTOR = Redactor(b"k" * 32)
LONGEST_S = 5.0


class Memory:
    """A recording that is nowhere but in memory, and notes which of its files were read."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)
        self.read_now: list[str] = []

    def read(self, name: str) -> Answer:
        """See `aya.host.archive.Archive`."""
        self.read_now.append(name)
        return Answer(Outcome.OK, self.files[name]) if name in self.files else missing(name)


class Noting:
    """A recorded host that notes which files gave an answer."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.host = RecordedHost(memory)
        self.used: set[str] = set()

    @property
    def system(self) -> str:
        """`Linux` or `Darwin`."""
        return self.host.system

    def ask(self, read: Read) -> Mapping[str, Answer]:
        """As the recorded host answers."""
        self._memory.read_now.clear()
        answers = self.host.ask(read)
        if any(not answer.reason.startswith(NOT_THERE) for answer in answers.values()):
            self.used.update(self._memory.read_now)
        return answers


@dataclass(frozen=True, slots=True)
class Machine:
    """A recorded machine, and which collectors read which of its files."""

    name: str
    system: str
    files: Mapping[str, bytes]
    readers: Mapping[str, tuple[str, ...]]
    """File of the recording -> the collectors that get an answer from it; files that nobody reads are left out."""
    questions: Mapping[str, str]
    """File -> what was asked."""
    outcomes: Mapping[str, Collected]
    """How each collector ended on it as it is."""


def machine(name: str, system: str, answers: Mapping[str, bytes]) -> Machine:
    """A machine that answers these questions, paths or command lines."""
    names = {asked: f"{number}.txt" for number, asked in enumerate(answers)}
    files = {names[asked]: data for asked, data in answers.items()}
    return _machine(
        name, system, files | {"host.json": host_json(system, names).encode()}, {v: k for k, v in names.items()}
    )


def _machine(name: str, system: str, files: Mapping[str, bytes], questions: Mapping[str, str]) -> Machine:
    readers: dict[str, list[str]] = {}
    outcomes: dict[str, Collected] = {}
    for topic, collector in collectors(system).items():
        noting = Noting(Memory(files))
        outcomes[topic] = run_collector(topic, collector, noting, REDACTOR)
        for file in sorted(noting.used):
            readers.setdefault(file, []).append(topic)
    readers_of = {file: tuple(topics) for file, topics in readers.items()}
    return Machine(name, system, files, readers_of, questions, outcomes)


def public_machines(chosen: Callable[[list[Recording]], list[Recording]] = list) -> list[Machine]:
    """The machines of the public recordings, all or those chosen."""
    return [
        machine(one.name, one.system, {asked: path.read_bytes() for asked, path in one.questions.items()})
        for one in chosen(recordings())
    ]


def this_machine() -> Machine:
    """The machine that this runs on, with its thousands of small files."""
    recording = RecordingHost(LocalHost())
    collect_machine(recording, REDACTOR)
    writer = Writer(lambda text: text)
    listed = manifest(recording.tape, writer, {})
    files = {name: data[:200_000] for name, data in writer.files.items()} | {"host.json": json.dumps(listed).encode()}
    return _machine("this machine", recording.system, files, {})


@dataclass(frozen=True, slots=True)
class Broken:
    """A collector that did not end as it is declared to."""

    machine: str
    collector: str
    asked: str
    seed: str
    """By which the mutation is made again."""
    problem: str

    def __str__(self) -> str:
        return f"{self.machine} {self.collector} ({self.asked}, seed {self.seed}): {self.problem}"


def spoiled(machines: Sequence[Machine], times: int, seed: int) -> Iterator[Broken | None]:
    """So many mutated recordings, each of one file of one machine; for each what broke, or None."""
    every = [(one, file) for one in machines for file in one.readers]
    chosen = random.Random(seed)
    kept: dict[str, RecordedHost] = {}
    memories: dict[str, Memory] = {}
    for number in range(times):
        # Machines of which little is known get their turn as often as those with thousands of files.
        one = chosen.choice(machines)
        if not one.readers:
            one, _ = chosen.choice(every)
        file = chosen.choice(list(one.readers))
        if one.name not in kept:
            memories[one.name] = Memory(one.files)
            kept[one.name] = RecordedHost(memories[one.name])
        name = f"{seed}.{number}"
        whole = memories[one.name].files[file]
        memories[one.name].files[file] = mutated(whole, random.Random(name))
        try:
            yield _first_broken(one, file, kept[one.name], name)
        finally:
            memories[one.name].files[file] = whole


def _first_broken(one: Machine, file: str, host: RecordedHost, seed: str) -> Broken | None:
    for topic in one.readers[file]:
        started = time.process_time()
        try:
            _collected(topic, collectors(one.system)[topic], host)
            spent = time.process_time() - started
            problem = f"took {spent:.1f} s" if spent > LONGEST_S else None
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            place = traceback.extract_tb(error.__traceback__)[-1]
            problem = f"{type(error).__name__}: {error} at {place.filename.rsplit('/aya/', 1)[-1]}:{place.lineno}"[:500]
        if problem is not None:
            return Broken(one.name, topic, one.questions.get(file, file), seed, problem)
    return None


def _collected(topic: str, collector: Collector, host: RecordedHost) -> Collected:
    """As `run_collector`, but an exception is one; and what was found arrives where it is delivered."""
    started = time.monotonic()
    found = Found.of(host, collector.reads)
    if collector.more is not None:
        found += Found.of(host, collector.more(found))
    try:
        facts = collector.parse(found)
    except Unreadable:
        facts = Facts()
    collected = conclude(
        Collected(collector=topic, outcome=Outcome.OK, owns=collector.owns, sections=collector.sections, facts=facts),
        REDACTOR,
        started,
    )
    state = put_together("SPOILED", None, [collected], datetime.now(UTC))
    read_state(json.loads(write_state(state)))
    for fact_type in FACT_TYPES:
        check(state, fact_type)
    return collected
