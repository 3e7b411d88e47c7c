"""Software: a product with a version, in a list that is about it or in a line of its own."""

import re
from collections.abc import Iterator
from itertools import groupby

from aya.claims.facts.node import architecture
from aya.claims.instance import another
from aya.claims.outline import Item
from aya.claims.statement import Page, Place, Reader, Stated
from aya.model import Json

_VERSION = re.compile(r"v?(?P<version>\d+(?:\.\d+)+(?:[-+.]?[a-z]+\d*)?|\d+(?=\s|$|\())")
_PRODUCTS = re.compile(
    r"(?i)\b(?P<name>PostgreSQL|Postgres|Python|MLX|Node\.js|Java|Go|Rust|Redis|nginx|MySQL|MariaDB|Docker|CUDA|PyTorch"
    r"|TensorFlow|Ruby|PHP|Homebrew|Ollama|Patroni|PgBouncer)\b"
)
_LISTS = re.compile(
    r"(?i)packages|libraries|dependencies|installed software|software versions|software stack$|tools|toolchain"
)
_CANONICAL = {"postgres": "PostgreSQL"}
_NOT_PRODUCTS = re.compile(
    r"(?i)version|architecture|compiler|platform|status|role|port|purpose|note|executable|installation|path|total.*"
)
_COLUMNS = {
    r"compiler": "compiler", r"install(?:ation)? path|install(?:ed)? (?:in|to)|prefix": "install_path",
    r"executable|binary|executable path|program": "executable_path",
}  # fmt: skip


def _read(page: Page) -> Iterator[Stated]:
    for node in page.nodes:
        items = [item for item in page.items(node) if item.key and not item.is_label]
        for _, group in groupby(items, key=lambda item: item.group):
            members = list(group)
            yield from _product(page, node, members)
            for item in members:
                yield from _line(node, item)


def _product(page: Page, node: str, items: list[Item]) -> Iterator[Stated]:
    """A list under `PostgreSQL Version`, or under a heading that names a product."""
    version = next((item for item in items if re.fullmatch(r"(?i)(?:server )?version", item.key)), None)
    named = _PRODUCTS.search(f"{items[0].label} / {' / '.join(items[0].parents)}") or (
        _PRODUCTS.search(items[0].headings[-1].text) if items[0].headings and not items[0].label else None
    )
    found = _VERSION.match(version.value) if version else None
    if version is None or named is None or found is None or another(page, node, version):  # told by its instance
        return
    name = _name(named["name"])
    yield _stated(version, node, name, "software_version", found["version"])
    for item in items:
        key = item.key.lower()
        for pattern, column in _COLUMNS.items():
            if re.fullmatch(pattern, key):
                value = item.value if column == "compiler" else re.sub(r"\s*\([^()]*\)$", "", item.value)
                yield _stated(item, node, name, column, value)
        if key == "architecture":
            yield from _architecture(item, node, name, item.value)


def _line(node: str, item: Item) -> Iterator[Stated]:
    """`MLX Version: 0.29.2 (ARM64 native)`, or a package in a list of them."""
    named = re.fullmatch(r"(?P<name>[\w.+#-]+(?: [\w.+#-]+)?) version", item.key, re.IGNORECASE)
    found = _VERSION.match(item.value)
    known = _PRODUCTS.fullmatch(item.key)
    if (
        named
        and found
        and not re.fullmatch(r"(?i)os|macos|kernel|bios|model|build|server|schema|firmware|metal", named["name"])
    ):
        name = _name(named["name"])
    elif known and found:
        name = _name(known["name"])
    elif _LISTS.search(item.near) and not _NOT_PRODUCTS.fullmatch(item.key) and "extension" not in item.near.lower():
        if not (found or re.match(r"(?i)latest|installed|current", item.value)):
            return
        name = _name(item.key)
    else:
        return
    if found:
        yield _stated(item, node, name, "software_version", found["version"])
    else:
        yield _stated(item, node, name, "metadata.stated_version", item.value)
    note = re.search(r"\(([^()]*)\)", item.value)
    if note:
        yield from _architecture(item, node, name, note[1])


def _architecture(item: Item, node: str, name: str, text: str) -> Iterator[Stated]:
    known = re.search(r"(?i)arm64|aarch64|x86[_-]64|amd64|universal", text)
    if known and (value := architecture(known[0])):
        yield _stated(item, node, name, "software_architecture", value[0])
    mode = "Rosetta 2" if re.search("(?i)rosetta", text) else "native" if re.search(r"(?i)\bnative\b", text) else None
    if mode:
        yield _stated(item, node, name, "runtime_mode", mode)


def _name(text: str) -> str:
    return _CANONICAL.get(text.lower(), text)


def _stated(item: Item, node: str, name: str, column: str, value: Json) -> Stated:
    place = Place("software", (("software_name", name),), column)
    return Stated(item=item, node=node, subject=f"{name} {column}", value=value, place=place)


reader = Reader(_read)
