"""What firmware writes of a memory module's maker and part number: bytes in hexadecimal, as the module has them."""

import re

MAKERS = {
    (0, 0x2C): "Micron",
    (0, 0xAD): "SK Hynix",
    (0, 0xC1): "Infineon",
    (0, 0xCE): "Samsung",
    (1, 0x4F): "Transcend",
    (1, 0x7A): "Apacer",
    (1, 0x94): "SMART Modular",
    (1, 0x98): "Kingston",
    (2, 0x9E): "Corsair",
    (2, 0xFE): "Elpida",
    (3, 0x0B): "Nanya",
    (3, 0x25): "Kingmax",
    (4, 0x43): "Ramaxel",
    (4, 0xCB): "ADATA",
    (4, 0xCD): "G.Skill",
    (4, 0xEF): "Team Group",
    (5, 0x02): "Patriot",
    (5, 0x9B): "Crucial",
}
"""JEDEC JEP106: bank (from 0) and number of a maker. Many firmwares write these bytes instead of the name."""


def maker(text: str) -> str | None:
    """The name of the maker with that JEDEC number: `0x80CE`, `2C00000000000000`; None for anything else."""
    digits = re.fullmatch(r"(?:0x)?((?:[0-9A-Fa-f]{2}){2,8})", text)
    if digits is None:
        return None
    code = bytes.fromhex(digits[1])
    if len(code) == 8:
        bank = len(code) - len(code.lstrip(b"\x7f"))
        number = code[bank] if bank < len(code) else 0
    else:
        # The first byte counts banks; its highest bit is parity.
        bank, number = code[0] & 0x7F, code[1]
    return MAKERS.get((bank, number))


def is_spelled(text: str) -> bool:
    """Whether it is the hexadecimal codes of letters, as some firmwares write a part number."""
    return re.fullmatch(r"0x(?:[0-9A-Fa-f]{2}){8,}", text) is not None


def spelled(text: str) -> str | None:
    """The letters of `0x3848…`; None where nothing is left, or one letter, which is what an empty field leaves."""
    letters = bytes.fromhex(text[2:]).rstrip(b"\0 \xff")
    return letters.decode("ascii") if len(letters) > 3 and letters.isascii() else None
