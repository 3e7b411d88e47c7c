"""What a rule is: one file that knows one reason why a statement holds or does not.

A rule confirms or contradicts, with evidence; where it has no reason for either it says nothing, and what no rule has a reason
for is unverifiable. So a rule must be sure: a number is held against another as exactly as it was written, never more.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property

from aya.claims.outline import Item
from aya.claims.statement import Page, Stated
from aya.reference import Chip, chip
from aya.registry import discover


class Verdict(StrEnum):
    """What is to be thought of a statement."""

    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    UNVERIFIABLE = "unverifiable"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a rule says of a statement."""

    item: Item
    holds: bool
    evidence: str


@dataclass(frozen=True, eq=False)
class Case:
    """A document as the rules see it."""

    page: Page
    stated: Sequence[Stated]

    def of(self, node: str | None, subject: str) -> Sequence[Stated]:
        """What is stated of one subject of one node, in order."""
        return self._by_subject.get((node, subject), ())

    def first(self, node: str | None, subject: str) -> Stated | None:
        """The first such statement."""
        return next(iter(self.of(node, subject)), None)

    @cached_property
    def _by_subject(self) -> Mapping[tuple[str | None, str], Sequence[Stated]]:
        found: dict[tuple[str | None, str], list[Stated]] = {}
        for one in self.stated:
            found.setdefault((one.node, one.subject), []).append(one)
        return found

    def has_chip(self, item: Item, node: str) -> bool:
        """Whether a statement about no node is about the chip that this node has."""
        model = self.first(node, "cpu_model")
        name = str(model.value).casefold().removeprefix("apple ") if model else None
        return name is not None and any(name in heading.text.casefold() for heading in item.headings)

    def chip(self, node: str | None) -> Chip | None:
        """What is published of the chip of a node, narrowed down by what is stated; of no node: of the one that all have."""
        if node is not None:
            return self._chips[node]
        found = {one.name: one for one in self._chips.values() if one is not None}
        return next(iter(found.values())) if len(found) == 1 else None

    @cached_property
    def _chips(self) -> Mapping[str, Chip | None]:
        return {name: self._chip(name) for name in self.page.nodes}

    def _chip(self, node: str) -> Chip | None:
        model = self.first(node, "cpu_model")
        if model is None:
            return None
        counts = {what: self.first(node, what) for what in ("gpu_cores", "cpu_cores_total")}
        gpu, cpu = (int(one.value) if one else None for one in counts.values())
        # What is stated may be wrong: then the name alone says what is published.
        return chip(str(model.value), gpu_cores=gpu, cpu_cores=cpu) or chip(str(model.value))


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason."""

    judge: Callable[[Case], Iterator[Opinion]]


@cache
def rules() -> Mapping[str, Rule]:
    """Every rule by its name."""
    return discover("aya.claims.rules", Rule, "rule")
