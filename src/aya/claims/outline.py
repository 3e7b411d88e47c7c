"""A document of Markdown as statements: what each line says, under which headings, labels and points it stands.

Bullets and paragraphs of the forms `**Key:** value`, `` `setting`: value `` and `Key: value`, plain points, cells of tables.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from aya.claims.language import meant, numbers_of, words_of
from aya.claims.quantity import quantities

KEY_CHARACTERS = 80
_PLAIN_KEY = re.compile(r"(?P<key>[^:.!?]{1,80}?)\s*:\s+(?P<value>\S.*)", re.S)
_ASSIGNED = re.compile(r"(?P<key>[a-z][a-z0-9]*(?:_[a-z0-9]+)+)\s*=\s*(?P<value>\S.*)", re.S)
_EQUAL = re.compile(r"(?P<key>[A-Za-z][\w-]*(?: [\w-]+){0,3})\s+=\s+(?P<value>[^\s=].*)", re.S)
_SET = re.compile(r"(?P<name>[a-z][a-z0-9_.]*)\s*=\s*(?P<value>'[^']*'|[^#\s][^#]*)\s*(?P<note>#.*)?")
_CONFIGURATIONS = ("", "ini", "conf", "config", "cfg", "properties", "postgresql", "text")
_PLAN = re.compile(
    r"(?i)\b(?:add|apply|set|change|edit|put|append|update|use|tune|should|would|could|to be|after|new|old|before|then|run)\b"
)
"""What introduces a block that is to be done, or is no longer so."""
_COUNTED_KEY = re.compile(r"(?P<count>[~<>]?\d[\d,]*\+?)\s+(?P<key>[A-Za-z].*)")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading with its line and depth."""

    line: int
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """One statement."""

    number: int
    """Its place among all statements."""
    line: int
    """Of the document, from 1."""
    text: str
    """The statement without its marks."""
    key: str
    """What it is about; empty for a plain sentence."""
    value: str
    headings: tuple[Heading, ...] = ()
    label: str = ""
    """The bold line over the list in which it stands."""
    parents: tuple[str, ...] = ()
    """The points in which it is nested, the outermost first."""
    is_code: bool = False
    """Whether its key is set as code, as names of settings are."""
    is_label: bool = False
    """Whether it is the bold line over a list."""

    @property
    def place(self) -> str:
        """Everything it stands under, as one text."""
        return " / ".join(filter(None, [*(heading.text for heading in self.headings), self.label, *self.parents]))

    @property
    def near(self) -> str:
        """What it stands under most closely: the last heading, the label and the points."""
        return " / ".join([*(heading.text for heading in self.headings[-1:]), self.label, *self.parents])

    @property
    def group(self) -> tuple[int, str, tuple[str, ...]]:
        """The same for all statements of one list."""
        return (self.headings[-1].line if self.headings else 0), self.label, self.parents


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code."""

    line: int
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Outline:
    """A document as statements and blocks of code."""

    items: tuple[Item, ...]
    headings: tuple[Heading, ...]
    blocks: tuple[Block, ...]


def outline(text: str) -> Outline:
    """The statements of a document."""
    reader = _Reader(words_of(text))
    root = SyntaxTreeNode(MarkdownIt("commonmark").enable("table").parse(text))
    for node in root.children:
        reader.read(node, ())
    return Outline(tuple(reader.items), tuple(reader.all_headings), tuple(reader.blocks))


@dataclass
class _Reader:
    words: Mapping[str, str]
    items: list[Item] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)
    all_headings: list[Heading] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    label: str = ""

    def read(self, node: SyntaxTreeNode, parents: tuple[str, ...]) -> None:
        line = node.map[0] + 1 if node.map else 0
        if node.type == "heading":
            heading = Heading(line, int(node.tag[1:]), "".join(_plain(node.children[0])).strip())
            self.headings = [*(one for one in self.headings if one.level < heading.level), heading]
            self.all_headings.append(heading)
            self.label = ""
        elif node.type == "hr":
            self.label = ""
        elif node.type == "paragraph":
            added = [one for one in self._lines(node, parents) if one is not None]
            if not parents:
                one = added[0] if len(added) == 1 and added[0].key else None
                self.label = "" if one is None else f"{one.key}: {one.value}" if one.value else one.key
        elif node.type in ("bullet_list", "ordered_list"):
            for point in node.children:
                self._point(point, parents)
        elif node.type in ("fence", "code_block"):
            block = Block(line + (node.type == "fence"), node.info.strip().lower(), node.content)
            self.blocks.append(block)
            self._assignments(block, parents)
        elif node.type == "table":
            self._table(node, parents)
        elif node.type == "blockquote":
            for child in node.children:
                self.read(child, parents)

    def _assignments(self, block: Block, parents: tuple[str, ...]) -> None:
        """A file of settings as it is: each of its lines says `name = value`; one that is to be written says nothing yet."""
        lines = [(block.line + at, line.strip()) for at, line in enumerate(block.text.splitlines())]
        said = [(line, _SET.fullmatch(text)) for line, text in lines if text and text[0] not in "#;["]
        before = self.items[-1] if self.items and self.items[-1].headings == tuple(self.headings) else None
        is_plan = before is not None and _PLAN.search(f"{before.text if not before.key else before.key} {self.label}")
        if block.language not in _CONFIGURATIONS or is_plan or not all(found for _, found in said):
            return
        for line, found in said:
            if found is not None:
                self._put(
                    line, found[0].strip(), found["name"], found["value"].strip().strip("'\""), parents, is_code=True
                )

    def _point(self, point: SyntaxTreeNode, parents: tuple[str, ...]) -> None:
        """A point of a list, and what is nested in it."""
        inside = parents
        for child in point.children:
            if child.type == "paragraph" and inside == parents:
                added = [one for one in self._lines(child, parents) if one is not None]
                if added:
                    inside = (*parents, added[0].key or added[0].text)
            else:
                self.read(child, inside)

    def _lines(self, paragraph: SyntaxTreeNode, parents: tuple[str, ...]) -> Iterator[Item | None]:
        """One statement for each line of a paragraph."""
        line = paragraph.map[0] + 1 if paragraph.map else 0
        tokens: list[Token] = []
        for token in [*(paragraph.children[0].to_tokens()[0].children or ()), Token("softbreak", "br", 0)]:
            if token.type not in ("softbreak", "hardbreak"):
                tokens.append(token)
                continue
            yield self._add(
                line, tokens, parents, alone=paragraph.parent is not None and paragraph.parent.type == "root"
            )
            tokens, line = [], line + 1

    def _add(self, line: int, tokens: Sequence[Token], parents: tuple[str, ...], *, alone: bool) -> Item | None:
        text = "".join(_text(token) for token in tokens).strip()
        if not text:
            return None
        key, value, is_code = _parted(tokens, text)
        return self._put(line, text, key, value, parents, is_code=is_code, is_label=alone and bool(key) and not value)

    def _put(
        self,
        line: int,
        text: str,
        key: str,
        value: str,
        parents: tuple[str, ...],
        *,
        is_code: bool = False,
        is_label: bool = False,
    ) -> Item:
        counted = _COUNTED_KEY.fullmatch(key)
        amounts = quantities(key)
        if (
            amounts and amounts[0].dimension and amounts[0].text == key
        ):  # `~800 GB/s: shared with the CPU`, under what it is of
            key, value = self.label or key, f"{key} {value}".strip()
        elif counted:  # `80 GPU Cores: Unified shaders` says how many there are
            key, value = counted["key"], f"{counted['count']} {value}".strip()
        key, value = meant(key, self.words), numbers_of(value, self.words)
        item = Item(
            number=len(self.items),
            line=line,
            text=text,
            key=key,
            value=value,
            headings=tuple(self.headings),
            label="" if is_label else self.label,
            parents=parents,
            is_code=is_code,
            is_label=is_label,
        )
        self.items.append(item)
        return item

    def _table(self, table: SyntaxTreeNode, parents: tuple[str, ...]) -> None:
        """Each cell but the first of its row: of that row, under the head of its column."""
        rows = [row for part in table.children for row in part.children]
        head = ["".join(_plain(cell.children[0])).strip() if cell.children else "" for cell in rows[0].children]
        for row in rows[1:]:
            line = row.map[0] + 1 if row.map else 0
            cells = ["".join(_plain(cell.children[0])).strip() if cell.children else "" for cell in row.children]
            is_code = any(child.type == "code_inline" for child in row.children[0].walk())
            for column, value in list(zip(head, cells, strict=False))[1:]:
                if not value:
                    continue
                if len(head) == 2:
                    self._put(line, f"{cells[0]}: {value}", cells[0], value, parents, is_code=is_code)
                else:
                    text = f"{cells[0]}, {column}: {value}"
                    self._put(line, text, column, value, (*parents, cells[0]), is_code=is_code)


def _parted(tokens: Sequence[Token], text: str) -> tuple[str, str, bool]:
    """Key and value of a statement, and whether the key is code."""
    first = next((token for token in tokens if token.type != "text" or token.content.strip()), None)
    if first is not None and first.type == "strong_open":
        end = next(at for at, token in enumerate(tokens) if token.type == "strong_close")
        bold = "".join(_text(token) for token in tokens[:end]).strip()
        rest = "".join(_text(token) for token in tokens[end:]).strip()
        if bold.endswith(":") or rest.startswith(":") or not rest:
            return bold.removesuffix(":").strip()[:KEY_CHARACTERS], rest.removeprefix(":").strip(), False
        if rest[:1] in "-–—=":
            return bold[:KEY_CHARACTERS], rest[1:].strip(), False
    if first is not None and first.type == "code_inline":
        rest = text.partition(first.content)[2].strip()
        if rest[:1] and rest[0] in ":=":
            return first.content.strip()[:KEY_CHARACTERS], rest[1:].strip(), True
    assigned = _ASSIGNED.fullmatch(text)
    if assigned:
        return assigned["key"], assigned["value"], True
    plain = _EQUAL.fullmatch(text) or _PLAIN_KEY.fullmatch(text)
    if plain and len(plain["key"].split()) <= 8:
        return plain["key"].strip(), plain["value"].strip(), False
    return "", text, False


def _plain(inline: SyntaxTreeNode) -> Iterator[str]:
    for token in inline.to_tokens()[0].children or ():
        yield _text(token)


def _text(token: Token) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return " "
    return token.content if token.type in ("text", "code_inline", "html_inline") else ""
