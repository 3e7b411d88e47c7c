"""What whoever reaches the port can do with it: ask, and no more than their token says; never with files of this machine."""

from pathlib import Path, PurePath
from typing import Any, get_args

import httpx2
import pytest

from aya.access.scope import Scope
from aya.db.connection import Connection, rows
from aya.operations import audit
from aya.operations.context import Context
from aya.operations.operation import Operation, operations
from aya.operations.snapshot_exports import export_snapshot, verify_snapshot_file
from aya.operations.snapshots import create_snapshot
from aya.operations.tokens import create_token

SERVED = [one for one in operations().values() if one.routes]
LOOKED_AT = [
    ("/drift", Scope.READ),
    ("/checks/catalogue", Scope.READ),
    ("/retention", Scope.READ),
    ("/calls", Scope.ADMIN),
    ("/tokens", Scope.ADMIN),
]


def within(annotation: Any) -> list[Any]:
    """A type, and all that it is made of."""
    return [annotation, *(part for inner in get_args(annotation) for part in within(inner))]


@pytest.mark.parametrize("operation", SERVED, ids=lambda one: one.name)
def test_no_parameter_of_a_route_is_a_file_of_the_server(operation: Operation) -> None:
    for parameter in operation.parameters:
        kinds = [kind for kind in within(parameter.annotation) if isinstance(kind, type)]
        assert not [kind for kind in kinds if issubclass(kind, PurePath)], parameter.name
        assert " file" not in parameter.help.lower(), parameter.name


@pytest.mark.parametrize("operation", SERVED, ids=lambda one: one.name)
def test_reading_is_get_and_writing_takes_more_than_reading(operation: Operation) -> None:
    methods = {route.method for route in operation.routes}
    assert operation.writes is (methods != {"GET"} and operation.scope is not Scope.SQL)
    if methods != {"GET"}:
        assert operation.scope is not Scope.READ


def test_no_name_in_a_path_leads_out_of_it(client: httpx2.Client) -> None:
    for name in ("..%2f..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd", "..%00", "%00"):
        for path in (f"snapshots/{name}", f"snapshots/{name}/export", f"nodes/{name}", f"why/ALPHA/{name}"):
            answer = client.get(f"/api/v1/{path}")
            assert answer.status_code in (400, 404, 422), path
            assert "root:" not in answer.text
    for said in ("/etc/passwd", "../../etc/passwd"):
        for path, parameter in (("diff", "before"), ("drift", "baseline"), ("audit/verification", "keys")):
            answer = client.get(f"/api/v1/{path}", params={parameter: said})
            assert answer.status_code in (404, 409, 422), path
            assert "root:" not in answer.text


@pytest.mark.parametrize(("path", "scope"), LOOKED_AT)
def test_lists_for_administrators_are_for_them_only(
    client: httpx2.Client, url: str, context: Context, path: str, scope: Scope
) -> None:
    reader = create_token(context, "reader", scope=[Scope.READ]).token
    with httpx2.Client(base_url=url) as stranger:
        asked = stranger.get(f"/api/v1{path}")
        as_reader = stranger.get(f"/api/v1{path}", headers={"authorization": f"Bearer {reader}"})
    assert asked.status_code == (200 if scope is Scope.READ else 401)
    assert as_reader.status_code == (200 if scope is Scope.READ else 403)
    assert client.get(f"/api/v1{path}").status_code == 200


def test_no_answer_holds_a_token_or_its_hash(client: httpx2.Client, context: Context, admin: Connection) -> None:
    made = client.post("/api/v1/tokens", json={"name": "another"}).json()["token"]
    (kept,) = rows(admin, "SELECT * FROM aya.tokens WHERE name = 'another'")
    hashes = [bytes(value).hex() for value in kept.values() if isinstance(value, bytes | memoryview)]
    assert hashes
    for path in ("/tokens", "/calls", "/changes", "/system/state", "/schema"):
        told = client.get(f"/api/v1{path}").text
        assert [secret for secret in (made, *hashes) if secret in told] == [], path


def test_an_export_is_downloaded_as_it_is_written_to_a_file(
    client: httpx2.Client, context: Context, admin: Connection, tmp_path: Path
) -> None:
    create_snapshot(context, "one")
    early = client.get("/api/v1/snapshots/one/export")
    assert (early.status_code, "/api/v1/audit/seals" in early.json()["remedy"]) == (409, True)
    assert rows(admin, "SELECT * FROM aya.seals") == []
    audit.seal(context)
    told = client.get("/api/v1/snapshots/one/export")
    assert (told.status_code, told.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    export_snapshot(context, "one", tmp_path / "written")
    (tmp_path / "downloaded").write_bytes(told.content)
    assert told.content == (tmp_path / "written").read_bytes()
    assert verify_snapshot_file(context, tmp_path / "downloaded").intact
    assert client.get("/api/v1/snapshots/two/export").status_code == 404
