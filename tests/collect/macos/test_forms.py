"""What system_profiler, ioreg, sysctl and property lists are read from, whatever stands in them."""

import json
import plistlib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aya.collect.catalogue import collectors
from aya.collect.collector import Unreadable
from aya.collect.macos import _amount, _ioreg, _plist, _sysctl, _system_profiler
from aya.collect.macos.identification import collector as identification
from aya.host.reading import Command, Found, name_of
from tests.collect.answers import found
from tests.collect.macos.macs import STUDIO, ULTRA, listed, profile
from tests.collect.macos.test_displays import TEXT

OURS = ("cpu", "displays", "gpu", "identification", "memory", "os_release", "power")
SAMPLES = (
    json.dumps(
        {"SPHardwareDataType": [STUDIO], "SPPowerDataType": [STUDIO], "SPDisplaysDataType": [{"a": [STUDIO]}]}
    ).encode(),
    next(iter(listed("SPHardwareDataType", STUDIO).values())),
    TEXT.encode(),
    ULTRA.encode(),
    b'+-o A  <class IOMobileFramebuffer, id 1>\n {\n  "a" = {"b"=(1,<00>,"c")}\n  "IODisplayEDID" = <00ffffffffffff00>\n }\n',
    b"Now drawing from 'AC Power'\n -InternalBattery-0 (id=1)\t98%; charging; 1:02 remaining present: true\n",
    b"Mach Virtual Memory Statistics: (page size of 16384 bytes)\nPages free: 12.\n",
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*STUDIO, "_items", "_name", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A sample that was cut, or in which bytes were changed, doubled or taken away."""
    data = bytearray(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, max(len(data) - 1, 0)))
        end = min(place + draw(st.integers(0, 40)), len(data))
        data[place:end] = draw(st.sampled_from([b"", b"\0", b"\r\n", b"\xff", b"9" * 30, b"{[(<", data[place:end] * 2]))
    return bytes(data)


@pytest.mark.parametrize("name", OURS)
@settings(max_examples=25)
@given(given_data=st.data())
def test_whatever_a_mac_answers_is_understood_or_unreadable(name: str, given_data: st.DataObject) -> None:
    collector = collectors("Darwin")[name]
    answers = {name_of(read): given_data.draw(damaged()) for read in collector.reads if isinstance(read, Command)}
    asked = Found(collector.reads, found(collector, answers).answers())
    assert collector.more is not None
    answers |= {name_of(read): given_data.draw(damaged()) for read in collector.more(asked)}
    with suppress(Unreadable):
        collector.parse(found(collector, answers))


@pytest.mark.parametrize("name", OURS)
@settings(max_examples=25)
@given(things=st.lists(JSON, max_size=3))
def test_any_json_in_the_place_of_what_was_expected(name: str, things: list[Any]) -> None:
    collector = collectors("Darwin")[name]
    types = [one.argv[-1] for one in collector.reads if isinstance(one, Command) and one.argv[0] == "system_profiler"]
    answers = {f"system_profiler -json {one}": json.dumps({one: things}) for one in types}
    collector.parse(found(collector, answers))


def test_the_best_form_is_asked_first_and_the_others_only_where_it_did_not_answer() -> None:
    assert identification.more is not None
    answered = Found(identification.reads, found(identification, profile("SPHardwareDataType", STUDIO)).answers())
    asked = [name_of(read) for read in identification.more(answered)]
    assert asked == ["ioreg -r -c IOPlatformExpertDevice"]
    silent = [name_of(read) for read in identification.more(Found(identification.reads))]
    assert silent[:2] == ["system_profiler -xml SPHardwareDataType", "system_profiler SPHardwareDataType"]


def test_complaints_between_the_lines_and_a_shell_prompt_after_them_do_not_matter() -> None:
    noise = "2026-04-28 08:52:35.280 system_profiler[29046:41174793] hw.cpufamily: 0x17d5b93a\n"
    said = noise + json.dumps({"SPHardwareDataType": [STUDIO]}, indent=2).replace("\n", "\n" + noise, 2) + "%\n"
    facts = identification.parse(found(identification, {"system_profiler -json SPHardwareDataType": "\ufeff" + said}))
    assert facts.node.serial_number == STUDIO["serial_number"]


def test_the_same_label_again_begins_another_thing() -> None:
    top = _system_profiler.outline("A:\n\n    B:\n\n      C: 1\n      D: 2\n      C: 3\n")
    assert [item.values for item in top.item("A").walk() if item.values] == [{"c": "1", "d": "2"}, {"c": "3"}]


def test_an_outline_of_any_depth_is_walked() -> None:
    deep = "".join(f"{' ' * place}n{place}:\n" for place in range(5000))
    assert sum(1 for _ in _system_profiler.outline(deep).walk()) == 5001


@given(
    st.dictionaries(st.text("abc", min_size=1), st.integers(0, 1 << 40) | st.booleans() | st.text("abc "), max_size=4)
)
def test_ioreg_in_its_own_notation_says_what_its_property_list_says(properties: Mapping[str, Any]) -> None:
    def written(value: Any) -> str:
        if isinstance(value, bool):
            return "Yes" if value else "No"
        return str(value) if isinstance(value, int) else f'"{value}"'

    lines = "".join(f'      "{key}" = {written(value)}\n' for key, value in properties.items())
    nested = "{" + ",".join(f'"{key}"={written(value)}' for key, value in properties.items()) + "}"
    text = f'+-o X  <class Thing, id 0x1, registered>\n    {{\n{lines}      "n" = {nested}\n    }}\n'
    whole = [dict(properties) | {"n": dict(properties)}]
    by_list = _ioreg.objects(
        Found((), found(identification, {"ioreg -a -r -c Thing": plistlib.dumps(whole)}).answers()), "Thing"
    )
    by_text = _ioreg.objects(Found((), found(identification, {"ioreg -r -c Thing": text}).answers()), "Thing")
    assert [dict(one) for one in by_text] == [dict(one) for one in by_list] == whole


@pytest.mark.parametrize(
    "text", ["{", "(", '"', "<", "{a=", "(((((", "{" * 5000, "(" * 5000 + ")" * 5000, "", "}", "=", ",,"]
)
def test_a_broken_value_of_the_registry_is_its_text(text: str) -> None:
    assert _ioreg.value(text) == text


def test_old_sysctl_writes_an_equals_sign_and_says_some_things_twice() -> None:
    given = found(identification, {"sysctl hw": "hw.ncpu = 2\nhw.ncpu: 4\nkern.other: 1\nhw.empty: \n"})
    assert _sysctl.variables(given, "hw") == {"hw.ncpu": "2", "hw.empty": ""}


def test_a_property_list_with_entities_or_too_deep_is_none() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE plist [<!ENTITY a "b">]><plist><string>&a;</string></plist>'
    assert _plist.parsed(bomb) is None
    deep = _plist.plain(_plist.parsed(b"<plist>" + b"<array>" * 3000 + b"</array>" * 3000 + b"</plist>"))
    assert len(json.dumps(deep)) < 200


@pytest.mark.parametrize(
    ("text", "kib"),
    [("16 GB", 16777216), ("256 KB", 256), ("1,5 MB", 1536), ("3\u00a0MB", 3072), ("16 Go", None), ("GB", None)],
)
def test_amounts_for_people(text: str, kib: int | None) -> None:
    assert _amount.kib(text) == kib
