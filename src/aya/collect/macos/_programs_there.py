"""How programs are looked for on a Mac, and what it means where none is found."""

from collections.abc import Iterable

from aya.host.reading import Call, Found, Links, Names, Read
from aya.model import Gap, Outcome

WHO_ASKS: Read = Call("user-id", optional=True)
"""A live machine always tells who asks, and so does a whole recording."""


def looked_for(patterns: Iterable[str]) -> tuple[Read, ...]:
    """What to ask to find programs: that they are there, and where those lead that are links."""
    patterns = tuple(patterns)
    # A link's target must be the last answer under its name.
    return (*(Names(one, optional=True) for one in patterns), *(Links(one, optional=True) for one in patterns))


def only_a_part(found: Found, what: str) -> tuple[Gap, ...]:
    """A gap where this is a recording of some files: that others are not in it does not mean that they were not there."""
    if found.answer("user-id").outcome is Outcome.OK:
        return ()
    return (Gap(Outcome.UNREADABLE, f"{what}: only what is in the recording is known"),)
