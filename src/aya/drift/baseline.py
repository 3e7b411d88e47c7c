"""Compare nodes with what they should be: each with a node that was chosen, or with itself at another time."""

from collections import defaultdict
from collections.abc import Iterator

from aya.drift.finding import Finding, Group, Verdict
from aya.drift.majority import severity_of
from aya.drift.thing import MISSING, PRESENCE, Thing, Value
from aya.drift.view import Key, View


class Against:
    """Who differs from the baseline in what."""

    def __init__(self) -> None:
        self._odd: dict[tuple[Key, Value], dict[Value, list[str]]] = defaultdict(lambda: defaultdict(list))
        self._expecting: dict[tuple[Key, Value], str] = {}
        self._things: dict[Key, Thing] = {}

    def add(self, seen: View, expected: View) -> None:
        """Compare a node with its baseline. What either does not know is not compared."""
        for key in seen.values.keys() | expected.values.keys():
            mine, its = _of(seen, key), _of(expected, key)
            if mine is None or its is None or mine[0] == its[0] or mine[1] == its[1]:
                continue
            self._odd[key, its[0]][mine[0]].append(seen.node)
            self._expecting[key, its[0]] = expected.node
            self._things.setdefault(key, seen.things.get(key[:3]) or expected.things[key[:3]])

    def findings(self) -> Iterator[Finding]:
        """Everything that is not as the baseline has it."""
        for key, its in sorted(self._odd, key=str):
            groups = self._odd[key, its]
            section, scope, name, aspect = key
            yield Finding(
                section=section,
                scope=scope,
                name=name,
                aspect=aspect,
                verdict=Verdict.BASELINE,
                severity=severity_of(section),
                expected=Group.of(its, (self._expecting[key, its],)),
                groups=tuple(
                    Group.of(value, tuple(sorted(groups[value])))
                    for value in sorted(groups, key=lambda value: (len(groups[value]), str(value)))
                ),
                unit=self._things[key].unit,
                about=self._things[key].about,
            )


def _of(seen: View, key: Key) -> tuple[Value, Value] | None:
    """The value of a node; None where it is not known, or where there is nothing to have the aspect."""
    if key in seen.values:
        return seen.values[key]
    if key[3] != PRESENCE or key[:3] in seen.unsure or key[:2] not in seen.scopes:
        return None
    return MISSING, MISSING
