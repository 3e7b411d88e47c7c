"""Applications as the reports of today's and of older systems list them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.macos.applications import collector
from aya.model import Facts, Outcome
from tests.collect.answers import Given, found, refused
from tests.collect.declared import undeclared

APPLE: dict[str, Given] = {"sysctl hw": "hw.optional.arm64: 1\nhw.cputype: 16777228\n"}
REPORT = [
    {
        "_name": "Postico",
        "arch_kind": "arch_arm_i64",
        "obtained_from": "identified_developer",
        "path": "/Applications/Postico.app",
        "signed_by": ["Developer ID Application: Egger", "Developer ID Certification Authority", "Apple Root CA"],
        "version": "2.2.2",
    },
    {
        "_name": "Old",
        "arch_kind": "arch_i64",
        "path": "/Applications/Old.app",
        "version": "1.0",
        "obtained_from": "unknown",
    },
    {"_name": "Chess", "arch_kind": "arch_arm_i64", "path": "/System/Applications/Chess.app", "version": "3.18"},
]


def understood(given: dict[str, Given]) -> Facts:
    facts = collector.parse(found(collector, given))
    assert not undeclared(collector, facts)
    return facts


def reported(*items: dict[str, object]) -> dict[str, Given]:
    return APPLE | {"system_profiler -json SPApplicationsDataType": json.dumps({"SPApplicationsDataType": items})}


def test_an_application_is_native_or_translated_by_what_it_was_built_for() -> None:
    told = {
        row.software_name: (row.software_architecture, row.runtime_mode)
        for row in understood(reported(*REPORT)).software
    }
    assert told == {"Postico": ("ARM64", "native"), "Old": ("x86_64", "Rosetta 2")}


def test_where_it_comes_from_is_told_in_words() -> None:
    postico = next(row for row in understood(reported(*REPORT)).software if row.software_name == "Postico")
    assert postico.metadata["obtained_from"] == "identified developer"
    assert postico.metadata["signed_by"] == "Developer ID Application: Egger"
    assert postico.install_path == "/Applications/Postico.app"


@pytest.mark.parametrize(
    ("kind", "wide", "architectures"),
    [
        ("Universal", None, ["ARM64", "x86_64"]),
        ("Universal", "Yes", ["ppc", "x86_64"]),
        ("Intel", "No", ["x86"]),
        ("Intel", None, ["x86_64"]),
        ("PowerPC", None, ["ppc"]),
        ("Apple Silicon", None, ["ARM64"]),
        ("Other", None, []),
    ],
)
def test_universal_means_what_it_meant_when_it_was_written(
    kind: str, wide: str | None, architectures: list[str]
) -> None:
    lines = [f"      Kind: {kind}", "      Location: /Applications/X.app"] + (
        [f"      64-Bit (Intel): {wide}"] if wide else []
    )
    text = "Applications:\n\n    X:\n\n      Version: 1\n" + "\n".join(lines) + "\n"
    (row,) = understood({"system_profiler SPApplicationsDataType": text}).software
    assert row.metadata["architectures"] == architectures


def test_a_kind_that_is_not_known_is_reported_once() -> None:
    strange = [
        {"_name": f"X{number}", "arch_kind": "arch_riscv", "path": f"/Applications/X{number}.app"}
        for number in range(3)
    ]
    facts = understood(reported(*strange))
    assert [row.software_architecture for row in facts.software] == [None, None, None]
    assert [(gap.outcome, gap.reason.rpartition(": ")[2]) for gap in facts.gaps] == [(Outcome.UNREADABLE, "arch_riscv")]


def test_a_report_in_another_language_is_a_gap_and_no_wrong_row() -> None:
    text = (
        "Programme:\n\n    Terminal:\n\n      Fassung: 2.14\n      Ort: /System/Applications/Utilities/Terminal.app\n"
    )
    facts = understood({"system_profiler SPApplicationsDataType": text})
    assert facts.software == ()
    assert [gap.outcome for gap in facts.gaps] == [Outcome.UNREADABLE]


def test_a_report_that_could_not_be_had_is_a_gap() -> None:
    facts = understood({"system_profiler -json SPApplicationsDataType": refused()})
    assert [gap.outcome for gap in facts.gaps] == [Outcome.DENIED]


@given(st.integers(0, 700), st.binary(max_size=9))
def test_a_report_with_a_hole_never_breaks_it(place: int, noise: bytes) -> None:
    whole = reported(*REPORT)["system_profiler -json SPApplicationsDataType"]
    assert isinstance(whole, str)
    data = whole.encode()
    broken = data[:place] + noise + data[place + 5 :]
    collector.parse(found(collector, APPLE | {"system_profiler -json SPApplicationsDataType": broken}))
