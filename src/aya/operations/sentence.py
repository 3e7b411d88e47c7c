"""What a docstring says first."""


def first_sentence(text: str) -> str:
    """The first sentence of a text."""
    first = text.split("\n\n")[0].replace("\n", " ")
    return first.split(". ")[0].rstrip(".:") + "."
