"""The state over HTTP: whole, never stale, and sent only to those who do not have it."""

import gzip
import json
import threading
from typing import Any

import httpx2
import pytest

from aya.db.connection import Connection, rows
from aya.record.recorder import record
from tests.record.states import identified, state

STATE = "/api/v1/system/state"


def value(document: dict[str, Any], node: str, name: str) -> str | None:
    (found,) = (row for row in document["nodes"][node]["settings"] if row["setting_name"] == name)
    return found.get("setting_value")


@pytest.mark.usefixtures("beta")
def test_each_node_has_its_own_rows_and_what_is_not_known_is_left_out(client: httpx2.Client) -> None:
    nodes = client.get(STATE).json()["nodes"]
    assert list(nodes) == ["ALPHA", "BETA"]
    assert [row["setting_name"] for row in nodes["ALPHA"]["settings"]] == ["fsync", "work_mem"]
    assert [row["setting_name"] for row in nodes["BETA"]["settings"]] == ["fsync", "port"]
    assert nodes["ALPHA"]["interfaces"] == [
        {"interface_name": "en0", "ipv4_address": "192.168.0.80", "is_primary": True, "is_active": True, "metadata": {}}
    ]
    assert nodes["BETA"]["interfaces"] == []
    assert "cpu_model" not in nodes["ALPHA"]["node"]


@pytest.mark.usefixtures("beta")
def test_one_node_is_the_same_wherever_it_is_asked_for(client: httpx2.Client) -> None:
    whole = client.get(STATE).json()["nodes"]
    assert client.get(STATE, params={"node": "BETA"}).json() == {"nodes": {"BETA": whole["BETA"]}}
    assert client.get(STATE, params={"node": ["BETA", "ALPHA"]}).json()["nodes"] == whole
    assert client.get("/api/v1/nodes/BETA").json() == whole["BETA"]


def test_after_a_commit_the_very_next_answer_shows_it(client: httpx2.Client, writer: Connection) -> None:
    for number in range(50):
        writer.execute(
            "UPDATE postgresql_configuration SET setting_value = %s WHERE setting_name = 'work_mem'", (str(number),)
        )
        assert value(client.get(STATE).json(), "ALPHA", "work_mem") == str(number)


def test_what_is_observed_is_shown_at_once_as_well(client: httpx2.Client, writer: Connection) -> None:
    writer.execute("UPDATE services SET process_id = 4711")
    assert client.get(STATE).json()["nodes"]["ALPHA"]["services"][0]["process_id"] == 4711


def test_a_transaction_is_seen_whole_or_not_at_all_and_not_before_it_commits(
    client: httpx2.Client, writer: Connection, beta: None
) -> None:
    def both() -> tuple[str | None, str | None]:
        document = client.get(STATE).json()
        return value(document, "ALPHA", "fsync"), value(document, "BETA", "fsync")

    before = both()
    with writer.transaction():
        writer.execute("UPDATE postgresql_configuration SET setting_value = 'x' WHERE setting_name = 'fsync'")
        assert both() == before
    assert both() == ("x", "x")


def test_a_transaction_that_began_earlier_and_ends_later_is_seen(
    client: httpx2.Client, writer: Connection, admin: Connection, beta: None
) -> None:
    with admin.transaction():
        admin.execute("UPDATE postgresql_configuration SET setting_value = 'early' WHERE setting_name = 'port'")
        writer.execute("UPDATE postgresql_configuration SET setting_value = 'late' WHERE setting_name = 'work_mem'")
        assert value(client.get(STATE).json(), "ALPHA", "work_mem") == "late"
    assert value(client.get(STATE).json(), "BETA", "port") == "early"


def test_telling_what_is_written_makes_writers_of_one_node_wait_for_nobody(
    writer: Connection, admin: Connection, client: httpx2.Client
) -> None:
    measure = "INSERT INTO performance_metrics (node_id, metric_name, metric_value) SELECT id, %s, 1 FROM system_nodes"
    writer.execute("SET lock_timeout = '1s'")
    for number in range(3):
        with admin.transaction():
            admin.execute(measure, (f"slow {number}",))
            writer.execute(measure, (f"quick {number}",))
        found = client.get("/api/v1/nodes/ALPHA/metrics", params={"limit": 2}).json()["rows"]
        assert {row["metric_name"] for row in found} == {f"slow {number}", f"quick {number}"}
    (told,) = rows(admin, "SELECT count(*) AS rows FROM aya.feed WHERE node_id IN (SELECT id FROM system_nodes)")
    assert told["rows"] <= 3


def test_nodes_that_come_go_and_are_renamed_are_followed(
    client: httpx2.Client, writer: Connection, admin: Connection
) -> None:
    record(writer, [state(identified(None, "m3"), name="AIR")])
    assert list(client.get(STATE).json()["nodes"]) == ["AIR", "ALPHA"]
    admin.execute("UPDATE system_nodes SET node_name = 'ZULU' WHERE node_name = 'AIR'")
    assert list(client.get(STATE).json()["nodes"]) == ["ALPHA", "ZULU"]
    admin.execute("DELETE FROM system_nodes WHERE node_name = 'ALPHA'")
    assert list(client.get(STATE).json()["nodes"]) == ["ZULU"]
    assert client.get("/api/v1/nodes/ALPHA").status_code == 404
    admin.execute("TRUNCATE system_nodes CASCADE")
    assert client.get(STATE).json() == {"nodes": {}}


def test_many_who_ask_while_it_changes_see_nothing_older_than_what_was_committed_when_they_asked(
    url: str, client: httpx2.Client, writer: Connection
) -> None:
    committed, stale, done = [0], [], threading.Event()

    def ask() -> None:
        with httpx2.Client(base_url=url) as mine:
            while not done.is_set():
                at_least = committed[0]
                seen = int(value(mine.get(STATE).json(), "ALPHA", "work_mem") or 0)
                if seen < at_least:
                    stale.append((seen, at_least))

    writer.execute("UPDATE postgresql_configuration SET setting_value = '0' WHERE setting_name = 'work_mem'")
    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    for number in range(1, 60):
        writer.execute(
            "UPDATE postgresql_configuration SET setting_value = %s WHERE setting_name = 'work_mem'", (str(number),)
        )
        committed[0] = number
    done.set()
    for asker in askers:
        asker.join()
    assert stale == []


def test_who_has_it_already_is_told_so(client: httpx2.Client, writer: Connection) -> None:
    first = client.get(STATE)
    tag = first.headers["etag"]
    for said in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get(STATE, headers={"if-none-match": said})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get(STATE, headers={"if-none-match": '"other"'}).status_code == 200
    writer.execute("UPDATE services SET port = 23")
    changed = client.get(STATE, headers={"if-none-match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag
    writer.execute("UPDATE services SET port = 22")
    assert client.get(STATE).headers["etag"] != changed.headers["etag"]


def test_it_is_compressed_for_those_who_take_that_and_has_a_tag_of_its_own_then(client: httpx2.Client) -> None:
    plain = client.get(STATE)
    with client.stream("GET", STATE, headers={"accept-encoding": "br, gzip;q=0.5"}) as packed:
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(b"".join(packed.iter_raw())) == plain.content
    assert packed.headers["etag"] != plain.headers["etag"]
    assert client.get(STATE, headers={"accept-encoding": "gzip;q=0"}).headers.get("content-encoding") is None
    assert client.get(STATE, headers={"if-none-match": packed.headers["etag"]}).status_code == 304


def test_the_past_is_asked_for_with_as_of(client: httpx2.Client, writer: Connection) -> None:
    (newest,) = writer.execute("SELECT max(id) AS id FROM change_log").fetchall()
    writer.execute("UPDATE postgresql_configuration SET setting_value = 'now' WHERE setting_name = 'work_mem'")
    then = client.get(STATE, params={"as_of": f"#{newest['id']}"}).json()
    assert value(then, "ALPHA", "work_mem") == "65536"
    assert value(client.get(STATE).json(), "ALPHA", "work_mem") == "now"
    assert client.get(STATE, params={"as_of": "2001-01-01"}).json() == {"nodes": {}}
    future = client.get(STATE, params={"as_of": "2999-01-01"})
    assert (future.status_code, "future" in future.json()["detail"]) == (422, True)
    assert client.get("/api/v1/nodes/ALPHA", params={"as_of": "2001-01-01"}).status_code == 404


def test_the_head_is_that_of_the_whole(client: httpx2.Client) -> None:
    whole, head = client.get(STATE), client.head(STATE)
    assert head.content == b""
    assert {**head.headers, "date": "", "x-request-id": ""} == {**whole.headers, "date": "", "x-request-id": ""}


def test_it_is_json_whatever_the_names_and_values_are(client: httpx2.Client, admin: Connection) -> None:
    odd = 'a"b\\c\u2028</script> é'
    admin.execute("UPDATE system_nodes SET node_name = %s", (odd,))
    assert list(json.loads(client.get(STATE).content)["nodes"]) == [odd]
    assert client.get(STATE, params={"node": odd}).json()["nodes"][odd]["node"]["node_name"] == odd
