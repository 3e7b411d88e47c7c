"""Every statement of a document with the verdict on it: what each rule says, and what that comes to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aya.claims.rule import Case, Verdict, rules
from aya.claims.statement import Page, Stated

EVIDENCE_CHARACTERS = 1000
REPETITION = "agreement"
"""The rule that knows no more than the document itself."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one rule says of one statement."""

    rule: str
    verdict: Verdict
    evidence: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of a document, and what is to be thought of it."""

    line: int
    ordinal: int
    text: str
    node: str | None
    subject: str
    value: str | None
    facts: Sequence[Mapping[str, Any]] = ()
    """What was understood: section, key, column and value, as in the state."""
    judgements: Sequence[Judgement] = field(default_factory=tuple)

    @property
    def decisive(self) -> Judgement | None:
        """The judgement that counts: a contradiction before a confirmation; of those what was measured, then what follows
        from something else, and last what the document merely says again.
        """
        return decisive(self.judgements)

    @property
    def verdict(self) -> Verdict:
        """What all judgements come to."""
        return one.verdict if (one := self.decisive) else Verdict.UNVERIFIABLE


def decisive(judgements: Sequence[Judgement]) -> Judgement | None:
    """The judgement that counts among several; None among none."""
    order = {Verdict.CONTRADICTED: 0, Verdict.CONFIRMED: 1, Verdict.UNVERIFIABLE: 2}
    weight = {"measured": 0, REPETITION: 2}
    return min(judgements, key=lambda one: (order[one.verdict], weight.get(one.rule, 1)), default=None)


def judge(page: Page, stated: Sequence[Stated]) -> list[Claim]:
    """Every statement of a document, judged by every rule that has an opinion on it."""
    case = Case(page, stated)
    found: dict[int, dict[tuple[str, Verdict], list[str]]] = {}
    for name, rule in rules().items():
        for opinion in rule.judge(case):
            verdict = Verdict.CONFIRMED if opinion.holds else Verdict.CONTRADICTED
            told = found.setdefault(opinion.item.number, {}).setdefault((name, verdict), [])
            if opinion.evidence not in told:
                told.append(opinion.evidence)
    facts: dict[int, list[Mapping[str, Any]]] = {}
    for one in stated:
        if one.place is not None and one.node is not None:
            where = {"section": one.place.section, "key": dict(one.place.key), "column": one.place.column}
            facts.setdefault(one.item.number, []).append({**where, "value": one.value})
    return [
        Claim(
            line=item.line,
            ordinal=item.number,
            text=item.text[:4000],
            node=page.node_of.get(item.number),
            subject=" / ".join(filter(None, [item.place, item.key])) or item.text[:200],
            value=item.value[:4000] or None,
            facts=tuple(facts.get(item.number, ())),
            judgements=tuple(
                Judgement(name, verdict, " ".join(told)[:EVIDENCE_CHARACTERS])
                for (name, verdict), told in found.get(item.number, {}).items()
            ),
        )
        for item in page.outline.items
        if not item.is_label or item.number in found
    ]
