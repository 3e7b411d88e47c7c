"""A state as a document: it comes back as it was, and what does not fit is refused with its place."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.postgresql.run import collect_servers
from aya.collect.runner import collect_machine, put_together
from aya.delivery.document import read_state, write_state
from aya.errors import PayloadRefused, UsageError
from aya.host.local import LocalHost
from aya.model import Measurement
from aya.redaction import Redactor
from aya.strict_json import read_json
from tests.record.states import collected, identified, state, whole


def test_the_state_of_this_machine_comes_back_as_it_was() -> None:
    redactor = Redactor(b"k" * 32)
    host = LocalHost()
    parts = (*collect_machine(host, redactor), *collect_servers(host, [], redactor))
    here = put_together("HERE", None, parts, datetime.now(UTC))
    written = write_state(here)
    assert read_state(read_json(written)) == here
    assert write_state(read_state(read_json(written))) == written


def test_a_state_with_something_in_every_section_comes_back() -> None:
    there = whole()
    assert read_state(read_json(write_state(there))) == there


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(JSON, st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30, places=6))
def test_whatever_metadata_holds_comes_back(value: Any, number: Decimal) -> None:
    part = collected("anything")
    facts = replace(
        part.facts,
        metadata={"key": value},
        measurements=(Measurement(category="c", name="n", value=number, unit="bytes"),),
    )
    there = state(identified(), replace(part, facts=facts, owns=("metadata.key",)))
    text = write_state(there)
    if "\\u0000" in text.decode() and _has_nul(value):
        with pytest.raises(UsageError, match="NUL"):
            read_json(text)
    else:
        assert read_state(read_json(text)) == there


def _has_nul(value: Any) -> bool:
    if isinstance(value, dict):
        return any("\0" in key or _has_nul(inner) for key, inner in value.items())
    return any(map(_has_nul, value)) if isinstance(value, list) else isinstance(value, str) and "\0" in value


def changed(*path: str | int, to: Any) -> dict[str, Any]:
    """The document of a whole state with one value set."""
    document: dict[str, Any] = orjson.loads(write_state(whole()))
    inner: Any = document
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = to
    return document


COLLECTED = ("state", "collected")
SETTING = (*COLLECTED, 5, "facts", "settings", 0)


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ([], "kind"),
        ({}, "kind"),
        (changed("kind", to="aya.state"), "kind"),
        (changed("schema_version", to=2), "schema version 2"),
        (changed("schema_version", to=True), "schema version True"),
        (changed("more", to=1), "other fields"),
        (changed("state", to=[]), "state is []"),
        (changed("state", "surprise", to=1), "unknown field 'surprise'"),
        (changed("state", "node_name", to=None), "state.node_name"),
        (changed("state", "node_name", to="A/B"), "state.node_name"),
        (changed("state", "node_name", to=" A"), "state.node_name"),
        (changed("state", "node_name", to="A" * 201), "state.node_name"),
        (changed("state", "node_role", to="king"), "state.node_role"),
        (changed("state", "collected_at", to="2026-11-20T14:00:00"), "state.collected_at"),
        (changed("state", "collected_at", to="yesterday"), "state.collected_at"),
        (changed("state", "collected_at", to=1), "state.collected_at"),
        (changed("state", "duration_ms", to=2**31), "state.duration_ms"),
        (changed("state", "duration_ms", to=True), "state.duration_ms"),
        (changed("state", "duration_ms", to=1.5), "state.duration_ms"),
        (changed(*COLLECTED, to=[]), "is empty"),
        (changed(*COLLECTED, to={}), "not a list"),
        (changed(*COLLECTED, 0, "outcome", to="fine"), "collected[0].outcome"),
        (changed(*COLLECTED, 0, "collector", to="../x"), "collected[0].collector"),
        (changed(*COLLECTED, 0, "duration_ms", to=-1), "negative"),
        (changed(*COLLECTED, 0, "owns", to=["id"]), "names 'id'"),
        (changed(*COLLECTED, 0, "owns", to=["node_name"]), "names 'node_name'"),
        (changed(*COLLECTED, 0, "owns", to=["metadata.observed"]), "metadata.observed"),
        (changed(*COLLECTED, 0, "owns", to=["metadata.a'b"]), "metadata.a"),
        (changed(*COLLECTED, 0, "sections", to=["change_log"]), "change_log"),
        (changed(*COLLECTED, 1, "collector", to="identification"), "a second time"),
        (changed(*COLLECTED, 0, "facts", "node", "hardware_uuid", to="not-a-uuid"), "hardware_uuid"),
        (changed(*COLLECTED, 0, "facts", "node", "ram_gb", to=512), "ram_gb"),
        (changed(*COLLECTED, 0, "facts", "node", "ram_gb", to="NaN"), "ram_gb"),
        (changed(*COLLECTED, 0, "facts", "node", "ram_gb", to="1e999999999"), "ram_gb"),
        (changed(*COLLECTED, 0, "facts", "node", "id", to=1), "unknown field 'id'"),
        (changed(*COLLECTED, 0, "facts", "metadata", "identity", "x", to=1.5), "the fraction 1.5"),
        (changed(*SETTING, "setting_name", to=None), "setting_name"),
        (changed(*SETTING, "setting_value", to=65536), "setting_value"),
        (changed(*SETTING, "requires_restart", to="yes"), "requires_restart"),
        (changed(*SETTING, "setting_value", to="x" * 1_000_001), "setting_value"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(document: Any, place: str) -> None:
    with pytest.raises(PayloadRefused) as refused:
        read_state(document)
    assert place in refused.value.message
    assert len(refused.value.message) < 1500


@given(JSON | st.floats(), st.data())
def test_whatever_stands_anywhere_is_read_or_refused_never_broken(value: Any, data: st.DataObject) -> None:
    document: Any = orjson.loads(write_state(whole()))
    inner, path = document, []
    while isinstance(inner, dict | list) and inner and (not path or data.draw(st.integers(0, 5))):
        key = data.draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner))))
        path.append(key)
        holder, inner = inner, inner[key]
    holder[key] = value
    with suppress(PayloadRefused):
        read_state(document)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not UTF-8"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b'{"a": 1, "b": 2, "a": 1}', "'a' twice"),
        (b'{"x": {"a": 1, "a": 1}}', "'a' twice"),
        (b"[NaN]", "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"[-Infinity]", "-Infinity"),
        (b"[1e999]", "1e999"),
        (b"[9223372036854775808]", "64 bits"),
        (b"[-9223372036854775809]", "64 bits"),
        (b"[" + b"9" * 100_000 + b"]", "64 bits"),
        (b'["\\u0000"]', "NUL"),
        (b'{"\\u0000": 1}', "NUL"),
        (b'["\\ud800"]', "surrogate"),
        (b'{"\\udc00x": 1}', "surrogate"),
        (b"[" * 65 + b"]" * 65, "nested"),
        (b"[" * 1_000_000, "nested"),
        (b'{"a":' * 1_000_000, "nested"),
        (b"[1] [2]", "not JSON"),
    ],
)
def test_json_that_two_readers_would_read_differently_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_json(data)
    assert said in refused.value.message
    assert len(refused.value.message) < 300


def test_the_ends_of_what_fits_are_read() -> None:
    assert read_json(b"[9223372036854775807,-9223372036854775808]") == [2**63 - 1, -(2**63)]
    assert read_json(b"[" * 64 + b"]" * 64)
    assert read_json('["\\ud83d\\ude00", "é"]'.encode()) == ["😀", "é"]
