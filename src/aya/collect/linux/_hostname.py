"""The host name: the kernel's own, or as programs print it where that was not kept."""

import re

from aya.collect.asked import asked
from aya.host.reading import Command, File, Found, Read

HOSTNAME = "/proc/sys/kernel/hostname"
READ = File(HOSTNAME, optional=True)


def questions(found: Found) -> tuple[Read, ...]:
    """What to ask where the kernel's file does not answer."""
    return (
        () if found.line(HOSTNAME) else (Command(("hostname",), optional=True), Command(("uname", "-a"), optional=True))
    )


def host_name(found: Found) -> str | None:
    """The name; None where nothing tells, or where none was given."""
    kernel = re.match(r"Linux (\S+) \d", asked(found, "uname -a"))
    name = found.line(HOSTNAME) or asked(found, "hostname").strip() or (kernel[1] if kernel else "")
    return name if re.fullmatch(r"[\w.-]{1,255}", name) else None
