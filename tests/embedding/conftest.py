"""The packaged model, opened once; and options of an AYA that reaches no hub."""

import pytest

from aya.embedding import models
from aya.embedding.model import Model
from aya.embedding.packaged import NAME
from aya.settings import Settings


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return models.load(Settings(home=tmp_path_factory.mktemp("home")), NAME)


@pytest.fixture
def unreached(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Where nothing answers in place of the hub."""
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    return Settings(home=tmp_path_factory.mktemp("home"))
