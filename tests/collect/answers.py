"""Give a collector answers without a machine."""

from collections.abc import Mapping

from aya.collect.collector import Collector
from aya.host.reading import Answer, Found
from aya.model import Outcome

Given = str | bytes | Answer


def found(collector: Collector, given: Mapping[str, Given]) -> Found:
    """The answers to a collector's questions, by path, command line or call name; what is not given is absent."""
    answers = {name: _answer(value) for name, value in given.items()}
    first = Found(collector.reads, answers)
    if collector.more is None:
        return first
    return first + Found(collector.more(first), answers)


def refused(reason: str = "Permission denied") -> Answer:
    return Answer(Outcome.DENIED, reason=reason)


def _answer(value: Given) -> Answer:
    if isinstance(value, Answer):
        return value
    return Answer(Outcome.OK, value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value)
