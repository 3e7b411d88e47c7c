"""Search by meaning and words, with filters that lose nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest

from aya.db.connection import Connection, rows
from aya.errors import PayloadRefused, UsageError
from aya.knowledge.checking import check, judge
from aya.knowledge.indexing import build_index, index_of, note_words
from aya.knowledge.sets import active_set, begin_set
from aya.operations.context import Context
from aya.operations.knowledge import (
    add_knowledge,
    check_knowledge,
    index_knowledge,
    keep_in_step,
    reembed_knowledge,
)
from aya.operations.knowledge_search import search_knowledge

DIMENSIONS = 8
MANY = 3000


def titles(context: Context, text: str, **filters: object) -> list[str]:
    return [str(one.heading) for one in search_knowledge(context, text, **filters).passages]  # type: ignore[arg-type]


def test_a_question_is_answered_by_meaning_and_by_words(kb: Context, folder: Path) -> None:
    add_knowledge(kb, [str(folder)], category="runbook")
    found = search_knowledge(kb, "how do replicas get changes from the main server", limit=2)
    assert (found.by_meaning, found.note) == (True, "")
    assert found.passages[0].heading.startswith("Replication")
    assert titles(kb, "vegetables for dinner", limit=1) == ["Soup"]  # no word of it is in the text
    slot = search_knowledge(kb, "replication slot", limit=1).passages[0]
    assert slot.passage.endswith("A **replication** **slot** keeps segments until the standby has them.")
    assert (slot.heading, slot.words_rank, slot.title) == ("Replication > Slots", 1, "Replication")
    assert slot.score == pytest.approx(sum(1 / (60 + rank) for rank in (slot.meaning_rank, slot.words_rank) if rank))
    assert slot.start_offset is not None


def test_filters_and_operators_keep_what_does_not_fit_out(kb: Context, folder: Path, admin: Connection) -> None:
    add_knowledge(kb, [str(folder)], category="runbook")
    admin.execute(
        "UPDATE documents SET category = 'kitchen', node_name = 'BETA', modified_at = '2020-01-01' WHERE title = 'Soup'"
    )
    assert titles(kb, "replication", category="kitchen") == ["Soup"]
    assert titles(kb, "replication", node="BETA") == ["Soup"]
    assert titles(kb, "replication", until="2021-01-01") == ["Soup"]
    assert "Soup" not in titles(kb, "soup", since="2021-01-01")
    assert set(titles(kb, "soup", source=f"file:{folder}/backup")) == {"Backup"}
    assert titles(kb, "soup", category="nothing such") == []
    assert titles(kb, '"base backup"') == ["Backup"]
    assert "Backup" not in titles(kb, "segments -backup")
    assert set(titles(kb, "carrots or pg_basebackup")) == {"Soup", "Backup"}
    with pytest.raises(UsageError, match="no word"):
        search_knowledge(kb, " \t")
    with pytest.raises(UsageError, match="no moment"):
        search_knowledge(kb, "x", since="yesteryear")


@pytest.mark.parametrize(
    "text", ["'", "\\", "a & | ! ( ) : * <->", '"', "-", "or or", "日本", "\u00ad", "%s $1 {}", "x" * 5000, "the"]
)
def test_any_text_can_be_looked_for(kb: Context, folder: Path, text: str) -> None:
    add_knowledge(kb, [str(folder)])
    assert search_knowledge(kb, text) is not None


def test_an_empty_knowledge_base_says_so(kb: Context) -> None:
    found = search_knowledge(kb, "anything")
    assert (found.passages, found.by_meaning) == ([], False)
    assert "aya kb add" in found.note


def test_without_a_model_words_are_found_and_it_is_said(kb: Context, folder: Path, tmp_path: Path) -> None:
    none = replace(kb, settings=kb.settings.model_copy(update={"embedding_model": str(tmp_path / "no-model")}))
    done = add_knowledge(none, [str(folder)])
    assert (done.model, done.embedded, done.counts) == (None, 0, {"added": 3})
    found = search_knowledge(none, "standby")
    assert (found.by_meaning, "words alone" in found.note) == (False, True)
    assert found.passages[0].words_rank == 1
    # Once there is one, the passages get their vectors, and that is searched.
    assert reembed_knowledge(kb).embedded == 5
    assert search_knowledge(kb, "vegetables for dinner", limit=1).by_meaning


def test_another_model_takes_over_when_all_of_it_is_there(kb: Context, folder: Path, admin: Connection) -> None:
    add_knowledge(kb, [str(folder)])
    before = rows(admin, "SELECT id FROM aya.chunk_sets WHERE is_active")
    other = replace(kb, settings=kb.settings.model_copy(update={"embedding_passage_prefix": "passage: "}))
    # The same name makes other vectors now: they are not compared, and it says what to do.
    found = search_knowledge(other, "standby")
    assert not found.by_meaning
    assert "aya kb reembed" in found.note or "words alone" in found.note
    with pytest.raises(Exception, match="files or prefixes changed"):
        add_knowledge(other, [str(folder / "cooking.md")], category="new")
    done = reembed_knowledge(other)
    assert (done.embedded, done.counts) == (5, {"changed": 3})
    after = rows(admin, "SELECT id, (SELECT count(*) FROM chunks c WHERE c.set_id = s.id) AS n FROM aya.chunk_sets s")
    assert [row["n"] for row in after] == [5]
    assert after[0]["id"] != before[0]["id"]
    assert search_knowledge(other, "standby").by_meaning
    assert reembed_knowledge(other).counts == {}


def test_another_model_can_take_over_in_the_background(kb: Context, folder: Path) -> None:
    add_knowledge(kb, [str(folder)])
    other = replace(kb, settings=kb.settings.model_copy(update={"embedding_passage_prefix": "passage: "}))
    assert reembed_knowledge(other, background=True).counts == {}
    assert search_knowledge(kb, "standby").by_meaning  # the one before is searched until then
    keep_in_step(other)
    assert search_knowledge(other, "standby").by_meaning
    assert not search_knowledge(kb, "standby").by_meaning


@pytest.fixture
def many(kb: Context, admin: Connection) -> np.ndarray:
    """Many passages with vectors of their own, in four sources of which one is rare."""
    chosen = begin_set(
        admin,
        rows(
            admin,
            "INSERT INTO aya.embedding_models "
            "(name, revision, weights_sha256, dimensions, max_tokens, pooling, query_prefix, passage_prefix) "
            "VALUES ('m', '1', sha256('m'), 8, 256, 'mean', '', '') RETURNING id",
        )[0]["id"],
        DIMENSIONS,
    )
    vectors = np.random.default_rng(1).standard_normal((MANY, DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    admin.execute(
        "INSERT INTO documents (content, source, category, modified_at) "
        "SELECT 'x', 'file:/' || n, "
        "CASE WHEN n = 0 THEN 'rare' WHEN n < 30 THEN 'some' ELSE 'most' END, now() FROM generate_series(0, 99) n"
    )
    with (
        admin.cursor() as cursor,
        cursor.copy("COPY chunks (document_id, set_id, chunk_index, chunk_text, embedding) FROM STDIN") as copy,
    ):
        for number, vector in enumerate(vectors):
            word = "everywhere rare" if number % 1000 == 0 else "everywhere"
            copy.write_row(
                (
                    number % 100 + 1,
                    chosen.id,
                    number,
                    f"{word} passage {number}",
                    orjson.dumps(vector.tolist()).decode(),
                )
            )
    build_index(kb.database, chosen, "hnsw", None, lambda _: None)
    note_words(admin)
    return vectors


def ranked(admin: Connection, text: str, vector: np.ndarray | None, **filters: object) -> list[dict[str, object]]:
    names = {"most": 10, **filters}
    given = ", ".join(f"{name} => %({name})s" for name in names)
    said = None if vector is None else orjson.dumps(vector.tolist()).decode()
    return rows(
        admin,
        f"SELECT * FROM aya.ranked_chunks(%(text)s, %(vector)s::halfvec, {given})",
        {"text": text, "vector": said, **names},
    )


@pytest.mark.parametrize(("category", "modulo"), [("rare", range(1)), ("some", range(1, 30)), ("most", range(30, 100))])
def test_a_filter_gives_all_that_were_asked_for_and_the_nearest_of_them(
    many: np.ndarray, admin: Connection, category: str, modulo: range
) -> None:
    numbers = [number for number in range(MANY) if number % 100 in modulo]
    first = rows(admin, "SELECT min(id) AS id FROM chunks")[0]["id"]
    for question in many[:20] * -1:
        found = ranked(admin, "", question, in_category=category, most=30)
        true = sorted(numbers, key=lambda number: -float(many[number] @ question))[:30]
        assert len(found) == 30
        assert len({row["chunk_id"] - first for row in found} & set(true)) >= 29


def test_an_index_that_gives_up_loses_nothing(many: np.ndarray, admin: Connection) -> None:
    admin.execute("ALTER FUNCTION aya.ranked_chunks SET hnsw.max_scan_tuples = 1")
    admin.execute("ALTER FUNCTION aya.ranked_chunks SET hnsw.iterative_scan = off")
    try:
        admin.execute("SET enable_seqscan = off")
        admin.execute("SET enable_sort = off")
        assert len(ranked(admin, "", many[0], in_category="most", most=200)) == 200
    finally:
        admin.execute("RESET enable_seqscan")
        admin.execute("ALTER FUNCTION aya.ranked_chunks SET hnsw.max_scan_tuples = 100000")
        admin.execute("ALTER FUNCTION aya.ranked_chunks SET hnsw.iterative_scan = relaxed_order")


def test_words_that_are_everywhere_only_order_what_is_near(many: np.ndarray, admin: Connection) -> None:
    assert rows(admin, "SELECT share FROM aya.common_lexemes WHERE lexeme = 'everywher'")[0]["share"] > 0.9
    near = ranked(admin, "everywhere", many[3], most=60)
    assert all(row["meaning_rank"] for row in near)
    both = ranked(admin, "everywhere rare", many[3], most=20)
    numbers = {row["chunk_id"] for row in both if row["words_rank"]}
    first = rows(admin, "SELECT min(id) AS id FROM chunks")[0]["id"]
    assert {first + number for number in range(0, MANY, 1000)} <= numbers
    assert len(ranked(admin, "everywhere", None)) == 10  # by words alone they are all that there is


def test_a_vector_of_another_model_is_refused(many: np.ndarray, admin: Connection) -> None:
    with pytest.raises(Exception, match="has 3 dimensions, those of the passages have 8"):
        ranked(admin, "x", np.ones(3, np.float32))


def test_the_index_is_measured_and_bad_ones_are_told(kb: Context, many: np.ndarray, admin: Connection) -> None:
    checked = check_knowledge(kb)
    assert checked.recall is not None
    assert (checked.passages, checked.recall.recall > 0.95, checked.is_good) == (MANY, True, True)
    index_knowledge(kb, method="ivfflat", lists=1500)
    bad = check(admin, active_set(admin))
    assert not bad.is_good
    assert "lists = 1500 for 3,000 rows" in bad.advice[0].problem
    assert index_knowledge(kb, method="ivfflat").index == "ivfflat"
    chosen = active_set(admin)
    assert chosen is not None
    assert index_of(admin, chosen).lists == 3  # type: ignore[union-attr]
    with pytest.raises(UsageError, match="lists for 3000 vectors"):
        index_knowledge(kb, method="ivfflat", lists=7000)
    assert index_knowledge(kb, method="none").index == "none"


@pytest.mark.parametrize("said", [{"observed": {"estimated_rows": 1}}, {"estimated_rows": 1}], ids=["seen", "stated"])
def test_an_index_of_another_database_is_judged_by_what_is_recorded(
    kb: Context, admin: Connection, said: dict[str, object]
) -> None:
    admin.execute("INSERT INTO system_nodes (node_name, node_role) VALUES ('ALPHA', 'primary')")
    for kind, index, definition, told in (
        ("table", None, None, said),
        (
            "index",
            "chunks_embedding_idx",
            "CREATE INDEX … USING ivfflat (embedding vector_cosine_ops) WITH (lists='100')",
            {},
        ),
    ):
        admin.execute(
            "INSERT INTO database_schemas "
            "(node_id, database_name, kind, schema_name, table_name, index_name, index_type, index_definition, metadata) "
            "SELECT id, 'aya_rag', %s, 'public', 'chunks', %s, %s, %s, %s FROM system_nodes",
            (kind, index, "ivfflat" if index else None, definition, orjson.dumps(told).decode()),
        )
    (one,) = check_knowledge(kb).advice
    assert (one.index, one.rows, one.lists) == ("chunks_embedding_idx", 1, 100)
    assert "lists = 100 for 1 rows" in one.problem


@pytest.mark.parametrize(
    ("method", "count", "lists", "is_bad"),
    [("ivfflat", 1, 100, True), ("ivfflat", 1, None, True), ("ivfflat", None, 100, False), ("ivfflat", 100_000, 100, False),
     ("ivfflat", 10_000_000, 10, True), ("hnsw", 1, None, False)],
)  # fmt: skip
def test_an_ivfflat_index_with_too_many_or_too_few_lists_is_bad(
    method: str, count: int | None, lists: int | None, is_bad: bool
) -> None:
    assert bool(judge(method, count, lists)[0]) == is_bad
    assert judge(method, count, lists, is_valid=False)[0]


def test_an_index_whose_building_breaks_leaves_the_one_before(kb: Context, many: np.ndarray, admin: Connection) -> None:
    chosen = active_set(admin)
    assert chosen is not None
    before = index_of(admin, chosen)
    # A full disk does the same to it, and cannot be had here.
    admin.execute("ALTER TABLE aya.chunk_sets ADD CONSTRAINT no_ivfflat CHECK (index_method <> 'ivfflat')")
    try:
        with pytest.raises(PayloadRefused, match="no_ivfflat"):
            build_index(kb.database, chosen, "ivfflat", None, lambda _: None)
    finally:
        admin.execute("ALTER TABLE aya.chunk_sets DROP CONSTRAINT no_ivfflat")
    assert index_of(admin, chosen) == before
