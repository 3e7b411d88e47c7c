"""A model as programs use it: the packaged one, really run."""

import json
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aya.db.connection import Connection, rows
from aya.embedding import catalogue, models
from aya.embedding.model import BATCH_TEXTS, CPU_BATCH_TOKENS, CPU_FILL_TOKENS, Model, merged
from aya.embedding.packaged import NAME, packaged
from aya.embedding.prefixes import Role, prefixes_of
from aya.errors import ConfigurationError, ModelUnusable, UsageError
from aya.settings import Settings

NEAR = 0.995
"""The packaged model rounds what it computes by the largest number of a batch, so that a text's neighbours show."""


def test_texts_that_mean_the_same_are_nearer_than_others(model: Model) -> None:
    cat, kitten, oil = model.embed(["a cat sat on the mat", "a kitten lies on the rug", "the price of crude oil"])
    assert cat @ kitten > 0.4 > 0.2 > cat @ oil


def test_vectors_have_length_one_and_the_model_s_dimensions(model: Model) -> None:
    vectors = model.embed(["one", "two words", "and a third text, somewhat longer"])
    assert vectors.shape == (3, model.dimensions) == (3, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(3), abs=1e-5)


def test_no_text_gives_no_vector(model: Model) -> None:
    assert model.embed([]).shape == (0, 384)


@settings(max_examples=8)
@given(
    texts=st.lists(st.text(alphabet="abcdefgh ijkl", min_size=1).map(lambda text: f"x{text}"), min_size=1, max_size=12)
)
def test_a_text_has_its_vector_whatever_stands_beside_it(model: Model, texts: list[str]) -> None:
    together = model.embed(texts)
    alone = np.concatenate([model.embed([text]) for text in texts])
    assert (np.einsum("nd,nd->n", together, alone) > NEAR).all()


def test_of_a_long_text_the_parts_follow_each_other_without_a_gap(model: Model) -> None:
    words = " ".join(f"word{number}" for number in range(500))
    (found,) = model.tokenise([words], Role.PASSAGE)
    whole = model.tokenizer.encode(words, add_special_tokens=False).ids
    assert [token for part in found.parts for token in part[1:-1]] == whole
    assert found.tokens == len(whole)
    assert max(map(len, found.parts)) == model.max_tokens


@given(lengths=st.lists(st.integers(1, 512), max_size=300))
def test_batches_hold_every_text_once_and_no_more_tokens_than_fit(model: Model, lengths: list[int]) -> None:
    found = list(model.batches(lengths))
    assert sorted(index for batch in found for index in batch) == list(range(len(lengths)))
    assert all(len(batch) * max(lengths[index] for index in batch) <= CPU_BATCH_TOKENS for batch in found)
    assert all(len(batch) <= BATCH_TEXTS for batch in found)
    for batch in found:
        filled = [count * (lengths[longer] - lengths[one]) for count, (one, longer) in enumerate(pairwise(batch), 1)]
        assert max(filled, default=0) <= CPU_FILL_TOKENS


def test_a_split_text_points_where_its_longer_part_does() -> None:
    found = merged(np.array([[3.0, 0], [0, 0.5]], np.float32), [3, 1])
    assert found == pytest.approx([0.75, 0.25])


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u200b"])
def test_a_text_of_nothing_is_named(model: Model, text: str) -> None:
    with pytest.raises(UsageError, match="Text 1 holds nothing"):
        model.embed(["something", text])


def test_half_a_character_is_no_text(model: Model) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        model.embed(["\ud800"])


def test_what_the_folder_says_of_prefixes_goes_before_what_is_known() -> None:
    assert prefixes_of("BAAI/bge-base-en-v1.5", {}).query.startswith("Represent this sentence")
    assert prefixes_of("BAAI/bge-base-en-v1.5", {"query": "q: "}).query == "q: "
    assert prefixes_of("intfloat/e5-base-v2", {}).passage == "passage: "
    assert prefixes_of("somebody/other", {"document": "d: "}).passage == "d: "


def test_a_prefix_makes_another_vector_and_alone_is_nothing(unreached: Settings) -> None:
    asking = models.load(unreached.model_copy(update={"embedding_query_prefix": "search for: "}))
    assert not np.allclose(asking.embed(["oil"], "query"), asking.embed(["oil"], "passage"))
    with pytest.raises(UsageError, match="Text 0 holds nothing"):
        asking.embed([" "], "query")


def test_where_no_hub_is_reached_the_packaged_model_is_used_and_says_so(unreached: Settings) -> None:
    found = models.find(unreached)
    assert found.name == NAME
    assert "bge-base-en-v1.5 could not be fetched" in found.instead
    assert "minutes ago" in models.find(unreached).instead  # and the hub is not asked again at once


def test_a_model_that_was_named_has_no_substitute(unreached: Settings) -> None:
    with pytest.raises(ModelUnusable, match="somebody/model could not be fetched"):
        models.load(unreached, "somebody/model")


@pytest.mark.parametrize("name", ["a b", "a/b/c", "x" * 200])
def test_what_is_no_name_is_said_at_once(unreached: Settings, name: str) -> None:
    with pytest.raises(ModelUnusable, match="no name of a model"):
        models.load(unreached, name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model's folder as the hub lays them out, with the packaged model's files."""
    files = packaged()
    assert files.weights is not None
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "model.onnx").symlink_to(files.weights)
    shutil.copy(files.tokenizer, tmp_path / "tokenizer.json")
    (tmp_path / "config.json").write_text(json.dumps({"hidden_size": 384, "max_position_embeddings": 512}))
    return tmp_path


def test_a_folder_is_a_model(folder: Path, unreached: Settings, model: Model) -> None:
    found = models.load(unreached, str(folder))
    assert (found.dimensions, found.max_tokens, found.sha256) == (384, 512, model.sha256)
    assert found.revision.startswith("sha256:8199be6f")
    assert (found.embed(["the same text"]) @ model.embed(["the same text"]).T).item() > NEAR


def test_the_folder_s_pooling_is_used(folder: Path, unreached: Settings, model: Model) -> None:
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    found = models.load(unreached, str(folder))
    assert (found.embed(["the same text"]) @ model.embed(["the same text"]).T).item() < NEAR


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"tokenizer.json": None}, "has no tokenizer.json"),
        ({"onnx/model.onnx": None}, "has no weights"),
        ({"onnx/model.onnx": "no onnx"}, "cannot be opened"),
        ({"tokenizer.json": "{}"}, "cannot be understood"),
        ({"config.json": "[1"}, "cannot be understood"),
        ({"config.json": "[]"}, "not an object"),
        ({"config.json": '{"hidden_size": 768}'}, "768 dimensions, and gives 384"),
    ],
)
def test_a_folder_that_is_no_model_says_what_is_wrong(
    folder: Path, unreached: Settings, broken: dict[str, str | None], said: str
) -> None:
    for name, text in broken.items():
        (folder / name).unlink()
        if text is not None:
            (folder / name).write_text(text)
    with pytest.raises(ModelUnusable, match=said):
        models.load(unreached, str(folder))


def test_a_backend_that_is_not_installed_says_how_to_install_it(unreached: Settings) -> None:
    with pytest.raises(ModelUnusable, match="mlx_embeddings, which cannot be imported"):
        models.load(unreached.model_copy(update={"embedding_backend": "mlx"}))
    with pytest.raises(ConfigurationError, match="no backend nothing"):
        models.load(unreached.model_copy(update={"embedding_backend": "nothing"}))


def test_a_device_that_is_not_here_says_what_is(unreached: Settings) -> None:
    with pytest.raises(ModelUnusable, match="cannot run on abacus"):
        models.load(unreached.model_copy(update={"embedding_device": "abacus"}))


def test_a_model_is_one_row_and_another_prefix_another(writer: Connection, model: Model, unreached: Settings) -> None:
    first = catalogue.register(writer, model)
    assert catalogue.register(writer, model) == first
    other = models.load(unreached.model_copy(update={"embedding_query_prefix": "q: "}))
    assert catalogue.register(writer, other) != first
    assert [one.query_prefix for one in catalogue.known_models(writer)] == ["", "q: "]
    assert rows(writer, "SELECT count(*) AS n FROM aya.embedding_models") == [{"n": 2}]
