"""Vectors that were made before, in memory: the least used go first when they are more than so many bytes."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b, md5

import numpy as np

from aya.embedding.backend import Vectors

ENTRY_BYTES = 400
"""What Python takes for an entry beside the numbers."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a text."""

    vector: Vectors
    """float32 (d), not normalised."""
    tokens: int
    parts: int

    @property
    def size_bytes(self) -> int:
        """What it takes."""
        return int(self.vector.nbytes) + ENTRY_BYTES


def text_key(text: str, prefix: str, *, split: bool) -> bytes:
    """By what a text is found again with one model, 32 bytes: MD5, as the contract says, and for those who make two texts of
    one MD5 a second hash.
    """
    data = b"%d %d " % (split, len(prefix)) + prefix.encode() + text.encode("utf-8", "surrogatepass")
    return md5(data, usedforsecurity=False).digest() + blake2b(data, digest_size=16).digest()


class Cache:
    """The vectors of one model. May be used by several threads."""

    def __init__(self, limit_bytes: int, *, keeps: bool = False) -> None:
        """`keeps`: remember which entries are new, see `take_new`."""
        self.limit_bytes = limit_bytes
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self._lock = threading.Lock()
        self._size_bytes = 0
        self._new: set[bytes] | None = set() if keeps else None

    def get(self, key: bytes) -> Entry | None:
        """What is known of a text."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
            return entry

    def put(self, key: bytes, entry: Entry, *, is_new: bool = True) -> None:
        """Know it. `is_new`: it was made just now, and is kept nowhere else."""
        # A row of a batch would hold the whole batch.
        owned = Entry(np.array(entry.vector, np.float32), entry.tokens, entry.parts)
        with self._lock:
            if owned.size_bytes > self.limit_bytes or key in self._entries:
                return
            self._entries[key] = owned
            self._size_bytes += owned.size_bytes
            if self._new is not None and is_new:
                self._new.add(key)
            while self._size_bytes > self.limit_bytes:
                gone, old = self._entries.popitem(last=False)
                self._size_bytes -= old.size_bytes
                if self._new is not None:
                    self._new.discard(gone)

    def take_new(self) -> list[tuple[bytes, Entry]]:
        """The entries that are new since the last time."""
        with self._lock:
            new, self._new = self._new or (), set()
            return [(key, self._entries[key]) for key in new]

    def give_back(self, keys: list[bytes]) -> None:
        """They are new still: they could not be kept."""
        with self._lock:
            if self._new is not None:
                self._new.update(key for key in keys if key in self._entries)

    @property
    def size_bytes(self) -> int:
        """What all entries take."""
        return self._size_bytes

    def __len__(self) -> int:
        return len(self._entries)
