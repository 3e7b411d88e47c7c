"""Answers of Macs as these print them, made up: no such machine has these serial numbers."""

import json
import plistlib
from collections.abc import Mapping
from typing import Any

from aya.collect.collector import Collector
from aya.model import Facts
from tests.collect.answers import Given, found
from tests.collect.declared import floats, undeclared

STUDIO = {
    "activation_lock_status": "activation_lock_enabled",
    "boot_rom_version": "13822.1.2",
    "chip_type": "Apple M3 Ultra",
    "machine_model": "Mac15,14",
    "machine_name": "Mac Studio",
    "model_number": "Z1CE0000AB/A",
    "number_processors": "proc 32:24:8",
    "os_loader_version": "13822.1.2",
    "physical_memory": "512 GB",
    "platform_UUID": "11111111-2222-5333-A444-555555555555",
    "provisioning_UDID": "00006032-000000000000001C",
    "serial_number": "X00R00AAAA",
}
"""A Mac Studio of 2025, `system_profiler -json SPHardwareDataType`."""

LABELS = {
    "activation_lock_status": "Activation Lock Status",
    "boot_rom_version": "System Firmware Version",
    "chip_type": "Chip",
    "machine_model": "Model Identifier",
    "machine_name": "Model Name",
    "model_number": "Model Number",
    "number_processors": "Total Number of Cores",
    "os_loader_version": "OS Loader Version",
    "physical_memory": "Memory",
    "platform_UUID": "Hardware UUID",
    "provisioning_UDID": "Provisioning UDID",
    "serial_number": "Serial Number (system)",
}
"""What the text says where JSON and property lists have these keys."""

ULTRA = """\
hw.ncpu: 32
hw.memsize: 549755813888
hw.memsize_usable: 547582164992
hw.model: Mac15,14
hw.nperflevels: 2
hw.perflevel0.physicalcpu: 24
hw.perflevel0.physicalcpu_max: 24
hw.perflevel0.logicalcpu_max: 24
hw.perflevel0.l1icachesize: 196608
hw.perflevel0.l1dcachesize: 131072
hw.perflevel0.l2cachesize: 16777216
hw.perflevel0.cpusperl2: 6
hw.perflevel0.name: Performance
hw.perflevel1.physicalcpu_max: 8
hw.perflevel1.logicalcpu_max: 8
hw.perflevel1.l1icachesize: 131072
hw.perflevel1.l1dcachesize: 65536
hw.perflevel1.l2cachesize: 4194304
hw.perflevel1.cpusperl2: 4
hw.perflevel1.name: Efficiency
hw.optional.arm.FEAT_BF16: 1
hw.optional.arm.FEAT_SPECRES: 0
hw.optional.arm64: 1
hw.optional.breakpoint: 6
hw.optional.watchpoint: 4
hw.physicalcpu_max: 32
hw.logicalcpu_max: 32
hw.cputype: 16777228
hw.cpufamily: 1912690738
hw.pagesize: 16384
hw.cachelinesize: 128
hw.packages: 1
"""
"""`sysctl hw` of an M3 Ultra with 24 and 8 cores."""


def profile(data_type: str, *things: Mapping[str, Any]) -> dict[str, Given]:
    """The answer of `system_profiler -json`."""
    return {f"system_profiler -json {data_type}": json.dumps({data_type: list(things)})}


def listed(data_type: str, *things: Mapping[str, Any]) -> dict[str, Given]:
    """The same as a property list, which macOS has printed since 10.3."""
    whole = [{"_SPCommandLineArguments": ["-xml", data_type], "_dataType": data_type, "_items": list(things)}]
    return {f"system_profiler -xml {data_type}": plistlib.dumps(whole)}


def told(data_type: str, text: str) -> dict[str, Given]:
    """The text for people."""
    return {f"system_profiler {data_type}": text}


def understood(collector: Collector, given: Mapping[str, Given]) -> Facts:
    facts = collector.parse(found(collector, given))
    assert not undeclared(collector, facts)
    assert not list(floats(facts.metadata))
    return facts
