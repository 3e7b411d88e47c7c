"""An extension whose library loads passes; one whose library is gone fails, although it is installed."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from aya.db.connection import Connection, connect
from aya.db.database import Login
from aya.db.observed import Observed
from tests.verify.conftest import Node, OwnServer


@pytest.fixture
def spoilt(admin: Connection, described: Node) -> Iterator[None]:
    """A database with an extension whose library is not there any more."""
    admin.execute("CREATE DATABASE spoilt")
    try:
        with connect(described.database.url(Login.ADMIN, database="spoilt")) as connection:
            connection.execute("CREATE EXTENSION vector")
            connection.execute("UPDATE pg_proc SET probin = '$libdir/gone' WHERE probin = '$libdir/vector'")
        yield
    finally:
        admin.execute("DROP DATABASE spoilt WITH (FORCE)")


def test_extensions_whose_libraries_load_pass(described: Node, own_server: OwnServer) -> None:
    found = described.tested_by("extension_loads", own_server.reachable)
    assert (f"{own_server.instance}/aya_rag vector", "pass", None) in found
    assert (f"{own_server.instance}/postgres plpgsql", "pass", None) in found
    assert {outcome for _, outcome, _ in found} == {"pass"}


@pytest.mark.usefixtures("spoilt")
def test_an_extension_whose_library_is_gone_fails(described: Node, own_server: OwnServer) -> None:
    (broken,) = [
        result for result in described.results("extension_loads", own_server.reachable) if result.outcome == "fail"
    ]
    assert broken.target == f"{own_server.instance}/spoilt vector $libdir/gone"
    assert "could not access file" in str(broken.reason)
    assert broken.probe == "LOAD '$libdir/gone'"


def test_an_extension_that_the_login_may_not_load_is_skipped(described: Node, own_server: OwnServer) -> None:
    reader = {own_server.instance: partial(Observed.open, replace(own_server.route, user="aya_reader"))}
    assert {outcome for _, outcome, _ in described.tested_by("extension_loads", reader)} == {"skipped"}
