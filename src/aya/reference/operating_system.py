"""Which version of macOS a kernel belongs to."""

import re
from dataclasses import dataclass
from functools import cache

from aya.reference.data import platform, source


@dataclass(frozen=True, slots=True)
class OperatingSystem:
    """One version of an operating system, and the kernel it came with."""

    name: str
    """As it was called then: `Mac OS X`, `OS X`, `macOS`."""
    version: str
    """What all its releases begin with: `10.15`, `26`."""
    code_name: str
    kernel: str
    """`Darwin`."""
    kernel_major: int
    source: str

    def includes(self, version: str) -> bool:
        """Whether a version belongs to it: `26.1` to 26, `10.15.7` to 10.15; `15` does not belong to 10.15."""
        return f"{version}.".startswith(f"{self.version}.")


@cache
def operating_systems() -> tuple[OperatingSystem, ...]:
    """All that are known, oldest first."""
    return tuple(
        OperatingSystem(**entry | {"source": source(entry["source"])}) for entry in platform()["operating_system"]
    )


def operating_system(kernel: str) -> OperatingSystem | None:
    """The operating system of a kernel: `25.0.0`, `Darwin 25.0.0`, or what `uname -v` prints; None for another kernel.

    A bare version is taken for Darwin's: do not ask with that of another system.
    """
    found = re.match(r"(?:Darwin (?:Kernel Version )?)?(\d{1,3})(?:\.\d+){0,3}(?![\w.-])", kernel.strip())
    return next((one for one in operating_systems() if found and one.kernel_major == int(found[1])), None)
