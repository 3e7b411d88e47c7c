"""The state, kept in memory as the bytes that are sent, and never stale: every request waits for a look into the feed
that began after it arrived. All that wait meanwhile share the next look, and there is never more than one.
"""

import asyncio
from collections.abc import Iterable

import orjson

from aya.db.database import Database
from aya.db.feed import Changed, Feed
from aya.errors import NotFound
from aya.serve.rest.answer import Answer, tag_of

TOGETHER = 128
"""So many nodes are joined to one piece: after a change only its piece is joined again."""
MOST_SOME = 64
"""Choices of nodes of which the document is kept."""
JSON = "application/json"


class HotState:
    """What is recorded of every node, as bytes, and how often anything changed."""

    def __init__(self, database: Database) -> None:
        self._feed = Feed(database)
        self._snapshot: str | None = None
        self._names: dict[int, str] = {}
        self._nodes: dict[str, Answer] = {}
        self._pieces: dict[tuple[bool, bool, tuple[str, ...]], bytes] = {}
        self._whole: Answer | None = None
        self._some: dict[tuple[str, ...], Answer] = {}
        self._next: asyncio.Future[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self.generation = 0
        """Grows whenever anything that can be read was written."""
        self.rebuilt = 0
        """States of nodes that were built."""

    async def fresh(self) -> int:
        """Wait until everything that was committed before this call is known; the generation. Raises DatabaseError."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        mine = self._next
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        await asyncio.shield(mine)
        return self.generation

    def whole(self) -> Answer:
        """The state of all nodes."""
        if self._whole is None:
            self._whole = self._joined(self._nodes)
        return self._whole

    def of(self, names: Iterable[str]) -> Answer:
        """The state of some nodes. Raises NotFound, naming those there are."""
        wanted = tuple(sorted(set(names)))
        if wanted not in self._some:
            if len(self._some) >= MOST_SOME:
                self._some.clear()
            self._some[wanted] = self._joined({name: self.node(name) for name in wanted})
        return self._some[wanted]

    def node(self, name: str) -> Answer:
        """The state of one node. Raises NotFound, naming those there are."""
        if name not in self._nodes:
            there = ", ".join(sorted(self._nodes)[:20])
            raise NotFound(
                f"No node named {name} is recorded.",
                remedy=f"There are: {there}." if there else "None is: `aya up` records this machine.",
            )
        return self._nodes[name]

    @property
    def count(self) -> int:
        """Nodes that are kept."""
        return len(self._nodes)

    @property
    def size_bytes(self) -> int:
        """Bytes that are kept of them, without what is kept compressed."""
        return sum(node.length for node in self._nodes.values()) + sum(map(len, self._pieces.values()))

    async def close(self) -> None:
        """Forget everything, and close the connection."""
        if self._looking is not None:
            self._looking.cancel()
        await self._feed.close()

    async def _look(self) -> None:
        """Look as long as somebody waits."""
        while self._next is not None:
            waiting, self._next = self._next, None
            try:
                await self._catch_up()
            except BaseException as error:
                self._snapshot = None  # nothing is known any more of what was kept
                if not waiting.done():
                    waiting.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())
                    waiting.exception()  # whoever waited may be gone
                if not isinstance(error, Exception):
                    raise
            else:
                if not waiting.done():
                    waiting.set_result(None)

    async def _catch_up(self) -> None:
        changed = await self._feed.changed(self._snapshot)
        if changed.everything or any(changed.nodes):
            await self._rebuild()
        else:
            self._snapshot = changed.snapshot
        if changed.everything or changed.nodes:
            self.generation += 1

    async def _rebuild(self) -> None:
        changed: Changed | None = None
        gone: set[int] = set()
        built: dict[int, tuple[str, Answer]] = {}
        async for one in self._feed.states(self._snapshot):
            if isinstance(one, Changed):
                changed, gone = one, set(self._names) if one.everything else set(one.nodes)
            else:
                number, name, state = one
                built[number] = name, Answer((state,), JSON)
        assert changed is not None
        # From here on nothing is waited for: whoever asks sees all of it or nothing.
        renamed = False
        for number in gone - built.keys():
            if name := self._names.pop(number, ""):
                del self._nodes[name]
                renamed = True
        for number, (name, _) in built.items():
            if (before := self._names.get(number)) != name:
                renamed = True
                if before is not None:
                    del self._nodes[before]
        for number, (name, answer) in built.items():
            self._names[number], self._nodes[name] = name, answer
        touched = {name for name, _ in built.values()}
        self._pieces = (
            {} if renamed else {key: piece for key, piece in self._pieces.items() if touched.isdisjoint(key[2])}
        )
        self._whole = None
        self._some.clear()
        self._snapshot = changed.snapshot
        self.rebuilt += len(built)

    def _joined(self, nodes: dict[str, Answer]) -> Answer:
        """The document of some nodes, in pieces of which those are kept that are needed again."""
        names = sorted(nodes)
        groups = [tuple(names[first : first + TOGETHER]) for first in range(0, len(names), TOGETHER)] or [()]
        pieces = []
        for place, group in enumerate(groups):
            key = (place == 0, place == len(groups) - 1, group)
            piece = self._pieces.get(key) if nodes is self._nodes else None
            if piece is None:
                states = b",".join(orjson.dumps(name) + b":" + nodes[name].pieces[0] for name in group)
                piece = (b'{"nodes":{' if key[0] else b",") + states + (b"}}" if key[1] else b"")
                if nodes is self._nodes:
                    self._pieces[key] = piece
            pieces.append(piece)
        return Answer(pieces, JSON, tag=tag_of(nodes[name].tag for name in names))
