"""The hash tree of RFC 9162."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.audit.merkle import (
    EMPTY,
    Frontier,
    consistency_proof,
    extends,
    includes,
    inclusion_proof,
    leaf_hash,
    root,
)

leaves = st.lists(st.binary(max_size=8).map(leaf_hash), min_size=1, max_size=70)


def test_the_empty_tree_is_the_hash_of_nothing() -> None:
    assert Frontier().root == root([]) == EMPTY == sha256(b"").digest()


def test_small_trees_are_as_the_rfc_defines_them() -> None:
    a, b, c = (sha256(b"\0" + data).digest() for data in (b"a", b"b", b"c"))
    ab = sha256(b"\1" + a + b).digest()
    assert root([a]) == a
    assert root([a, b]) == ab
    assert root([a, b, c]) == sha256(b"\1" + ab + c).digest()


@given(leaves, st.integers(0, 69))
def test_a_tree_that_grew_is_the_tree_that_was_built_at_once(all_of_them: list[bytes], cut: int) -> None:
    cut = min(cut, len(all_of_them))
    first = Frontier()
    for one in all_of_them[:cut]:
        first.append(one)
    later = Frontier(first.size, bytes(first))
    for one in all_of_them[cut:]:
        later.append(one)
    assert later.root == root(all_of_them)


@given(leaves, st.data())
def test_every_leaf_is_proved_and_no_other_is(all_of_them: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(all_of_them) - 1))
    proof = inclusion_proof(all_of_them, index)
    size, top = len(all_of_them), root(all_of_them)
    assert includes(top, size, index, all_of_them[index], proof)
    assert not includes(top, size, index, leaf_hash(b"something else"), proof)
    assert not includes(leaf_hash(b"another root"), size, index, all_of_them[index], proof)
    assert not includes(top, size, size, all_of_them[index], proof)
    assert not includes(top, size, index, all_of_them[index], [*proof, EMPTY])
    if proof:
        assert not includes(top, size, index, all_of_them[index], proof[:-1])


# The eight leaves with which Certificate Transparency logs test themselves, and what they must come to.
KNOWN = [
    leaf_hash(bytes.fromhex(leaf))
    for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


@pytest.mark.parametrize("size", ROOTS)
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert root(KNOWN[:size]).hex() == ROOTS[size]


def test_a_proof_of_growth_is_that_of_certificate_transparency() -> None:
    assert [one.hex() for one in consistency_proof(KNOWN, 1)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [one.hex() for one in consistency_proof(KNOWN, 6)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@given(leaves, st.data())
def test_every_tree_is_proved_to_extend_each_earlier_one_and_no_other(
    all_of_them: list[bytes], data: st.DataObject
) -> None:
    new, size = root(all_of_them), len(all_of_them)
    old_size = data.draw(st.integers(1, size))
    old = root(all_of_them[:old_size])
    proof = consistency_proof(all_of_them, old_size)
    assert extends(old, old_size, new, size, proof)
    changed = data.draw(st.integers(0, old_size - 1))
    forged = root([*all_of_them[:changed], leaf_hash(b"forged"), *all_of_them[changed + 1 : old_size]])
    assert not extends(forged, old_size, new, size, proof)
    assert not extends(old, old_size, leaf_hash(b"other"), size, proof)
    assert not extends(old, old_size, new, size, [*proof, EMPTY])
    if proof:
        assert not extends(old, old_size, new, size, proof[:-1])


def test_a_size_that_a_tree_never_had_has_no_proof() -> None:
    for size in (0, 9):
        with pytest.raises(IndexError):
            consistency_proof(KNOWN, size)
