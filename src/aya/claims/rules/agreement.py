"""One thing that is stated several times is stated alike."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from aya.claims.facts import measurements
from aya.claims.facts.measurements import SUBJECT
from aya.claims.outline import Item
from aya.claims.quantity import COUNT, Quantity, alike, quantities
from aya.claims.rule import Case, Opinion, Rule
from aya.claims.statement import Stated

MOST_LINES = 6


def _judge(case: Case) -> Iterator[Opinion]:
    for (node, subject), own in _subjects(case).items():
        told = [*own, *_of_all(case, node, subject)]
        if len({one.item.line for one in told}) >= 2:
            yield from (one for one in _compared(node, told) if one.holds or not _may_differ(subject, told))
    yield from _measured(case)
    yield from _paths(case)
    yield from _dates(case)
    yield from _links(case)


_SEVERAL = re.compile(
    r"(?i)system python|brew|conda|venv|virtual env|pyenv|bundled|secondary|alternative|previous|old\b|second"
)
_MOVES = re.compile(r"^host |lag|uptime|process_id|rows|size_bytes")


def _may_differ(subject: str, told: Sequence[Stated]) -> bool:
    """Whether two values are no contradiction: numbers that move, and several installations of one product."""
    return bool(_MOVES.search(subject)) or (
        "software" in subject and any(_SEVERAL.search(f"{one.item.near} {one.item.text}") for one in told)
    )


def _measured(case: Case) -> Iterator[Opinion]:
    """The same number for the same kind of measurement elsewhere. Another number is another measurement, and no contradiction."""
    told = [one for one in case.stated if one.subject.startswith(SUBJECT) and one.said is not None]
    numbered = [(one.item, measurements.category(one.item), one.said) for one in told]
    known = {one.item.number for one in told}
    for item in case.page.outline.items:
        if item.key and item.number not in known and measurements.PLACE.search(item.near) and not item.is_code:
            said = next((one for one in quantities(item.value) if one.dimension in measurements.SHOWN), None)
            if said is not None:
                numbered.append((item, measurements.category(item), said))
    for item, category, said in numbered:
        others = [
            other
            for other, its, number in numbered
            if its == category
            and other is not item
            and number
            and said
            and _is_same(said, number)
            and _may_be_one(case, item, other)
        ]
        if others:
            yield Opinion(item, True, _again(sorted(other.line for other in others)))


def _is_same(said: Quantity, other: Quantity) -> bool:
    return (
        said.dimension == other.dimension != COUNT and said.agrees(other) and not (said.bound or other.bound)
    ) or said == other


def _may_be_one(case: Case, item: Item, other: Item) -> bool:
    one, two = (case.page.node_of.get(each.number) for each in (item, other))
    return one == two or one is None or two is None


def _paths(case: Case) -> Iterator[Opinion]:
    """A path that stands twice for one node."""
    for node in case.page.nodes:
        found: dict[str, list[Item]] = {}
        for item in case.page.items(node):
            if re.fullmatch(r"/[\w.@+-]+(?:/[\w.@+-]+)+", item.value):
                found.setdefault(item.value, []).append(item)
        for those in found.values():
            for item in those:
                others = [other.line for other in those if other is not item]
                if others:
                    yield Opinion(item, True, _again(others))


def _subjects(case: Case) -> dict[tuple[str, str], list[Stated]]:
    found: dict[tuple[str, str], list[Stated]] = {}
    for one in case.stated:
        if one.node is not None and not one.subject.startswith(SUBJECT) and "metadata" not in one.subject:
            found.setdefault((one.node, one.subject), []).append(one)
    return found


def _of_all(case: Case, node: str, subject: str) -> list[Stated]:
    """What is stated of no node in particular and is of this one: of its chip, or a setting that every server has so."""
    nodes = [name for name in case.page.nodes if case.of(name, subject)]
    found = []
    for one in case.of(None, subject):
        alike = [_alike(one, case.of(name, subject)[0]) for name in nodes]
        # Of a chip: of every node that has it. Of a setting: of all servers, where it fits all or none.
        if case.has_chip(one.item, node) if one.place is not None else all(alike) or not any(alike):
            found.append(one)
    return found


def _compared(node: str, told: Sequence[Stated]) -> Iterator[Opinion]:
    groups: list[list[Stated]] = []
    for one in told:
        for group in groups:
            if _alike(one, group[0]):
                group.append(one)
                break
        else:
            groups.append([one])
    if len(groups) == 1:
        for one in told:
            lines = sorted({other.item.line for other in told if other.item.line != one.item.line})
            if lines:
                yield Opinion(one.item, True, _again(lines))
        return
    most = max(groups, key=len)
    is_outvoted = Counter(map(len, groups)).most_common(1)[0][1] == 1 or len(most) > max(
        len(g) for g in groups if g is not most
    )
    for group in groups:
        if is_outvoted and group is most:
            continue
        for one in group:
            other = next(g for g in groups if g is not group) if not is_outvoted else most
            yield Opinion(one.item, False, f"Line {other[0].item.line} says of {node}: {other[0].item.text}.")


def _alike(one: Stated, other: Stated) -> bool:
    if one.said is not None and other.said is not None and one.said.dimension == other.said.dimension:
        return one.said.agrees(other.said) or one.value == other.value
    return alike(str(one.value), str(other.value))


def _dates(case: Case) -> Iterator[Opinion]:
    """The date of the document stands at its beginning and at its end."""
    dates = [
        item
        for item in case.page.outline.items
        if item.key.lower() == "date" and case.page.node_of.get(item.number) is None
    ]
    for item in dates:
        others = [other for other in dates if other is not item]
        if others:
            same = all(other.value == item.value for other in others)
            lines = [other.line for other in others]
            yield Opinion(
                item,
                same,
                _again(lines) if same else f"Not {item.value} on {_lines(lines)}.",
            )


def _links(case: Case) -> Iterator[Opinion]:
    """Both ends of a replication tell of one link: the same slot, and each the other."""
    for primary in case.page.nodes:
        for replica in case.page.nodes:
            peers = case.first(primary, "replication peer"), case.first(replica, "replication peer")
            if primary == replica or not all(peers) or case.page.nodes[primary].role != "primary":
                continue
            slots = case.first(primary, "replication slot_name"), case.first(replica, "replication slot_name")
            one, other = slots
            if one and other and peers[0] and peers[0].value == replica:
                same = one.value == other.value
                yield Opinion(one.item, same, f"{replica} names the slot {other.value} on line {other.item.line}.")
                yield Opinion(other.item, same, f"{primary} names the slot {one.value} on line {one.item.line}.")
            waits, mode = (
                case.first(primary, "synchronous_standby_names setting_value"),
                case.first(replica, "replication sync_state"),
            )
            if waits and mode and waits.value == "" and str(mode.value) in ("async", "sync", "quorum"):
                told = (
                    f"{primary} waits for no standby: its synchronous_standby_names is empty on line {waits.item.line}."
                )
                yield Opinion(mode.item, mode.value == "async", told)


def _again(lines: Sequence[int]) -> str:
    """That a document repeats itself: it agrees with itself, nothing more."""
    return f"The same document says so too on {_lines(lines)}."


def _lines(lines: Sequence[int]) -> str:
    shown = ", ".join(map(str, lines[:MOST_LINES])) + (", …" if len(lines) > MOST_LINES else "")
    return f"line {shown}" if len(lines) == 1 else f"lines {shown}"


rule = Rule(_judge)
