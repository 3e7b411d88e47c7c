"""The kernel's own variables, as `sysctl` prints them: `hw.memsize: 17179869184`."""

import re
from collections.abc import Mapping

from aya.collect.json_values import integer
from aya.host.reading import Command, Found, Read
from aya.model import Gap, Outcome

Variables = Mapping[str, str]
"""Names and values."""

TRANSLATED = "sysctl -n sysctl.proc_translated"


def question(tree: str) -> Command:
    """All variables of a tree: hw, machdep, kern."""
    return Command(("sysctl", tree), optional=True)


TRANSLATION: Read = Command(("sysctl", "-n", "sysctl.proc_translated"), optional=True)
"""Whether whoever asks runs under Rosetta 2. Systems that have no Rosetta 2 do not know the variable."""


def variables(found: Found, *trees: str) -> Variables:
    """Name and value of everything in these trees; old systems write some twice, of which the first counts."""
    values: dict[str, str] = {}
    for tree in trees:
        answer = found.answers().get(f"sysctl {tree}")
        # It ends with a failure where a single variable could not be read; the others stand there all the same.
        text = answer.text.lstrip("\ufeff") if answer is not None else ""
        for name, value in re.findall(r"^([A-Za-z_][\w.]*)(?::| =)(.*)$", text, re.MULTILINE):
            if name.startswith(f"{tree}."):
                values.setdefault(name, value.strip())
    return values


def translated(found: Found) -> bool | None:
    """Whether we run under Rosetta 2; None where it cannot be told."""
    return {"1": True, "0": False}.get(found.line(TRANSLATED) or "")


def number(values: Mapping[str, str], *names: str) -> int | None:
    """The first of these variables that is a whole number."""
    return next((value for name in names if (value := integer(values.get(name))) is not None), None)


def gap(found: Found, tree: str) -> Gap:
    """Why nothing is known of that tree."""
    answer = found.answers().get(f"sysctl {tree}")
    if answer is None or answer.outcome is Outcome.ABSENT:
        return Gap(Outcome.UNSUPPORTED, f"sysctl {tree}: there is no such program")
    if answer.outcome is Outcome.OK:
        return Gap(Outcome.UNREADABLE, f"sysctl {tree}: its answer was not understood")
    return Gap(answer.outcome, f"sysctl {tree}: {answer.reason or answer.outcome}")
