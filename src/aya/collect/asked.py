"""Questions of `more` are not always asked; what they gave, without minding whether they were."""

from aya.host.reading import Found


def asked(found: Found, name: str) -> str:
    """The text that a question gave, however it ended; empty where it was not asked."""
    try:
        return found.answer(name).text
    except KeyError:
        return ""
