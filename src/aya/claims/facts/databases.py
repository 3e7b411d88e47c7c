"""Databases, their tables and indexes with sizes, and the extensions that are installed."""

import re
from collections.abc import Callable, Iterator

from aya.claims.instance import instance_of
from aya.claims.outline import Item
from aya.claims.quantity import BYTES, COUNT, Quantity, quantity
from aya.claims.statement import Page, Place, Reader, Stated
from aya.model import Json

_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_$]*(?:\.[a-z_][a-z0-9_$]*)?")
_METHODS = ("btree", "hash", "gist", "gin", "brin", "spgist", "ivfflat", "hnsw", "bloom")


def _read(page: Page) -> Iterator[Stated]:
    for node in page.nodes:
        items = [item for item in page.items(node) if item.key]
        databases = [
            item
            for item in items
            if re.fullmatch(r"(?i)database(?: name)?", item.key) and _IDENTIFIER.match(item.value)
        ]
        for number, database in enumerate(databases):
            end = databases[number + 1].number if number + 1 < len(databases) else 10**9
            under = [
                item for item in items if database.number <= item.number < end and item.headings == database.headings
            ]
            yield from _database(page, node, _bare(database.value), database, under)
        yield from _extensions(page, node, items, _bare(databases[0].value) if databases else None)


def _database(page: Page, node: str, name: str, line: Item, items: list[Item]) -> Iterator[Stated]:
    own = (("instance", instance_of(page, node)), ("database_name", name))

    def stated(
        item: Item, key: tuple[tuple[str, str], ...], column: str, value: Json, said: Quantity | None = None
    ) -> Stated:
        what = " ".join(value for column, value in key if column in ("kind", "table_name", "index_name"))
        place = Place("schemas", key, column)
        return Stated(
            item=item, node=node, subject=f"database {name} {what} {column}", value=value, said=said, place=place
        )

    database = (*own, ("kind", "database"))
    yield stated(line, database, "metadata.kind", "database")
    for item in items:
        key = item.key.lower()
        if not item.parents and item.label.lower().startswith("database"):
            if key == "size" and (said := quantity(item.value, BYTES)):
                yield stated(item, database, "table_size_bytes", int(said.binary.value), said)
            elif key in ("encoding", "collation", "owner"):
                yield stated(item, database, f"metadata.{key}", item.value)
        elif re.fullmatch(r"(?i)tables?", item.label) and not item.parents and _IDENTIFIER.fullmatch(key):
            yield stated(item, _table(own, key), "metadata.kind", "table")
        elif item.parents and re.fullmatch(r"(?i)tables?", item.label) and _IDENTIFIER.fullmatch(item.parents[-1]):
            yield from _of_table(item, _table(own, item.parents[-1]), stated)


def _table(own: tuple[tuple[str, str], ...], name: str) -> tuple[tuple[str, str], ...]:
    schema, _, table = name.rpartition(".")
    return (*own, ("kind", "table"), ("schema_name", schema or "public"), ("table_name", table))


def _of_table(item: Item, table: tuple[tuple[str, str], ...], stated: Callable[..., Stated]) -> Iterator[Stated]:
    key = item.key.lower()
    if key == "rows" and (said := quantity(item.value, COUNT)):
        yield stated(item, table, "metadata.estimated_rows", int(said.value), said)
    elif re.fullmatch(r"(?:total )?size", key) and (said := quantity(item.value, BYTES)):
        yield stated(item, table, "table_size_bytes", int(said.binary.value), said)
        if re.search(r"(?i)includ\w+ index", item.value):
            yield stated(item, table, "metadata.size_includes_indexes", True)
    elif key == "indexes" and (said := quantity(item.value, COUNT)):
        yield stated(item, table, "metadata.indexes", int(said.value), said)
        named = re.search(r"\(([^()]*)\)", item.value)
        for one in named[1].split(",") if named else ():
            yield from _index(item, table, one.strip(), stated)


def _index(
    item: Item, table: tuple[tuple[str, str], ...], said: str, stated: Callable[..., Stated]
) -> Iterator[Stated]:
    """An index by what it is over, as its name is not stated: `embedding IVFFlat`."""
    if not said:
        return
    method = next((word.lower() for word in said.split() if word.lower() in _METHODS), None)
    index = (*(part for part in table if part[0] != "kind"), ("kind", "index"), ("index_name", f"claimed: {said}"))
    if method:
        yield stated(item, index, "index_type", method)
    yield stated(item, index, "metadata.is_over", said)


def _extensions(page: Page, node: str, items: list[Item], database: str | None) -> Iterator[Stated]:
    for item in items:
        version = re.match(r"\d+(?:\.\d+)+", item.value)
        if database and version and re.match(r"(?i)extensions?\b", item.label) and _IDENTIFIER.fullmatch(item.key):
            key = (
                ("instance", instance_of(page, node)),
                ("database_name", database),
                ("kind", "extension"),
                ("object_name", item.key),
            )
            place = Place("schemas", key, "metadata.version")
            yield Stated(item=item, node=node, subject=f"extension {item.key} version", value=version[0], place=place)


def _bare(text: str) -> str:
    found = _IDENTIFIER.match(text)
    return found[0] if found else text


reader = Reader(_read)
