"""What of a file is text, and what is none."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.documentation.text import text_of


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs", "Cc"))))
def test_utf_8_is_read_as_it_is(text: str) -> None:
    assert text_of(text.encode()) == text.removeprefix("\ufeff")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_text_that_says_its_encoding_is_read_in_it(encoding: str) -> None:
    assert text_of("Größe: 128 MB\r\n".encode(encoding)) == "Größe: 128 MB\r\n"


def test_a_few_bytes_that_are_not_utf_8_are_shown() -> None:
    assert text_of(b"a caf\xe9 in Latin-1, and some more words") == "a caf\\xe9 in Latin-1, and some more words"


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\0\0", b"text\0text", os.urandom(4096) + b"\0", bytes(range(128, 256)) * 8]
)
def test_what_is_no_text_is_none(data: bytes) -> None:
    assert text_of(data) is None


def test_an_empty_file_is_an_empty_text() -> None:
    assert text_of(b"") == ""


@given(st.binary(max_size=400))
def test_what_is_taken_for_text_can_be_stored(data: bytes) -> None:
    text = text_of(data)
    assert text is None or ("\0" not in text and text.encode().decode() == text)
