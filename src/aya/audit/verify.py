"""Recompute everything that seals say of the log, change by change, in bounded memory; name what is wrong.

The same is done on a database and on an export: a source gives the keys, prunings and seals, and the lines of the changes
of each seal.
"""

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Protocol

from pydantic import computed_field

from aya.audit.checkpoint import Checkpoint
from aya.audit.merkle import SIZE, Frontier, leaf_hash
from aya.audit.note import VerifierKey, opened
from aya.audit.seal import KnownKey, Seal
from aya.audit.trust import Trust, trust
from aya.errors import AuditError

MOST_PROBLEMS = 100
"""So many problems are told; that there are more is counted."""
RANGE = re.compile(r"\[(\d+),(\d+)\)")

Line = tuple[int, bytes]
"""A change: its number, and the line that is hashed."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it was sealed."""

    said: str
    change: int | None = None
    seal: int | None = None


@dataclass(frozen=True, slots=True)
class Pruning:
    """Changes that were taken out of the log by its keeper."""

    changes: str
    """Their numbers, as a multirange."""
    complete_since: datetime
    """From this moment on nothing is missing because of it."""
    pruned_at: datetime
    note: str
    """The signed statement of it."""

    def statement(self, origin: str) -> str:
        """What is signed of it, for the log of that name."""
        since, at = (one.astimezone(UTC).isoformat() for one in (self.complete_since, self.pruned_at))
        return f"{origin} was pruned {at}\nchanges {self.changes}\ncomplete since {since}\n"


@dataclass(slots=True)
class Report:
    """What verifying found."""

    problems: list[Problem] = field(default_factory=list)
    problems_in_all: int = 0
    remarks: list[str] = field(default_factory=list)
    seals: int = 0
    changes: int = 0
    """Changes that were recomputed."""
    pruned: int = 0
    unsealed: int = 0
    """Changes that no seal covers yet."""
    checkpoints: int = 0
    """Kept checkpoints that fit."""
    root: str = ""
    tree_size: int = 0
    shown: str = ""
    """What a proof shows, if it holds."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.problems_in_all == 0

    def add(self, said: str, *, change: int | None = None, seal: int | None = None) -> None:
        """Note one problem."""
        self.problems_in_all += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(said, change, seal))


class Source(Protocol):
    """Where a log is read from."""

    def public_keys(self) -> Sequence[KnownKey]:
        """The keys that signed."""

    def prunings(self) -> Sequence[Pruning]:
        """What was pruned."""

    def seals(self) -> Iterator[Seal]:
        """The seals in their order."""

    def lines(self, seal: Seal) -> Iterable[Line]:
        """The changes of a seal that are there, in the order of their numbers. Asked once for each seal, after it."""


def verify(
    source: Source,
    trusted: Iterable[VerifierKey],
    checkpoints: Sequence[tuple[str, str]] = (),
    *,
    since: str | None = None,
    report: Report | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Verify a log against its keys and against checkpoints that were kept, given as pairs of a name and a signed note.

    `since`: a signed checkpoint that is trusted; what was sealed before it is not recomputed. `report`: to be gone on with.
    """
    report = report or Report()
    keys = trust(source.public_keys(), trusted)
    report.remarks += keys.remarks
    for problem in keys.problems:
        report.add(problem)
    pruned = _pruned(source.prunings(), keys, report)
    expected = _expected(checkpoints, keys, report)
    start = _start(since, keys)
    frontier = Frontier()
    previous: Seal | None = None
    skipped = None
    for one in source.seals():
        if start is not None and one.tree_size <= start.size:
            previous, skipped = one, one
            for _ in source.lines(one):
                pass
            continue
        if start is not None and skipped is not None:
            frontier = _resumed(skipped, start, report)
            start = None
        _verify_seal(one, previous, frontier, source, keys, pruned, expected, report)
        previous = one
        report.seals += 1
        progress(f"verified {report.changes:,} changes")
    report.tree_size, report.root = frontier.size, frontier.root.hex()
    if start is not None and (skipped is None or skipped.tree_size != start.size):
        report.add(
            f"the log has no seal over {start.size} changes, of which the checkpoint to start from tells: it was cut"
        )
    for size, named in expected.items():
        if size > frontier.size and not (previous and size <= previous.tree_size):
            for name, _ in named:
                report.add(
                    f"checkpoint {name} is of {size} changes, but only {frontier.size} are sealed: the end of the log was cut"
                )
    if keys.links and previous and keys.links[0].first_seal != 1:
        report.add("the statement of the first key does not begin with the first seal")
    return report


def _verify_seal(
    one: Seal,
    previous: Seal | None,
    frontier: Frontier,
    source: Source,
    keys: Trust,
    pruned: "Numbers",
    expected: dict[int, list[tuple[str, bytes]]],
    report: Report,
) -> None:
    number = one.seal_number
    after = previous.seal_number if previous else 0
    if number != after + 1:
        report.add(f"seal {after + 1} is missing: seal {number} comes after {after}", seal=after + 1)
    _verify_note(one, previous, keys, report)
    signed = _signed_leaves(one.note)
    numbers = Numbers(one.changes)
    stored = [one.leaf_hashes[i : i + SIZE] for i in range(0, len(one.leaf_hashes), SIZE)]
    if len(stored) != len(numbers) or one.first_leaf != frontier.size or one.tree_size != frontier.size + len(stored):
        report.add(f"seal {number} does not fit the one before, or its own changes, in size", seal=number)
    # Rows that hash to what was signed are right, whatever became of the hashes stored beside.
    trusted_hashes = signed is None or sha256(one.leaf_hashes).digest() == signed
    if not trusted_hashes:
        report.add(f"seal {number}: the stored hashes of its changes are not those that were signed", seal=number)
    lines = iter(source.lines(one))
    found = next(lines, None)
    for change, known in zip(numbers, stored, strict=False):
        if found is not None and found[0] < change:
            report.add(f"change {found[0]} is not in order or not of seal {number}", change=found[0], seal=number)
            found = next(lines, None)
        if found is None or found[0] != change:
            if change in pruned:
                report.pruned += 1
            else:
                report.add(f"change {change} is missing", change=change, seal=number)
        else:
            report.changes += 1
            if leaf_hash(found[1]) != known:
                said = "is not what was sealed" if trusted_hashes else "does not fit the stored hash"
                report.add(f"change {change} {said}", change=change, seal=number)
            found = next(lines, None)
        frontier.append(known)
        for name, root in expected.get(frontier.size, ()):
            if frontier.root == root:
                report.checkpoints += 1
            else:
                report.add(
                    f"checkpoint {name} has another root over the first {frontier.size} changes: the log was rewritten",
                    seal=number,
                )
    for change, _ in (found, *lines) if found is not None else ():
        report.add(f"change {change} is there but not of seal {number}", change=change, seal=number)
    if frontier.root != one.root:
        report.add(f"seal {number}: its root is not the root over its changes and those before", seal=number)
    if bytes(frontier) != one.frontier:
        report.add(f"seal {number}: its frontier is not that of its tree", seal=number)


def _verify_note(one: Seal, previous: Seal | None, keys: Trust, report: Report) -> None:
    number, key = one.seal_number, keys.key_of(one.seal_number)
    if key is None:
        report.add(f"seal {number}: no key is known that may have signed it", seal=number)
        return
    try:
        text, signers = opened(one.note, [key])
        if key not in signers:
            raise AuditError(f"it is not signed by {key.name} ({key.key_hash.hex()})")
        checkpoint = Checkpoint.read(text)
    except AuditError as error:
        report.add(f"seal {number}: {error.message}", seal=number)
        return
    should = one.checkpoint(key.name, previous.note_hash if previous else b"")
    if text == should.text:
        return
    differ = [
        f"{mine or 'nothing'} is stored, {theirs or 'nothing'} was signed"
        for mine, theirs in zip(should.text.splitlines(), text.splitlines(), strict=False)
        if mine != theirs
    ]
    said = "; ".join(differ) or f"{checkpoint.size} changes were signed"
    report.add(f"seal {number} is not what was signed: {said}", seal=number)


def _signed_leaves(note: str) -> bytes | None:
    found = re.search(r"^leaves (\S+)$", note, re.M)
    try:
        return base64.b64decode(found[1], validate=True) if found else None
    except binascii.Error:
        return None


def _pruned(prunings: Iterable[Pruning], keys: Trust, report: Report) -> "Numbers":
    ranges = []
    for one in prunings:
        try:
            text, signers = opened(one.note, keys.keys)
        except AuditError as error:
            report.add(f"a pruning of {one.changes[:80]}: {error.message}")
            continue
        if not any(text == one.statement(key.name) for key in signers):
            report.add(f"a pruning of {one.changes[:80]} is not what was signed")
            continue
        ranges.append(one.changes)
    return Numbers(",".join(ranges))


def _expected(
    checkpoints: Sequence[tuple[str, str]], keys: Trust, report: Report
) -> dict[int, list[tuple[str, bytes]]]:
    """The roots that kept checkpoints tell, by the size of the tree."""
    found: dict[int, list[tuple[str, bytes]]] = {}
    for name, note in checkpoints:
        try:
            text, signers = opened(note, keys.keys)
            checkpoint = Checkpoint.read(text)
        except AuditError as error:
            report.add(f"checkpoint {name}: {error.message}")
            continue
        if not signers:
            report.add(f"checkpoint {name} is not signed by any key of this log: the log, or its keys, were replaced")
        elif checkpoint.origin != keys.keys[-1].name:
            report.add(f"checkpoint {name} is of another log, {checkpoint.origin}")
        else:
            found.setdefault(checkpoint.size, []).append((name, checkpoint.root))
    return found


def _start(since: str | None, keys: Trust) -> Checkpoint | None:
    if since is None:
        return None
    text, signers = opened(since, keys.keys)
    if not signers:
        raise AuditError(
            "The checkpoint to start from is not signed by any key of this log.", remedy="Verify everything."
        )
    return Checkpoint.read(text)


def _resumed(last: Seal, start: Checkpoint, report: Report) -> Frontier:
    """The tree as the trusted checkpoint knows it, out of the seal that it is of."""
    try:
        frontier = Frontier(last.tree_size, last.frontier)
    except ValueError:
        frontier = Frontier()
    if frontier.size != start.size or frontier.root != start.root:
        report.add(f"seal {last.seal_number} is not what the checkpoint to start from tells", seal=last.seal_number)
    return frontier


class Numbers:
    """The numbers in a multirange as PostgreSQL writes it, `{[1,8),[9,10)}`."""

    def __init__(self, text: str) -> None:
        self._ranges = sorted((int(first), int(end)) for first, end in RANGE.findall(text))

    def __iter__(self) -> Iterator[int]:
        for first, end in self._ranges:
            yield from range(first, end)

    def __len__(self) -> int:
        return sum(end - first for first, end in self._ranges)

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int):
            return False
        place = bisect_right(self._ranges, (number, 2**63))
        return place > 0 and number < self._ranges[place - 1][1]
