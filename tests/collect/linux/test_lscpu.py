"""The processor as people keep it: every form and language of `lscpu`, and `/proc/cpuinfo` of every architecture."""

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.linux._lscpu import nodes_in_lscpu
from aya.collect.linux.cpu import LSCPU, collector
from aya.model import Facts, Outcome
from tests.collect.answers import found
from tests.collect.declared import floats, undeclared

SUMMARY, JSON, READABLE, PARSABLE = LSCPU


def understood(given: dict[str, Any]) -> Facts:
    facts = collector.parse(found(collector, given))
    assert not undeclared(collector, facts)
    assert not list(floats(facts.metadata))
    return facts


# --- one machine in all forms


@dataclass(frozen=True)
class Machine:
    """A server: sockets, cores of each and threads of each core, numbered as Linux does."""

    sockets: int
    cores: int
    per_core: int

    @property
    def rows(self) -> list[tuple[int, int, int]]:
        """Processor, core, socket: the first threads of all cores come before the second ones."""
        places = [(core, socket) for socket in range(self.sockets) for core in range(self.cores)]
        numbered = [place for _ in range(self.per_core) for place in places]
        return [(cpu, socket * self.cores + core, socket) for cpu, (core, socket) in enumerate(numbered)]

    def summary(self) -> str:
        threads = len(self.rows)
        return (
            f"Architecture: x86_64\nCPU(s): {threads}\nOn-line CPU(s) list: 0-{threads - 1}\nVendor ID: GenuineIntel\n"
            f"Model name: Intel(R) Xeon(R)\nCPU family: 6\nModel: 85\nThread(s) per core: {self.per_core}\n"
            f"Core(s) per socket: {self.cores}\nSocket(s): {self.sockets}\n"
        )

    def as_json(self) -> str:
        fields = [line.split(": ") for line in self.summary().splitlines()]
        return json.dumps({"lscpu": [{"field": f"{name}:", "data": value} for name, value in fields]})

    def parsable(self) -> str:
        return "# CPU,Core,Socket\n" + "".join(f"{cpu},{core},{socket}\n" for cpu, core, socket in self.rows)

    def readable(self) -> str:
        rows = (f"{cpu:3} {0:4} {socket:6} {core:4} yes\n" for cpu, core, socket in self.rows)
        return "CPU NODE SOCKET CORE ONLINE\n" + "".join(rows)

    def cpuinfo(self) -> str:
        return "\n".join(
            f"processor: {cpu}\nvendor_id: GenuineIntel\ncpu family: 6\nmodel: 85\nmodel name: Intel(R) Xeon(R)\n"
            f"physical id: {socket}\nsiblings: {self.cores * self.per_core}\ncore id: {core % self.cores}\n"
            f"cpu cores: {self.cores}\nflags: fpu lm\n"
            for cpu, core, socket in self.rows
        )


@given(st.builds(Machine, st.integers(1, 4), st.integers(1, 12), st.integers(1, 2)))
def test_every_form_of_one_machine_tells_the_same(machine: Machine) -> None:
    forms = {
        SUMMARY: machine.summary(),
        JSON: machine.as_json(),
        READABLE: machine.readable(),
        PARSABLE: machine.parsable(),
        "/proc/cpuinfo": machine.cpuinfo(),
    }
    told = {
        (
            facts.node.cpu_cores_total,
            *(facts.metadata["cpu"][key] for key in ("sockets", "threads", "threads_per_core")),
        )
        for source, text in forms.items()
        if (facts := understood({source: text}))
    }
    threads = machine.sockets * machine.cores * machine.per_core
    assert told == {(machine.sockets * machine.cores, machine.sockets, threads, machine.per_core)}


def both(recordings: Path) -> list[tuple[Path, Path]]:
    """The recorded machines of which there is lscpu and /proc/cpuinfo."""
    folders = sorted((recordings / "linux").iterdir())
    pairs = [(folder / "lscpu.txt", next(folder.glob("*cpuinfo.txt"), None)) for folder in folders]
    return [(lscpu, cpuinfo) for lscpu, cpuinfo in pairs if cpuinfo and lscpu.exists()]


def test_lscpu_and_cpuinfo_of_one_recorded_machine_do_not_contradict_each_other(recordings: Path) -> None:
    pairs = both(recordings)
    assert len(pairs) >= 3
    for lscpu, cpuinfo in pairs:
        one, other = understood({SUMMARY: lscpu.read_text()}), understood({"/proc/cpuinfo": cpuinfo.read_text()})
        table = lscpu.with_name("lscpu-cores.txt")
        third = understood({PARSABLE: table.read_text()}) if table.exists() else one
        assert one.node.cpu_model == other.node.cpu_model
        assert one.node.cpu_architecture == other.node.cpu_architecture
        assert set(one.metadata["cpu"]["features"]) & set(other.metadata["cpu"]["features"])
        for key in ("vendor", "stepping"):
            assert one.metadata["cpu"][key] == other.metadata["cpu"][key], lscpu
        for key in ("sockets", "threads"):
            told = {facts.metadata["cpu"][key] for facts in (one, other, third)} - {None}
            assert len(told) <= 1, (lscpu, key)
        assert len({facts.node.cpu_cores_total for facts in (one, other, third)} - {None}) <= 1, lscpu


def test_the_nested_json_of_newer_versions_is_read_to_its_leaves() -> None:
    def field(name: str, data: str | None, *children: dict[str, Any]) -> dict[str, Any]:
        return {"field": name, "data": data, "children": list(children)}

    model = field(
        "Model name:",
        "Cortex-A72",
        *(field(*pair) for pair in (("Thread(s) per core:", "1"), ("Core(s) per socket:", "4"), ("Socket(s):", "1"))),
    )
    caches = field(
        "Caches (sum of all):", "", field("L1d:", "128 KiB (4 instances)"), field("L2:", "1 MiB (1 instance)")
    )
    cpus = field("CPU(s):", "4", field("On-line CPU(s) list:", "0-3"))
    weak = field("Vulnerabilities:", "", field("Itlb multihit:", "Not affected"))
    text = json.dumps(
        {"lscpu": [field("Architecture:", "aarch64"), cpus, field("Vendor ID:", "ARM", model), caches, weak]}
    )
    facts = understood({JSON: text})
    node = facts.node
    assert facts.metadata["cpu"]["vulnerabilities"] == [{"name": "itlb_multihit", "status": "Not affected"}]
    assert (node.cpu_model, node.cpu_architecture, node.cpu_cores_total) == ("Cortex-A72", "ARM64", 4)
    assert (node.cpu_l1_cache_kb, node.cpu_l2_cache_mb) == (32, Decimal(1))


def test_the_indented_form_of_a_terminal_is_read() -> None:
    text = (
        "Architecture:             x86_64\n  CPU op-mode(s):         32-bit, 64-bit\nCPU(s):                   2\n"
        "  On-line CPU(s) list:    0,1\nVendor ID:                AuthenticAMD\n"
        "  Model name:             AMD EPYC 9R14\n"
        "    CPU family:           25\n    Thread(s) per core:   1\n"
        "    Core(s) per socket:   2\n    Socket(s):            1\n"
        "Caches (sum of all):      \n  L1d:                    64 KiB (2 instances)\n"
        "  L2:                     2 MiB (2 instances)\n"
        "NUMA:                     \n  NUMA node0 CPU(s):      0,1\n"
        "Vulnerabilities:          \n  Meltdown:               Not affected\n"
    )
    facts = understood({SUMMARY: text})
    node = facts.node
    assert (node.cpu_cores_total, node.cpu_l1_cache_kb, node.cpu_l2_cache_mb) == (2, 32, Decimal(1))
    assert facts.metadata["cpu"]["vulnerabilities"] == [{"name": "meltdown", "status": "Not affected"}]


def test_offline_processors_of_a_table_leave_the_cores_unknown() -> None:
    table = (
        "CPU NODE SOCKET CORE ONLINE MAXMHZ\n  0    0      0    0    yes 2400.0\n  1    -      -    -     no 2400.0\n"
    )
    facts = understood({READABLE: table})
    assert facts.node.cpu_cores_total is None
    cpu = facts.metadata["cpu"]
    assert (cpu["threads"], cpu["processors_online"], cpu["processors_present"], cpu["max_mhz"]) == (1, "0", 2, 2400)


# --- languages

GERMAN = """\
Architektur:                     x86_64
CPU Operationsmodus:             32-bit, 64-bit
CPU(s):                          {threads}
Liste der Online-CPU(s):         0-{last}
Thread(s) pro Kern:              2
Kern(e) pro Socket:              8
Sockel:                          2
NUMA-Knoten:                     1
Anbieterkennung:                 GenuineIntel
Prozessorfamilie:                6
Modell:                          79
Modellname:                      Intel(R) Xeon(R) CPU
Maximale Taktfrequenz der CPU:   3000,0000
L1d Cache:                       512 KiB
L2 Cache:                        4 MiB (16 Instanzen)
Markierungen:                    fpu lm
"""
FRENCH = """\
Architecture :                          x86_64
Processeur(s) :                         {threads}
Liste de processeur(s) en ligne :       0-{last}
Thread(s) par c\u0153ur :                    2
C\u0153ur(s) par socket :                    8
Socket(s) :                             2
Identifiant constructeur :              GenuineIntel
Famille de processeur :                 6
Mod\u00e8le :                                79
Nom de mod\u00e8le :                         Intel(R) Xeon(R) CPU
Vitesse maximale du processeur en MHz : 3000,0000
Cache L1d :                             512 KiB
Cache L2 :                              4 MiB
Drapaux :                               fpu lm
"""


@pytest.mark.parametrize("blank", [" ", "\u00a0"], ids=["blank", "unbreakable"])
@pytest.mark.parametrize("language", [GERMAN, FRENCH], ids=["German", "French"])
def test_german_and_french_summaries_say_what_english_ones_do(language: str, blank: str) -> None:
    text = language.format(threads=32, last=31).replace(" :", f"{blank}:")
    facts = understood({SUMMARY: text})
    node, cpu = facts.node, facts.metadata["cpu"]
    assert (node.cpu_model, node.cpu_architecture) == ("Intel(R) Xeon(R) CPU", "x86_64")
    assert (node.cpu_cores_total, node.cpu_l1_cache_kb, node.cpu_l2_cache_mb) == (16, 32, Decimal("0.25"))
    assert (cpu["threads"], cpu["sockets"], cpu["vendor"], cpu["max_mhz"]) == (32, 2, "GenuineIntel", 3000)
    assert facts.gaps == ()


def test_a_language_that_is_not_understood_is_one_gap_and_no_figure() -> None:
    text = "Architektura: x86_64\nCPU(s): 8\nLista aktywnych CPU: 0-3\nRdzeni na gniazdo: 4\n"
    facts = understood({SUMMARY: text})
    assert [gap.reason for gap in facts.gaps if gap.outcome is Outcome.UNREADABLE] == [
        "lscpu: nothing in its answer tells of the whole machine"
    ]
    assert (facts.node.cpu_cores_total, facts.metadata["cpu"]["threads"]) == (None, None)


LANGUAGES = {
    "Spanish": """Arquitectura:                        x86_64
CPU(s):                              8
Lista de la(s) CPU(s) en línea:      0-7
Hilo(s) de procesamiento por núcleo: 2
Núcleo(s) por «socket»:              4
«Socket(s)»                          1
Nombre del modelo:                   Processor of the test
CPU MHz máx.:                        4100,0000
Caché L1d:                           32K
CPU(s) del nodo NUMA 0:              0-7
Indicadores:                         fpu lm
""",
    "Portuguese": """Arquitetura:           x86_64
CPU(s):                8
Lista de CPU(s) on-line:0-7
Thread(s) per núcleo: 2
Núcleo(s) por soquete:4
Soquete(s):            1
Nome do modelo:        Processor of the test
CPU MHz máx.:         4100,0000
cache de L1d:          32K
CPU(s) de nó0 NUMA:   0-7
Opções:               fpu lm
""",
    "Russian": """Архитектура:              x86_64
CPU(s):                   8
  On-line CPU(s) list:    0-7
  Имя модели:             Processor of the test
    Потоков на ядро:      2
    Ядер на сокет:        4
    Сокетов:              1
    CPU max MHz:          4100,0000
    Флаги:                fpu lm
L1d cache:                32K
NUMA node0 CPU(s):        0-7
""",
    "Chinese": """架构：                   x86_64
CPU:                     8
  在线 CPU 列表：        0-7
  型号名称：             Processor of th
                         e test
    每个核的线程数：     2
    每个座的核数：       4
    座：                 1
    CPU 最大 MHz：       4100.0000
    标记：               fpu l
                         m
L1d 缓存：               32K
NUMA 节点0 CPU：         0-7
""",
    "Japanese": """アーキテクチャ:                        x86_64
CPU:                                   8
  オンラインになっている CPU のリスト: 0-7
  モデル名:                            Processor of the test
    コアあたりのスレッド数:            2
    ソケットあたりのコア数:            4
    ソケット数:                        1
    CPU 最大 MHz:                      4100.0000
    フラグ:                            fpu lm
L1d キャッシュ:                        32K
NUMAノード 0 CPU:                      0-7
""",
    "English before 2.20": """Architecture:          x86_64
CPU(s):                8
On-line CPU(s) list:   0-7
Thread(s) per core:    2
Core(s) per socket:    4
CPU socket(s):         1
Model name:            Processor of the test
CPU max MHz:           4100.0000
L1d cache:             32K
NUMA node0 CPU(s):     0-7
Flags:                 fpu lm
""",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_summary_says_the_same_in_every_language_that_is_understood(language: str) -> None:
    text = LANGUAGES[language]
    facts = understood({SUMMARY: text})
    node, cpu = facts.node, facts.metadata["cpu"]
    assert (node.cpu_model, node.cpu_architecture) == ("Processor of the test", "x86_64")
    assert (node.cpu_cores_total, node.cpu_l1_cache_kb) == (4, 32)
    assert (cpu["sockets"], cpu["threads"], cpu["max_mhz"], cpu["features"]) == (1, 8, 4100, ["fpu", "lm"])
    assert nodes_in_lscpu(text) == {0: frozenset(range(8))}
    assert facts.gaps == ()


def test_what_a_narrow_terminal_wrapped_is_put_together() -> None:
    text = (
        "Architecture:             x86_64\n"
        "On-line CPU(s) list:      0\n"
        "CPU(s):                   1\n"
        "  Model name:             Intel(R) Core(TM) i3-600\n"
        "                          6U CPU @ 2.00GHz\n"
        "    Flags:                fpu vme\n"
        "                           lm\n"
        "Vulnerabilities:          \n"
        "  Spectre v2:             Mitigation; STIBP: alwa\n"
        "                          ys on; BHI: off\n"
    )
    facts = understood({SUMMARY: text})
    assert facts.node.cpu_model == "Intel(R) Core(TM) i3-6006U CPU @ 2.00GHz"
    assert facts.metadata["cpu"]["features"] == ["fpu", "lm", "vme"]
    assert facts.metadata["cpu"]["vulnerabilities"] == [
        {"name": "spectre_v2", "status": "Mitigation; STIBP: always on; BHI: off"}
    ]


@pytest.mark.parametrize(
    ("groups", "cores"),
    [("Core(s) per cluster: 2\nSocket(s): 2\nCluster(s): 1", 2), ("Core(s) per socket: 8\nSocket(s): 2", None)],
)
def test_cores_of_a_cluster_are_counted_by_clusters_and_never_beyond_the_processors(
    groups: str, cores: int | None
) -> None:
    text = f"Architecture: aarch64\nCPU(s): 2\nOn-line CPU(s) list: 0,1\nThread(s) per core: 1\n{groups}\n"
    assert understood({SUMMARY: text}).node.cpu_cores_total == cores


# --- two kinds of cores


def hybrid(model: str, cores: list[tuple[int, ...]]) -> str:
    threads = sum(len(core) for core in cores)
    return "\n".join(
        f"processor: {cpu}\nvendor_id: GenuineIntel\ncpu family: 6\nmodel: {model}\nphysical id: 0\n"
        f"siblings: {threads}\ncore id: {number}\ncpu cores: {len(cores)}\n"
        for number, core in enumerate(cores)
        for cpu in core
    )


def test_the_threads_of_an_intel_hybrid_tell_its_kinds_of_cores_apart() -> None:
    cores = [(0, 1), (2, 3), (4,), (5,), (6,), (7,)]
    facts = understood({"/proc/cpuinfo": hybrid("154", cores)})
    node = facts.node
    assert (node.cpu_cores_total, node.cpu_cores_performance, node.cpu_cores_efficiency) == (6, 2, 4)
    assert [one["processors"] for one in facts.metadata["cpu"]["classes"]] == ["0-3", "4-7"]
    assert facts.metadata["cpu"]["threads_per_core"] == 2


@pytest.mark.parametrize(
    ("model", "cores"),
    [("85", [(0, 1), (2,)]), ("154", [(0,), (1,)]), ("170", [(0, 1), (2,)])],
    ids=["no hybrid", "multithreading off", "three kinds"],
)
def test_no_kinds_of_cores_are_made_up(model: str, cores: list[tuple[int, ...]]) -> None:
    node = understood({"/proc/cpuinfo": hybrid(model, cores)}).node
    assert (node.cpu_cores_performance, node.cpu_cores_efficiency) == (None, None)


def test_the_sums_of_an_intel_hybrid_tell_how_many_of_each_kind_there_are() -> None:
    text = (
        "CPU(s): 16\nOn-line CPU(s) list: 0-15\nVendor ID: GenuineIntel\nModel name: i7-1260P\nCPU family: 6\nModel: {}\n"
        "Thread(s) per core: 2\nCore(s) per socket: 12\nSocket(s): 1\nL1d cache: 448 KiB (12 instances)\n"
    )
    node = understood({SUMMARY: text.format(154)}).node
    assert (node.cpu_cores_total, node.cpu_cores_performance, node.cpu_cores_efficiency) == (12, 4, 8)
    assert node.cpu_l1_cache_kb is None
    assert understood({SUMMARY: text.format(170)}).node.cpu_cores_performance is None


def test_the_designs_of_arm_cores_tell_which_are_fast() -> None:
    parts = ["0xd46"] * 3 + ["0xd47"] * 2 + ["0xd4d"] * 2 + ["0xd4e"]
    text = "\n".join(f"processor: {n}\nCPU implementer: 0x41\nCPU part: {part}\n" for n, part in enumerate(parts))
    facts = understood({"/proc/cpuinfo": text})
    node = facts.node
    assert (node.cpu_cores_total, node.cpu_cores_performance, node.cpu_cores_efficiency) == (8, 5, 3)
    assert node.cpu_model == "Cortex-X3 + Cortex-A710 + Cortex-A715 + Cortex-A510"


# --- other architectures


def test_a_mainframe_lists_its_processors_and_caches_once() -> None:
    text = (
        "vendor_id       : IBM/S390\n# processors    : 2\nbogomips per cpu: 21881.00\nmax thread id   : 0\n"
        "features\t: esan3 zarch stfle msa ldisp\n"
        "cache0          : level=1 type=Data scope=Private size=128K line_size=256 associativity=8\n"
        "cache1          : level=1 type=Instruction scope=Private size=128K line_size=256 associativity=8\n"
        "cache2          : level=2 type=Data scope=Private size=4096K line_size=256 associativity=8\n"
        "processor 0: version = FF,  identification = 2733E8,  machine = 8561\n"
        "processor 1: version = FF,  identification = 2733E8,  machine = 8561\n"
    )
    facts = understood({"/proc/cpuinfo": text})
    node, cpu = facts.node, facts.metadata["cpu"]
    assert (node.cpu_architecture, node.cpu_cores_total, node.cpu_l1_cache_kb) == ("s390x", 2, 128)
    assert (node.cpu_l2_cache_mb, cpu["model"], cpu["vendor"]) == (Decimal(4), "8561", "IBM/S390")
    assert cpu["cache_line_bytes"] == 256


@pytest.mark.parametrize(
    "sockets",
    ["Socket(s) per book: 1\nBook(s) per drawer: 1\nDrawer(s): 2\n", "Socket(s) per book: 1\nBook(s): 2\n"],
    ids=["drawers", "books"],
)
def test_the_books_and_drawers_of_a_mainframe_are_counted(sockets: str) -> None:
    text = (
        f"Architecture: s390x\nCPU(s): 2\nOn-line CPU(s) list: 0,1\nThread(s) per core: 1\nCore(s) per socket: 1\n{sockets}"
        "Vendor ID: IBM/S390\nMachine type: 3906\nL1d cache: 128K\nL2d cache: 4096K\nL2i cache: 2048K\n"
    )
    facts = understood({SUMMARY: text})
    node = facts.node
    assert (node.cpu_cores_total, node.cpu_l1_cache_kb, node.cpu_l2_cache_mb) == (2, 128, Decimal(4))
    assert facts.metadata["cpu"]["model"] == "3906"


def test_power_names_its_processor_and_says_nothing_of_cores() -> None:
    text = "".join(
        f"processor\t: {n}\ncpu\t\t: POWER9, altivec supported\nclock\t\t: 2300.000000MHz\nrevision\t: 2.2\n\n"
        for n in range(8)
    )
    lscpu = understood(
        {SUMMARY: "CPU(s): 8\nThread(s) per core: 4\nModel name: POWER9 (architected), altivec supported\n"}
    )
    assert lscpu.node.cpu_model == "POWER9 (architected)"
    facts = understood({"/proc/cpuinfo": text + "timebase\t: 512000000\nplatform\t: PowerNV\nmodel\t\t: 8335-GTW\n"})
    assert facts.node.cpu_model == "POWER9"
    assert (facts.node.cpu_cores_total, facts.metadata["cpu"]["model"]) == (None, None)
