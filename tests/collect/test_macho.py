import struct

from hypothesis import given
from hypothesis import strategies as st

from aya.collect.macho import HEAD_BYTES, MOST_PROCESSORS, NAMES, architectures_of_program

X86_64, ARM64, POWERPC = 0x01000007, 0x0100000C, 18


def single(kind: int, order: str = "<") -> bytes:
    """The head of a program for one processor."""
    return struct.pack(f"{order}III", 0xFEEDFACF, kind, 3) + bytes(20)


def universal(*kinds: int, wide: bool = False) -> bytes:
    """The head of a program for several."""
    entry = ">IIQQII" if wide else ">IIIII"
    rest = (0x4000, 0x1000, 14, 0) if wide else (0x4000, 0x1000, 14)
    heads = b"".join(struct.pack(entry, kind, 0, *rest) for kind in kinds)
    return struct.pack(">II", 0xCAFEBABF if wide else 0xCAFEBABE, len(kinds)) + heads


def test_a_program_for_one_processor_names_it() -> None:
    assert architectures_of_program(single(ARM64)) == ("ARM64",)
    assert architectures_of_program(single(X86_64)) == ("x86_64",)
    assert architectures_of_program(single(POWERPC, ">")) == ("ppc",)


def test_a_universal_program_names_all_of_them_in_both_widths() -> None:
    assert architectures_of_program(universal(X86_64, ARM64)) == ("x86_64", "ARM64")
    assert architectures_of_program(universal(X86_64, ARM64, wide=True)) == ("x86_64", "ARM64")


def test_a_class_of_java_is_no_universal_program_though_it_begins_alike() -> None:
    assert architectures_of_program(b"\xca\xfe\xba\xbe\x00\x00\x00\x34" + bytes(400)) == ()


def test_a_program_with_a_part_for_an_unknown_processor_is_not_known() -> None:
    assert architectures_of_program(universal(X86_64, 0x7777)) == ()


@given(st.lists(st.sampled_from(sorted(NAMES)), min_size=1, max_size=MOST_PROCESSORS, unique=True), st.booleans())
def test_whatever_parts_a_program_has_its_head_is_enough_to_name_them(kinds: list[int], wide: bool) -> None:
    head = universal(*kinds, wide=wide)[:HEAD_BYTES]
    assert architectures_of_program(head) == tuple(NAMES[kind] for kind in kinds)


@given(st.binary(max_size=HEAD_BYTES))
def test_no_bytes_whatever_break_it(head: bytes) -> None:
    assert isinstance(architectures_of_program(head), tuple)
    assert isinstance(architectures_of_program(b"\xca\xfe\xba\xbe" + head), tuple)
