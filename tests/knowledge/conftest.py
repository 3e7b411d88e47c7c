"""The knowledge base with the model that is packaged."""

from dataclasses import replace
from pathlib import Path

import pytest

from aya.db.database import Database
from aya.embedding.packaged import NAME
from aya.operations.context import Context

LOTS = {
    "replication.md": "# Replication\n\nIntro.\n\n## Standby\n\nA standby receives the write-ahead log from its primary.\n\n"
    "## Slots\n\nA replication slot keeps segments until the standby has them.\n",
    "backup.md": "# Backup\n\nTake a base backup with pg_basebackup, and archive segments.\n",
    "cooking.md": "# Soup\n\nBoil the carrots and add some salt.\n",
}


@pytest.fixture
def kb(context: Context, database: Database) -> Context:
    """An empty knowledge base."""
    return replace(context, settings=context.settings.model_copy(update={"embedding_model": NAME}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with some documents."""
    place = tmp_path / "docs"
    place.mkdir()
    for name, text in LOTS.items():
        (place / name).write_text(text)
    return place
