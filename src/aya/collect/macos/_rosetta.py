"""Which processor a Mac has, and whether it runs a program itself or has Rosetta 2 translate it."""

from collections.abc import Sequence

from aya.collect.architecture import architecture_name
from aya.collect.json_values import parsed, words
from aya.collect.macos._sysctl import TRANSLATION, number, question, translated, variables
from aya.host.reading import Call, Found, Read

ARM64_TYPE, X86_TYPES, POWERPC_TYPES = 0x0100000C, (7, 0x01000007), {18: "ppc", 0x01000012: "ppc64"}

READS: tuple[Read, ...] = (question("hw"), TRANSLATION, Call("machine-architecture", optional=True))
"""What `machine` needs."""


def machine(found: Found) -> str | None:
    """The architecture of the machine, also where whoever asks is translated and is told another one."""
    kernel = variables(found, "hw")
    kind = number(kernel, "hw.cputype")
    if translated(found) or kernel.get("hw.optional.arm64") == "1" or kind == ARM64_TYPE:
        return "ARM64"
    if kind in X86_TYPES:
        return "x86_64" if "1" in (kernel.get("hw.cpu64bit_capable"), kernel.get("hw.optional.x86_64")) else "x86"
    if kind is not None:
        return POWERPC_TYPES.get(kind)
    return architecture_name(words(parsed(found.text("machine-architecture"))))


def how_it_runs(built_for: Sequence[str], machine: str | None) -> tuple[str | None, str | None]:
    """The architecture that runs here, and `native`, `Rosetta 2` or `emulated`.

    Of a universal program its own part runs; where the machine is not known, nobody can tell which.
    """
    if not built_for:
        return None, None
    if machine is None:
        return built_for[0] if len(built_for) == 1 else "universal", None
    for architecture in (machine, *({"x86_64": ("x86",), "ppc64": ("ppc",)}.get(machine, ()))):
        if architecture in built_for:
            return architecture, "native"
    if machine == "ARM64" and "x86_64" in built_for:
        return "x86_64", "Rosetta 2"
    return built_for[0], "emulated" if machine == "x86_64" and built_for[0].startswith("ppc") else None
