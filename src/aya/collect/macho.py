"""For which processors a program of a Mac was built: the head of its Mach-O file, or of a universal one around several."""

import struct

NAMES = {
    7: "x86",
    0x01000007: "x86_64",
    12: "ARM",
    0x0100000C: "ARM64",
    0x0200000C: "ARM64_32",
    18: "ppc",
    0x01000012: "ppc64",
}
"""By processor type (mach/machine.h)."""

SINGLE = {b"\xfe\xed\xfa\xce": ">", b"\xfe\xed\xfa\xcf": ">", b"\xce\xfa\xed\xfe": "<", b"\xcf\xfa\xed\xfe": "<"}
"""The first bytes of a file for one processor, and the byte order of the numbers after them."""
UNIVERSAL = {b"\xca\xfe\xba\xbe": 20, b"\xca\xfe\xba\xbf": 32}
"""The first bytes of a universal file, and how long the entry of each processor is."""
MOST_PROCESSORS = 16
"""A class of Java begins with the same bytes: there follows its version, which is higher."""

HEAD_BYTES = 8 + 32 * MOST_PROCESSORS
"""How much of a file must be read to know all its processors."""


def architectures_of_program(head: bytes) -> tuple[str, ...]:
    """The architectures in the first bytes of a program, in their order; none where it is no program of a Mac."""
    order = SINGLE.get(head[:4])
    if order is not None:
        return _named([struct.unpack_from(f"{order}I", head, 4)[0]]) if len(head) >= 8 else ()
    length = UNIVERSAL.get(head[:4])
    if length is None or len(head) < 8:
        return ()
    (count,) = struct.unpack_from(">I", head, 4)
    if count > MOST_PROCESSORS or len(head) < 8 + length * (count - 1) + 4:
        return ()
    return _named([struct.unpack_from(">I", head, 8 + length * number)[0] for number in range(count)])


def _named(types: list[int]) -> tuple[str, ...]:
    """Each once; the program is not known where one of them is not."""
    names = [NAMES.get(kind) for kind in types]
    return () if None in names else tuple(dict.fromkeys(name for name in names if name))
