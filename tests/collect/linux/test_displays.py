from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.collector import Unreadable
from aya.collect.edid import read_edid
from aya.collect.linux.displays import collector
from aya.host.local import LocalHost
from aya.host.reading import Answer, Found
from aya.model import Facts, Outcome
from tests.collect.answers import found
from tests.collect.declared import floats, undeclared

DP = "/sys/class/drm/card0-DP-1"
HDMI = "/sys/class/drm/card1-HDMI-A-2"


def understood(given: dict[str, Any]) -> Facts:
    facts = collector.parse(found(collector, given))
    assert not undeclared(collector, facts)
    assert not list(floats(facts.metadata))
    return facts


def summed(block: bytes) -> bytes:
    """A block with the last byte such that all its bytes add up to a multiple of 256."""
    return block[:127] + bytes([-sum(block[:127]) % 256])


def edid(
    *,
    serial: int = 0,
    name: str = "S32B80P",
    serial_text: str = "H4ZT500123",
    version: tuple[int, int] = (1, 4),
    size_mm: tuple[int, int] = (698, 393),
    interlaced: bool = False,
    extensions: tuple[bytes, ...] = (),
) -> bytes:
    """An EDID written after the standard: 3840x2160 at 533.25 MHz, 4000 by 2222 with blanking."""
    # S, A, M as 19, 1, 13 of five bits each.
    maker = (19 << 10 | 1 << 5 | 13).to_bytes(2, "big")
    head = b"\x00\xff\xff\xff\xff\xff\xff\x00" + maker + (0x7123).to_bytes(2, "little") + serial.to_bytes(4, "little")
    # Week 20 of 2022; 10 bits for each colour, DisplayPort; 70 by 39 cm.
    head += bytes([20, 2022 - 1990, *version, 0b10110101, 70, 39, 120, 0x06]) + bytes(10) + bytes(3) + b"\x01" * 16
    width, height = size_mm
    lines, blank = (1080, 31) if interlaced else (2160, 62)
    timing = (53325).to_bytes(2, "little")
    timing += bytes([3840 & 255, 160, 3840 >> 8 << 4, lines & 255, blank, lines >> 8 << 4, 48, 32, 0x35, 0])
    timing += bytes([width & 255, height & 255, width >> 8 << 4 | height >> 8, 0, 0, 0x80 if interlaced else 0x1A])
    texts = [(0xFC, name), (0xFF, serial_text)]
    rest = b"".join(b"\0\0\0" + bytes([kind, 0]) + (text + "\n").encode().ljust(13)[:13] for kind, text in texts)
    return summed((head + timing + rest + bytes(18) + bytes([len(extensions)]))[:127] + b"\0") + b"".join(extensions)


def extension(blocks: bytes) -> bytes:
    return summed((b"\x02\x03" + bytes([4 + len(blocks), 0]) + blocks).ljust(128, b"\0"))


HDR = bytes([7 << 5 | 3, 6, 0b101, 1])
AUDIO = bytes([1 << 5 | 3, 9, 7, 7])


def test_a_display_is_described_by_itself() -> None:
    read = read_edid(edid(extensions=(extension(AUDIO + HDR),)))
    assert (read.manufacturer, read.model, read.product_code) == ("Samsung", "S32B80P", "7123")
    assert (read.serial_number, read.made_in) == ("H4ZT500123", 2022)
    assert (read.resolution, read.width_mm, read.height_mm, read.bits_per_color) == ("3840x2160", 698, 393, 10)
    # 533250000 / (4000 * 2222) = 59.997 Hz
    assert read.refresh_millihertz == 59997
    assert read.hdr is True


def test_hdr_is_told_only_by_whole_extensions() -> None:
    assert read_edid(edid()).hdr is False
    assert read_edid(edid(extensions=(extension(AUDIO),))).hdr is False
    assert read_edid(edid(extensions=(extension(HDR)[:-1] + b"\x00",))).hdr is None
    assert read_edid(edid(extensions=(extension(HDR),))[:128]).hdr is None


def test_an_interlaced_picture_has_the_lines_of_both_fields() -> None:
    assert read_edid(edid(interlaced=True)).resolution == "3840x2160"


def test_an_aspect_ratio_is_not_taken_for_a_size() -> None:
    read = read_edid(edid(size_mm=(16, 9)))
    assert (read.width_mm, read.height_mm) == (700, 390)


def test_colour_depth_is_not_in_edid_1_3() -> None:
    assert read_edid(edid(version=(1, 3))).bits_per_color is None


def test_the_number_stands_in_for_a_serial_number_in_letters() -> None:
    assert read_edid(edid(serial=123456, serial_text="")).serial_number == "123456"
    assert read_edid(edid(serial=0x01010101, serial_text="")).serial_number is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "0 bytes"),
        (bytes(128), "begin"),
        (edid()[:127], "127 bytes"),
        (edid()[:60] + b"\x55" + edid()[61:], "checksum"),
    ],
)
def test_what_is_no_edid_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read_edid(data)


def test_connected_displays_are_listed_and_others_are_not() -> None:
    given = {
        f"{DP}/status": "connected\n",
        f"{DP}/edid": Answer(Outcome.OK, edid()),
        f"{DP}/modes": "3840x2160\n1920x1080\n",
        f"{HDMI}/status": "disconnected\n",
        "/sys/class/drm/card0-Writeback-1/status": "unknown\n",
    }
    (display,) = understood(given).metadata["displays"]
    assert (display["card"], display["connector"], display["model"]) == ("card0", "DP-1", "S32B80P")


def test_a_display_that_does_not_describe_itself_has_a_resolution() -> None:
    given = {f"{HDMI}/status": "connected\n", f"{HDMI}/edid": Answer(Outcome.OK), f"{HDMI}/modes": "1920x1080\n"}
    facts = understood(given)
    (display,) = facts.metadata["displays"]
    assert (display["connector"], display["resolution"], display["model"]) == ("HDMI-A-2", "1920x1080", None)
    assert facts.gaps == ()


def test_a_damaged_description_is_a_gap_and_the_display_still_there() -> None:
    given = {f"{DP}/status": "connected\n", f"{DP}/edid": Answer(Outcome.OK, bytes(128)), f"{DP}/modes": "800x600\n"}
    facts = understood(given)
    assert [gap.outcome for gap in facts.gaps] == [Outcome.UNREADABLE]
    assert facts.metadata["displays"][0]["resolution"] == "800x600"


def test_a_machine_without_displays_has_none() -> None:
    assert understood({}).absent is True
    assert understood({f"{DP}/status": "disconnected\n"}).absent is True


@given(st.binary(max_size=400))
def test_garbage_is_refused_or_read(data: bytes) -> None:
    facts = understood({f"{DP}/status": "connected", f"{DP}/edid": Answer(Outcome.OK, data)})
    assert len(facts.metadata["displays"]) == 1


@given(st.binary(min_size=119, max_size=119), st.binary(min_size=127, max_size=127))
def test_a_description_with_a_good_checksum_and_any_content_is_read(body: bytes, more: bytes) -> None:
    base = summed((b"\x00\xff\xff\xff\xff\xff\xff\x00" + body)[:126] + b"\x01\x00")
    read = read_edid(base + summed(b"\x02" + more))
    assert read.serial_number is None or read.serial_number.isprintable()
    assert read.refresh_millihertz is None or read.refresh_millihertz >= 0


def test_this_machine_is_looked_at() -> None:
    facts = collector.parse(Found.of(LocalHost(), collector.reads))
    assert not undeclared(collector, facts)
    assert facts.absent == ("displays" not in facts.metadata)
