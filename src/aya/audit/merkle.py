"""The hash tree of RFC 9162 (section 2.1): roots, proofs that a leaf is in it, and proofs that it only grew.

A hash is 32 bytes, SHA-256. Leaves and inner nodes are hashed apart (0x00 and 0x01 before them), so that neither can pass
as the other.
"""

from collections.abc import Sequence
from hashlib import sha256

EMPTY = sha256(b"").digest()
SIZE = 32


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf."""
    return sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\1" + left + right).digest()


class Frontier:
    """What must be kept of a tree to append to it: the roots of its full subtrees, one for each set bit of its size."""

    def __init__(self, size: int = 0, hashes: bytes = b"") -> None:
        self.size = size
        self._roots = [hashes[i : i + SIZE] for i in range(0, len(hashes), SIZE)]
        if len(self._roots) != size.bit_count() or len(hashes) % SIZE:
            raise ValueError(
                f"a tree of {size} leaves has {size.bit_count()} full subtrees, not {len(hashes) / SIZE:g}"
            )

    def append(self, leaf: bytes) -> None:
        """Add the hash of the next leaf."""
        position = self.size
        while position & 1:
            leaf = node_hash(self._roots.pop(), leaf)
            position >>= 1
        self._roots.append(leaf)
        self.size += 1

    @property
    def root(self) -> bytes:
        """The root of the tree as it is."""
        if not self._roots:
            return EMPTY
        root = self._roots[-1]
        for left in reversed(self._roots[:-1]):
            root = node_hash(left, root)
        return root

    def __bytes__(self) -> bytes:
        return b"".join(self._roots)


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, as the RFC defines it."""
    match len(leaves):
        case 0:
            return EMPTY
        case 1:
            return leaves[0]
        case count:
            split = _split(count)
            return node_hash(root(leaves[:split]), root(leaves[split:]))


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes beside the way from leaf `index` to the root. Raises IndexError when there is no such leaf."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"there is no leaf {index} in a tree of {len(leaves)}")
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_proof(leaves[:split], index), root(leaves[split:])]
    return [*inclusion_proof(leaves[split:], index - split), root(leaves[:split])]


def includes(root_hash: bytes, size: int, index: int, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a proof shows that a leaf hash is at `index` in the tree of that root and size (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, found = index, size - 1, leaf
    for beside in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            found = node_hash(beside, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, beside)
        node, last = node >> 1, last >> 1
    return last == 0 and found == root_hash


def consistency_proof(leaves: Sequence[bytes], size: int) -> list[bytes]:
    """The hashes that show that the tree of the first `size` leaves grew into the tree of all.

    Raises IndexError for a size that it never had.
    """
    if not 0 < size <= len(leaves):
        raise IndexError(f"a tree of {len(leaves)} leaves never had {size}")
    return _growth(leaves, size, known=True)


def _growth(leaves: Sequence[bytes], size: int, *, known: bool) -> list[bytes]:
    """`known`: the verifier has the root over just these leaves (RFC 9162, 2.1.4.1)."""
    if size == len(leaves):
        return [] if known else [root(leaves)]
    split = _split(len(leaves))
    if size <= split:
        return [*_growth(leaves[:split], size, known=known), root(leaves[split:])]
    return [*_growth(leaves[split:], size - split, known=False), root(leaves[:split])]


def extends(old_root: bytes, old_size: int, new_root: bytes, new_size: int, proof: Sequence[bytes]) -> bool:
    """Whether a proof shows that the tree of the new root begins with the tree of the old one (RFC 9162, 2.1.4.2)."""
    if old_size == new_size:
        return not proof and old_root == new_root
    if not 0 < old_size < new_size:
        return False
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else [*proof]
    if not path:
        return False
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for beside in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(beside, old), node_hash(beside, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, beside)
        node, last = node >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


def _split(count: int) -> int:
    """The largest power of two below a count above one."""
    return 1 << (count - 1).bit_length() - 1
