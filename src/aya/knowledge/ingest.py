"""Documents into the knowledge base: cut and embedded in groups, since a model is quicker with many texts of like length, and
each written in a transaction of its own.
"""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

from aya.db.connection import Connection, translated
from aya.knowledge.document import Change, Document, Outcome
from aya.knowledge.embedder import Embedder
from aya.knowledge.passages import Passage
from aya.knowledge.store import Written, known_vectors, put_document, put_passages, remove_documents

GROUP = 256
"""So many passages are embedded together: what is lost when it is broken off, and has to be made again."""
AHEAD = 32
"""So many batches of documents are read before they are needed."""
BATCH_S = 0.02

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cut:
    """A document with its passages, to be embedded and written."""

    document: Document
    passages: list[Passage]
    change: Change
    written: Written | None = None
    """What is in the database already, where only the passages are missing."""


def ingest(
    connection: Connection,
    embedder: Embedder,
    found: Iterable[Cut | Outcome],
    progress: Callable[[str], None],
) -> Iterator[Outcome]:
    """Write what was found; what became of each, in groups.

    Documents that are gone are removed. Raises DatabaseError, ModelUnusable and InferenceFailed; what was written before stays.
    """
    group: list[Cut] = []
    pace = _Pace(progress)
    for one in ahead(found):
        if isinstance(one, Outcome):
            if one.change is Change.REMOVED:
                remove_documents(connection, [one.source])
            pace.seen()
            yield one
            continue
        group.append(one)
        if sum(len(cut.passages) for cut in group) >= GROUP:
            yield from _written(connection, embedder, group, pace)
            group = []
    if group:
        yield from _written(connection, embedder, group, pace)


def _written(connection: Connection, embedder: Embedder, group: list[Cut], pace: "_Pace") -> Iterator[Outcome]:
    texts = {passage.text_hash: passage.embedded for cut in group for passage in cut.passages}
    with translated(doing="looking for vectors that are known"):
        vectors = known_vectors(connection, embedder.set.id, list(texts)) if embedder.set.model_id is not None else {}
    new = [text_hash for text_hash in texts if text_hash not in vectors]
    made = dict(zip(new, embedder.vectors([texts[text_hash] for text_hash in new]), strict=False))
    not_counted = set(made)
    for cut in group:
        with translated(doing=f"writing {cut.document.source}"), connection.transaction():
            document = cut.written or put_document(connection, cut.document)
            put_passages(connection, embedder.set.id, document, cut.passages, vectors | made)
        its_own = not_counted & {passage.text_hash for passage in cut.passages}
        not_counted -= its_own
        pace.seen(len(cut.passages))
        yield Outcome(cut.document.source, cut.change, "", len(cut.passages), len(its_own))


class _Pace:
    """How far it is, told to those who wait."""

    def __init__(self, progress: Callable[[str], None]) -> None:
        self._progress, self._since = progress, monotonic()
        self._documents = self._passages = 0

    def seen(self, passages: int = 0) -> None:
        self._documents += 1
        self._passages += passages
        rate = self._passages / max(0.001, monotonic() - self._since)
        self._progress(f"{self._documents:,} documents, {self._passages:,} passages written ({rate:.1f} a second)")


def ahead(source: Iterable[T], most: int = AHEAD) -> Iterator[T]:
    """The same, got by a thread of its own while what came before is worked on; what it raises is raised here.

    What comes quickly is handed over in batches: a hand-over costs more than looking at a file that did not change.
    """
    waiting: queue.Queue[tuple[list[T], BaseException | None, bool]] = queue.Queue(most)
    enough = threading.Event()

    def put(items: list[T], error: BaseException | None = None, *, is_last: bool = False) -> None:
        while not enough.is_set():
            try:
                waiting.put((items, error, is_last), timeout=0.2)
            except queue.Full:
                continue
            return

    def get_them() -> None:
        batch: list[T] = []
        since = monotonic()
        error: BaseException | None = None
        try:
            for item in source:
                batch.append(item)
                if monotonic() - since >= BATCH_S:
                    put(batch)
                    batch, since = [], monotonic()
                if enough.is_set():
                    return
        except BaseException as raised:  # noqa: BLE001 - raised again where it is waited for
            error = raised
        put(batch, error, is_last=True)

    thread = threading.Thread(target=get_them, name="reading ahead", daemon=True)
    thread.start()
    try:
        is_last = False
        while not is_last:
            items, error, is_last = waiting.get()
            yield from items
            if error is not None:
                raise error
    finally:
        enough.set()
        thread.join()
