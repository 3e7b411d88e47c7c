"""Every query says what it is for, and runs on every version it is meant for."""

import re

import pytest

from aya.collect.postgresql.collector import OLDEST_MAJOR
from aya.collect.postgresql.run import query, server_collectors, variants
from aya.db.observed import NotObserved, Observed
from aya.model import Outcome
from tests.collect.postgresql.cluster import Cluster

ALL = [(name, since) for name, texts in sorted(variants().items()) for since in sorted(texts)]


@pytest.mark.parametrize(("name", "since"), ALL)
def test_a_query_begins_by_saying_what_it_is_for(name: str, since: int) -> None:
    assert re.match(r"-- [A-Z].{20,}", variants()[name][since])
    assert variants()[name][since].isascii()


def test_every_query_is_asked_by_some_collector_and_every_collector_has_its_queries() -> None:
    asked = {name for collector in server_collectors().values() for name in collector.queries + collector.further}
    assert {name for name in variants() if not name.startswith("_")} == asked


def test_every_query_has_a_variant_for_the_oldest_version() -> None:
    assert {name for name, texts in variants().items() if not any(since <= OLDEST_MAJOR for since in texts)} == set()


@pytest.mark.parametrize("name", sorted(variants()))
@pytest.mark.parametrize("user", ["postgres", "monitor"])
def test_a_query_runs_on_every_version(cluster: Cluster, name: str, user: str) -> None:
    collectors = server_collectors().values()
    bare = any(name in collector.bare for collector in collectors)
    # PostgreSQL 14 is not at hand; what is asked of it must at least be understood by the versions that are.
    for text in {query(name, cluster.version), query(name, OLDEST_MAJOR)}:
        with cluster.observed(user=user) as connection:
            refused = outcome_of(connection, text, bare=bare)
        assert refused is None or refused is Outcome.DENIED
        if refused is not None:
            assert user == "monitor"
            assert any(name in collector.further for collector in collectors)


def outcome_of(connection: Observed, text: str, *, bare: bool) -> Outcome | None:
    try:
        connection.rows(text, bare=bare)
    except NotObserved as error:
        return error.outcome
    return None


def test_the_newest_variant_that_is_not_newer_than_the_server_is_taken() -> None:
    assert query("databases", 14) == variants()["databases"][0]
    assert query("databases", 16) == variants()["databases"][15]
    assert query("databases", 19) == variants()["databases"][17]
