"""Whatever a collector does or finds, the others go on, and what is kept is fit to be stored."""

import random
from collections.abc import Callable, Mapping
from decimal import Decimal

import pytest

from aya.collect.catalogue import PACKAGES, collectors, every_collector
from aya.collect.collector import Collector, Unreadable
from aya.collect.runner import KEY_LIMIT_BYTES, run_collector
from aya.db.connection import Connection, rows
from aya.host.local import LocalHost
from aya.host.reading import Answer, Command, File, Found, Read
from aya.model import Collected, Facts, Gap, Measurement, Node, Outcome, Service
from aya.record.recorder import record
from aya.redaction import Redactor
from tests.record.states import state

REDACTOR = Redactor(b"k" * 32)


class Machine:
    """A machine that answers every question in the same way."""

    system = "Linux"

    def __init__(self, answer: Answer = Answer(Outcome.ABSENT)) -> None:  # noqa: B008
        self.answer = answer

    def ask(self, read: Read) -> Mapping[str, Answer]:
        return {read.path: self.answer} if isinstance(read, File) else {}


def run(parse: Callable[[Found], Facts], answer: Answer = Answer(Outcome.ABSENT), **more: object) -> Collected:  # noqa: B008
    collector = Collector(reads=(File("/f", **more),), parse=parse)  # type: ignore[arg-type]
    return run_collector("tested", collector, Machine(answer), REDACTOR)


def raising(error: Exception) -> Callable[[Found], Facts]:
    def parse(_: Found) -> Facts:
        raise error

    return parse


@pytest.mark.parametrize(
    ("parse", "outcome"),
    [
        (lambda _: Facts(), Outcome.OK),
        (lambda _: Facts(absent=True), Outcome.ABSENT),
        (lambda _: Facts(gaps=(Gap(Outcome.UNSUPPORTED, "no tool"),)), Outcome.UNSUPPORTED),
        (lambda _: Facts(gaps=(Gap(Outcome.UNSUPPORTED, "a"), Gap(Outcome.DENIED, "b"))), Outcome.DENIED),
        (raising(Unreadable("garbage")), Outcome.UNREADABLE),
        (raising(ZeroDivisionError("bug")), Outcome.FAILED),
    ],
)
def test_every_collector_ends_with_an_outcome(parse: Callable[[Found], Facts], outcome: Outcome) -> None:
    collected = run(parse)
    assert collected.outcome is outcome
    assert (collected.reason is None) == outcome.complete


def test_a_refused_file_is_denied_unless_it_is_optional() -> None:
    refused = Answer(Outcome.DENIED, reason="/f: Permission denied")
    assert run(lambda _: Facts(), refused).outcome is Outcome.DENIED
    assert run(lambda _: Facts(), refused, optional=True).outcome is Outcome.OK


def test_facts_that_were_found_survive_a_gap() -> None:
    found = run(lambda _: Facts(node=Node(cpu_model="M3"), gaps=(Gap(Outcome.DENIED, "part"),)))
    assert (found.outcome, found.facts.node.cpu_model) == (Outcome.DENIED, "M3")


def test_text_that_postgresql_cannot_hold_is_made_visible_and_recorded(writer: Connection) -> None:
    service = Service(service_name="a\0b\udcff", metadata={"k\0": ["\ud800"]})
    found = run(lambda _: Facts(services=(service,)))
    record(writer, [state(found)])
    row = rows(writer, "SELECT service_name, metadata FROM services")[0]
    assert row == {"service_name": "a\\x00b\\xff", "metadata": {"k\\x00": ["\\ud800"]}}


def test_absurdly_long_names_are_cut_kept_apart_and_recorded(writer: Connection) -> None:
    letters = random.Random(1)
    start = "".join(chr(letters.randrange(0x4E00, 0x9FFF)) for _ in range(10_000))
    found = run(lambda _: Facts(services=(Service(service_name=start + "1"), Service(service_name=start + "2"))))
    assert all(len(s.service_name.encode()) <= KEY_LIMIT_BYTES for s in found.facts.services)
    record(writer, [state(found)])
    assert len(rows(writer, "SELECT FROM services")) == 2


def test_a_password_in_a_fact_is_redacted_before_it_leaves_the_collector() -> None:
    found = run(lambda _: Facts(services=(Service(service_name="s", metadata={"argv": "serve --password hunter22"}),)))
    assert "hunter22" not in repr(found)
    assert "[redacted:" in repr(found)


def test_the_reason_of_a_gap_is_fit_to_be_stored_and_holds_no_password() -> None:
    found = run(lambda _: Facts(gaps=(Gap(Outcome.UNREADABLE, "x\udce9 --password hunter22"),)))
    assert [gap.reason.encode() for gap in found.facts.gaps] == [(found.reason or "").encode()]
    assert "hunter22" not in repr(found)


def test_what_is_measured_is_fit_to_be_stored_as_well() -> None:
    measured = Measurement(category="a", name="b", value=Decimal(1), unit="c", conditions={"mount": "/x\0\udce9"})
    assert run(lambda _: Facts(measurements=(measured,))).facts.measurements[0].conditions == {"mount": "/x\\x00\\xe9"}


def test_a_program_that_hangs_leaves_what_was_found_and_is_said_even_where_it_was_optional() -> None:
    collector = Collector(
        reads=(Command(("sleep", "600"), timeout_s=0.2, optional=True),),
        parse=lambda _: Facts(node=Node(cpu_model="M3")),
    )
    collected = run_collector("tested", collector, LocalHost(), REDACTOR)
    assert (collected.outcome, collected.facts.node.cpu_model) == (Outcome.FAILED, "M3")
    assert "sleep 600 did not end within" in (collected.reason or "")


@pytest.mark.parametrize(("name", "collector"), every_collector())
def test_a_collector_survives_a_machine_that_answers_nothing(name: str, collector: Collector) -> None:
    collected = run_collector(name, collector, Machine(), REDACTOR)
    assert collected.outcome is not Outcome.FAILED, collected.reason


@pytest.mark.parametrize(("name", "collector"), every_collector())
@pytest.mark.parametrize(
    "garbage", [b"", b"\0\xff\xfe", b"{", b"a: b\n" * 3, "été=…\r\n".encode(), b"-1\n", b"x" * 100_000]
)
def test_a_collector_survives_a_machine_that_answers_garbage(name: str, collector: Collector, garbage: bytes) -> None:
    class Garbage(Machine):
        def ask(self, read: Read) -> Mapping[str, Answer]:
            name = getattr(read, "path", None) or getattr(read, "name", None) or " ".join(getattr(read, "argv", ()))
            return {name or read.pattern.replace("*", "0"): Answer(Outcome.OK, garbage)}  # type: ignore[attr-defined]

    collected = run_collector(name, collector, Garbage(), REDACTOR)
    assert collected.outcome is not Outcome.FAILED, collected.reason


@pytest.mark.parametrize(("name", "collector"), every_collector())
def test_a_collector_that_is_refused_everything_is_not_ok(name: str, collector: Collector) -> None:
    class Refusing(Machine):
        def ask(self, read: Read) -> Mapping[str, Answer]:
            name = getattr(read, "path", None) or getattr(read, "name", None) or " ".join(getattr(read, "argv", ()))
            return {name or read.pattern.replace("*", "0"): Answer(Outcome.DENIED, reason="Permission denied")}  # type: ignore[attr-defined]

    collected = run_collector(name, collector, Refusing(), REDACTOR)
    assert not collected.outcome.complete


@pytest.mark.parametrize("system", PACKAGES)
def test_no_two_collectors_fill_the_same_column(system: str) -> None:
    owned = [column for collector in collectors(system).values() for column in collector.owns]
    assert sorted(owned) == sorted(set(owned))
