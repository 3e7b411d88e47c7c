"""What waits to be delivered: in order, bounded, and nothing lost without being told."""

import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aya.delivery.document import read_state, write_state
from aya.delivery.spool import COLLECTOR, Spool
from aya.errors import DeliveryFailed, HostError, PayloadRefused
from aya.model import NodeState, Outcome
from aya.strict_json import read_json
from tests.record.states import identified, state

START = datetime(2026, 11, 1, tzinfo=UTC)


def look(number: int) -> bytes:
    return write_state(replace(state(identified()), collected_at=START + timedelta(minutes=number)))


def read(document: bytes) -> NodeState:
    return read_state(read_json(document))


SIZE = len(look(0))


def test_what_waits_is_sent_in_its_order_and_then_gone(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 100 * SIZE)
    documents = [look(number) for number in range(12)]
    assert [spool.put(document) for document in documents] == [0] * 12
    arrived: list[bytes] = []
    assert spool.deliver(arrived.append) == 12
    assert arrived == documents
    assert spool.waiting() == []
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700


def test_what_did_not_arrive_waits_and_nothing_overtakes_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 100 * SIZE)
    for number in range(3):
        spool.put(look(number))
    arrived: list[bytes] = []

    def send(document: bytes) -> None:
        if len(arrived) == 1:
            raise DeliveryFailed("nobody is there")
        arrived.append(document)

    with pytest.raises(DeliveryFailed):
        spool.deliver(send)
    assert arrived == [look(0)]
    spool.put(look(3))
    assert spool.deliver(arrived.append) == 3
    assert arrived == [look(number) for number in range(4)]


def test_when_there_is_no_room_the_oldest_go_and_that_is_told(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 4 * SIZE)
    dropped = sum(spool.put(look(number)) for number in range(20))
    assert dropped >= 16
    assert sum(one.size_bytes for one in spool.waiting()) <= 5 * SIZE
    arrived: list[bytes] = []
    spool.deliver(arrived.append)
    gap = read(arrived[0]).collected[0]
    assert (gap.collector, gap.outcome) == (COLLECTOR, Outcome.FAILED)
    assert f"{20 - len(arrived) + 1} collections of {START.isoformat()} to " in (gap.reason or "")
    assert "no room" in (gap.reason or "")
    assert read(arrived[0]).node_name == "ALPHA"
    assert arrived[1:] == [look(number) for number in range(20 - len(arrived) + 1, 20)]


def test_what_is_refused_for_good_makes_way_and_that_is_told(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 100 * SIZE)
    for number in range(3):
        spool.put(look(number))
    arrived: list[bytes] = []

    def send(document: bytes) -> None:
        if document == look(1):
            raise PayloadRefused("it is too large")
        arrived.append(document)

    assert spool.deliver(send) == 3
    assert (arrived[0], arrived[2]) == (look(0), look(2))
    told = read(arrived[1]).collected[0].reason or ""
    assert "one collection of" in told
    assert "it is too large" in told


def test_where_even_that_is_refused_everything_waits(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 100 * SIZE)
    for number in range(2):
        spool.put(look(number))

    def send(document: bytes) -> None:
        raise PayloadRefused("never")

    for _ in range(3):
        with pytest.raises(PayloadRefused):
            spool.deliver(send)
    assert len(spool.waiting()) == 2


def test_what_a_killed_program_left_half_written_is_not_sent(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 100 * SIZE)
    spool.put(look(0))
    (tmp_path / "spool" / "tmpabcdef").write_bytes(b'{"half')
    (tmp_path / "spool" / "notes.json").write_bytes(b"{}")
    arrived: list[bytes] = []
    spool.deliver(arrived.append)
    assert arrived == [look(0)]


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file")
    with pytest.raises(HostError, match="cannot be kept"):
        Spool(tmp_path / "spool", 100 * SIZE).put(look(0))


@settings(max_examples=40)
@given(st.lists(st.sampled_from(["put", "put", "put", "deliver", "fail", "refuse"]), max_size=40), st.integers(3, 8))
def test_whatever_happens_each_look_arrives_once_or_is_counted_as_dropped(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], room: int
) -> None:
    spool = Spool(tmp_path_factory.mktemp("home") / "spool", room * SIZE)
    looks = 0
    arrived: list[NodeState] = []

    def send(document: bytes) -> None:
        found = read(document)
        if found.collected[0].collector != COLLECTOR and step == "refuse":
            raise PayloadRefused("no")
        if step == "fail" and len(arrived) % 3:
            raise DeliveryFailed("nobody is there")
        arrived.append(found)

    for step in [*steps, "deliver"]:
        if step == "put":
            spool.put(look(looks))
            looks += 1
        else:
            with suppress(DeliveryFailed):
                spool.deliver(send)
    times = [one.collected_at for one in arrived]
    assert times == sorted(times)
    told = 0
    for one in arrived:
        reason = one.collected[0].reason if one.collected[0].collector == COLLECTOR else None
        said = re.match(r"(one|\d+) collection", reason or "")
        told += 1 if said is None or said[1] == "one" else int(said[1])
    assert told == looks
