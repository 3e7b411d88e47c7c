"""Documents cut into passages: exact offsets, within the model's tokens, under the right headings."""

from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aya.embedding.model import Model
from aya.embedding.models import load
from aya.embedding.packaged import NAME
from aya.knowledge.document import Document, Form
from aya.knowledge.embedder import cutter_for
from aya.knowledge.headings import Outline, headings
from aya.knowledge.passages import Cutter
from aya.settings import Settings

WORDS = st.lists(
    st.sampled_from(["replication", "slot", "Größe", "128", "`wal_level`", "日本語", "a", "\u00adsoft", "x" * 300]),
    max_size=150,
)
BLOCK = st.one_of(
    st.builds(
        lambda level, text: f"{'#' * level} {text}",
        st.integers(1, 6),
        st.sampled_from(["Memory", "Disk use", "`a` b", "ß"]),
    ),
    WORDS.map(" ".join),
    WORDS.map("\n- ".join),
    st.just("```\n# no heading\nSELECT 1;\n```"),
    st.just("| a | b |\n|---|---|\n| 1 | 2 |"),
    st.just("---"),
)
TEXT = st.lists(BLOCK, max_size=12).map("\n\n".join)


@cache
def model() -> Model:
    return load(Settings(), NAME)


def document(text: str, form: Form = Form.MARKDOWN, title: str = "") -> Document:
    return Document(source="file:/a", content=text, title=title, form=form)


@pytest.mark.parametrize("form", list(Form))
@given(text=TEXT)
@settings(max_examples=15)
def test_passages_are_exact_in_order_within_the_model_and_lose_nothing(form: Form, text: str) -> None:
    one = document(text, form)
    for cutter in (Cutter(), cutter_for(model())):
        passages = cutter.passages(one)
        assert all(text[passage.start : passage.end] == passage.text for passage in passages)
        assert all(a.end <= b.start for a, b in pairwise(passages))
        covered = {place for passage in passages for place in range(passage.start, passage.end)}
        bare = {
            place
            for heading in headings(text)
            for place in range(heading.offset, text.find("\n", heading.offset) % (len(text) + 1))
        }
        assert all(place in covered or place in bare for place, char in enumerate(text) if char.isalnum())
    tokens = model().tokenizer.encode_batch([passage.embedded for passage in passages])
    assert all(len(one) <= model().max_tokens for one in tokens)


def test_a_passage_stands_under_its_headings() -> None:
    text = "# Server\n\n## Memory\n\nBuffers.\n\n## Disk\n\n### Limits\n\nQuotas.\n\n# Client\n\nNone.\n"
    found = {
        passage.text.split("\n")[-1]: passage.heading for passage in Cutter().passages(document(text, title="Guide"))
    }
    assert found == {
        "Buffers.": "Guide > Server > Memory",
        "Quotas.": "Guide > Server > Disk > Limits",
        "None.": "Guide > Client",
    }


def test_what_looks_like_a_heading_in_code_is_none() -> None:
    text = "Title\n=====\n\n```sh\n# not this\n```\n\n## That\n"
    assert [(heading.text, heading.level) for heading in headings(text)] == [("Title", 1), ("That", 2)]
    assert Outline(headings(text)).path(text.index("not this")) == ("Title",)


def test_a_heading_is_cut_and_its_innermost_part_stays() -> None:
    passage = cutter_for(model()).passages(document("Text.", title="very " * 60 + "deep end"))[0]
    assert passage.embedded.endswith("deep end\nText.")
    assert len(model().tokenizer.encode(passage.embedded.split("\n")[0]).ids) <= 32


def test_a_line_of_facts_is_a_passage_and_is_embedded_without_its_node() -> None:
    passages = Cutter().passages(document("port = 5432\nfsync = on\n", Form.FACTS, "Settings of ALPHA"))
    assert [(one.text, one.embedded, one.heading) for one in passages] == [
        ("port = 5432", "port = 5432", "Settings of ALPHA"),
        ("fsync = on", "fsync = on", "Settings of ALPHA"),
    ]
