"""Packages of the operating system: Debian's dpkg, RPM, Alpine's apk and Arch's pacman.

Each is named by its package manager, `deb:openssl`, with the version as that writes it. dpkg, apk and pacman are read
from their own files, which is fast and needs no program; only RPM has to be asked. `installed_at` is known to RPM and
pacman alone: the others keep no such date. A package for all architectures has the architecture `any`. Where one name
is installed in several versions at once (kernels of RPM), the newest installation is the row; all are in its metadata.

Where nobody kept the package managers' own files, what `dpkg -l`, `rpm -qa` or `pacman -Q` print is read.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from aya.collect.architecture import architecture_name
from aya.collect.asked import asked, refused
from aya.collect.collector import Collector, Unreadable
from aya.collect.json_values import integer
from aya.collect.versions import by_number
from aya.host.reading import Command, File, Files, Found, Read
from aya.model import Facts, Gap, Json, Outcome, Software

DPKG = "/var/lib/dpkg/status"
DPKG_PARTS = "/var/lib/dpkg/status.d/*"
"""Where images without dpkg itself keep one file for each package."""

APK = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
PACMAN = "/var/lib/pacman/local/*/desc"
RPM = ("rpm", "-qa", "--qf", "%{NAME}\\t%{EPOCH}\\t%{VERSION}-%{RELEASE}\\t%{ARCH}\\t%{INSTALLTIME}\\t%{VENDOR}\\n")

DPKG_FIELD = re.compile(r"^(Package|Status|Version|Architecture|Source|Essential): ?(.*)$", re.MULTILINE)
BLANK_LINE = re.compile(r"\n\s*\n")
NO_PACKAGES = {"gpg-pubkey"}
"""Keys that RPM lists among its packages."""


def _package(
    manager: str,
    name: str,
    version: str | None,
    architecture: str | None,
    installed_at: datetime | None = None,
    **details: Json,
) -> Software:
    return Software(
        software_name=f"{manager}:{name}",
        software_version=version,
        software_architecture=architecture_name(architecture),
        installed_at=installed_at,
        metadata={key: value for key, value in details.items() if value is not None},
    )


def _from_dpkg(text: str) -> Iterator[Software]:
    for block in BLANK_LINE.split(text):
        fields = dict(DPKG_FIELD.findall(block))
        name, version = fields.get("Package", "").strip(), fields.get("Version", "").strip()
        # `rc` is a package that was removed and left its configuration.
        state = fields.get("Status", "install ok installed").split()
        if name and version and state[-1:] not in (["not-installed"], ["config-files"]):
            yield _package(
                "deb",
                name,
                version,
                fields.get("Architecture", "").strip() or None,
                source=fields.get("Source", "").partition(" (")[0].strip() or None,
                state=None if state[-1:] == ["installed"] else " ".join(state[-1:]) or None,
            )


def _from_rpm(text: str) -> Iterator[Software]:
    for line in text.splitlines():
        columns = line.split("\t")
        if len(columns) != 6 or columns[0] in NO_PACKAGES:
            continue
        name, epoch, version, architecture, installed, vendor = (
            None if column in ("(none)", "") else column for column in columns
        )
        if name and version:
            yield _package(
                "rpm",
                name,
                f"{epoch}:{version}" if epoch not in (None, "0") else version,
                architecture,
                _moment(installed),
                vendor=vendor,
            )


DPKG_STATES = {
    **{"i": "installed", "U": "unpacked", "F": "half-configured", "H": "half-installed"},
    **{"W": "triggers-awaited", "t": "triggers-pending"},
}
"""The second letter in the list of dpkg; `n` and `c` are packages that are not there."""


def _from_dpkg_list(text: str) -> Iterator[Software]:
    """What `dpkg -l` prints: `ii  libc6:amd64  2.36-9  amd64  GNU C Library`."""
    for line in text.splitlines():
        row = re.match(r"[uihrp]([iUFHWt])R? +(\S+?)(?::\S+)? +(\d\S*) +(\S+)", line)
        if row:
            state = DPKG_STATES[row[1]]
            yield _package("deb", row[2], row[3], row[4], state=None if state == "installed" else state)


def _from_rpm_list(text: str) -> Iterator[Software]:
    """What `rpm -qa` prints: `bash-5.1.8-9.el9.x86_64`; old ones leave out the architecture."""
    for line in text.splitlines():
        row = re.fullmatch(
            r"(\S+)-([^\s-]+-[^\s-]+?)(?:\.(noarch|x86_64|i[3-6]86|aarch64|armv7hl|ppc64le|ppc64|s390x|riscv64))?", line
        )
        if row and row[1] not in NO_PACKAGES:
            yield _package("rpm", row[1], row[2], row[3])


def _from_pacman_list(text: str) -> Iterator[Software]:
    """What `pacman -Q` prints: `bash 5.2.037-1`."""
    for row in re.findall(r"^([a-z0-9@._+-]+) ([\w.:+~]+-[\d.]+)$", text, re.MULTILINE):
        yield _package("pacman", row[0], row[1], None)


def _from_apk(text: str) -> Iterator[Software]:
    for block in BLANK_LINE.split(text):
        fields = dict(re.findall(r"^([PVAo]):(.*?)\s*$", block, re.MULTILINE))
        if fields.get("P") and fields.get("V"):
            yield _package("apk", fields["P"], fields["V"], fields.get("A"), source=fields.get("o"))


def _from_pacman(texts: Iterable[str]) -> Iterator[Software]:
    for text in texts:
        fields = dict(re.findall(r"^%(NAME|VERSION|ARCH|INSTALLDATE|BASE)%\s*\n(.+?)\s*$", text, re.MULTILINE))
        if fields.get("NAME") and fields.get("VERSION"):
            yield _package(
                "pacman",
                fields["NAME"],
                fields["VERSION"],
                fields.get("ARCH"),
                _moment(fields.get("INSTALLDATE")),
                source=fields.get("BASE"),
            )


def _moment(text: str | None) -> datetime | None:
    seconds = integer(text)
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds else None
    except (ValueError, OverflowError, OSError):
        return None


def _one_row_each(packages: Iterable[Software]) -> list[Software]:
    """Packages by name and architecture; of several versions at once the one installed last, and all in metadata."""
    together: dict[tuple[str, ...], list[Software]] = {}
    for package in packages:
        together.setdefault(package.key, []).append(package)
    rows = []
    for _, versions in sorted(together.items()):
        newest = max(versions, key=_age)
        distinct = sorted({version.software_version or "" for version in versions})
        if len(distinct) > 1:
            newest.metadata["installed_versions"] = distinct
        rows.append(newest)
    return rows


def _age(package: Software) -> tuple[datetime, list[tuple[int, str]]]:
    """Later is larger: by date, else by the numbers in the version."""
    return package.installed_at or datetime.fromtimestamp(0, UTC), by_number(package.software_version or "")


LISTS = {
    "dpkg -l": ("dpkg", _from_dpkg_list),
    "rpm -qa": ("rpm", _from_rpm_list),
    "pacman -Q": ("pacman", _from_pacman_list),
}
"""What people keep of their packages, where nobody kept the package managers' own files."""


def more(found: Found) -> tuple[Read, ...]:
    """The lists for people, where nothing better was answered."""
    return () if _managers(found) else tuple(Command(tuple(command.split()), optional=True) for command in LISTS)


def _managers(found: Found) -> dict[str, list[Software]]:
    """The packages of each package manager that answered."""
    dpkg, rpm = found.text(DPKG), found.answer(" ".join(RPM))
    apk = [text for path in APK if (text := found.text(path)) is not None]
    pacman = [text for _, text in found.matches(PACMAN)]
    parts = [text for _, text in found.matches(DPKG_PARTS)]
    managers = {
        "dpkg": list(_from_dpkg("\n\n".join([dpkg or "", *parts]))) if dpkg is not None or parts else None,
        "rpm": list(_from_rpm(rpm.text)) if rpm.outcome is Outcome.OK else None,
        "apk": [package for text in apk for package in _from_apk(text)] if apk else None,
        "pacman": list(_from_pacman(pacman)) if pacman else None,
    }
    return {manager: packages for manager, packages in managers.items() if packages is not None}


def parse(found: Found) -> Facts:
    """Every installed package of every package manager that is there."""
    answered = _managers(found)
    dpkg, apk = found.text(DPKG), [text for path in APK if (text := found.text(path)) is not None]
    empty = [manager for manager, text in (("dpkg", dpkg), ("apk", "".join(apk))) if text and not answered[manager]]
    if empty:
        raise Unreadable(f"the list of {empty[0]} names no package")
    for command, (manager, read) in LISTS.items() if not answered else ():
        if packages := list(read(asked(found, command))):
            answered[manager] = packages
    gaps = [gap for start in (DPKG, *APK, "/var/lib/pacman/", "rpm ") for gap in refused(found, start)]
    if not answered and not gaps:
        answers = [found.answer(name) for name in (DPKG, *APK, " ".join(RPM))]
        unread = next((answer for answer in answers if answer.outcome is Outcome.UNREADABLE), None)
        gaps.append(
            Gap(unread.outcome, f"packages: {unread.reason}")
            if unread
            else Gap(Outcome.UNSUPPORTED, "packages: no dpkg, rpm, apk or pacman here")
        )
    cut_off = dpkg is not None and not dpkg.endswith("\n")
    gaps += [Gap(Outcome.UNREADABLE, f"{DPKG} ends in the middle of a line")] if cut_off else []
    together = (package for of_manager in answered.values() for package in of_manager)
    return Facts(software=tuple(_one_row_each(together)), gaps=tuple(gaps))


collector = Collector(
    reads=(
        File(DPKG, optional=True),
        Files(DPKG_PARTS, optional=True),
        *(File(path, optional=True) for path in APK),
        Files(PACMAN, optional=True),
        Command(RPM, timeout_s=30, optional=True),
    ),
    more=more,
    parse=parse,
    sections=("software",),
    metadata={
        "software:source": "source package that the package was built from, where its name differs",
        "software:vendor": "who built the package (RPM)",
        "software:state": "what dpkg says of a package that is not wholly installed: `unpacked`, ...",
        "software:installed_versions": "all versions installed at once, where there are several",
    },
)
