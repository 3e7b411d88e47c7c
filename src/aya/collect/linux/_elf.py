"""For which processor a Linux program was built: the head of its ELF file, and the names of architectures."""

import struct

MACHINES = {
    (62, 64): "x86_64",
    (62, 32): "x32",
    (3, 32): "x86",
    (183, 64): "ARM64",
    (40, 32): "ARM",
    (243, 64): "riscv64",
    (243, 32): "riscv32",
    (22, 64): "s390x",
    (258, 64): "loongarch64",
}
"""By machine number and width in bits (System V ABI)."""

NAMES = {
    "x86_64": "x86_64",
    "amd64": "x86_64",
    "x64": "x86_64",
    "aarch64": "ARM64",
    "arm64": "ARM64",
    "i386": "x86",
    "i486": "x86",
    "i586": "x86",
    "i686": "x86",
    "armhf": "ARM",
    "armv7l": "ARM",
    "armv7hl": "ARM",
    "armv7": "ARM",
    "armv6l": "ARM",
    "ppc64el": "ppc64le",
    "all": "any",
    "any": "any",
    "noarch": "any",
}
"""How kernels and package managers call them. `any`: the software is the same for all."""

ALSO_NATIVE = {("x86", "x86_64"), ("x32", "x86_64"), ("ARM", "ARM64"), ("riscv32", "riscv64")}
"""Programs that the processor of a wider machine runs by itself."""


def architecture_of_program(head: bytes) -> str | None:
    """The architecture in the first bytes of an ELF file: `ARM64`, `x86_64`, ...; None where it is no ELF file."""
    if len(head) < 20 or head[:4] != b"\x7fELF" or head[4] not in (1, 2) or head[5] not in (1, 2):
        return None
    (machine,) = struct.unpack_from("<H" if head[5] == 1 else ">H", head, 18)
    if machine == 21:
        return "ppc64le" if head[5] == 1 else "ppc64"
    return MACHINES.get((machine, 32 if head[4] == 1 else 64))


def architecture_name(name: str | None) -> str | None:
    """One name for each architecture, whoever names it; an unknown one keeps its name."""
    return NAMES.get(name, name) if name else None


def runtime_mode(program: str | None, machine: str | None) -> str | None:
    """`native` or `emulated` (by QEMU and the like); None where one of the two is not known."""
    if program is None or machine is None:
        return None
    return "native" if program in (machine, "any") or (program, machine) in ALSO_NATIVE else "emulated"
