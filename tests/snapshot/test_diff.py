"""Differences are complete: applied to the one document, they give the other."""

import copy
from typing import Any

import jsonpatch
from hypothesis import given
from hypothesis import strategies as st

from aya.snapshot.diff import diff, json_patch

names = st.sampled_from(["a", "b/c", "d~e", "", "ü", "f | g"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["x", "y"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
rows = st.dictionaries(names, values, max_size=3)
nodes = st.fixed_dictionaries(
    {
        "node": rows,
        "settings": st.dictionaries(names, rows, max_size=3),
        "services": st.dictionaries(names, rows, max_size=2),
    }
)
documents = st.builds(
    lambda n: {"kind": "aya.state", "schema_version": 1, "nodes": n},
    st.dictionaries(st.sampled_from(["ALPHA", "BETA"]), nodes, max_size=2),
)


def same(one: Any, other: Any) -> bool:
    """Equal as JSON, where 1 is not true."""
    return repr(sort(one)) == repr(sort(other))


def sort(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: sort(value[key]) for key in sorted(value)}
    return [sort(item) for item in value] if isinstance(value, list) else value


@given(documents, documents)
def test_the_patch_turns_the_one_document_into_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert same(jsonpatch.apply_patch(copy.deepcopy(before), json_patch(before, after)), after)


@given(documents, documents)
def test_there_is_a_difference_exactly_when_the_documents_differ(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert bool(diff(before, after)) == (not same(before, after))
    assert bool(json_patch(before, after)) == (not same(before, after))


@given(documents)
def test_a_document_does_not_differ_from_itself(document: dict[str, Any]) -> None:
    assert diff(document, copy.deepcopy(document)) == []


def test_a_change_is_named_by_node_section_row_and_field() -> None:
    before = {
        "nodes": {
            "ALPHA": {"node": {}, "settings": {"7:5432 | work_mem": {"setting_value": "4096", "metadata": {"line": 1}}}}
        }
    }
    after = copy.deepcopy(before)
    after["nodes"]["ALPHA"]["settings"]["7:5432 | work_mem"]["metadata"]["line"] = 2
    (found,) = diff(before, after)
    assert (found.node, found.section, found.key, found.path) == (
        "ALPHA",
        "settings",
        "7:5432 | work_mem",
        ("metadata", "line"),
    )
    assert (found.change, found.old, found.new) == ("changed", 1, 2)
