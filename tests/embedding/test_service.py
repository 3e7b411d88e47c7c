"""The embedding service without its port: batches, the cache, and who is hurt by what."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from threading import Semaphore
from time import monotonic, sleep

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.db.connection import Connection, rows
from aya.db.database import Database
from aya.embedding.batcher import Batcher
from aya.embedding.cache import Cache, Entry, text_key
from aya.embedding.figures import Figures
from aya.embedding.kept import KeptCache
from aya.embedding.model import BATCH_TEXTS, Model
from aya.embedding.packaged import NAME
from aya.embedding.prefixes import Role
from aya.embedding.service import Asked, Embedded, Overlong, Service
from aya.errors import InferenceFailed, ModelNotReady, ModelUnusable, TextsTooLarge, TooManyRequests, UsageError
from aya.settings import Settings
from tests.embedding.test_model import NEAR

LONG = " ".join(f"word{number}" for number in range(400))


def started(settings: Settings) -> Service:
    service = Service(settings)
    service.start()
    until = monotonic() + 60
    while service.health()["status"] == "loading" and monotonic() < until:
        sleep(0.01)
    return service


@pytest.fixture
def service(unreached: Settings) -> Iterator[Service]:
    service = started(unreached.model_copy(update={"embedding_model": NAME, "embedding_queue_texts": 50}))
    yield service
    service.close()


def embed(service: Service, *texts: str, **more: object) -> Embedded:
    return asyncio.run(service.embed(Asked(texts=texts, **more)))  # type: ignore[arg-type]


def test_the_service_gives_what_the_model_gives(service: Service, model: Model) -> None:
    texts = ["one", "a second text", LONG]
    found = embed(service, *texts)
    assert (np.einsum("nd,nd->n", found.vectors, model.embed(texts)) > NEAR).all()
    assert found.tokens == tuple(one.tokens for one in model.tokenise(texts, Role.PASSAGE))


def test_a_text_that_was_embedded_is_known_and_the_same_to_the_last_bit(service: Service) -> None:
    first, again = embed(service, "a", "b", "a"), embed(service, "b", "a")
    assert (first.cached, again.cached) == ((False, False, False), (True, True))
    assert (first.vectors[[1, 0]] == again.vectors).all()
    assert service.figures.batched == 2


def test_a_split_text_is_another_than_a_truncated_one(service: Service, model: Model) -> None:
    cut, split = embed(service, LONG), embed(service, LONG, overlong=Overlong.SPLIT)
    assert cut.parts == split.parts == (len(model.tokenise([LONG], Role.PASSAGE)[0].parts),)
    assert split.parts[0] > 1
    assert not np.allclose(cut.vectors, split.vectors, atol=0.01)
    assert np.linalg.norm(split.vectors) == pytest.approx(1, abs=1e-5)


def test_what_is_too_long_is_refused_where_that_is_asked_whether_it_is_known_or_not(service: Service) -> None:
    for _ in range(2):
        with pytest.raises(TextsTooLarge, match="Text 1 has"):
            embed(service, "short", LONG, overlong=Overlong.REFUSE)
        embed(service, LONG)


def test_fewer_dimensions_are_the_first_ones_normalised_again(service: Service) -> None:
    whole, few = embed(service, "some text"), embed(service, "some text", dimensions=10)
    assert few.vectors == pytest.approx(whole.vectors[:, :10] / np.linalg.norm(whole.vectors[:, :10]), abs=1e-6)
    raw = embed(service, "some text", normalize=False).vectors
    assert raw / np.linalg.norm(raw) == pytest.approx(whole.vectors, abs=1e-6)
    for dimensions in (0, 385):
        with pytest.raises(UsageError, match="gives 384 dimensions"):
            embed(service, "some text", dimensions=dimensions)


def test_no_text_and_text_of_nothing_are_refused(service: Service) -> None:
    with pytest.raises(UsageError, match="no text"):
        embed(service)
    with pytest.raises(UsageError, match="Text 2 holds nothing"):
        embed(service, "a", "a", " ")


def test_more_texts_than_may_wait_are_refused_and_nothing_of_them_waits(service: Service) -> None:
    with pytest.raises(TextsTooLarge, match="51 parts, and 50 may wait"):
        embed(service, *(f"text {number}" for number in range(51)))
    assert service.waiting == 0


def test_a_service_that_is_not_ready_says_so(unreached: Settings) -> None:
    service = Service(unreached)
    assert service.health()["ready"] is False
    with pytest.raises(ModelNotReady, match="not started"):
        embed(service, "text")


def test_a_service_without_a_model_says_why_again_and_again(unreached: Settings) -> None:
    service = started(unreached.model_copy(update={"embedding_model": "/nowhere"}))
    assert service.health() | {"remedy": ""} == {
        "ready": False,
        "status": "failed",
        "reason": "/nowhere is no folder.",
        "remedy": "",
    }
    for _ in range(2):
        with pytest.raises(ModelUnusable, match="/nowhere is no folder"):
            embed(service, "text")
    service.close()


def test_whatever_keeps_the_model_from_being_loaded_is_said(
    unreached: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr("aya.embedding.service.load", broken)
    service = started(unreached)
    assert service.health()["reason"] == "The model could not be loaded: RuntimeError: nobody foresaw this"
    service.close()


class Poisoned:
    """The model, but it fails on a batch that holds a certain token; and at its gate each run waits to be let through."""

    def __init__(self, model: Model, token: int = -1, gate: Semaphore | None = None) -> None:
        self._model, self._token, self._gate = model, token, gate
        self.ran: list[Sequence[Sequence[int]]] = []

    def batches(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        return self._model.batches(lengths)

    def run(self, parts: Sequence[Sequence[int]]) -> np.ndarray:
        self.ran.append(parts)
        if self._gate is not None:
            assert self._gate.acquire(timeout=60)
        if any(self._token in part for part in parts):
            raise InferenceFailed("poison")
        return self._model.run(parts)


def test_a_text_on_which_the_model_fails_hurts_no_other_in_its_batch(model: Model) -> None:
    good, bad = (model.tokenise([text], Role.PASSAGE)[0].parts[0] for text in ("good", "poison"))
    batcher = Batcher(Poisoned(model, bad[1]), 100, Figures())  # type: ignore[arg-type]
    first, second = batcher.submit([good, bad, good]), batcher.submit([good])
    outcomes = [*first.result(60), *second.result(60)]
    assert [isinstance(one, InferenceFailed) for one in outcomes] == [False, True, False, False]
    batcher.close()


def test_nobody_waits_behind_all_the_texts_of_another(model: Model) -> None:
    part = model.tokenise(["text"], Role.PASSAGE)[0].parts[0]
    gate = Semaphore(0)
    slow = Poisoned(model, gate=gate)
    batcher = Batcher(slow, 10_000, Figures())  # type: ignore[arg-type]
    many, one = batcher.submit([part] * (BATCH_TEXTS * 10)), batcher.submit([part])
    gate.release(2)
    one.result(60)
    assert not many.done()
    gate.release(100)
    assert len(many.result(60)) == BATCH_TEXTS * 10
    assert sum(map(len, slow.ran)) == BATCH_TEXTS * 10 + 1
    batcher.close()


def test_what_is_taken_back_is_not_run_and_the_queue_is_bounded(model: Model) -> None:
    part = model.tokenise(["text"], Role.PASSAGE)[0].parts[0]
    gate = Semaphore(0)
    slow = Poisoned(model, gate=gate)
    batcher = Batcher(slow, BATCH_TEXTS * 4, Figures())  # type: ignore[arg-type]
    first = batcher.submit([part] * BATCH_TEXTS * 3)
    with pytest.raises(TooManyRequests, match="wait already"):
        batcher.submit([part] * BATCH_TEXTS * 3)
    first.cancel()
    gate.release(100)
    assert len(batcher.submit([part]).result(60)) == 1
    with pytest.raises(CancelledError):
        first.result()
    assert sum(map(len, slow.ran)) <= BATCH_TEXTS + 1
    batcher.close()
    with pytest.raises(ModelNotReady, match="being stopped"):
        batcher.submit([part])


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 50)), max_size=60), st.integers(0, 3000))
def test_a_cache_never_takes_more_than_its_limit_and_gives_back_what_was_put(
    puts: list[tuple[int, int]], limit_bytes: int
) -> None:
    cache = Cache(limit_bytes)
    first: dict[bytes, int] = {}
    for name, size in puts:
        key = bytes([name])
        if cache.get(key) is None:
            first[key] = size
        cache.put(key, Entry(np.full(size, name, np.float32), 1, 1))
        assert cache.size_bytes <= limit_bytes
        kept = [cache.get(bytes([one])) for one in range(21)]
        assert sum(one.size_bytes for one in kept if one) == cache.size_bytes
        assert all(one is None or (one.vector == number).all() for number, one in enumerate(kept))
        assert all(one is None or one.vector.size == first[bytes([number])] for number, one in enumerate(kept))


@given(st.text(), st.text(), st.text(), st.text())
def test_keys_differ_wherever_prefix_or_text_do(one: str, other: str, prefix: str, text: str) -> None:
    assert (text_key(one, prefix, split=False) == text_key(other, prefix, split=False)) == (one == other)
    assert text_key(text, prefix + "x", split=False) != text_key("x" + text, prefix, split=False)
    assert text_key(one, prefix, split=False) != text_key(one, prefix, split=True)
    assert len(text_key(one, prefix, split=True)) == 32


def test_a_kept_cache_is_there_after_a_new_start(database: Database, model: Model) -> None:
    vector = model.run([model.tokenise(["text"], Role.PASSAGE)[0].parts[0]])[0]
    key = text_key("text", "", split=False)
    first = Cache(10_000, keeps=True)
    keeper = KeptCache(database, first, model)
    first.put(key, Entry(vector, 1, 1))
    keeper.close()
    again = Cache(10_000, keeps=True)
    KeptCache(database, again, model).close()
    found = again.get(key)
    assert found is not None
    assert (found.vector == vector).all()
    assert again.take_new() == []


def test_no_more_is_kept_than_fits_and_the_oldest_go_first(
    database: Database, writer: Connection, model: Model
) -> None:
    cache = Cache(5 * (384 * 4 + 400), keeps=True)
    for name in b"abcdefgh":
        keeper = KeptCache(database, cache, model)
        cache.put(bytes([name]) * 32, Entry(np.ones(384, np.float32), 1, 1))
        keeper.close()
    kept = [row["text_key"][:1] for row in rows(writer, "SELECT text_key FROM aya.embedding_cache ORDER BY kept_at")]
    assert kept == [b"c", b"d", b"e", b"f", b"g", b"h"]


def test_without_a_database_it_goes_on_and_says_so(unreached: Settings, model: Model) -> None:
    cache = Cache(10_000, keeps=True)
    keeper = KeptCache(Database(unreached), cache, model)
    cache.put(b"k" * 32, Entry(np.ones(384, np.float32), 1, 1))
    keeper.close()
    assert keeper.problem is not None
    assert "does not run" in keeper.problem
    assert len(cache.take_new()) == 1
