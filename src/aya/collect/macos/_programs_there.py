"""How programs are looked for on a Mac, and what it means where none is found."""

from collections.abc import Iterable

from aya.host.reading import Found, Links, Names, Read
from aya.model import Gap, Outcome

EVERYWHERE = "/cores"
LOOKED: Read = Names(EVERYWHERE, optional=True)
"""A folder that every Mac has, and nobody records for itself: where it was seen, somebody looked what is there."""


def looked_for(patterns: Iterable[str]) -> tuple[Read, ...]:
    """What to ask to find programs: that they are there, and where those lead that are links."""
    patterns = tuple(patterns)
    # A link's target must be the last answer under its name.
    return (*(Names(one, optional=True) for one in patterns), *(Links(one, optional=True) for one in patterns))


def only_a_part(found: Found, what: str) -> tuple[Gap, ...]:
    """A gap where this is a recording of some files: that others are not in it does not mean that they were not there."""
    if found.answer(EVERYWHERE).outcome is Outcome.OK:
        return ()
    return (Gap(Outcome.UNREADABLE, f"{what}: only what is in the recording is known"),)
