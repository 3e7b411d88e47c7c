"""Checkpoints of the log as C2SP defines them: its name, how many changes it holds, the root over them.

They are kept outside the database.
"""

import base64
import binascii
import os
from dataclasses import dataclass
from pathlib import Path

from aya.audit.merkle import SIZE
from aya.errors import AuditError, HostError


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log was at some time."""

    origin: str
    size: int
    root: bytes
    extension: tuple[str, ...] = ()
    """Further lines that are signed with it: of a seal, what the seal says of itself."""

    @property
    def text(self) -> str:
        """What is signed."""
        root = base64.b64encode(self.root).decode()
        return "".join(f"{line}\n" for line in (self.origin, self.size, root, *self.extension))

    @classmethod
    def read(cls, text: str) -> "Checkpoint":
        """A checkpoint out of the text of a note. Raises AuditError."""
        lines = text.removesuffix("\n").split("\n")
        try:
            origin, size, root, *extension = lines
            decoded = base64.b64decode(root, validate=True)
            if not origin or str(int(size)) != size or int(size) < 0 or len(decoded) != SIZE or "" in extension:
                raise ValueError(size)
        except (ValueError, binascii.Error):
            raise AuditError(f"It is no checkpoint: {text[:200]!r}.") from None
        return cls(origin, int(size), decoded, tuple(extension))


def keep(folder: Path, size: int, note: str) -> Path:
    """Write a signed checkpoint into the folder of checkpoints; one that is there stays. Raises HostError."""
    path = folder / f"{size:012}.checkpoint"
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        if not path.exists():
            incoming = path.with_suffix(f".{os.getpid()}")
            incoming.write_text(note)
            incoming.replace(path)
    except OSError as error:
        raise HostError(
            f"The checkpoint {path} cannot be kept: {error}.", remedy="Let the folder be written."
        ) from error
    return path


def kept(folder: Path) -> list[tuple[str, str]]:
    """The checkpoints in a folder, by name, as signed notes, the earliest first. Raises HostError."""
    try:
        return [(path.name, path.read_text("utf-8")) for path in sorted(folder.glob("*.checkpoint"))]
    except (OSError, UnicodeDecodeError) as error:
        raise HostError(f"The checkpoints in {folder} cannot be read: {error}.", remedy="Let them be read.") from error
