"""Models that are fetched from the hub."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aya.embedding import models
from aya.embedding.hub import fetched
from aya.embedding.model import Model
from aya.embedding.packaged import packaged
from aya.errors import ModelUnusable
from aya.settings import Settings
from tests.embedding.hub import COMMIT, Hub, hub


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that has the packaged model, under the name some/model and with files that are none of AYA's business."""
    files = packaged()
    assert files.weights is not None
    with hub(
        {
            "onnx/model.onnx": files.weights.read_bytes(),
            "tokenizer.json": files.tokenizer.read_bytes(),
            "config.json": b'{"hidden_size": 384}',
            "1_Pooling/config.json": b'{"pooling_mode_mean_tokens": true}',
            "model.safetensors": b"not asked for",
        }
    ) as served:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", served.url)
        template = served.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
        yield served


def test_a_model_is_fetched_once_and_then_needs_no_hub(there: Hub, tmp_path: Path, model: Model) -> None:
    settings, said = Settings(home=tmp_path), list[str]()
    first = models.load(settings, "some/model", said.append)
    assert (first.name, first.revision, first.sha256) == ("some/model", COMMIT, model.sha256)
    assert any(line == "fetching some/model from the hub, once: 23 MB" for line in said)
    assert not any("safetensors" in path for path in there.asked if "resolve" in path)
    there.asked.clear()
    assert models.find(settings, "some/model").sha256 == model.sha256
    assert there.asked == []
    assert [one.name for one in models.here(settings)] == [model.name, "some/model"]


def test_a_hub_that_breaks_off_is_said_and_not_asked_again_at_once(there: Hub, tmp_path: Path) -> None:
    there.breaks_at = 1_000_000
    with pytest.raises(ModelUnusable, match="some/model could not be fetched from the hub"):
        fetched("some/model", tmp_path)
    there.asked.clear()
    with pytest.raises(ModelUnusable, match="minutes ago"):
        fetched("some/model", tmp_path)
    assert there.asked == []


def test_after_it_broke_off_it_is_fetched_when_it_is_asked_again(
    there: Hub, tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.breaks_at = 1_000_000
    with pytest.raises(ModelUnusable):
        fetched("some/model", tmp_path)
    there.breaks_at = None
    monkeypatch.setattr("aya.embedding.hub.ASK_AGAIN_S", 0)
    assert fetched("some/model", tmp_path).sha256 == model.sha256


def test_a_model_that_the_hub_does_not_have_is_said(there: Hub, tmp_path: Path) -> None:
    there.files.clear()
    with pytest.raises(ModelUnusable, match=r"could not be fetched from the hub: .*404 Not Found"):
        fetched("some/model", tmp_path)
