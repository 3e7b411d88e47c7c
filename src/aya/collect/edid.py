"""What a display says of itself (VESA EDID): who made it, how large it is, the resolution that is its own."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aya.collect.collector import Unreadable

HEADER = b"\x00\xff\xff\xff\xff\xff\xff\x00"
BLOCK = 128
SERIAL_NUMBER, MODEL_NAME = 0xFF, 0xFC
CTA_EXTENSION = 0x02
BITS = {1: 6, 2: 8, 3: 10, 4: 12, 5: 14, 6: 16}
"""EDID 1.4, byte 20, bits 6 to 4: bits for each colour."""

MAKERS = {
    "ACI": "ASUS",
    "ACR": "Acer",
    "AOC": "AOC",
    "APP": "Apple",
    "AUO": "AU Optronics",
    "AUS": "ASUS",
    "BNQ": "BenQ",
    "BOE": "BOE",
    "CMN": "Innolux",
    "DEL": "Dell",
    "ENC": "EIZO",
    "GBT": "Gigabyte",
    "GSM": "LG",
    "HPN": "HP",
    "HWP": "HP",
    "IVM": "iiyama",
    "LEN": "Lenovo",
    "LGD": "LG Display",
    "MSI": "MSI",
    "NEC": "NEC",
    "PHL": "Philips",
    "SAM": "Samsung",
    "SDC": "Samsung Display",
    "SHP": "Sharp",
    "SNY": "Sony",
    "VSC": "ViewSonic",
}
"""The three letters of a maker (the UEFI forum's PNP registry), where people know it by another name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edid:
    """What a display says of itself. None: it does not say."""

    manufacturer: str
    product_code: str
    model: str | None = None
    serial_number: str | None = None
    made_in: int | None = None
    width_mm: int | None = None
    height_mm: int | None = None
    resolution: str | None = None
    refresh_millihertz: int | None = None
    bits_per_color: int | None = None
    hdr: bool | None = None


def read_edid(data: bytes) -> Edid:
    """Understand an EDID (VESA E-EDID 1.3 and 1.4, with its extensions); raises `Unreadable` where it is none."""
    if len(data) < BLOCK:
        raise Unreadable(f"{len(data)} bytes, at least {BLOCK} are needed")
    base = data[:BLOCK]
    if not base.startswith(HEADER):
        raise Unreadable("it does not begin like one")
    if sum(base) % 256:
        raise Unreadable("its checksum is wrong")
    descriptors = [base[start : start + 18] for start in range(54, 126, 18)]
    number = int.from_bytes(base[12:16], "little")
    timing = next((d for d in descriptors if d[0] or d[1]), None)
    width, height, resolution, refresh = _timing(timing) if timing is not None else (None, None, None, None)
    digital, version = bool(base[20] & 0x80), (base[18], base[19])
    # In bytes 21 and 22 a nought means an aspect ratio, or a projector of no size.
    centimetres = (base[21], base[22]) if base[21] and base[22] else (0, 0)
    return Edid(
        manufacturer=maker(int.from_bytes(base[8:10], "big")),
        product_code=f"{int.from_bytes(base[10:12], 'little'):04x}",
        model=_text(descriptors, MODEL_NAME),
        # Many makers put 1 or 16843009 (0x01010101) where a serial number should be.
        serial_number=_text(descriptors, SERIAL_NUMBER)
        or (str(number) if number not in (0, 1, 0x01010101, 0xFFFFFFFF) else None),
        made_in=base[17] + 1990 if base[17] else None,
        width_mm=width or centimetres[0] * 10 or None,
        height_mm=height or centimetres[1] * 10 or None,
        resolution=resolution,
        refresh_millihertz=refresh,
        bits_per_color=BITS.get(base[20] >> 4 & 7) if digital and version >= (1, 4) else None,
        hdr=_hdr(data),
    )


def maker(number: int) -> str:
    """The maker by its number, which is three letters of five bits; the letters where no other name is known."""
    letters = "".join(chr(64 + (number >> shift & 31)) for shift in (10, 5, 0))
    return MAKERS.get(letters, letters)


def _text(descriptors: Iterable[bytes], kind: int) -> str | None:
    """The text of a descriptor: ends with a line feed, filled up with blanks."""
    for descriptor in descriptors:
        if descriptor[:3] == b"\0\0\0" and descriptor[3] == kind:
            text = descriptor[5:].partition(b"\n")[0].decode("cp437").replace("\0", "").strip()
            return text if text and text.isprintable() else None
    return None


def _timing(timing: bytes) -> tuple[int | None, int | None, str | None, int | None]:
    """Width and height in millimetres, resolution, and millihertz of a detailed timing."""
    clock = int.from_bytes(timing[0:2], "little") * 10_000
    across, across_blank = timing[2] | (timing[4] & 0xF0) << 4, timing[3] | (timing[4] & 0x0F) << 8
    down, down_blank = timing[5] | (timing[7] & 0xF0) << 4, timing[6] | (timing[7] & 0x0F) << 8
    width, height = timing[12] | (timing[14] & 0xF0) << 4, timing[13] | (timing[14] & 0x0F) << 8
    if not across or not down:
        return None, None, None, None
    # Interlaced: the lines are those of a field, of which two make a picture.
    lines = down * 2 if timing[17] & 0x80 else down
    refresh = round(clock * 1000 / ((across + across_blank) * (down + down_blank)))
    # Some write the aspect ratio (16 by 9 mm) where the size should be.
    if width < 50 or height < 50:
        width, height = 0, 0
    return width or None, height or None, f"{across}x{lines}", refresh


def _hdr(data: bytes) -> bool | None:
    """Whether it can show HDR; None where the extension that would say so is missing or damaged."""
    announced = data[126]
    extensions = [data[start : start + BLOCK] for start in range(BLOCK, BLOCK * (announced + 1), BLOCK)]
    if any(len(extension) < BLOCK or sum(extension) % 256 for extension in extensions):
        return None
    return any(tag == 7 and body[:1] == b"\x06" for extension in extensions for tag, body in _data_blocks(extension))


def _data_blocks(extension: bytes) -> Iterator[tuple[int, bytes]]:
    """The tagged blocks of a CTA-861 extension."""
    if extension[0] != CTA_EXTENSION:
        return
    place, end = 4, min(extension[2], BLOCK - 1)
    while place < end:
        tag, length = extension[place] >> 5, extension[place] & 31
        yield tag, extension[place + 1 : min(place + 1 + length, end)]
        place += 1 + length
