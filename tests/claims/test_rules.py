"""Each rule finds what is wrong, says why, and accuses nobody of what is right."""

from datetime import UTC, datetime

import pytest

from aya.claims.judging import Judgement, decisive
from aya.claims.measured import judge_measured
from aya.claims.rule import Verdict, rules
from tests.claims.conftest import FLEET, Judged


def test_every_rule_says_what_it_holds_against_what() -> None:
    import importlib

    assert len(rules()) >= 10
    for name in rules():
        assert (importlib.import_module(f"aya.claims.rules.{name}").__doc__ or "").endswith("."), name


def test_a_document_that_is_true_is_accused_of_nothing(judged: Judged) -> None:
    said = FLEET.replace("48 hours", "49 hours")
    wrong = [(one.line, one.text, one.judgements) for one in judged(FLEET) if one.verdict is Verdict.CONTRADICTED]
    assert wrong == []
    assert [one.text for one in judged(said) if one.verdict is Verdict.CONTRADICTED] == ["Uptime: 49 hours"]


STANDBY = """
**Replication:**
- **State:** streaming
- **Primary Server:** delta (10.1.2.3:5432)
- **Slot:** gamma_slot

## delta settings

**PostgreSQL Configuration:**
- `max_connections`: 100
"""

WRONG = [
    ("Uptime:** 48 hours", "Uptime:** 60+ hours", "durations", "48 hours"),
    ("Chip | Apple M2 Pro", "Chip | Apple M3 Ultra", "platform", "28 or 32 CPU cores"),
    ("GPU Cores | 16", "GPU Cores | 17", "platform", "16 or 19"),
    ("Memory Bandwidth | 200 GB/s", "Memory Bandwidth | 400 GB/s", "platform", "200 GB/s"),
    ("10 (6 performance + 4 efficiency)", "12 (6 performance + 4 efficiency)", "sums", "are 10"),
    ("macOS 14.5 (Sonoma)", "macOS 15.5 (Sequoia)", "systems", "macOS 14 (Sonoma)"),
    ("macOS 14.5 (Sonoma)", "macOS 14.5 (Ventura)", "systems", "Ventura is macOS 13"),
    ("23F79", "24F79", "systems", "Darwin 24"),
    ("16 GB (half of gamma)", "24 GB (half of gamma)", "comparisons", "0.75"),
    ("Capacity:** 1 TB", "Capacity:** 8 TB", "device_names", "says 1 TB"),
    ("250 GB (25% free)", "250 GB (52% free)", "shares", "25 %"),
    ("Gateway:** 10.1.2.1", "Gateway:** 10.1.3.1", "addresses", "does not lie in 10.1.2.0/24"),
    ("Throughput:** 50", "Throughput:** 80", "rates", "50 per second"),
    ("Total RAM:** 48 GB (32 + 16)", "Total RAM:** 64 GB (32 + 16)", "sums", "48 GB"),
    ("**2 Active Nodes:**", "**3 Active Nodes:**", "counts", "2 named"),
    ("`work_mem` | 16 MB", "`work_mem` | 16 kB", "settings", "takes 64 to"),
    ("| `work_mem` | 16 MB |", "| `wal_keep_size` | 0 (unlimited) |", "settings", "nothing is unlimited"),
    ("| `work_mem` | 16 MB |", "| `autovacuum_work_mem` | -1 (uses work_mem) |", "settings", "maintenance_work_mem"),
    ("| `work_mem` | 16 MB |", "| `wal_level` | huge |", "settings", "minimal"),
    ("| `work_mem` | 16 MB |", "| `work_mem` | 16 MB (**requires restart**) |", "settings", "no restart is needed"),
    ("| `work_mem` | 16 MB |", "| `effective_io_concurrency` | 200 |", "settings", "posix_fadvise"),
    ("| `work_mem` | 16 MB |", "| `log_min_duration_statement` | 0 (disabled) |", "settings", "-1 is what disables"),
    ("Uptime:** 48 hours", "Uptime:** 60 hours since 2026-02-27 12:00", "durations", "48 hours"),
    ("250 GB (25% free)", "250 GB (25% free)\n- **Disk:** 2.00 TB, 1.00 TB free (70%)", "shares", "is 50 %"),
    ("## Summary\n", "## Summary\n\n| Node | Cores | RAM |\n|---|---|---|\n| gamma | 10 | 32 GB |\n| delta | 12 | 16 GB |"
     "\n| Total | 24 | 48 GB |\n\n", "sums", "are 22"),
    ("## Summary\n", "## Summary\n\n- **Date:** 2026-03-02\n", "agreement", "Not 2026-03-02"),
    ("| `work_mem` | 16 MB | |\n", "| `max_connections` | 50 | |\n" + STANDBY, "settings", "cannot follow it"),
    ("## Summary\n", "## Summary\n\n- **File Size:** 900 KB\n", "counts", "bytes"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("true", "wrong", "rule", "told"), WRONG, ids=[f"{rule}-{wrong[:40]}" for _, wrong, rule, _ in WRONG]
)
def test_what_is_wrong_is_contradicted_with_evidence(
    judged: Judged, true: str, wrong: str, rule: str, told: str
) -> None:
    changed = FLEET.replace(true, wrong)
    assert changed != FLEET
    evidence = [
        one.evidence
        for claim in judged(changed)
        for one in claim.judgements
        if (one.rule, one.verdict) == (rule, Verdict.CONTRADICTED)
    ]
    assert any(told in one for one in evidence), evidence


def test_the_source_document_is_judged_as_a_reader_would(judged: Judged, source_document: str) -> None:
    claims = judged(source_document)
    wrong = {one.line: one.decisive.rule for one in claims if one.verdict is Verdict.CONTRADICTED and one.decisive}
    assert wrong == {
        13: "counts",
        94: "platform",
        112: "units",
        187: "systems",
        223: "durations",
        276: "settings",
        433: "device_names",
        548: "platform",
        554: "platform",
        569: "platform",
        570: "platform",
        675: "platform",
        1305: "counts",
        1318: "counts",
    }
    assert sum(one.verdict is not Verdict.UNVERIFIABLE for one in claims) >= 40
    assert all(one.decisive and one.decisive.evidence for one in claims if one.verdict is not Verdict.UNVERIFIABLE)


def test_one_thing_said_in_two_ways_is_found_on_both_lines(judged: Judged) -> None:
    text = FLEET.replace("### Operating System", "### Graphics\n\n- **GPU Cores:** 19\n\n### Operating System", 1)
    found = [
        one
        for one in judged(text)
        if any(j.rule == "agreement" and j.verdict is Verdict.CONTRADICTED for j in one.judgements)
    ]
    assert [one.text for one in found] == ["GPU Cores: 16", "GPU Cores: 19"]


def test_another_measurement_and_a_second_installation_contradict_nothing(judged: Judged) -> None:
    more = "\n### Performance Benchmarks\n\n- **Average:** 35 ms\n\n**Python Version:**\n- **Version:** 3.9.6\n"
    more += "\n**Homebrew Python:**\n- **Version:** 3.12.1\n"
    text = FLEET.replace("## Summary", f"{more}\n## Summary")
    assert [one.text for one in judged(text) if one.verdict is Verdict.CONTRADICTED] == []


INNOCENT = [
    "- **Threads:** 16 (SMT, shared)",
    "- **Uptime:** 1 day, 23 hours, 59 minutes",
    "- **Memory:** 5 GB used of 32 GB",
    "- **Theoretical Peak:** 13.6 TFLOPS FP16",
    "- **Link Speed:** up to 10 Gbps, now 2500Base-T",
    "- **OS:** macOS 14.5",
    "- **Chip:** M2 Pro",
    "- **Device:** 2 x WD 4TB\n- **Capacity:** 8 TB",
    "- **Resolution:** 2560 x 1440 (scaled from 5K)",
    "### Recommended Settings\n\n- `work_mem`: 64 MB",
    "**Each Core:** Multiple execution units",
    "- **Disk:** 8 TB, used 6 TB (75%), free 2 TB (25%)",
    "| Database | Size | Port |\n|---|---|---|\n| one | 1.5 GB | 1 |\n| two | 512 MB | 2 |\n| Total | 2 GB | 9 |",
    "| Node | Load avg | Tables |\n|---|---|---|\n| one | 1 | 3 |\n| two | 2 | 4 |\n| Total | 9 | 7 |",
    "- **CPU:** 10-core (6 performance, 4 efficiency)\n- **GPU:** 16-core",
    "### Migration Plan\n\n- **RAM:** 64 GB",
    "- **IP Address:** 10.7.0.3\n- **IP:** 203.0.113.9",
]


@pytest.mark.parametrize("said", INNOCENT)
def test_what_may_well_be_so_is_not_accused(judged: Judged, said: str) -> None:
    text = FLEET.replace(
        "- **Started:** 2026-02-27 12:00:00\n", "- **Started:** 2026-02-27 12:00:00\n" if "Uptime" not in said else ""
    )
    text = text.replace("### Operating System\n", f"### Storage and more\n\n{said}\n\n### Operating System\n", 1)
    assert [(one.text, one.judgements) for one in judged(text) if one.verdict is Verdict.CONTRADICTED] == []


def test_what_follows_from_something_else_is_told_before_repetition() -> None:
    again = Judgement("agreement", Verdict.CONFIRMED, "The same document says so too on line 2.")
    other = Judgement("platform", Verdict.CONFIRMED, "Published.")
    seen = Judgement("measured", Verdict.CONFIRMED, "Measured.")
    wrong = Judgement("agreement", Verdict.CONTRADICTED, "Line 3 says otherwise.")
    assert decisive([again, other]) == other
    assert decisive([again, other, seen]) == seen
    assert decisive([seen, wrong]) == wrong


def test_repetition_says_that_it_is_the_same_document(judged: Judged) -> None:
    text = FLEET.replace("## Summary", "### More\n\n- **RAM:** 16 GB\n\n## Summary")
    told = [
        j.evidence for one in judged(text) for j in one.judgements if j.rule == "agreement" and "RAM: 16" in one.text
    ]
    assert told
    assert all(one.startswith("The same document says so too on line") for one in told)


SAME = [
    ("cpu_model", "AMD EPYC 9654", "AMD EPYC 9654 96-Core Processor"),
    ("cpu_model", "Intel Core i7-4800MQ", "Intel(R) Core(TM) i7-4800MQ CPU @ 2.70GHz"),
    ("cpu_model", "2 × AMD EPYC 7742", "AMD EPYC 7742 64-Core Processor"),
    ("gpu_model", "8x NVIDIA RTX 4090", "NVIDIA GeForce RTX 4090"),
    ("os_name", "Debian", "Debian GNU/Linux"), ("os_version", "12", "12.11 (bookworm)"),
    ("kernel_version", "Linux 6.1.0", "6.1.0-18-amd64"),
]  # fmt: skip
OTHER = [
    ("cpu_model", "Apple M3", "Apple M3 Max"), ("gpu_model", "NVIDIA RTX 4070", "NVIDIA GeForce RTX 4070 Ti"),
    ("os_version", "15.0", "26.0"), ("cpu_model", "AMD EPYC 9654", "AMD EPYC 9554 64-Core Processor"),
    ("os_version", "1", "12.11"), ("os_name", "Ubuntu", "Debian GNU/Linux"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "claimed", "found"), [*SAME, *OTHER])
def test_what_was_measured_agrees_with_other_words_for_it(column: str, claimed: str, found: str) -> None:
    fact = {"section": "node", "key": {}, "column": column, "value": claimed}
    row = {"section": "node", "row": {column: found}, "looked_at": datetime(2026, 1, 1, tzinfo=UTC)}
    said = judge_measured([fact], [row])
    assert said is not None
    assert (said.verdict is Verdict.CONFIRMED) == ((column, claimed, found) in SAME)
