"""The hash tree of RFC 9162."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from aya.audit.merkle import EMPTY, Frontier, includes, inclusion_proof, leaf_hash, root

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
