"""Hostile SQL does nothing: by the operation, and by the role alone, without anything in front of it."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aya.db.adhoc.workers import ENVELOPE_BYTES
from aya.db.database import Database, Login
from tests.security.callers import LIMITS, operation, role_alone, unparsed
from tests.security.hostile import Caller, Hostile, Watch, leaked
from tests.security.mutation import mutated

HUNG_S = 30
"""No measure of speed: a statement that is not back by then was not stopped."""


def kinds(catalogue: list[Hostile]) -> Iterator[list[Hostile]]:
    for _, some in groupby(sorted(catalogue, key=lambda one: one.kind), key=lambda one: one.kind):
        yield list(some)


def test_nothing_in_the_catalogue_does_anything(database: Database, watch: Watch, catalogue: list[Hostile]) -> None:
    for some in kinds(catalogue):
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(partial(timed, operation(database)), some))
        for one, (took_s, answer) in zip(some, answers, strict=True):
            assert leaked(answer) == [], one
            assert took_s < HUNG_S, one
            assert len(answer) <= LIMITS["sql_bytes"] + ENVELOPE_BYTES, one
        assert watch.breaches() == [], some
    assert watch.sessions_left() == 0


def timed(call: Caller, one: Hostile) -> tuple[float, str]:
    started = time.monotonic()
    answer = call(one.sql)
    return time.monotonic() - started, answer


@pytest.mark.parametrize("way", [unparsed, role_alone])
def test_nor_without_the_parser_nor_with_nothing_but_the_role(
    database: Database, watch: Watch, catalogue: list[Hostile], way: Callable[[Database], Caller]
) -> None:
    call = way(database)
    for some in kinds(catalogue):
        for one in some:
            # What only costs time and memory is bounded by the operation; and PostgreSQL lets every login NOTIFY.
            if one.kind not in ("dos", "notify") and "generate_series" not in one.sql:
                assert leaked(call(one.sql)) == [], one
        assert watch.breaches() == [], some
    assert watch.sessions_left() == 0


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_nor_do_mutations_of_it(
    database: Database, watch: Watch, catalogue: list[Hostile], data: st.DataObject
) -> None:
    one = data.draw(st.sampled_from([one for one in catalogue if one.kind != "dos"]))
    sql = data.draw(mutated(one.sql))
    for call in (operation(database), unparsed(database)):
        assert leaked(call(sql)) == []
        assert watch.breaches() == []


def test_what_is_forbidden_would_be_seen(database: Database, watch: Watch, folder: Path) -> None:
    with database.connect(Login.ADMIN) as admin:
        admin.execute(f"COPY (SELECT 1) TO '{folder}/written'")
        admin.execute("DELETE FROM aya.planted_secrets")
        admin.execute("NOTIFY aya_changes, 'forged'")
        admin.execute("SELECT pg_advisory_lock(42)")
        found = watch.breaches()
    (folder / "written").unlink()
    assert [word for word in ("planted_secrets", "written", "forged", "advisory") if word not in str(found)] == []
