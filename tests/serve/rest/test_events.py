"""The stream of changes: complete, in order, resumable, and not held up by anybody."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from aya.db.connection import Connection
from aya.errors import UsageError
from aya.operations.context import Context
from aya.serve.rest import events
from aya.serve.rest.events import ChangeStream

STREAM = "/api/v1/changes/stream"


def change(writer: Connection, value: str) -> None:
    writer.execute("UPDATE postgresql_configuration SET setting_value = %s WHERE setting_name = 'work_mem'", (value,))


class Listening:
    """Events as they come."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.last_id = ""

    def next(self) -> dict[str, Any]:
        for line in self._lines:
            if line.startswith("id: "):
                self.last_id = line[4:]
            if line.startswith("data: "):
                found: dict[str, Any] = json.loads(line[6:])
                return found
        raise AssertionError("the stream ended")


def test_what_is_committed_is_told_and_nothing_is_missed_by_who_comes_back(
    client: httpx2.Client, writer: Connection
) -> None:
    with client.stream("GET", STREAM, params={"setting": "work_mem"}) as answer:
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        listening = Listening(answer.iter_lines())
        change(writer, "1")
        assert listening.next()["new_value"]["setting_value"] == "1"
        change(writer, "2")
        assert listening.next()["new_value"]["setting_value"] == "2"
        seen = listening.last_id
    for value in ("3", "4"):
        change(writer, value)
    with client.stream("GET", STREAM, params={"setting": "work_mem"}, headers={"last-event-id": seen}) as answer:
        listening = Listening(answer.iter_lines())
        assert [listening.next()["new_value"]["setting_value"] for _ in range(2)] == ["3", "4"]


def test_a_change_that_commits_late_is_told_to_who_comes_back_with_an_earlier_event(
    client: httpx2.Client, writer: Connection, admin: Connection
) -> None:
    with admin.transaction():
        admin.execute("SELECT aya.note_verification(min(id), 'verified', 'late') FROM change_log")
        change(writer, "5")
        with client.stream("GET", STREAM, params={"limit": 1}) as answer:
            listening = Listening(answer.iter_lines())
            assert listening.next()["new_value"]["setting_value"] == "5"
            seen = listening.last_id
    with client.stream("GET", STREAM, headers={"last-event-id": seen}) as answer:
        assert Listening(answer.iter_lines()).next()["new_value"]["verification_notes"] == "late"


def test_an_id_that_no_event_had_is_refused(client: httpx2.Client) -> None:
    for said in ("x", "1:2", "'; --"):
        assert client.get(STREAM, headers={"last-event-id": said}).status_code == 422


def test_who_reads_too_slowly_is_sent_away_and_the_others_go_on(
    context: Context, client: httpx2.Client, writer: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MOST_WAITING", 2)

    async def listen() -> tuple[int, list[str]]:
        stream = ChangeStream(context.database)
        slow = await stream.listen({"limit": 1}, None)
        quick = await stream.listen({"limit": 1, "setting": "work_mem"}, None)
        await anext(slow)
        heard: list[str] = []
        for number in range(6):
            await asyncio.to_thread(change, writer, str(number))
            while len(heard) <= number:
                event = (await anext(quick)).decode()
                told = (line.removeprefix("data: ") for line in event.splitlines() if line.startswith("data: "))
                heard += [
                    value for one in told if (value := json.loads(one)["new_value"]["setting_value"]) == str(number)
                ]
        left = len([event async for event in slow])
        await quick.aclose()
        await stream.close()
        return left, heard

    left, heard = asyncio.run(listen())
    assert len(heard) == 6
    assert left <= 4


def test_no_more_than_a_bounded_number_listen(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_LISTENERS", 0)

    async def listen() -> None:
        stream = ChangeStream(context.database)
        await stream.listen({"limit": 1}, "x")

    with pytest.raises(UsageError):
        asyncio.run(listen())
