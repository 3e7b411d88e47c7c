"""Whom and what a document describes, whatever its form."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aya.claims.description import claimed_nodes, count_stated, read_page
from aya.claims.judging import judge
from aya.claims.moment import moment_in
from aya.claims.outline import outline
from aya.claims.reading import Written
from aya.claims.rule import Verdict
from aya.host.document import FileRead
from aya.model import Outcome
from tests.claims.conftest import FLEET, Read


def test_nodes_are_found_by_headings_and_lists_with_their_roles(read: Read) -> None:
    page, _ = read(FLEET)
    assert {one.name: (one.role, one.status) for one in page.nodes.values()} == {
        "gamma": ("replica", "active"),
        "delta": ("primary", "active"),
        "eta": ("client", "pending"),
    }


def test_tables_and_bullets_say_the_same(read: Read) -> None:
    page, stated = read(FLEET)
    nodes = {node.name: node.facts for node in claimed_nodes(page, stated)}
    gamma, delta = nodes["gamma"].node, nodes["delta"].node
    assert (gamma.model_name, gamma.cpu_model, gamma.cpu_cores_performance, gamma.gpu_cores) == (
        "Mac mini",
        "Apple M2 Pro",
        6,
        16,
    )
    assert (gamma.os_name, gamma.os_version, gamma.os_build, gamma.kernel_version) == (
        "macOS",
        "14.5",
        "23F79",
        "Darwin 23.5.0",
    )
    assert (str(gamma.ram_gb), str(delta.ram_gb), str(delta.storage_internal_tb)) == ("32", "16", "1")
    assert [(one.interface_name, one.ipv4_gateway) for one in nodes["delta"].interfaces] == [("en0", "10.1.2.1")]


def test_a_table_of_settings_has_values_in_the_units_of_the_server_and_what_is_pending(read: Read) -> None:
    page, stated = read(FLEET)
    (gamma,) = (node.facts for node in claimed_nodes(page, stated) if node.name == "gamma")
    found = {one.setting_name: one for one in gamma.settings}
    assert (found["shared_buffers"].setting_value, found["shared_buffers"].setting_unit) == ("524288", "8kB")
    assert (found["shared_buffers"].pending_value, found["shared_buffers"].requires_restart) == ("1048576", True)
    assert (found["work_mem"].setting_value, found["work_mem"].pending_value) == ("16384", None)
    assert (
        found["work_mem"].metadata["claimed"]["lines"]["setting_value"]
        == FLEET.splitlines().index("| `work_mem` | 16 MB | |") + 1
    )


def test_every_statement_stands_on_the_line_it_names() -> None:
    lines = FLEET.splitlines()
    for item in outline(FLEET).items:
        assert (item.value or item.key).split()[-1].strip("*") in lines[item.line - 1], item


def test_the_source_document_is_described_whole(read: Read, source_document: str) -> None:
    page, stated = read(source_document)
    nodes = {node.name: node for node in claimed_nodes(page, stated)}
    assert [(node.name, node.role, node.status) for node in nodes.values()] == [
        ("ALPHA", "primary", "active"),
        ("BETA", "replica", "active"),
        ("AIR", "client", "pending"),
    ]
    assert count_stated(nodes.values()) >= 250
    alpha, beta = nodes["ALPHA"].facts, nodes["BETA"].facts
    written = {name for name in page.settings if f"- `{name}`:" in source_document.partition("# BETA")[0]}
    assert written <= {one.setting_name for one in alpha.settings}
    assert {one.setting_name: one.pending_value for one in alpha.settings if one.requires_restart} == {
        "shared_buffers": "16777216",
        "max_connections": "200",
        "wal_buffers": "2048",
    }
    assert [(one.side, one.slot_name, one.peer, one.state) for one in (*alpha.replication, *beta.replication)] == [
        ("primary", "beta_slot", "BETA", "streaming"),
        ("replica", "beta_slot", "ALPHA", "streaming"),
    ]
    assert {one.interface_name for one in alpha.interfaces} == {
        "en0",
        "utun4",
        "lo0",
        *(f"en{n}" for n in range(8, 13)),
    }
    assert {one.service_name: one.port for one in alpha.services} == {"PostgreSQL": 5432, "Embedding Service": 8765}
    assert {one.table_name: one.table_size_bytes for one in alpha.schemas if one.kind == "table"} == {
        "documents": 80 * 1024,
        "chunks": 1363148,
    }
    assert {one.object_name: one.metadata["version"] for one in alpha.schemas if one.kind == "extension"} == {
        "plpgsql": "1.0",
        "vector": "0.8.1",
    }
    assert {(one.name, str(one.value), one.unit) for one in alpha.measurements} >= {
        ("cold_start", "88", "ms"),
        ("compute_performance", "1323.10", "GFLOPS"),
        ("throughput", "30", "embeddings/second"),
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#",
        "- ",
        "|a|\n|-|\n",
        "**:**",
        "- **x:**\n  - **y:** 1\n",
        "<script>alert(1)</script>\n",
        "'; DROP TABLE system_nodes; --",
    ],
)
def test_odd_texts_describe_nothing_and_break_nothing(read: Read, text: str) -> None:
    page, stated = read(text)
    assert claimed_nodes(page, stated) == []


@settings(max_examples=60)
@given(st.lists(st.sampled_from(FLEET.splitlines()), max_size=60), st.text(max_size=80))
def test_lines_in_any_order_break_nothing(lines: list[str], more: str) -> None:
    text = "\n".join([*lines, more, "## gamma (Standby)", *lines[::-1]])
    page = read_page("any.md", Written(FileRead("any.md", Outcome.OK, size_bytes=1), text, ()), {})
    for node in claimed_nodes(page, []):
        assert node.name in page.nodes


HEADED = """\
# Machines

## 1. Node: attic-mini (primary)

- Chip: Apple M4
- Memory: 16 GB
- OS: macOS 15.3 (Sequoia)

## 2. Node: lab.example.org (client)

cpu = AMD EPYC 9354
ram = 384 GB
os = Ubuntu 24.04.1 LTS
"""


def test_numbered_headings_and_assignments_describe_nodes(read: Read) -> None:
    page, stated = read(HEADED)
    nodes = {node.name: node.facts for node in claimed_nodes(page, stated)}
    assert list(nodes) == ["attic-mini", "lab.example.org"]
    assert (nodes["attic-mini"].node.os_version, nodes["lab.example.org"].node.os_version) == ("15.3", "24.04.1 LTS")
    assert str(nodes["lab.example.org"].node.ram_gb) == "384"
    assert nodes["attic-mini"].metadata["claimed"]["details"]["operating system"] == {"codename": "Sequoia"}


def test_a_number_that_is_a_bound_is_kept_as_one(read: Read) -> None:
    said = "\n### Performance\n\n- **p99:** <100 ms\n- **Rate:** ~30 requests/second\n- **Slow:** 60+ ms\n- **Mean:** 5 ms\n"
    page, stated = read(FLEET.replace("\n## Summary", f"{said}\n## Summary"))
    delta = next(node.facts for node in claimed_nodes(page, stated) if node.name == "delta")
    bounds = {one.name: one.conditions.get("bound") for one in delta.measurements}
    assert bounds.items() >= {"p99": "below", "rate": "about", "slow": "above", "mean": None}.items()


SEVERAL = """\
# Hosts
Assessment date: 10.02.2026, 22:00 Uhr (MEZ)

## north (Primary Server)

- **Processor:** AMD EPYC 9554
- **Memory:** 768 GB

**PostgreSQL (port 5432)**
- Version: 18.2
- Started: 2026-02-09 22:00
- `work_mem`: 128 MB

**PostgreSQL (port 5433)**
- Version: 17.5
- `work_mem`: 16 MB

## south (replica of north)

- **Processor:** AMD EPYC 9554
- **Memory:** 768 GB

### PostgreSQL

```ini
# as it runs
work_mem = 32MB
```

To change it, add:

```ini
work_mem = 64MB
```
"""


def test_several_servers_of_one_node_are_kept_apart(read: Read) -> None:
    page, stated = read(SEVERAL)
    nodes = {node.name: node.facts for node in claimed_nodes(page, stated)}
    north = {(one.instance, one.setting_name): one.setting_value for one in nodes["north"].settings}
    assert north == {("claimed:5432", "work_mem"): "131072", ("claimed:5433", "work_mem"): "16384"}
    assert {one.instance: one.server_version for one in nodes["north"].instances} == {
        "claimed:5432": "18.2",
        "claimed:5433": "17.5",
    }
    assert [str(one.started_at) for one in nodes["north"].instances if one.started_at] == ["2026-02-09 22:00:00+01:00"]
    assert [one.text for one in judge(page, stated) if one.verdict is Verdict.CONTRADICTED] == []


def test_a_heading_that_names_another_node_is_about_its_own(read: Read) -> None:
    page, stated = read(SEVERAL)
    south = next(node.facts for node in claimed_nodes(page, stated) if node.name == "south")
    assert (south.node.cpu_model, [one.peer for one in south.replication]) == ("AMD EPYC 9554", ["north"])


def test_a_file_of_settings_is_read_and_one_that_is_to_be_written_is_not(read: Read) -> None:
    page, stated = read(SEVERAL)
    south = next(node.facts for node in claimed_nodes(page, stated) if node.name == "south")
    assert [one.setting_value for one in south.settings] == ["32768"]


GERMAN = """\
# Bestand
Stand: 14.03.2026, 10:30 Uhr

## Knoten: wal (Primärserver)

* Prozessor: Intel Xeon Gold 6430
* Kerne: 32
* Arbeitsspeicher: 1.024 GB
* Betriebssystem: Debian 12
"""
FRENCH = """\
# Inventaire
Date : 2 février 2026 à 14 h 30 (UTC+1)

## baleine (serveur principal)

**Processeur :** Intel Xeon Gold 6430
**Cœurs :** 32
**Mémoire :** 1 024 Go
**Système d'exploitation :** Debian 12
"""


@pytest.mark.parametrize("text", [GERMAN, FRENCH], ids=["german", "french"])
def test_other_languages_say_the_same(read: Read, text: str) -> None:
    page, stated = read(text)
    (node,) = claimed_nodes(page, stated)
    assert page.dated is not None
    assert node.role == "primary"
    assert (str(node.facts.node.ram_gb), node.facts.node.cpu_cores_total, node.facts.node.os_version) == (
        "1024",
        32,
        "12",
    )


def test_a_zone_that_is_not_known_is_not_guessed() -> None:
    assert str(moment_in("March 3, 2026 5:45 PM PST")) == "2026-03-03 17:45:00-08:00"
    assert moment_in("2026-03-14 09:30 IST") is None
    assert str(moment_in("2026-03-14 (verified)")) == "2026-03-14 00:00:00+00:00"
