"""Packages of a Mac: Homebrew's formulae and casks, and MacPorts.

Homebrew is read from its own folders: each version of a formula is a folder below `Cellar` with a receipt in it. That is
fast, and works for root too, for whom `brew` refuses to run. Where the folders are not known (old recordings), the lists
that `brew` prints are. One row for each package in each place; of several versions at once the newest is the row, and all
are in its metadata. A formula in /opt/homebrew was built for Apple silicon, one in /usr/local for Intel: under Rosetta 2
both may be there.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from aya.collect.architecture import architecture_name
from aya.collect.asked import asked
from aya.collect.collector import Collector
from aya.collect.json_values import dig, integer, items, parsed, words
from aya.collect.macos import _rosetta
from aya.collect.macos._programs_there import LOOKED, only_a_part
from aya.collect.versions import by_number
from aya.host.reading import Command, Files, Found, Names, Read
from aya.model import Facts, Gap, Json, Outcome, Software

PREFIXES = {"/opt/homebrew": "ARM64", "/usr/local": "x86_64"}
"""Where Homebrew is, and for which processor its bottles there are built."""
KEG = re.compile(r"(?P<prefix>.*)/Cellar/(?P<name>[^/]+)/(?P<version>[^/]+)")
CASK = re.compile(r"(?P<prefix>.*)/Caskroom/(?P<name>[^/]+)/(?P<version>[^/]+)")
RECEIPT = "INSTALL_RECEIPT.json"
LATEST_S = 2**33
"""The year 2242: what was installed later was not."""
INFO, INFO_OLD = "brew info --json=v2 --installed", "brew info --json=v1 --installed"
FORMULAE, CASKS = "brew list --formula --versions", "brew list --cask --versions"
EVERYTHING = "brew list --versions"
"""How people record it: formulae and casks in one list."""
PORT = "/opt/local/bin/port"
PORTS = (PORT, "-q", "installed")


def _rows(found: Found) -> list[Software]:
    """Every version of every package, from the first source that has any."""
    kegs = [row for prefix in PREFIXES for row in (*_kegs(found, prefix), *_casks(found, prefix))]
    if kegs:
        return kegs
    told = [*in_json_v2(asked(found, INFO)), *in_json_v1(asked(found, INFO_OLD))]
    if told:
        return told
    casks = [*in_list(asked(found, CASKS), "cask")]
    formulae = [*in_list(asked(found, FORMULAE), "formula")]
    if not formulae:
        known = {(cask.software_name, cask.software_version) for cask in casks}
        listed = in_list(asked(found, EVERYTHING), "formula")
        formulae = [one for one in listed if (one.software_name, one.software_version) not in known]
    return formulae + casks


def _kegs(found: Found, prefix: str) -> Iterator[Software]:
    for path, _ in found.matches(f"{prefix}/Cellar/*/*"):
        keg = KEG.fullmatch(path)
        if keg is None or keg["version"].startswith("."):
            continue
        receipt = parsed(found.text(f"{path}/{RECEIPT}")) if f"{path}/{RECEIPT}" in found.answers() else None
        requested = dig(receipt, "installed_on_request")
        yield package(
            keg["name"],
            keg["version"],
            path=f"{prefix}/Cellar/{keg['name']}",
            architecture=architecture_name(words(dig(receipt, "arch"))) or PREFIXES[prefix],
            installed_at=_moment(dig(receipt, "time")),
            tap=words(dig(receipt, "source", "tap")),
            requested=requested if isinstance(requested, bool) else None,
        )


def _casks(found: Found, prefix: str) -> Iterator[Software]:
    for path, _ in found.matches(f"{prefix}/Caskroom/*/*"):
        cask = CASK.fullmatch(path)
        if cask is not None and not cask["version"].startswith("."):
            yield package(cask["name"], cask["version"], path=f"{prefix}/Caskroom/{cask['name']}", kind="cask")


def package(
    name: str,
    version: str | None,
    *,
    path: str | None = None,
    architecture: str | None = None,
    installed_at: datetime | None = None,
    kind: str = "formula",
    tap: str | None = None,
    requested: bool | None = None,
    pinned: bool | None = None,
) -> Software:
    """One version of one package of Homebrew."""
    told: dict[str, Json] = {"kind": kind, "tap": tap, "requested": requested, "pinned": pinned}
    return Software(
        software_name=f"brew:{name}",
        software_version=version,
        software_architecture=architecture,
        install_path=path,
        installed_at=installed_at,
        metadata={key: value for key, value in told.items() if value is not None},
    )


def in_json_v1(text: str) -> Iterator[Software]:
    """The formulae in `brew info --json=v1`; those that are not installed have no version there."""
    yield from _formulae(parsed(text))


def in_json_v2(text: str) -> Iterator[Software]:
    """Formulae and casks in `brew info --json=v2`."""
    answer = parsed(text)
    yield from _formulae(dig(answer, "formulae"))
    for cask in items(dig(answer, "casks")):
        name, version = words(dig(cask, "token")), words(dig(cask, "installed"))
        if name is not None and version is not None:
            yield package(
                name,
                version,
                kind="cask",
                tap=words(dig(cask, "tap")),
                installed_at=_moment(dig(cask, "installed_time")),
            )


def _formulae(listed: Json) -> Iterator[Software]:
    for formula in items(listed):
        name, pinned = words(dig(formula, "name")), dig(formula, "pinned")
        for installed in items(dig(formula, "installed")):
            version = words(dig(installed, "version"))
            requested = dig(installed, "installed_on_request")
            if name is not None and version is not None:
                yield package(
                    name,
                    version,
                    installed_at=_moment(dig(installed, "time")),
                    tap=words(dig(formula, "tap")),
                    requested=requested if isinstance(requested, bool) else None,
                    pinned=pinned if isinstance(pinned, bool) else None,
                )


def in_list(text: str, kind: str) -> Iterator[Software]:
    """`brew list --versions`: a name and all its versions in each line."""
    for line in text.splitlines():
        name, *versions = line.split()[:50] or [""]
        if re.fullmatch(r"[a-z0-9][\w.+@-]*", name) and all(re.match(r"[\w.]", version) for version in versions):
            for version in versions:
                yield package(name, version, kind=kind)


def in_ports(text: str) -> Iterator[Software]:
    """`port installed`: `  zlib @1.3.1_0 (active)`; a port that is not active is not in use."""
    for line in text.splitlines():
        match = re.fullmatch(r"\s*(\S+)\s+@(\S+?)(?:\+\S+)?(\s+\(active\))?\s*", line[:500])
        if match is not None and match[3]:
            yield Software(software_name=f"port:{match[1]}", software_version=match[2], install_path="/opt/local")


def _moment(told: Json) -> datetime | None:
    seconds = integer(told)
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None and 0 < seconds < LATEST_S else None


def newest_of_each(packages: Iterable[Software], machine: str | None) -> list[Software]:
    """One row for each package in each place: its newest version, and how it runs here."""
    together: dict[tuple[str, ...], list[Software]] = {}
    for one in packages:
        together.setdefault(one.key, []).append(one)
    rows = []
    for _, versions in sorted(together.items()):
        newest = max(versions, key=lambda one: by_number(one.software_version or ""))
        every = sorted({one.software_version or "" for one in versions}, key=by_number)
        architecture = newest.software_architecture
        _, mode = _rosetta.how_it_runs((architecture,) if architecture else (), machine)
        rows.append(
            Software(
                software_name=newest.software_name,
                software_version=newest.software_version,
                software_architecture=architecture,
                runtime_mode=mode,
                install_path=newest.install_path,
                installed_at=newest.installed_at,
                metadata=newest.metadata | ({"installed_versions": every} if len(every) > 1 else {}),
            )
        )
    return rows


def more(found: Found) -> tuple[Read, ...]:
    """What the package managers print, where their folders tell nothing."""
    reads: list[Read] = []
    if found.answer(PORT).outcome is Outcome.OK:
        reads.append(Command(PORTS, timeout_s=20))
    if not any(True for prefix in PREFIXES for _ in (*_kegs(found, prefix), *_casks(found, prefix))):
        reads += [
            Command(tuple(line.split()), timeout_s=30, optional=True)
            for line in (INFO, INFO_OLD, FORMULAE, CASKS, EVERYTHING)
        ]
    return tuple(reads)


def parse(found: Found) -> Facts:
    """Every installed package of every package manager that is there."""
    rows = [*_rows(found), *in_ports(asked(found, " ".join(PORTS)))]
    gaps: list[Gap] = []
    if not rows or rows[0].install_path is not None:  # what a package manager lists is whole, its folders may not be
        gaps += only_a_part(found, "packages")
    refused = next((answer for line in (INFO, FORMULAE, EVERYTHING) if (answer := found.answers().get(line))), None)
    if not rows and not gaps and refused is not None and refused.outcome not in (Outcome.OK, Outcome.ABSENT):
        gaps.append(Gap(refused.outcome, f"packages: {refused.reason}"))
    return Facts(
        software=tuple(newest_of_each(rows, _rosetta.machine(found))),
        gaps=tuple(gaps),
        absent=not rows and not gaps and not found.gaps(),
    )


collector = Collector(
    reads=(
        *(Names(f"{prefix}/{folder}/*/*", optional=True) for prefix in PREFIXES for folder in ("Cellar", "Caskroom")),
        *(Files(f"{prefix}/Cellar/*/*/{RECEIPT}", optional=True) for prefix in PREFIXES),
        Names(PORT, optional=True),
        LOOKED,
        *_rosetta.READS,
    ),
    more=more,
    parse=parse,
    sections=("software",),
    metadata={
        "software:kind": "`formula` or `cask` (an application that Homebrew installed)",
        "software:tap": "collection of formulae it comes from: `homebrew/core`",
        "software:requested": "whether somebody asked for it; false where another package needs it",
        "software:pinned": "whether it is kept from being upgraded",
        "software:installed_versions": "all versions installed at once, where there are several",
    },
)
