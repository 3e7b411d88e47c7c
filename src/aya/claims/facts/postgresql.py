"""PostgreSQL servers and their replication, both sides of it."""

import re
from collections.abc import Callable, Iterator
from itertools import groupby

from aya.claims.facts.measurements import bound
from aya.claims.facts.node import architecture
from aya.claims.instance import another, instance_of
from aya.claims.moment import moment_in, zone_of
from aya.claims.outline import Item
from aya.claims.quantity import BYTES, SECONDS, Quantity, quantity
from aya.claims.scope import mentioned
from aya.claims.statement import Page, Place, Reader, Stated
from aya.model import Json

_ABOUT = re.compile(r"(?i)postgres(?:ql)?\b")
_REPLICATION = re.compile(r"(?i)replication|standby|replica|streaming")
_STATES = re.compile(r"(?i)\b(streaming|catchup|startup|backup|stopping|disconnected|inactive)\b")
_SYNC = re.compile(r"(?i)\b(async|sync|quorum|potential)\w*")


def _read(page: Page) -> Iterator[Stated]:
    for node in page.nodes:
        items = [item for item in page.items(node) if item.key and not item.is_label]
        for _, group in groupby(items, key=lambda item: item.group):
            yield from _server(page, node, list(group))
        yield from _replication(page, node, [item for item in items if _REPLICATION.search(item.near)])


def _server(page: Page, node: str, items: list[Item]) -> Iterator[Stated]:
    """The list that states the version of the server."""
    if not _ABOUT.search(items[0].label or items[0].near):
        return
    version = next((item for item in items if re.fullmatch(r"(?i)(?:server |postgresql )?version", item.key)), None)
    found = re.match(r"v?(?:PostgreSQL )?(\d+(?:\.\d+)*)", version.value) if version else None
    if version is None or found is None:
        return

    def stated(item: Item, column: str, value: Json) -> Stated:
        place = Place("instances", (("instance", instance_of(page, node, item)),), column)
        return Stated(
            item=item, node=node, subject=f"PostgreSQL{another(page, node, item)} {column}", value=value, place=place
        )

    zone = zone_of(page.dated)
    yield stated(version, "server_version", found[1])
    if port := page.servers.get(version.number) or page.ports.get(node):
        yield stated(version, "port", port)
    role = page.nodes[node].role
    if role in ("primary", "replica"):
        yield stated(version, "server_role", role)
    for item in items:
        key = item.key.lower()
        if key == "architecture" and (value := architecture(item.value)):
            yield stated(item, "architecture", value[0])
        elif key == "compiler":
            yield stated(item, "compiler", item.value)
        elif re.fullmatch(r"data dir(?:ectory)?|data path|pgdata", key) and item.value.startswith("/"):
            yield stated(item, "data_directory", item.value.split(" (")[0])
        elif re.fullmatch(r"started|start time|started at|running since", key) and (at := moment_in(item.value, zone)):
            yield stated(item, "started_at", at.isoformat())


def _replication(page: Page, node: str, items: list[Item]) -> Iterator[Stated]:
    role = page.nodes[node].role
    if role not in ("primary", "replica"):
        return
    peers = [name for item in items for name in mentioned(item.value, page.nodes) if name != node]
    peer = peers[0] if peers else _only_other(page, node)
    if peer is None or not items:
        return
    slot = next((name for item in items if (name := _slot(item))), None)
    side: tuple[tuple[str, str], ...] = (("instance", instance_of(page, node)), ("side", role))
    key = (*side, *((("slot_name", slot),) if slot else ()))

    def stated(item: Item, column: str, value: Json, said: Quantity | None = None) -> Stated:
        subject = f"replication {column}"
        return Stated(
            item=item, node=node, subject=subject, value=value, said=said, place=Place("replication", key, column)
        )

    naming = next((item for item in items if mentioned(item.value, page.nodes)), items[0])
    yield stated(naming, "peer", peer)
    for item in items:
        yield from _of_link(item, stated)
    if slot:
        told = next(item for item in items if _slot(item) == slot)
        yield stated(told, "slot_name", slot)


def _of_link(item: Item, stated: Callable[..., Stated]) -> Iterator[Stated]:
    key = item.key.lower()
    if re.fullmatch(r"(?:replication )?state|status", key) and (state := _STATES.search(item.value)):
        yield stated(item, "state", state[1].lower())
    elif re.fullmatch(r"sync(?:hronous)? (?:state|mode)|mode", key) and (sync := _SYNC.match(item.value)):
        yield stated(item, "sync_state", sync[1].lower())
    elif re.fullmatch(r"(?:replication |replay )?(?:lag|delay)", key):
        said = quantity(item.value, SECONDS)
        if said:
            if meant := bound(said):
                yield stated(item, "metadata.replay_lag_bound", meant)
            yield stated(item, "replay_lag_ms", int(said.value * 1000), said)
        elif bytes_said := quantity(item.value, BYTES):
            yield stated(item, "replay_lag_bytes", int(bytes_said.value), bytes_said)


def _slot(item: Item) -> str | None:
    if not re.fullmatch(
        r"(?i)`?(?:primary_slot_name|(?:active |primary )?(?:replication )?slots?(?: name)?)`?", item.key
    ):
        return None
    found = re.search(r"\((?P<inside>[a-z_][a-z0-9_]*)\)|^(?P<bare>[a-z_][a-z0-9_]*)\b", item.value)
    return (
        (found["inside"] if found["inside"] not in ("active", "inactive") else None) or found["bare"] if found else None
    )


def _only_other(page: Page, node: str) -> str | None:
    wanted = "replica" if page.nodes[node].role == "primary" else "primary"
    others = [one.name for one in page.nodes.values() if one.role == wanted and one.name != node]
    return others[0] if len(others) == 1 else None


reader = Reader(_read)
