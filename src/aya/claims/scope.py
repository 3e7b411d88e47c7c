"""Whom a document describes, and which of its statements is about which node.

A node is a name that a heading gives a role (`## ALPHA (Primary Server)`) over statements about hardware, a heading that says so
(`## Node: web01`), or an entry of a list of nodes (`**1 Pending Node:** AIR (mobile client)`) or of a table of them.
"""

import re
from collections.abc import Iterator, Mapping

from aya.claims.outline import Heading, Item, Outline
from aya.claims.statement import Described

_ROLES = (
    ("replica", r"replica|replikat|réplica|réplique|secondaire|standby|secondary|follower|read[ -]only|mirror"),
    ("primary", r"primary|primärserver|primärknoten|primaire|principal|hauptserver|master|leader|main server"),
    ("client", r"client|laptop|workstation|mobile|desktop"),
    ("standalone", r"serveur|rechner|knoten|standalone|single|server|host|node|machine"),
)
_STATUSES = (("pending", r"pending|planned|future|upcoming"), ("maintenance", "maintenance"),
             ("inactive", r"inactive|offline|decommissioned|retired"))  # fmt: skip
_NAME = r"[A-Za-z][\w.-]{0,62}"
_TITLED = re.compile(
    rf"(?:\d+[.)]\s*)?(?P<name>{_NAME})\s*(?:\((?P<said>[^)]*)\)|\s[-–—:]\s*(?P<more>.*)|:\s+(?P<rest>.*))"
)
_KINDS = r"(?i:node|host|hostname|server|machine|system|computer|knoten|rechner|n[œo]e?ud|serveur|maschine)"
_ANNOUNCED = re.compile(rf"(?:\d+(?:\.\d+)*[.)]?\s+)?{_KINDS}\s*(?:\d+\s*)?[:#–—-]\s*(?P<name>{_NAME})(?P<said>.*)")
_KIND = re.compile(_KINDS)
_LISTED = re.compile(rf"(?P<name>{_NAME})\s*\((?P<said>[^)]*)\)")
_HARDWARE = re.compile(
    r"(?i)(?:hardware )?(?:model(?: (?:name|identifier|number))?|serial(?: number)?|hardware uuid|uuid|chip|processor|"
    r"cpu(?: model)?|"
    r"(?:total )?(?:cpu )?cores|ram|memory|capacity|architecture|operating system|os|kernel|hostname|ip(?:v4)?(?: address)?)"
)


def described_nodes(outline: Outline) -> dict[str, Described]:
    """The nodes of a document by name."""
    found: dict[str, Described] = {}

    def add(name: str, said: str, line: int) -> None:
        role = _first(_ROLES, said) or "standalone"
        status = _first(_STATUSES, said) or "active"
        found.setdefault(name, Described(name, role, status, line))

    for heading, under in _sections(outline):
        announced = _ANNOUNCED.match(heading.text)
        titled = _TITLED.match(heading.text)
        hardware = {item.key.lower() for item in under if _HARDWARE.fullmatch(item.key)}
        if announced and len(hardware) >= 2:
            add(announced["name"], announced["said"], heading.line)
        elif titled and len(hardware) >= 2 and not _KIND.fullmatch(titled["name"]):
            said = titled["said"] or titled["more"] or titled["rest"] or ""
            if _first(_ROLES, said):
                add(titled["name"], said, heading.line)
    for item in outline.items:
        if re.search(r"(?i)\bnodes?$|\bhosts?$|\bservers?$", item.key):
            for one in _LISTED.finditer(item.value):
                if _first(_ROLES, one["said"]):
                    add(one["name"], f"{one['said']} {item.key}", item.line)
    for item in outline.items:  # a table with a role for each
        if item.parents and re.fullmatch(r"(?i)(?:node )?role|type", item.key) and _first(_ROLES[:3], item.value):
            name = item.parents[-1]
            if re.fullmatch(_NAME, name) and re.search(
                r"(?i)nodes|hosts|servers|machines|fleet|infrastructure", item.near
            ):
                add(name, f"{item.value} {_status_beside(outline, item)}", item.line)
    return found


def _status_beside(outline: Outline, role: Item) -> str:
    return " ".join(
        item.value for item in outline.items if item.line == role.line and re.fullmatch(r"(?i)status|state", item.key)
    )


def nodes_of_items(outline: Outline, nodes: Mapping[str, Described]) -> dict[int, str]:
    """Which node each statement is about, by its number; what is about none or several is left out."""
    found: dict[int, str] = {}
    # `## db02 (replica of db01)` is about the node that it describes.
    owners = {heading.text: mentioned(heading.text, {name: nodes[name]}) for heading in outline.headings
              for name in nodes if nodes[name].line == heading.line}  # fmt: skip
    for item in outline.items:
        for text in (*reversed(item.parents), item.label, *(heading.text for heading in reversed(item.headings))):
            names = owners.get(text) or mentioned(text, nodes)
            if names:
                if len(names) == 1:
                    found[item.number] = names[0]
                break
        else:
            names = mentioned(item.text, nodes)
            if len(names) == 1 and item.key not in nodes:
                found[item.number] = names[0]
        if item.key in nodes and item.parents and item.number not in found:  # a column for each node
            found[item.number] = item.key
    return found


def mentioned(text: str, nodes: Mapping[str, Described]) -> list[str]:
    """The nodes that a text names, as whole words."""
    words = dict.fromkeys(word.strip("._-") for word in re.findall(r"[\w.-]+", text))
    return [word for word in words if word in nodes]


def surroundings(item: Item, nodes: Mapping[str, Described]) -> str:
    """What a statement stands under most closely; a heading that describes a node says nothing of the topic."""
    heading = item.headings[-1:]
    if heading and any(described.line == heading[0].line for described in nodes.values()):
        heading = ()
    return " / ".join([*(one.text for one in heading), item.label, *item.parents])


def _sections(outline: Outline) -> Iterator[tuple[Heading, list[Item]]]:
    """Each heading with all statements under it, until the next of its depth."""
    under: dict[Heading, list[Item]] = {heading: [] for heading in outline.headings}
    for item in outline.items:
        for heading in item.headings:
            under[heading].append(item)
    yield from under.items()


def _first(patterns: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((name for name, pattern in patterns if re.search(rf"(?i)\b(?:{pattern})\b", text)), None)
