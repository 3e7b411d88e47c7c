"""PostgreSQL servers that are installed on a Mac, running or not: version, architecture, and how they were built.

Found are those of EDB's installer (/Library/PostgreSQL), Postgres.app, Homebrew, MacPorts, those built by hand, and the
ones that come in a Python wheel. Version and compiler are what the server would answer to `SELECT version()`: read from
its header file, else from the program itself, without starting it. The architecture is that of the program file, also
where only a part of a universal one runs here; a server for Intel runs under Rosetta 2 on Apple silicon.
"""

import posixpath
import re

from aya.collect.architecture import architecture_name
from aya.collect.collector import Collector
from aya.collect.executables import distinct, there
from aya.collect.json_values import dig, parsed, words
from aya.collect.macho import HEAD_BYTES, architectures_of_program
from aya.collect.macos import _rosetta
from aya.collect.macos._programs_there import LOOKED, looked_for, only_a_part
from aya.collect.postgres_build import HEADERS, WHEELS, WHOLE_PROGRAM, installed_server
from aya.host.reading import Call, Command, Files, Found, Head, Read, path_matches
from aya.model import Facts, Gap, Outcome, Software

PREFIXES = {
    "/Library/PostgreSQL/*": "EDB",
    "/Applications/Postgres*.app/Contents/Versions/*": "Postgres.app",
    "/opt/homebrew/Cellar/postgresql*/*": "Homebrew",
    "/usr/local/Cellar/postgresql*/*": "Homebrew",
    "/opt/local/lib/postgresql*": "MacPorts",
    "/usr/local/pgsql*": None,
    "/usr/local": None,
    "/opt/*": None,
}
"""Where servers are installed, and whose they are there."""
EDB, EDB_VERSIONS = "/Library/PostgreSQL", range(9, 30)
VERSION = "postgres --version"
"""What people record instead of files. A live machine is not asked: its files tell more."""
ARCHITECTURES = re.compile(r"Mach-O (?:64-bit )?executable (\w+)")
MACPORTS_HEADERS = "/opt/local/include/postgresql*/server/pg_config.h"


def _prefixes(found: Found) -> list[str]:
    """Where servers are, by their programs, and where only header files are known, by these."""
    programs = distinct(found, there(found, [f"{prefix}/bin/postgres" for prefix in PREFIXES]))
    headers = there(found, [f"{prefix}/{header}" for prefix in PREFIXES for header in HEADERS])
    beside = {path.removesuffix(f"/{header}") for path in headers for header in HEADERS if path.endswith(header)}
    by_program = [posixpath.dirname(posixpath.dirname(program)) for program in programs]
    return by_program if programs else sorted(beside)


def _headers(found: Found, prefix: str) -> tuple[str, ...]:
    """The header files of a server; MacPorts keeps them beside its library folder."""
    beside = prefix.replace("/opt/local/lib/", "/opt/local/include/")
    names = [*(f"{prefix}/{header}" for header in HEADERS), f"{beside}/server/pg_config.h"]
    return tuple(name for name in names if name in found.answers())


def _wheels(found: Found) -> list[str]:
    """Where the servers of AYA's own Python would be."""
    answer = parsed(found.text("running-python"))
    prefix, version = words(dig(answer, "prefix")), words(dig(answer, "version"))
    if prefix is None or version is None:
        return []
    return [f"{prefix}/lib/python{'.'.join(version.split('.')[:2])}/site-packages/{wheel}" for wheel in WHEELS]


def more(found: Found) -> tuple[Read, ...]:
    """The head of each server's program; all of it where no header file tells the compiler."""
    asked: list[Read] = []
    for prefix in _prefixes(found):
        asked.append(Head(f"{prefix}/bin/postgres", HEAD_BYTES if _headers(found, prefix) else WHOLE_PROGRAM))
    for prefix in _wheels(found):
        asked += [Head(f"{prefix}/bin/postgres", optional=True), *(Files(f"{prefix}/{header}") for header in HEADERS)]
    if only_a_part(found, "PostgreSQL servers"):
        asked.append(Command(tuple(VERSION.split()), optional=True))
        asked += [Command(("file", f"{EDB}/{version}/bin/postgres"), optional=True) for version in EDB_VERSIONS]
    return tuple(asked)


def _printed(found: Found) -> list[Software]:
    """A server of which only what programs printed about it was recorded."""
    said = re.search(r"^postgres \(PostgreSQL\) (\d\S*)(?: \((.+?)\))?", _said(found, VERSION), re.MULTILINE)
    rows = []
    for version in EDB_VERSIONS:
        path = f"{EDB}/{version}/bin/postgres"
        built_for = tuple(dict.fromkeys(ARCHITECTURES.findall(_said(found, f"file {path}"))))
        if built_for:
            names = tuple(architecture_name(name) or name for name in built_for)
            architecture, mode = _rosetta.how_it_runs(names, _rosetta.machine(found))
            rows.append(
                Software(
                    software_name="PostgreSQL",
                    software_version=said[1] if said and said[1].startswith(f"{version}.") else None,
                    software_architecture=architecture,
                    runtime_mode=mode,
                    install_path=f"{EDB}/{version}",
                    executable_path=path,
                    metadata={"distribution": "EDB", "architectures": list(names)},
                )
            )
    if said and not rows:
        rows.append(Software(software_name="PostgreSQL", software_version=said[1], metadata={"packager": said[2]}))
    return rows


def _said(found: Found, command: str) -> str:
    answer = found.answers().get(command)
    return answer.text if answer is not None and answer.outcome is Outcome.OK else ""


def _row(found: Found, prefix: str, machine: str | None) -> tuple[Software, Gap | None]:
    built_for = architectures_of_program(found.answer(f"head {prefix}/bin/postgres").data)
    architecture, mode = _rosetta.how_it_runs(built_for, machine)
    row, gap = installed_server(found, prefix, _headers(found, prefix), architecture, mode)
    named = [maker for pattern, maker in PREFIXES.items() if path_matches(prefix, pattern)]
    row.metadata["distribution"] = named[0] if named else None
    row.metadata["architectures"] = list(built_for)
    return row, gap


def parse(found: Found) -> Facts:
    """Every installed server."""
    machine = _rosetta.machine(found)
    wheels = [prefix for prefix in _wheels(found) if found.answer(f"head {prefix}/bin/postgres").outcome is Outcome.OK]
    rows = [_row(found, prefix, machine) for prefix in sorted({*_prefixes(found), *wheels})]
    gaps = (*(gap for _, gap in rows if gap), *only_a_part(found, "PostgreSQL servers"))
    return Facts(
        software=tuple(row for row, _ in rows) or tuple(_printed(found)),
        gaps=gaps,
        absent=not rows and not gaps and not found.gaps(),
    )


collector = Collector(
    reads=(
        *looked_for(f"{prefix}/bin/postgres" for prefix in PREFIXES),
        *(Files(f"{prefix}/{header}", optional=True) for prefix in PREFIXES for header in HEADERS),
        Files(MACPORTS_HEADERS, optional=True),
        Call("running-python", optional=True),
        LOOKED,
        *_rosetta.READS,
    ),
    more=more,
    parse=parse,
    sections=("software",),
    metadata={
        "software:packager": "version of the package as its packager writes it, `Homebrew`",
        "software:platform": "system it was built for, `x86_64-apple-darwin23.6.0`",
        "software:distribution": "where it comes from: `EDB`, `Postgres.app`, `Homebrew`, `MacPorts`",
        "software:architectures": "architectures that its program file holds",
    },
)
