"""What a token looks like: `aya_` and 8 characters that are no secret, `_`, 43 that are, and 6 of checksum.

The secret is 256 random bits, so that its plain SHA-256 cannot be tried; the checksum lets a typing error, or a scanner for
secrets, be told from a guess without asking the database.
"""

import re
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from zlib import crc32

from aya.errors import NotAuthenticated

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PREFIX_LETTERS = 8
SECRET_LETTERS = 43  # 62^43 is just above 2^256
CHECKSUM_LETTERS = 6  # 62^6 is above 2^32
SHAPE = re.compile(
    rf"(aya_[0-9A-Za-z]{{{PREFIX_LETTERS}}})_[0-9A-Za-z]{{{SECRET_LETTERS + CHECKSUM_LETTERS}}}", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Token:
    """A whole token. Only its prefix and its hash are ever kept."""

    text: str = field(repr=False)

    @property
    def prefix(self) -> str:
        """What it is recognised by; no secret."""
        return self.text[: len("aya_") + PREFIX_LETTERS]

    @property
    def hash(self) -> bytes:
        """SHA-256 of all of it."""
        return sha256(self.text.encode()).digest()

    def is_that_of(self, kept_hash: bytes) -> bool:
        """Whether it is the token of that hash, in a time that does not tell how nearly."""
        return compare_digest(self.hash, kept_hash)


def make_token() -> Token:
    """A new one."""
    prefix, secret = (
        "".join(secrets.choice(ALPHABET) for _ in range(letters)) for letters in (PREFIX_LETTERS, SECRET_LETTERS)
    )
    body = f"aya_{prefix}_{secret}"
    return Token(body + _checksum(body))


def read_token(text: str) -> Token:
    """A token as somebody sent it. Raises NotAuthenticated for what cannot be one; what was sent is not repeated."""
    if SHAPE.fullmatch(text) is None:
        raise NotAuthenticated(
            "What was sent as a token is none of AYA's.", remedy="Send the whole token: `aya_…` of 62 characters."
        )
    if _checksum(text[:-CHECKSUM_LETTERS]) != text[-CHECKSUM_LETTERS:]:
        raise NotAuthenticated("The token is misspelt: its checksum does not fit.", remedy="Copy it once more, whole.")
    return Token(text)


def _checksum(body: str) -> str:
    rest, letters = crc32(body.encode()), ""
    for _ in range(CHECKSUM_LETTERS):
        rest, digit = divmod(rest, len(ALPHABET))
        letters = ALPHABET[digit] + letters
    return letters
