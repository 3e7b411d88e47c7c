"""A node as it takes part in the comparison: what is known of it, by the names that all nodes have in common."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from aya.drift.finding import Unknown
from aya.drift.looks import Gap
from aya.drift.own import Own
from aya.drift.thing import PRESENCE, THERE, Look, NodeDocument, Section, Thing, Value
from aya.registry import discover

ThingKey = tuple[str, tuple[str, ...], str]
"""Section, scope and name."""
Key = tuple[str, tuple[str, ...], str, str]
"""Section, scope, name and aspect."""
Known = Callable[[Iterable[Look]], Gap | None]
"""Why what these looks tell is not known; None: it is."""


@cache
def sections() -> Mapping[str, Section]:
    """All sections that can be compared, by name."""
    return discover("aya.drift.sections", Section, "section")


@dataclass(slots=True)
class View:
    """What is known of one node."""

    node: str
    values: dict[Key, tuple[Value, Value]] = field(default_factory=dict)
    """Each aspect: as it is, and with what is the node's own replaced."""
    things: dict[ThingKey, Thing] = field(default_factory=dict)
    scopes: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)
    """Where everything that is there is known: what is not among the values is not there."""
    unsure: set[ThingKey] = field(default_factory=set)
    """What is there, but not known now."""
    unknown: list[Unknown] = field(default_factory=list)


def view(
    node: str,
    state: NodeDocument,
    wanted: Iterable[str],
    servers: Mapping[str, str],
    known: Known,
    refusal: Gap | None = None,
    looked_at: Iterable[str] = (),
    *,
    everything: bool = False,
) -> View:
    """A node's view of the wanted sections. `everything`: also what differs by nature, and nothing replaced.

    `servers`: the common names of its PostgreSQL servers. `refusal`: why it is not known which servers there are.
    `looked_at`: its servers and databases that were ever looked at, also in vain.
    """
    own = Own(None, {}) if everything else Own.of(node, state)
    seen = View(node)
    for name in wanted:
        section = sections()[name]
        gaps: dict[str, Gap | None] = {}

        def gap_of(target: str, section: Section = section, gaps: dict[str, Gap | None] = gaps) -> Gap | None:
            if target not in gaps:
                gaps[target] = known(section.looks(target))
            return gaps[target]

        whole = gap_of("") or (refusal if name == "instances" else None)
        if whole is not None:
            seen.unknown.append(Unknown(node, name, "", whole.since, whole.reason))
        else:
            seen.scopes.add((name, ()))
        for thing in section.things(state, servers):
            if gap_of(thing.target) is None:
                _add(seen, name, _common(thing, own, seen, name), own, everything=everything)
            else:
                seen.unsure.add((name, thing.scope, own.replaced(thing.name)))
        for target in looked_at:
            # Of what was never seen there is no thing; where everything was seen, what is not among the things is not there.
            if section.looks(target) and gap_of(target) is None:
                seen.scopes.add((name, _scope(target, servers)))
        for target, gap in gaps.items():
            if target and gap is not None and whole is None:
                seen.unknown.append(Unknown(node, name, " ".join(_scope(target, servers)), gap.since, gap.reason))
    return seen


def _common(thing: Thing, own: Own, seen: View, section: str) -> Thing:
    """The thing by the name that all nodes have in common, unless two of this node would have the same."""
    name = own.replaced(thing.name)
    if name == thing.name or (section, thing.scope, name) in seen.things:
        return thing
    return Thing(thing.scope, name, thing.aspects, thing.target, thing.by_nature, thing.unit, thing.about)


def _add(seen: View, section: str, thing: Thing, own: Own, *, everything: bool) -> None:
    key = section, thing.scope, thing.name
    seen.things[key] = thing
    seen.scopes.add((section, thing.scope))
    for aspect, value in _compared(thing, everything=everything):
        common = Value(own.replaced(value.text or ""), value.pending and own.replaced(value.pending))
        seen.values[*key, aspect] = value, common


def _compared(thing: Thing, *, everything: bool) -> Iterator[tuple[str, Value]]:
    if everything or PRESENCE not in thing.by_nature:
        yield PRESENCE, THERE
    for aspect, value in thing.aspects.items():
        if everything or aspect not in thing.by_nature:
            yield aspect, value


def _scope(target: str, servers: Mapping[str, str]) -> tuple[str, ...]:
    """The common names of a server, and of a database of it."""
    instance, _, database = target.partition("/")
    return (servers.get(instance, instance), database) if database else (servers.get(instance, instance),)
