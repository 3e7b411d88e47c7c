"""The home folders of a Mac, and how to look there without trusting what lies there."""

from aya.host.reading import Files, Read

HOMES = ("/Users/*", "/var/root")

READS: tuple[Read, ...] = (Files("/Users/*", optional=True),)
"""Asked only to know the homes. One that may not be entered is everyday: the system keeps them from each other."""


def in_homes(pattern: str) -> tuple[str, ...]:
    """The pattern below each home folder."""
    return tuple(f"{home}/{pattern}" for home in HOMES)


def may_be_run(path: str) -> bool:
    """Whether AYA may start a program to ask its version.

    Never one that an ordinary user put into a home folder, with whose rights AYA may run. And none of `/usr/bin`: there
    are stand-ins for the developer tools, which open a window to install them where they are missing.
    """
    return not path.startswith(("/Users/", "/usr/bin/"))
