"""Lists over HTTP: pages, filters, fields, order and forms."""

import csv
import io
import json
from typing import Any

import httpx2
import pytest

from aya.db.connection import Connection

SETTINGS = "/api/v1/settings"
pytestmark = pytest.mark.usefixtures("beta")


def names(client: httpx2.Client, **asked: Any) -> list[str]:
    answer = client.get(SETTINGS, params=asked)
    assert answer.status_code == 200, answer.text
    return [f"{row['node_name']}.{row['setting_name']}" for row in answer.json()["rows"]]


def test_all_rows_come_page_by_page_by_following_the_link(client: httpx2.Client) -> None:
    found, path = [], f"{SETTINGS}?limit=1&setting_name__ne=x"
    while path:
        answer = client.get(path)
        found += [row["id"] for row in answer.json()["rows"]]
        assert (answer.json()["next"] is None) is ("next" not in answer.links)
        path = answer.links.get("next", {}).get("url", "")
    assert found == [row["id"] for row in client.get(SETTINGS).json()["rows"]]
    assert len(found) == 4


def test_rows_that_come_and_go_between_pages_shift_nothing(client: httpx2.Client, admin: Connection) -> None:
    first = client.get(SETTINGS, params={"limit": 2, "order_by": "setting_name"}).json()
    admin.execute("DELETE FROM postgresql_configuration WHERE id = %s", (first["rows"][0]["id"],))
    second = client.get(SETTINGS, params={"limit": 2, "order_by": "setting_name", "cursor": first["next"]}).json()
    assert [row["setting_name"] for row in second["rows"]] == ["port", "work_mem"]


FILTERS: list[tuple[dict[str, str], list[str]]] = [
    ({"setting_name": "fsync"}, ["ALPHA.fsync", "BETA.fsync"]),
    ({"setting_name": "fsync", "setting_value": "off"}, ["BETA.fsync"]),
    ({"setting_value__ne": "on"}, ["ALPHA.work_mem", "BETA.fsync", "BETA.port"]),
    ({"setting_name__ic": "WORK"}, ["ALPHA.work_mem"]),
    ({"setting_name__in": "port,work_mem"}, ["ALPHA.work_mem", "BETA.port"]),
    ({"setting_unit__null": "false"}, ["ALPHA.work_mem"]),
    ({"setting_unit__null": "true", "node": "ALPHA"}, ["ALPHA.fsync"]),
    ({"setting_name__gt": "fsync", "setting_name__lte": "port"}, ["BETA.port"]),
    ({"node_name": "BETA"}, ["BETA.fsync", "BETA.port"]),
    ({"requires_restart": "true"}, []),
    ({"metadata__null": "true"}, []),
]


@pytest.mark.parametrize(("asked", "expected"), FILTERS, ids=[str(asked) for asked, _ in FILTERS])
def test_filters_let_through_what_fits(client: httpx2.Client, asked: dict[str, str], expected: list[str]) -> None:
    assert sorted(names(client, **asked)) == expected


def test_order_and_fields_are_as_asked_for(client: httpx2.Client) -> None:
    rows = client.get(
        SETTINGS, params={"order_by": "-setting_name,node_name", "fields": "setting_name,node_name"}
    ).json()
    assert [tuple(row.items()) for row in rows["rows"]] == [
        (("setting_name", name), ("node_name", node))
        for name, node in (("work_mem", "ALPHA"), ("port", "BETA"), ("fsync", "ALPHA"), ("fsync", "BETA"))
    ]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"nope": "1"}, "setting_name"),
    ({"setting_name__like": "1"}, "__ic"),
    ({"fields": "nope"}, "setting_name"),
    ({"order_by": "nope"}, "setting_name"),
    ({"order_by": "metadata"}, "no order"),
    ({"id": "abc"}, "bigint"),
    ({"id": str(2**63)}, "range"),
    ({"setting_unit__null": "perhaps"}, "true or false"),
    ({"setting_name": ["a", "b"]}, "__in"),
    ({"limit": "0"}, "greater than or equal to 1"),
    ({"limit": str(10**9)}, "less than or equal to 1000"),
    ({"limit": "many"}, "integer"),
    ({"cursor": "nonsense"}, "another query"),
    ({"cursor": "é"}, "another query"),
    ({"as_of": "once"}, "no moment"),
    ({"format": "xml"}, "csv"),
]


@pytest.mark.parametrize(("asked", "said"), WRONG, ids=[str(asked) for asked, _ in WRONG])
def test_what_cannot_be_asked_is_refused_with_what_can(client: httpx2.Client, asked: dict[str, Any], said: str) -> None:
    answer = client.get(SETTINGS, params=asked)
    assert answer.status_code == 422, answer.text
    assert said in answer.json()["detail"] + answer.json().get("remedy", "")


def test_a_cursor_belongs_to_its_query(client: httpx2.Client) -> None:
    cursor = client.get(SETTINGS, params={"limit": 1}).json()["next"]
    assert client.get(SETTINGS, params={"limit": 3, "cursor": cursor}).status_code == 200
    for other in ({"setting_name": "fsync"}, {"order_by": "id"}, {"node": "BETA"}):
        assert client.get(SETTINGS, params={"cursor": cursor, **other}).status_code == 422
    assert client.get("/api/v1/software", params={"cursor": cursor}).status_code == 422


def test_rows_come_as_json_csv_or_lines_of_json(client: httpx2.Client) -> None:
    rows = client.get(SETTINGS).json()["rows"]
    table = client.get(SETTINGS, headers={"accept": "text/csv"})
    assert table.headers["content-type"].startswith("text/csv")
    read = list(csv.DictReader(io.StringIO(table.text)))
    assert [row["setting_value"] for row in read] == [row["setting_value"] for row in rows]
    assert [json.loads(row["metadata"]) for row in read] == [row["metadata"] for row in rows]
    lines = client.get(SETTINGS, params={"format": "ndjson"})
    assert [json.loads(line) for line in lines.text.splitlines()] == rows
    assert client.get(SETTINGS, headers={"accept": "text/csv;q=0.1, application/json"}).json()["rows"] == rows
    refused = client.get(SETTINGS, headers={"accept": "image/png"})
    assert (refused.status_code, "text/csv" in refused.json()["remedy"]) == (406, True)


def test_a_list_of_a_node_is_the_list_with_only_its_rows(client: httpx2.Client) -> None:
    assert client.get("/api/v1/nodes/BETA/settings").json() == client.get(SETTINGS, params={"node": "BETA"}).json()
    unknown = client.get("/api/v1/nodes/NOBODY/settings")
    assert (unknown.status_code, "ALPHA, BETA" in unknown.json()["remedy"]) == (404, True)


def test_a_kept_page_is_never_stale(client: httpx2.Client, writer: Connection) -> None:
    for value in ("1", "2", "3"):
        writer.execute("UPDATE postgresql_configuration SET setting_value = %s WHERE setting_name = 'port'", (value,))
        for _ in range(2):
            (row,) = client.get(SETTINGS, params={"setting_name": "port"}).json()["rows"]
            assert row["setting_value"] == value
    writer.execute("INSERT INTO documentation_files (file_name, file_path, content) VALUES ('a', '/a', 'text')")
    (document,) = client.get("/api/v1/documentation_files").json()["rows"]
    writer.execute("UPDATE documentation_files SET description = 'about'")
    assert client.get("/api/v1/documentation_files").json()["rows"][0]["description"] == "about"
    assert client.get(f"/api/v1/documentation_files/{document['id']}").json()["content"] == "text"


def test_the_past_of_a_list_is_asked_for_with_as_of_and_stays_the_same_moment_on_the_next_page(
    client: httpx2.Client, writer: Connection
) -> None:
    (newest,) = writer.execute("SELECT max(id) AS id FROM change_log").fetchall()
    writer.execute("UPDATE postgresql_configuration SET setting_value = 'now' WHERE setting_name = 'fsync'")
    asked = {"as_of": f"#{newest['id']}", "setting_name": "fsync", "limit": 1}
    first = client.get(SETTINGS, params=asked)
    second = client.get(first.links["next"]["url"])
    assert [answer.json()["rows"][0]["setting_value"] for answer in (first, second)] == ["on", "off"]
    assert "as_of=20" in client.get(SETTINGS, params={"as_of": "0 seconds ago", "limit": 1}).headers["link"]


def test_numbers_that_a_double_cannot_hold_are_text_and_what_is_no_number_is_null(
    client: httpx2.Client, writer: Connection
) -> None:
    writer.execute(
        "INSERT INTO performance_metrics (node_id, metric_name, metric_value) "
        "SELECT id, 'odd', unnest(ARRAY['NaN', '0.10']::numeric[]) FROM system_nodes WHERE node_name = 'ALPHA'"
    )
    writer.execute(
        "INSERT INTO documentation_files (file_name, file_path, file_size_bytes) VALUES ('a', '/a', 2::bigint ^ 60)"
    )
    rows = client.get("/api/v1/nodes/ALPHA/metrics", params={"metric_name": "odd", "order_by": "id"}).json()["rows"]
    assert [row["metric_value"] for row in rows] == [None, 0.1]
    assert client.get("/api/v1/documentation_files").json()["rows"][0]["file_size_bytes"] == str(2**60)


def test_measurements_are_summed_up_over_stretches_of_time(client: httpx2.Client, writer: Connection) -> None:
    writer.execute(
        "INSERT INTO performance_metrics (node_id, metric_category, metric_name, metric_value, metric_unit, measured_at) "
        "SELECT n.id, 'c', 'm', v, 'ms', timestamptz '2026-01-01T10:00:00Z' + v * interval '10 min' FROM system_nodes n, "
        "generate_series(0, 11) v WHERE node_name = 'ALPHA'"
    )
    asked = {"since": "2026-01-01T10:00:00+00:00", "until": "2026-01-02T00:00:00+00:00", "name": "m"}
    buckets = client.get("/api/v1/nodes/ALPHA/metrics/buckets", params=asked).json()
    assert [
        (one["bucket"], one["avg_value"], one["min_value"], one["max_value"], one["sample_count"]) for one in buckets
    ] == [("2026-01-01T10:00:00Z", 2.5, 0, 5, 6), ("2026-01-01T11:00:00Z", 8.5, 6, 11, 6)]
    many = client.get("/api/v1/performance/metrics/buckets", params={**asked, "width_s": 0})
    assert many.status_code == 422
