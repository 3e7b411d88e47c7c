"""The operating system: distribution, version, kernel, how it was started, time zone, and what guards it.

`os_version` is the distribution's own words (`12.11 (bookworm)`, `7 (Core)`); NULL for a rolling release, whose
`BUILD_ID` is `os_build`. `kernel_version` is written like the source document's `Darwin 25.0.0`: `Linux 6.18.44`.
A restart is a fact: it changes `metadata.os.boot_id`, and `booted_at`, which is rounded to the minute because the
kernel computes it and a stepped clock moves it.
"""

import re
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime

from aya.collect.asked import asked, refused
from aya.collect.collector import Collector
from aya.collect.linux import _container
from aya.host.reading import Command, File, Found, Links, Names, Read
from aya.model import Facts, Gap, Json, Node, Outcome

RELEASE_FILES = ("/etc/os-release", "/usr/lib/os-release")
UNAME = re.compile(r"Linux \S+ (\S+) (#.*?)(?: \S*(?:86|arm|aarch|ppc|s390|riscv|mips|loongarch)\S*.*)?$")
"""`uname -a`: name of the machine, release, build, architecture."""
SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def more(found: Found) -> tuple[Read, ...]:
    """What programs print, where no file names the distribution, the kernel or the time zone."""
    questions: list[Read] = []
    if not _release(found):
        questions.append(Command(("lsb_release", "-a"), optional=True))
    if not found.line("/proc/sys/kernel/osrelease") and not found.line("/proc/version"):
        questions.append(Command(("uname", "-a"), optional=True))
        questions.append(Command(("uname", "-r"), optional=True))
    if not _time_zone_of_files(found):
        questions.append(Command(("timedatectl",), optional=True))
    if not _release(found) or not found.line("/proc/sys/kernel/osrelease"):
        questions.append(Command(("hostnamectl",), optional=True))
    return tuple(questions)


def parse(found: Found) -> Facts:
    """Columns of the operating system and `metadata.os`."""
    release = _release(found) or _lsb(found) or _redhat(found) or _hostnamectl(found)
    kernel, build = _kernel(found)
    version = release.get("VERSION") or release.get("VERSION_ID")
    codename = release.get("VERSION_CODENAME")
    if codename is None and (named := re.search(r"\((.+)\)", version or "")):
        codename = named[1]
    container = _container.container(found)
    system: dict[str, Json] = {
        "id": release.get("ID"),
        "id_like": sorted((release.get("ID_LIKE") or "").split()),
        "pretty_name": release.get("PRETTY_NAME"),
        "version_id": release.get("VERSION_ID"),
        "variant": release.get("VARIANT"),
        "codename": codename,
        "kernel_release": kernel,
        "kernel_build": build,
        "boot_mode": _boot_mode(found, container),
        "secure_boot": _secure_boot(found),
        "boot_id": found.line("/proc/sys/kernel/random/boot_id"),
        "booted_at": _booted_at(found.text("/proc/stat") or ""),
        "time_zone": _time_zone(found),
        "locale": _locale(found),
        "init_system": _init_system(found),
        "container": container,
        "selinux": _selinux(found),
        "apparmor": {"Y": "enabled", "N": "disabled"}.get(found.line("/sys/module/apparmor/parameters/enabled") or ""),
    }
    node = Node(
        os_name=release.get("NAME"),
        os_version=_point_release(found, release, version),
        os_build=release.get("BUILD_ID"),
        kernel_version=f"Linux {kernel}" if kernel else None,
    )
    gaps = []
    if not release:
        said = any(found.text(path) for path in RELEASE_FILES)
        outcome = Outcome.UNREADABLE if said else Outcome.UNSUPPORTED
        gaps.append(Gap(outcome, "distribution: nothing names it in a form that is understood"))
    gaps += [
        *refused(found, "/etc/os-release"),
        *refused(found, "/usr/lib/os-release"),
        *refused(found, "/etc/timezone"),
    ]
    if kernel is None:
        gaps.append(Gap(Outcome.UNSUPPORTED, "kernel: neither /proc nor uname names it"))
    return Facts(node=node, metadata={"os": system}, gaps=tuple(gaps))


def _release(found: Found) -> dict[str, str]:
    """The distribution's description of itself; what is empty in it is not there."""
    for path in RELEASE_FILES:
        if values := _assignments(found.text(path) or ""):
            return values
    return {}


def _assignments(text: str) -> dict[str, str]:
    """`NAME="value"` lines, quoted as a shell does."""
    values = {}
    for name, quoted in re.findall(r"^\s*([A-Z][A-Z0-9_]*)=(.*?)\s*$", text, re.MULTILINE):
        try:
            words = shlex.split(quoted, comments=True)
        except ValueError:
            words = [quoted.strip("\"'")]
        if value := " ".join(words).strip():
            values[name] = value
    return values


def _lsb(found: Found) -> dict[str, str]:
    answer = found.answers().get("lsb_release -a")
    text = answer.text if answer is not None and answer.outcome is Outcome.OK else ""
    said = {k.strip(): v.strip() for k, colon, v in (line.partition(":") for line in text.splitlines()) if colon}
    said = {key: value for key, value in said.items() if value and value.lower() != "n/a"}
    name, number, codename = said.get("Distributor ID"), said.get("Release"), said.get("Codename")
    if name is None:
        return {}
    values = {
        "NAME": name,
        "ID": name.lower(),
        "VERSION_ID": number,
        "VERSION": f"{number} ({codename})" if number and codename else number,
        "VERSION_CODENAME": codename,
        "PRETTY_NAME": said.get("Description"),
    }
    return {key: value for key, value in values.items() if value}


def _redhat(found: Found) -> dict[str, str]:
    """`CentOS release 6.3 (Final)`: what stood in `/etc/redhat-release` before there was `os-release`."""
    line = found.line("/etc/redhat-release") or ""
    parts = re.fullmatch(r"(.+?) release (\d[\w.]*)(?: \((.+)\))?", line)
    if parts is None:
        return {}
    version = f"{parts[2]} ({parts[3]})" if parts[3] else parts[2]
    return {"NAME": parts[1], "VERSION": version, "VERSION_ID": parts[2], "PRETTY_NAME": line}


def _hostnamectl(found: Found) -> dict[str, str]:
    """`Operating System: CentOS Linux 7 (Core)`: the name and the version cannot be told apart for sure."""
    said = re.search(r"^ *Operating System: (\S.*?) *$", asked(found, "hostnamectl"), re.MULTILINE)
    return {"PRETTY_NAME": said[1]} if said else {}


def _point_release(found: Found, release: Mapping[str, str], version: str | None) -> str | None:
    """Debian's `os-release` says `12`; the point release is in a file of its own."""
    number, point = release.get("VERSION_ID"), found.line("/etc/debian_version") or ""
    if version and number and release.get("ID") == "debian" and re.fullmatch(rf"{re.escape(number)}\.\d+", point):
        return version.replace(number, point, 1)
    return version


def _kernel(found: Found) -> tuple[str | None, str | None]:
    """Release and build of the kernel."""
    release, build = found.line("/proc/sys/kernel/osrelease"), found.line("/proc/sys/kernel/version")
    if release is None and (said := re.match(r"Linux version (\S+) .*?(#\d.*)?$", found.line("/proc/version") or "")):
        release, build = said[1], build or said[2]
    if release is None and (said := UNAME.match(asked(found, "uname -a").strip())):
        release, build = said[1], said[2]
    if release is None and re.fullmatch(r"\d+\.\d\S*", alone := asked(found, "uname -r").strip()):
        release = alone
    if release is None and (said := re.search(r"^ *Kernel: Linux (\S+)", asked(found, "hostnamectl"), re.MULTILINE)):
        release = said[1]
    return release, build


def _boot_mode(found: Found, container: str | None) -> str | None:
    """A container sees too little of the firmware, and a kernel loaded by a hypervisor was started by neither."""
    if any(found.matches("/sys/firmware/efi")):
        return "efi"
    has_bios = any(found.matches("/sys/class/dmi/id/bios_vendor"))
    return "bios" if has_bios and container == "none" else None


def _secure_boot(found: Found) -> bool | None:
    """The fifth byte of the firmware's variable; four bytes of attributes stand before it."""
    answer = found.answer(SECURE_BOOT)
    if answer.outcome is not Outcome.OK or len(answer.data) != 5:
        return None
    return answer.data[4] == 1


def _booted_at(text: str) -> str | None:
    seconds = re.search(r"^btime (\d{1,11})$", text, re.MULTILINE)
    if seconds is None:
        return None
    minute = (int(seconds[1]) + 30) // 60 * 60
    return datetime.fromtimestamp(minute, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _time_zone(found: Found) -> str | None:
    said = re.search(r"^ *Time ?zone: ([A-Za-z]\S*)", asked(found, "timedatectl"), re.MULTILINE)
    return _time_zone_of_files(found) or (said[1] if said else None)


def _time_zone_of_files(found: Found) -> str | None:
    target = next((text for _, text in found.matches("/etc/localtime")), "")
    _, marker, zone = target.partition("zoneinfo/")
    return zone.strip() if marker and zone.strip() else found.line("/etc/timezone")


def _locale(found: Found) -> str | None:
    for path in ("/etc/locale.conf", "/etc/default/locale"):
        if value := _assignments(found.text(path) or "").get("LANG"):
            return value
    return None


def _init_system(found: Found) -> str | None:
    """`systemd`, `openrc`, else the name of process 1."""
    if any(found.matches("/run/systemd/system")):
        return "systemd"
    if any(found.matches("/run/openrc")):
        return "openrc"
    return found.line("/proc/1/comm")


def _selinux(found: Found) -> str | None:
    enforce = found.line("/sys/fs/selinux/enforce")
    if enforce is not None:
        return {"1": "enforcing", "0": "permissive"}.get(enforce)
    return "disabled" if found.text("/etc/selinux/config") is not None else None


collector = Collector(
    reads=(
        *(File(path, optional=True) for path in RELEASE_FILES),
        File("/etc/debian_version", optional=True),
        File("/etc/redhat-release", optional=True),
        File("/proc/version", optional=True),
        File("/proc/sys/kernel/version"),
        File("/proc/sys/kernel/random/boot_id"),
        File("/proc/stat"),
        File("/proc/1/comm"),
        Names("/run/systemd/system"),
        Names("/run/openrc"),
        Names("/sys/firmware/efi"),
        Names("/sys/class/dmi/id/bios_vendor"),
        File(SECURE_BOOT, optional=True),
        Links("/etc/localtime", optional=True),
        File("/etc/timezone", optional=True),
        File("/etc/locale.conf"),
        File("/etc/default/locale"),
        File("/sys/fs/selinux/enforce"),
        File("/etc/selinux/config"),
        File("/sys/module/apparmor/parameters/enabled", optional=True),
        *_container.READS,
    ),
    more=more,
    parse=parse,
    columns=("os_name", "os_version", "os_build", "kernel_version"),
    metadata={
        "os.id": "the distribution's short name: debian, rhel, arch",
        "os.id_like": "distributions it is made from or behaves like, sorted",
        "os.pretty_name": "name and version in the distribution's own words",
        "os.version_id": "the version without a name",
        "os.variant": "edition: Server Edition, Workstation Edition",
        "os.codename": "name of the version: bookworm",
        "os.kernel_release": "release of the kernel, as `uname -r` prints it",
        "os.kernel_build": "build of the kernel, as `uname -v` prints it",
        "os.boot_mode": "efi or bios; null for a kernel that a hypervisor loaded, and inside a container",
        "os.secure_boot": "whether the firmware checked the kernel's signature",
        "os.boot_id": "identity of this start of the machine",
        "os.booted_at": "when the machine was started, UTC, to the minute",
        "os.time_zone": "time zone: Europe/Berlin",
        "os.locale": "language and character set that programs get by default (LANG)",
        "os.init_system": "systemd, openrc, else the name of process 1",
        "os.container": "kind of container we are in, none, other (one that is not named), or null: cannot be told",
        "os.selinux": "enforcing, permissive or disabled; null: not installed",
        "os.apparmor": "enabled or disabled; null: not in the kernel",
    },
)
