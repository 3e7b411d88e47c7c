"""Signed notes as C2SP defines them: a text, an empty line, and signatures by name and key.

    aya/7301234567890123456
    812
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — aya/7301234567890123456 Az3grlgt…

Any program that reads C2SP notes verifies these; a verifier key is written `NAME+HASH+BASE64` and is no secret.
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from aya.errors import AuditError
from aya.secret import kept_secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ED25519 = b"\1"
DASH = "\u2014 "


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key and the name it signs under."""

    name: str
    public: bytes

    @property
    def key_hash(self) -> bytes:
        """The four bytes by which a signature says which key made it."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_hash.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def read(cls, text: str) -> "VerifierKey":
        """The key that a text names. Raises AuditError."""
        try:
            if text.count("+") < 2:
                raise ValueError("it is not written NAME+HASH+BASE64")
            name, key_hash, encoded = text.strip().split("+", 2)
            data = base64.b64decode(encoded, validate=True)
            key = cls(name, data[1:])
            if data[:1] != ED25519 or len(data) != 33 or key.key_hash.hex() != key_hash.lower():
                raise ValueError("its hash does not fit, or it is no Ed25519 key")
        except (ValueError, binascii.Error) as error:
            raise AuditError(
                f"{text.strip()[:100]!r} is no verifier key: {error}.",
                remedy="`aya audit keys` prints the keys of a log.",
            ) from None
        return key

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether the signature over the data was made by this key."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, data)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class SigningKey:
    """A private key and the name it signs under."""

    name: str
    private: "Ed25519PrivateKey"

    @cached_property
    def verifier(self) -> VerifierKey:
        """What others need to verify what this key signs."""
        return VerifierKey(self.name, self.private.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """The text, which ends in a newline, as a signed note."""
        signature = self.verifier.key_hash + self.private.sign(text.encode())
        return f"{text}\n{DASH}{self.name} {base64.b64encode(signature).decode()}\n"


def kept_keys(folder: Path, name: str) -> list[SigningKey]:
    """The signing keys in the closed folder of secrets, whichever log they are of; they sign under that name.

    Raises AuditError for a file that holds none.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    found = []
    for path in sorted(folder.glob("audit-*.pem")):
        try:
            private = load_pem_private_key(path.read_bytes(), None)
            if not isinstance(private, Ed25519PrivateKey):
                raise TypeError("it is no Ed25519 key")
        except OSError as error:
            raise AuditError(f"The signing key {path} cannot be read: {error}.", remedy="Let it be read.") from error
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise AuditError(
                f"The signing key {path} holds no private Ed25519 key.",
                remedy="Put its copy back; or take the file away if it is not one of AYA's keys.",
            ) from error
        found.append(SigningKey(name, private))
    return found


def make_key(folder: Path, name: str) -> SigningKey:
    """A new signing key, kept in the closed folder of secrets, and nowhere else. Raises HostError."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = SigningKey(name, Ed25519PrivateKey.generate())
    pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    kept_secret(folder / f"audit-{key.verifier.key_hash.hex()}.pem", lambda: pem)
    return key


def opened(note: str, keys: Iterable[VerifierKey]) -> tuple[str, list[VerifierKey]]:
    """The text of a note, and those of the keys that signed it. Raises AuditError when it is no note or a signature is wrong.

    A signature by a key that is not among them says nothing, as C2SP has it.
    """
    text, separator, below = note.rpartition("\n\n")
    if not separator or not below.endswith("\n"):
        raise AuditError("It is no signed note: the text or its signatures are missing.")
    text += "\n"
    known = list(keys)
    signers = []
    for line in below.removesuffix("\n").split("\n"):
        if not line.startswith(DASH) or line.count(" ") != 2:
            raise AuditError(f"It is no signed note: {line[:80]!r} is no signature.")
        _, name, encoded = line.split(" ")
        try:
            data = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise AuditError(f"It is no signed note: {line[:80]!r} is no signature.") from None
        for key in known:
            if key.name == name and key.key_hash == data[:4]:
                if not key.verifies(data[4:], text.encode()):
                    raise AuditError(
                        f"The signature of {key.name} ({key.key_hash.hex()}) is wrong: the text was changed."
                    )
                signers.append(key)
    return text, signers
