"""The knowledge base: hybrid search against the bare index, filling it against the bare model, and questions with known pages.

Vectors are synthetic (skewed clusters, 768 dimensions), their texts are PostgreSQL's documentation as Debian installs it
(`postgresql-doc-15`), which is also what is filled in and asked about; without it only the search is measured, on made-up text.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from glob import glob
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

import numpy as np
import orjson

from aya.db.connection import Connection, rows
from aya.db.database import Login
from aya.embedding.models import load
from aya.embedding.packaged import NAME
from aya.host.document import files_under, read_document
from aya.knowledge.document import Document
from aya.knowledge.extraction import Extraction
from aya.knowledge.indexing import build_index, note_words
from aya.knowledge.ingest import GROUP
from aya.knowledge.passages import Cutter
from aya.knowledge.sets import ChunkSet, activate, begin_set
from aya.operations.context import Context
from aya.operations.knowledge import add_knowledge
from aya.operations.knowledge_search import search_knowledge
from bench._figure import Figure, Goal, Line, interleaved, milliseconds
from bench._laboratory import Laboratory

PAGES = "/usr/share/doc/postgresql-doc-15/html"
DIMENSIONS, CLUSTERS, LOCAL = 768, 400, 24
NEAREST = 10
RARE, COMMON = "logical replication slot wal_level", "the database server table values"
BARE = "SELECT id FROM chunks WHERE set_id = {0} ORDER BY embedding::halfvec({1}) <=> %(vector)s::halfvec({1}) LIMIT 10"
HYBRID = "SELECT chunk_id FROM aya.ranked_chunks(%(text)s, %(vector)s::halfvec, most => 10)"
FILTERED = "SELECT chunk_id FROM aya.ranked_chunks(%(text)s, %(vector)s::halfvec, most => 10, in_category => 'some')"


def measure(lab: Laboratory) -> Iterator[Line]:
    settings = lab.context.settings.model_copy(update={"embedding_model": NAME})
    context = replace(lab.context, settings=settings)
    texts = _texts(60 if lab.quick else 1200)
    small = yield from _search(context, texts, 4_000 if lab.quick else 27_901, lab.quick)
    if not lab.quick:
        large = yield from _search(context, texts, 250_000, lab.quick)
        yield Line(
            what="hybrid p50, 250,000 passages", ours=large, against="27,901", reference=small, goal=Goal(1.5)
        )  # fmt: skip
    with context.database.connect(Login.ADMIN) as connection:
        connection.execute("TRUNCATE documents, chunks, aya.chunk_sets CASCADE")
    if Path(PAGES).is_dir():
        yield from _filling(context, lab.quick)


def _texts(pages: int) -> list[str]:
    """Passages of real pages."""
    found: list[str] = []
    with Extraction() as extraction:
        for path in sorted(glob(f"{PAGES}/*.html"))[:: max(1, 1173 // pages)]:
            extracted = extraction.read(path, Path(path).read_bytes())
            assert extracted is not None
            document = Document(source=path, content=extracted.text, title=extracted.title or "", form=extracted.form)
            found += [passage.text for passage in Cutter().passages(document)]
    return found or [f"passage {number} of a table in the database server" for number in range(1000)]


def _vectors(count: int, random: np.random.Generator) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    """Clustered, some clusters much larger than others, each with few directions of its own."""
    shares = random.pareto(1.2, CLUSTERS) + 0.05
    which = random.choice(CLUSTERS, count, p=shares / shares.sum())
    centres = random.standard_normal((CLUSTERS, DIMENSIONS)).astype(np.float32)
    local = random.standard_normal((CLUSTERS, LOCAL, DIMENSIONS)).astype(np.float32)
    made = np.empty((count, DIMENSIONS), np.float32)
    for cluster in range(CLUSTERS):
        members = np.flatnonzero(which == cluster)
        weights = random.standard_normal((len(members), LOCAL)).astype(np.float32) * 0.2
        made[members] = centres[cluster] + weights @ local[cluster]
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def _search(context: Context, texts: list[str], count: int, quick: bool) -> Iterator[Line]:
    """The lines of one size; gives the p50 of each round."""
    random = np.random.default_rng(7)
    vectors = _vectors(count, random)
    with context.database.connect(Login.ADMIN) as connection:
        chosen = _loaded(context, connection, texts, vectors)
        questions = (
            vectors[random.choice(count, 200)] + random.standard_normal((200, DIMENSIONS)).astype(np.float32) * 0.01
        )
        questions /= np.linalg.norm(questions, axis=1, keepdims=True)
        bare = BARE.format(chosen.id, DIMENSIONS)
        connection.execute("SET hnsw.ef_search = 100")  # as aya.search() has it: what finds less is no measure
        first = rows(connection, "SELECT min(id) AS id FROM chunks WHERE set_id = %(id)s", {"id": chosen.id})[0]["id"]
        hits, full = 0, []
        for question in questions:
            exact = set((np.argpartition(-(vectors @ question), NEAREST)[:NEAREST] + first).tolist())
            found = rows(connection, bare.replace("LIMIT 10", "LIMIT 50"), {"vector": _said(question)})[:NEAREST]
            hits += len(exact & {row["id"] for row in found})
            full.append(len(rows(connection, FILTERED, {"vector": _said(question), "text": RARE})))
        what = f"{count:,} x {DIMENSIONS}"
        yield Line(what=f"recall@10, {what}", ours=(hits / 200 / NEAREST,), unit="", goal=Goal(0.98, at_least=True))
        yield Line(
            what=f"a filter's least of 10, {what}", ours=(float(min(full)),), unit="", goal=Goal(10, at_least=True)
        )
        sizes = rows(
            connection,
            "SELECT pg_relation_size(%(index)s::regclass) / 1e6 AS index, pg_relation_size('chunks') / 1e6 AS heap",
            {"index": f"idx_chunks_vectors_{chosen.id}"},
        )[0]
        yield Line(what=f"index of the vectors, {what}", ours=(float(sizes["index"]),), unit="MB")
        yield Line(what=f"passages with texts, words and vectors, {what}", ours=(float(sizes["heap"]),), unit="MB")
        p50: tuple[float, ...] = ()
        for name, text, most in (("rare terms", RARE, 2.0), ("common words", COMMON, 4.0)):
            ours, reference = _rounds(connection, bare, text, questions, 3 if quick else 7)
            yield Line(
                what=f"hybrid p95, {name}, {what}", ours=tuple(map(_p95, ours)), against="bare HNSW p95",
                reference=tuple(map(_p95, reference)), goal=Goal(most),
            )  # fmt: skip
            yield Line(
                what=f"hybrid p50, {name}, {what}", ours=tuple(map(median, ours)), against="bare HNSW p50",
                reference=tuple(map(median, reference)),
            )  # fmt: skip
            p50 = p50 or tuple(map(median, ours))
    return p50


def _loaded(context: Context, connection: Connection, texts: list[str], vectors: np.ndarray) -> ChunkSet:  # type: ignore[type-arg]
    count = len(vectors)
    (model,) = rows(
        connection,
        "INSERT INTO aya.embedding_models (name, revision, weights_sha256, dimensions, max_tokens, pooling, query_prefix, "
        "passage_prefix) VALUES ('synthetic', %(n)s, sha256('x'), %(dimensions)s, 512, 'mean', '', '') RETURNING id",
        {"n": str(count), "dimensions": DIMENSIONS},
    )
    chosen = begin_set(connection, model["id"], DIMENSIONS)
    connection.execute(
        "INSERT INTO documents (content, source, category) "
        "SELECT '', %s || n, CASE WHEN n %% 20 = 0 THEN 'some' ELSE 'most' END FROM generate_series(1, 1000) n",
        (f"bench:{count}/",),
    )
    ids = [
        row["id"]
        for row in rows(
            connection, "SELECT id FROM documents WHERE starts_with(source, %(s)s)", {"s": f"bench:{count}/"}
        )
    ]
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY chunks (document_id, set_id, chunk_index, chunk_text, embedding) FROM STDIN") as copy,
    ):
        for number, vector in enumerate(vectors):
            copy.write_row((ids[number % 1000], chosen.id, number, texts[number % len(texts)], _said(vector)))
    build_index(context.database, chosen, "hnsw", None, context.progress)
    activate(connection, chosen)
    note_words(connection)
    return chosen


def _said(vector: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> str:
    return orjson.dumps(vector.round(5), option=orjson.OPT_SERIALIZE_NUMPY).decode()


def _rounds(
    connection: Connection, bare: str, text: str, questions: np.ndarray, number: int  # type: ignore[type-arg]
) -> tuple[list[list[float]], list[list[float]]]:  # fmt: skip
    ours, reference = [], []
    for _ in range(number):
        both: tuple[list[float], list[float]] = [], []
        for question in questions:
            values = {"vector": _said(question), "text": text}
            (mine,), (other,) = interleaved(
                1, lambda v=values: rows(connection, HYBRID, v), lambda v=values: rows(connection, bare, v)
            )  # type: ignore[misc]
            both[0].append(mine)
            both[1].append(other)
        ours.append(both[0])
        reference.append(both[1])
    return ours, reference


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20)[-1]


def _filling(context: Context, quick: bool) -> Iterator[Line]:
    asked = tomllib.loads(Path(__file__).with_name("questions.toml").read_text())["question"]
    wanted = sorted({f"{PAGES}/{page}" for one in asked for page in one["pages"]})
    paths = wanted[:12] if quick else [PAGES]

    def goal(of_all: Goal) -> Goal | None:
        return None if quick else of_all  # of a few pages, what is done once for all of them is the most

    model = load(context.settings)  # opened once for all of this program: neither side is charged for it
    started = perf_counter()
    done = add_knowledge(context, paths)
    ours = done.embedded / (perf_counter() - started)
    with context.database.connect(Login.READER) as connection:
        texts = [
            row["t"] for row in rows(connection, "SELECT heading || E'\\n' || chunk_text AS t FROM chunks ORDER BY id")
        ]
    groups = [texts[start : start + GROUP] for start in range(0, len(texts), GROUP)]
    bare = len(texts) / (sum(milliseconds(lambda g=group: model.embed(g)) for group in groups) / 1000)  # type: ignore[misc]
    yield Line(
        what=f"filling in, {done.counts['added']:,} pages, {done.passages:,} passages", ours=(ours,), against="the bare model",
        reference=(bare,), unit="/s", goal=goal(Goal(0.9, at_least=True)),
    )  # fmt: skip

    def hashed() -> None:
        for path in paths:
            for one in files_under(path):
                assert isinstance(one, str)
                read_document(one)

    again, hashing = interleaved(3 if quick else 7, lambda: add_knowledge(context, paths), hashed)
    yield Line(
        what="filling in again, nothing changed",
        ours=again,
        against="hashing the files",
        reference=hashing,
        goal=Goal(3),
    )
    if not quick:
        found = sum(_finds(context, one["ask"], one["pages"]) for one in asked)
        yield Line(
            what="questions whose page is in the first 5",
            ours=(float(found),),
            unit=f"of {len(asked)}",
            goal=Goal(27, at_least=True),
        )


def _finds(context: Context, ask: str, pages: list[str]) -> bool:
    found = search_knowledge(context, ask, limit=5).passages
    return any(str(one.source).rsplit("/", 1)[-1] in pages for one in found)


figure = Figure(measure)
