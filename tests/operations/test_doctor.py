"""The doctor finds out whether the memory of read-only SQL has a limit."""

import pytest

from aya.db.database import Database
from aya.operations import doctor
from aya.operations.context import Context


def found(context: Context) -> doctor.Diagnosis:
    (one,) = (finding for finding in doctor.doctor(context) if finding.what == "memory of read-only SQL")
    return one


def test_where_a_session_has_its_limit_all_is_well(context: Context, database: Database) -> None:
    assert found(context).well


def test_where_the_system_lets_none_be_set_it_says_so_and_what_to_do(
    context: Context, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "memory_is_limited", lambda _: False)
    told = found(context)
    assert not told.well
    assert "no limit" in told.found
    assert "CAP_SYS_RESOURCE" in told.remedy
