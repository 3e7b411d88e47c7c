"""Names of ARM processors: who made them, and what they are called."""

import re

PARTS = {
    ("0x41", "0xb76"): "ARM1176",
    ("0x41", "0xc05"): "Cortex-A5",
    ("0x41", "0xc07"): "Cortex-A7",
    ("0x41", "0xc08"): "Cortex-A8",
    ("0x41", "0xc09"): "Cortex-A9",
    ("0x41", "0xc0e"): "Cortex-A17",
    ("0x41", "0xc0f"): "Cortex-A15",
    ("0x41", "0xd03"): "Cortex-A53",
    ("0x41", "0xd04"): "Cortex-A35",
    ("0x41", "0xd05"): "Cortex-A55",
    ("0x41", "0xd06"): "Cortex-A65",
    ("0x41", "0xd07"): "Cortex-A57",
    ("0x41", "0xd08"): "Cortex-A72",
    ("0x41", "0xd09"): "Cortex-A73",
    ("0x41", "0xd0a"): "Cortex-A75",
    ("0x41", "0xd0b"): "Cortex-A76",
    ("0x41", "0xd0c"): "Neoverse-N1",
    ("0x41", "0xd0d"): "Cortex-A77",
    ("0x41", "0xd40"): "Neoverse-V1",
    ("0x41", "0xd41"): "Cortex-A78",
    ("0x41", "0xd43"): "Cortex-A65AE",
    ("0x41", "0xd44"): "Cortex-X1",
    ("0x41", "0xd46"): "Cortex-A510",
    ("0x41", "0xd47"): "Cortex-A710",
    ("0x41", "0xd48"): "Cortex-X2",
    ("0x41", "0xd49"): "Neoverse-N2",
    ("0x41", "0xd4a"): "Neoverse-E1",
    ("0x41", "0xd4d"): "Cortex-A715",
    ("0x41", "0xd4e"): "Cortex-X3",
    ("0x41", "0xd4f"): "Neoverse-V2",
    ("0x41", "0xd80"): "Cortex-A520",
    ("0x41", "0xd81"): "Cortex-A720",
    ("0x41", "0xd82"): "Cortex-X4",
    ("0x41", "0xd83"): "Neoverse-V3AE",
    ("0x41", "0xd84"): "Neoverse-V3",
    ("0x41", "0xd85"): "Cortex-X925",
    ("0x41", "0xd87"): "Cortex-A725",
    ("0x41", "0xd8e"): "Neoverse-N3",
    ("0x42", "0x516"): "ThunderX2",
    ("0x43", "0x0a1"): "ThunderX",
    ("0x43", "0x0af"): "ThunderX2",
    ("0x46", "0x001"): "A64FX",
    ("0x48", "0xd01"): "Kunpeng-920",
    ("0x4e", "0x004"): "Carmel",
    ("0x50", "0x000"): "X-Gene",
    ("0x51", "0x001"): "Oryon",
    ("0x51", "0x201"): "Kryo",
    ("0x51", "0x205"): "Kryo",
    ("0x51", "0x211"): "Kryo",
    ("0x51", "0x800"): "Falkor-V1/Kryo",
    ("0x51", "0x801"): "Kryo-V2",
    ("0x51", "0x802"): "Kryo-3XX-Gold",
    ("0x51", "0x803"): "Kryo-3XX-Silver",
    ("0x51", "0x804"): "Kryo-4XX-Gold",
    ("0x51", "0x805"): "Kryo-4XX-Silver",
    ("0x51", "0xc00"): "Falkor",
    ("0x61", "0x022"): "Icestorm-M1",
    ("0x61", "0x023"): "Firestorm-M1",
    ("0x61", "0x024"): "Icestorm-M1-Pro",
    ("0x61", "0x025"): "Firestorm-M1-Pro",
    ("0x61", "0x028"): "Icestorm-M1-Max",
    ("0x61", "0x029"): "Firestorm-M1-Max",
    ("0x61", "0x032"): "Blizzard-M2",
    ("0x61", "0x033"): "Avalanche-M2",
    ("0x61", "0x034"): "Blizzard-M2-Pro",
    ("0x61", "0x035"): "Avalanche-M2-Pro",
    ("0x61", "0x038"): "Blizzard-M2-Max",
    ("0x61", "0x039"): "Avalanche-M2-Max",
    ("0xc0", "0xac3"): "Ampere-1",
    ("0xc0", "0xac4"): "Ampere-1a",
}
"""Implementer and part (the register MIDR_EL1) -> name. Numbers as in the kernel's `arch/arm64/include/asm/cputype.h`
and Arm's reference manuals; names as `lscpu` writes them."""

MAKERS = {
    "0x41": "ARM",
    "0x42": "Broadcom",
    "0x43": "Cavium",
    "0x46": "FUJITSU",
    "0x48": "HiSilicon",
    "0x4e": "NVIDIA",
    "0x50": "APM",
    "0x51": "Qualcomm",
    "0x53": "Samsung",
    "0x61": "Apple",
    "0x69": "Intel",
    "0xc0": "Ampere",
}

SEVERAL_THREADS = {"Cortex-A65", "Cortex-A65AE", "Neoverse-E1", "ThunderX2"}
SERVERS = ("Neoverse", "Kunpeng", "ThunderX", "Ampere", "A64FX")
"""Cores of servers: never built in two classes, so a sum divides evenly among them."""

SMALL = re.compile(r"Cortex-A(5|7|35|53|55|510|520)(AE)?|Icestorm-.*|Blizzard-.*|Kryo-.*-Silver|Kryo-V2")
LARGEST = re.compile(r"Cortex-X\d+")
LARGE = re.compile(r"Cortex-A(15|17|57|7\d|7\d\dC?|7[0-9]AE)|Firestorm-.*|Avalanche-.*|Kryo-.*-Gold|Falkor-V1/Kryo")
"""How the makers place their designs where several are put into one chip."""


def rank_of(name: str | None) -> int:
    """The place of a design among those it is combined with: 3 is the fastest; 0 is not known."""
    for pattern, rank in ((LARGEST, 3), (LARGE, 2), (SMALL, 1)):
        if name and pattern.fullmatch(name):
            return rank
    return 0
