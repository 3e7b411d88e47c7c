"""Killed at any moment, `aya collect` records all or nothing: the soak trial in its small form."""

from aya.db.database import Database
from aya.operations.context import Context
from bench._laboratory import Laboratory
from soak.kills import run

KILLS = 8


def test_a_kill_at_any_moment_leaves_all_or_nothing(context: Context, database: Database) -> None:
    assert run(Laboratory(context, quick=True), KILLS, 20, lambda _: None).failures == ()
