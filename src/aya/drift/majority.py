"""Compare nodes with one another: what most have is expected of all. Nodes are added one by one, so that the fleet need not fit
in memory.
"""

from collections import defaultdict
from collections.abc import Iterator

from aya.drift.finding import Finding, Group, Verdict
from aya.drift.thing import MISSING, PRESENCE, THERE, Severity, Thing, Value
from aya.drift.view import Key, ThingKey, View, sections


class Tally:
    """Who has what."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
        self._values: dict[Key, dict[Value, list[str]]] = defaultdict(dict)
        self._common: dict[Key, dict[Value, set[Value]]] = defaultdict(dict)
        self._things: dict[ThingKey, Thing] = {}
        self._unsure: dict[ThingKey, set[str]] = defaultdict(set)

    def add(self, seen: View) -> None:
        """Count a node in."""
        for scope in seen.scopes:
            self._nodes[scope].append(seen.node)
        for unsure in seen.unsure:
            self._unsure[unsure].add(seen.node)
        for of, thing in seen.things.items():
            self._things.setdefault(of, thing)
        for key, (value, common) in seen.values.items():
            self._values[key].setdefault(value, []).append(seen.node)
            self._common[key].setdefault(value, set()).add(common)

    def findings(self) -> Iterator[Finding]:
        """Everything that is not the same on all nodes that are known."""
        for key in sorted(self._values):
            groups = self._together(key)
            if key[3] == PRESENCE:
                there = set(groups[THERE])
                known = set(self._nodes[key[:2]]) - self._unsure.get(key[:3], set())
                if missing := sorted(known - there):
                    groups[MISSING] = missing
            if len(groups) > 1:
                yield judged(key, groups, self._things[key[:3]])

    def _together(self, key: Key) -> dict[Value, list[str]]:
        """The nodes by value, where values that differ only in what is a node's own are one."""
        values, common = self._values[key], self._common[key]
        if len(values) == 1:
            return dict(values)
        merged: list[tuple[set[Value], list[Value]]] = []
        for value in values:
            meanings, alike = set(common[value]), [value]
            for other in [one for one in merged if one[0] & meanings]:
                merged.remove(other)
                meanings |= other[0]
                alike += other[1]
            merged.append((meanings, alike))
        return {
            _representative(alike, meanings): [node for value in alike for node in values[value]]
            for meanings, alike in merged
        }


def _representative(alike: list[Value], meanings: set[Value]) -> Value:
    """What stands for values that are the same but for what is a node's own."""
    return alike[0] if len(alike) == 1 else min(meanings, key=lambda value: ("{" not in str(value.text), str(value)))


def judged(key: Key, groups: dict[Value, list[str]], thing: Thing) -> Finding:
    """Who is the odd one, if it can be said: a value that more than half of at least three nodes have is expected."""
    section, scope, name, aspect = key
    fewest_first = sorted(groups, key=lambda value: (len(groups[value]), str(value.text), str(value.pending)))
    total = sum(map(len, groups.values()))
    most = fewest_first[-1]
    decided = total > 2 and 2 * len(groups[most]) > total
    made = [Group.of(value, tuple(sorted(groups[value]))) for value in fewest_first]
    return Finding(
        section=section,
        scope=scope,
        name=name,
        aspect=aspect,
        verdict=Verdict.MAJORITY if decided else Verdict.TIE,
        severity=severity_of(section),
        expected=made.pop() if decided else None,
        groups=tuple(made),
        unit=thing.unit,
        about=thing.about,
    )


def severity_of(section: str) -> Severity:
    """How much a difference in a section matters."""
    return sections()[section].severity
