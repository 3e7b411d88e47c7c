"""Whether the index finds what is really nearest, and whether the vector indexes of all recorded databases make sense."""

import re
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import orjson

from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.knowledge.indexing import WORTH_IT, Index, index_of, vectors_in
from aya.knowledge.sets import ChunkSet

NEAREST = 10
QUESTIONS = 50
NOISE = 0.35
"""How far a question lies from a passage, as a share of its length: a passage itself would be found too easily."""
GOOD_RECALL = 0.95
SAME = 1e-6
"""Distances that differ by less are the same."""
FEWEST_PER_LIST, MOST_PER_LIST = 20, 20_000
"""So many vectors a list of an IVFFlat index is to hold: with fewer it misses what is near, with more it reads too much."""
LISTS = re.compile(r"lists\s*=\s*'?(\d+)")


@dataclass(frozen=True, slots=True)
class Recall:
    """What the index finds of the truly nearest, measured now."""

    questions: int
    nearest: int
    recall: float
    """Share of the true nearest that were found."""
    index_ms: float
    """Median, for one question by the index."""
    exact_ms: float
    """Median, for one question by comparing all."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What is to be said of a vector index, or of vectors without one."""

    database: str
    index: str
    """Its name; of a table without one, that of the table."""
    method: str
    rows: int | None
    """How many there are; None: not known."""
    lists: int | None
    problem: str
    """Empty: none."""
    advice: str


@dataclass(frozen=True, slots=True)
class Checked:
    """How good the indexes are."""

    passages: int
    """With a vector, in the set that is searched."""
    index: Index | None
    recall: Recall | None
    """None where there is no index, or nothing to measure."""
    advice: list[Advice]

    @property
    def is_good(self) -> bool:
        """Whether nothing is to be done."""
        return not any(one.problem for one in self.advice)


def check(connection: Connection, chosen: ChunkSet | None) -> Checked:
    """Measure the index of a set against exact search, and look at every vector index that is recorded. Raises DatabaseError."""
    advice, count, index, measured = [], 0, None, None
    if chosen is not None and chosen.dimensions is not None:
        count, index = vectors_in(connection, chosen), index_of(connection, chosen)
        measured = _recall(connection, chosen) if index is not None and index.is_valid and count > NEAREST else None
        advice.append(_own(chosen, count, index, measured))
    with translated(doing="looking at recorded indexes"):
        found = rows(connection, query("recorded_vector_indexes"))
    return Checked(count, index, measured, advice + [_recorded(row) for row in found])


def judge(method: str, count: int | None, lists: int | None, *, is_valid: bool = True) -> tuple[str, str]:
    """What is wrong with an index, and what to do; empty where nothing is known to be."""
    if not is_valid:
        return "it is invalid: building it did not end, and no query uses it", "Drop it, and build it again."
    if count is None or method != "ivfflat":
        return "", ""
    better = (
        f"{max(1, count // 1000)}" if count >= WORTH_IT else "none at all: so few rows are searched whole, and exactly"
    )
    lists = lists or 100  # what pgvector takes where nothing is said
    if count < lists * FEWEST_PER_LIST:
        return (
            f"lists = {lists} for {count:,} rows: a search looks into a few lists, and most are empty or hold next to nothing",
            f"Take HNSW, or lists = {better}." if count >= WORTH_IT else f"Take {better}.",
        )
    if count > lists * MOST_PER_LIST:
        return f"lists = {lists} for {count:,} rows: every search reads very many", f"Take HNSW, or lists = {better}."
    return "", ""


def _own(chosen: ChunkSet, count: int, index: Index | None, measured: Recall | None) -> Advice:
    problem, advice = "", ""
    if index is not None:
        problem, advice = judge(index.method, count, index.lists, is_valid=index.is_valid)
        if not problem and measured is not None and measured.recall < GOOD_RECALL:
            problem = f"it finds {measured.recall:.0%} of the {measured.nearest} nearest"
            advice = "`aya kb index` builds it anew, as HNSW."
    elif count >= WORTH_IT and chosen.index_method != "none":
        problem, advice = f"{count:,} vectors have no index", "`aya kb index` builds it."
    name = index.name if index else "chunks"
    method = index.method if index else "none"
    return Advice("the knowledge base", name, method, count, index.lists if index else None, problem, advice)


def _recorded(row: dict[str, Any]) -> Advice:
    said = LISTS.search(row["definition"] or "")
    lists = int(said[1]) if said else None
    problem, advice = judge(row["method"], row["rows"], lists, is_valid=row["is_valid"])
    return Advice(row["database"], row["index"], row["method"], row["rows"], lists, problem, advice)


def _recall(connection: Connection, chosen: ChunkSet) -> Recall:
    with translated(doing="measuring the index"):
        sample = rows(connection, query("sample_vectors"), {"set": chosen.id, "count": QUESTIONS})
        questions = _near(np.array([orjson.loads(row["embedding"]) for row in sample], np.float32))
        by_index, index_ms = _nearest(connection, chosen, questions, exact=False)
        exactly, exact_ms = _nearest(connection, chosen, questions, exact=True)
    # Of passages that are alike any may be found: what counts is how near they are.
    hits = sum(sum(one <= true[-1] + SAME for one in mine) for mine, true in zip(by_index, exactly, strict=True))
    return Recall(len(questions), NEAREST, hits / max(1, sum(map(len, exactly))), index_ms, exact_ms)


def _near(vectors: "np.ndarray[Any, np.dtype[np.float32]]") -> list[str]:
    """Questions that lie near these vectors; the same each time, so that two indexes can be compared."""
    noise = np.random.default_rng(7).standard_normal(vectors.shape).astype(np.float32)
    noise *= NOISE * np.linalg.norm(vectors, axis=1, keepdims=True) / np.linalg.norm(noise, axis=1, keepdims=True)
    return [orjson.dumps(one, option=orjson.OPT_SERIALIZE_NUMPY).decode() for one in vectors + noise]


def _nearest(
    connection: Connection, chosen: ChunkSet, questions: list[str], *, exact: bool
) -> tuple[list[list[float]], float]:
    """How near the nearest passages of each question are, the nearest first, and the median of the milliseconds."""
    found, times = [], []
    with connection.transaction():
        connection.execute(f"SET LOCAL enable_indexscan = {'off' if exact else 'on'}")
        connection.execute(f"SET LOCAL enable_seqscan = {'on' if exact else 'off'}")
        connection.execute("SET LOCAL hnsw.ef_search = 100")
        connection.execute("SET LOCAL ivfflat.probes = 10")
        text = query("nearest_chunks").replace("DIMENSIONS", str(chosen.dimensions)).replace("SET_ID", str(chosen.id))
        for question in questions:
            started = perf_counter()
            # Not prepared: a plan that was kept would use the index also where it must not.
            done = connection.execute(text, {"vector": question, "most": NEAREST}, prepare=False).fetchall()
            times.append((perf_counter() - started) * 1000)
            found.append(sorted(row["distance"] for row in done))
    return found, median(times) if times else 0.0
