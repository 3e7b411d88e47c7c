"""Questions of `more` are not always asked; what they gave, without minding whether they were."""

from aya.host.reading import Found
from aya.model import Gap, Outcome


def asked(found: Found, name: str) -> str:
    """The text that a question gave, however it ended; empty where it was not asked."""
    answer = found.answers().get(name)
    return answer.text if answer is not None else ""


def refused(found: Found, start: str) -> tuple[Gap, ...]:
    """What was refused or broke, of optional questions whose names begin so: others may have answered, but not this one."""
    return tuple(
        Gap(answer.outcome, answer.reason or name)
        for name, answer in sorted(found.answers().items())
        if name.startswith(start) and answer.outcome in (Outcome.DENIED, Outcome.FAILED)
    )
