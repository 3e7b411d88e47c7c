"""PostgreSQL servers that are installed, running or not: version, architecture and the compiler they were built with.

Found are those of the distribution, of the PostgreSQL project's packages, those built by hand, and the ones that come
in a Python wheel with AYA. The version and compiler are what the server would answer to `SELECT version()`: read from
its header file where that is installed, else from the program itself, without starting it.
"""

import posixpath

from aya.collect.architecture import architecture_name, runtime_mode
from aya.collect.collector import Collector
from aya.collect.elf import architecture_of_program
from aya.collect.executables import distinct, reads_of, there
from aya.collect.json_values import dig, parsed, words
from aya.collect.postgres_build import HEADERS, WHEELS, WHOLE_PROGRAM, installed_server
from aya.host.reading import Call, Files, Found, Head, Read
from aya.model import Facts, Gap, Outcome, Software

PREFIXES = (
    "/usr/lib/postgresql/*",
    "/usr/pgsql-*",
    "/usr/local/pgsql*",
    "/usr/local",
    "/usr",
    "/opt/*",
    "/opt/postgresql/*",
    "/Library/PostgreSQL/*",
)


def _wheels(found: Found) -> list[str]:
    """Where the servers of AYA's own Python would be."""
    answer = parsed(found.text("running-python"))
    prefix, version = words(dig(answer, "prefix")), words(dig(answer, "version"))
    if prefix is None or version is None:
        return []
    packages = f"{prefix}/lib/python{'.'.join(version.split('.')[:2])}/site-packages"
    return [f"{packages}/{wheel}" for wheel in WHEELS]


def _prefixes(found: Found) -> list[str]:
    """Where servers are installed, as far as the first questions told."""
    programs = distinct(found, there(found, [f"{prefix}/bin/postgres" for prefix in PREFIXES]))
    return [posixpath.dirname(posixpath.dirname(program)) for program in programs]


def more(found: Found) -> tuple[Read, ...]:
    """The head of each server's program; all of it where no header file tells the compiler."""
    asked: list[Read] = []
    for prefix in _prefixes(found):
        has_header = any(f"{prefix}/{header}" in found.answers() for header in HEADERS)
        asked.append(Head(f"{prefix}/bin/postgres", 64 if has_header else WHOLE_PROGRAM))
    for prefix in _wheels(found):
        asked += [Head(f"{prefix}/bin/postgres"), *(Files(f"{prefix}/{header}") for header in HEADERS)]
    return tuple(asked)


def _row(found: Found, prefix: str, machine: str | None) -> tuple[Software, Gap | None]:
    architecture = architecture_of_program(found.answer(f"head {prefix}/bin/postgres").data)
    headers = tuple(f"{prefix}/{header}" for header in HEADERS)
    return installed_server(found, prefix, headers, architecture, runtime_mode(architecture, machine))


def parse(found: Found) -> Facts:
    """Every installed server."""
    machine = architecture_name(words(parsed(found.text("machine-architecture"))))
    wheels = [prefix for prefix in _wheels(found) if found.answer(f"head {prefix}/bin/postgres").outcome is Outcome.OK]
    rows = [_row(found, prefix, machine) for prefix in sorted({*_prefixes(found), *wheels})]
    return Facts(
        software=tuple(row for row, _ in rows),
        gaps=tuple(gap for _, gap in rows if gap),
        absent=not rows and not found.gaps(),
    )


collector = Collector(
    reads=(
        *reads_of(f"{prefix}/bin/postgres" for prefix in PREFIXES),
        *(Files(f"{prefix}/{header}", optional=True) for prefix in PREFIXES for header in HEADERS),
        Call("running-python"),
        Call("machine-architecture"),
    ),
    more=more,
    parse=parse,
    sections=("software",),
    metadata={
        "software:packager": "version of the package as its packager writes it, `Debian 15.20-0+deb12u1`",
        "software:platform": "system it was built for, `x86_64-pc-linux-gnu`",
    },
)
