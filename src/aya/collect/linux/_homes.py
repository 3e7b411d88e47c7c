"""The home folders that people install software into, and how to look there without trusting what lies there."""

from aya.host.reading import File, Files, Read

HOMES = ("/root", "/home/*")

READS: tuple[Read, ...] = (File("/root"), Files("/home/*"))
"""Asked only to be refused: a home folder that may not be read is a gap, and what was found there before stays."""


def in_homes(pattern: str) -> tuple[str, ...]:
    """The pattern below each home folder."""
    return tuple(f"{home}/{pattern}" for home in HOMES)


def may_be_run(path: str) -> bool:
    """Whether AYA may start a program to ask its version: never one that an ordinary user put into a home folder.

    AYA may run as root, and whoever owns such a file would become root with it.
    """
    return not path.startswith("/home/")
