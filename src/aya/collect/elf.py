"""For which processor a Linux program was built: the head of its ELF file."""

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


def architecture_of_program(head: bytes) -> str | None:
    """The architecture in the first bytes of an ELF file: `ARM64`, `x86_64`, ...; None where it is no ELF file."""
    if len(head) < 20 or head[:4] != b"\x7fELF" or head[4] not in (1, 2) or head[5] not in (1, 2):
        return None
    (machine,) = struct.unpack_from("<H" if head[5] == 1 else ">H", head, 18)
    if machine == 21:
        return "ppc64le" if head[5] == 1 else "ppc64"
    return MACHINES.get((machine, 32 if head[4] == 1 else 64))
