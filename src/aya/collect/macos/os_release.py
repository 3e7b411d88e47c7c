"""The operating system: version, build, kernel, what guards it, how and when it was started.

Sources: `sw_vers`, `sysctl kern`, `system_profiler SPSoftwareDataType`, `uname -a`, `csrutil status`, and what the
firmware enforces (`system_profiler SPiBridgeDataType`). `os_version` is the product version (`26.0.1`); its code name
is the platform reference's, by the kernel. A program that was built for old systems is told 10.16 instead of 11 and
above: such a version is not believed where another source knows better.

A restart is a fact: it changes `metadata.os.boot_id`, and `booted_at`, which is rounded to the minute.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from aya.collect.collector import Collector
from aya.collect.macos import _sysctl, _system_profiler, _uptime
from aya.collect.macos._system_profiler import Item
from aya.host.reading import Command, Found, Links, Read
from aya.model import Facts, Gap, Json, Node, Outcome
from aya.reference import operating_system

SOFTWARE = "SPSoftwareDataType"
FIRMWARE = "SPiBridgeDataType"
VERSION = ("os_version", "System Version")
PRODUCT = re.compile(r"((?:Mac )?OS X(?: Server)?|macOS(?: Server)?) ([\d.]+)(?: (\([a-z]\)))? \((\w+)\)")
"""`macOS 10.15.2 (19C57)`, `macOS 13.3.1 (a) (22E772610a)`, `Mac OS X Server 10.6.8 (10K549)`."""
PRETENDED = "10.16"
"""What macOS 11 and above tell a program that would not understand their number."""

SECURITY = {"full security": True, "medium security": True, "reduced security": True, "permissive security": False}
SECURITY["no security"] = False


def more(found: Found) -> tuple[Read, ...]:
    """The other forms of what did not answer."""
    return _system_profiler.alternatives(found, SOFTWARE) + _system_profiler.alternatives(found, FIRMWARE)


def parse(found: Found) -> Facts:
    """Columns of the operating system and `metadata.os`."""
    kernel = _sysctl.variables(found, "kern")
    described = _system_profiler.section(found, SOFTWARE)
    overview = _system_profiler.overview(described, *VERSION, "kernel_version", "Kernel Version")
    firmware = _system_profiler.section(found, FIRMWARE)
    vers = _sw_vers(found.text("sw_vers") or "")
    release, kernel_build = _kernel(found, kernel, overview)
    name, version, build = _version(vers, kernel, overview)
    known = operating_system(f"Darwin {release}") if release else None
    codename = known.code_name if known and version and known.includes(version) else None
    name = name or (known.name if codename and known else None)
    policy = _policy(firmware)
    system: dict[str, Json] = {
        "id": "macos",
        "pretty_name": " ".join(filter(None, (name, codename, version))) if name and version else None,
        "version_id": version,
        "version_extra": vers.get("ProductVersionExtra") or _extra(overview),
        "codename": codename,
        "kernel_release": release,
        "kernel_build": kernel_build,
        "release_type": kernel.get("kern.osreleasetype") or None,
        "boot_mode": _boot_mode(overview, kernel),
        "boot_volume": overview.get("boot_volume", "Boot Volume"),
        "boot_arguments": kernel.get("kern.bootargs") or None,
        "boot_id": kernel.get("kern.bootsessionuuid") or None,
        "booted_at": _booted_at(kernel.get("kern.boottime", "")),
        "computer_name": overview.get("local_host_name", "Computer Name"),
        "time_zone": _time_zone(found),
        "system_integrity_protection": _integrity(found.line("csrutil status"), overview, firmware),
        "secure_boot": SECURITY.get((policy or "").lower()),
        "secure_boot_policy": policy,
        "secure_virtual_memory": _secure_memory(overview),
        "kernel_64_bit": overview.flag("64bit_kernel_and_kexts", "64-bit Kernel and Extensions"),
        "init_system": "launchd",
    }
    uptime = _uptime.seconds(found.line("uptime"))
    if uptime is None:
        uptime = _uptime.seconds(overview.get("uptime", "Time since boot"))
    node = Node(
        os_name=name,
        os_version=version,
        os_build=build,
        kernel_version=f"Darwin {release}" if release else None,
    )
    return Facts(
        node=node,
        metadata={"os": system},
        observed={"os": {"uptime_seconds": uptime}} if uptime is not None else {},
        gaps=tuple(_gaps(found, node)),
    )


def _gaps(found: Found, node: Node) -> Iterable[Gap]:
    if node.os_version is None or node.os_build is None:
        answers = [found.answers()[name] for name in ("sw_vers", "sysctl kern") if name in found.answers()]
        kinds = [answer.outcome for answer in answers if answer.outcome not in (Outcome.OK, Outcome.ABSENT)]
        said = any(answer.outcome is Outcome.OK for answer in answers)
        outcome = kinds[0] if kinds else Outcome.UNREADABLE if said else Outcome.UNSUPPORTED
        yield Gap(outcome, "macOS: neither sw_vers, sysctl kern nor system_profiler names version and build")
    if node.kernel_version is None:
        yield _sysctl.gap(found, "kern")


def _sw_vers(text: str) -> Mapping[str, str]:
    """`ProductVersion:  14.4.1` lines."""
    pairs = re.findall(r"^(\w+):[ \t]+(\S.*)$", text.lstrip("\ufeff"), re.MULTILINE)
    return {key: value.strip() for key, value in pairs}


def _version(
    vers: Mapping[str, str], kernel: Mapping[str, str], overview: Item
) -> tuple[str | None, str | None, str | None]:
    """Name, version and build."""
    parts = PRODUCT.fullmatch(overview.get(*VERSION) or "")
    name, version, build = (parts[1], parts[2], parts[4]) if parts else (None, None, None)
    versions = (vers.get("ProductVersion"), kernel.get("kern.osproductversion"), version)
    numbers = [number for number in versions if number and re.fullmatch(r"\d{1,3}(\.\d{1,4}){0,3}", number)]
    honest = [number for number in numbers if number != PRETENDED and not number.startswith(f"{PRETENDED}.")]
    return (
        vers.get("ProductName") or name,
        next(iter(honest or numbers), None),
        vers.get("BuildVersion") or kernel.get("kern.osversion") or build,
    )


def _extra(overview: Item) -> str | None:
    """The letter of a rapid security response."""
    parts = PRODUCT.fullmatch(overview.get(*VERSION) or "")
    return parts[3] if parts else None


def _kernel(found: Found, kernel: Mapping[str, str], overview: Item) -> tuple[str | None, str | None]:
    """Release and build of the kernel: `23.4.0`, `Darwin Kernel Version 23.4.0: Fri Mar 15 …; root:xnu-…`."""
    said = re.match(r"Darwin .*?(\d+\.\d+\.\d+) (Darwin Kernel Version \S+: .*?/\w+)", found.line("uname -a") or "")
    release = kernel.get("kern.osrelease") or (said[1] if said else None)
    if release is None and (
        parts := re.search(r"Darwin (\d+\.\d+\.\d+)", overview.get("kernel_version", "Kernel Version") or "")
    ):
        release = parts[1]
    return release, kernel.get("kern.version") or (said[2] if said else None)


def _boot_mode(overview: Item, kernel: Mapping[str, str]) -> str | None:
    """normal or safe."""
    said = (overview.get("boot_mode", "Boot Mode") or "").lower()
    for mode in ("normal", "safe"):
        if mode in said:
            return mode
    return {"0": "normal", "1": "safe"}.get(kernel.get("kern.safeboot", ""))


def _booted_at(text: str) -> str | None:
    """`{ sec = 1711644864, usec = 393940 } Thu Mar 28 …`."""
    seconds = re.search(r"\bsec = (\d{1,11})\b", text)
    if seconds is None:
        return None
    minute = (int(seconds[1]) + 30) // 60 * 60
    return datetime.fromtimestamp(minute, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _time_zone(found: Found) -> str | None:
    target = next((text for _, text in found.matches("/etc/localtime")), "")
    return target.partition("zoneinfo/")[2].strip() or None


def _integrity(status: str | None, overview: Item, firmware: Item | None) -> str | None:
    """enabled, disabled, or custom: some of its protections are off."""
    if status and (said := re.search(r"status: (enabled|disabled|unknown)\b(.*)", status, re.DOTALL)):
        return "custom" if "custom" in said[2].lower() else None if said[1] == "unknown" else said[1]
    controller = _system_profiler.overview(firmware, "ibridge_sb_sip", "System Integrity Protection")
    for item, names in (
        (overview, ("system_integrity", "System Integrity Protection")),
        (controller, ("ibridge_sb_sip", "System Integrity Protection")),
    ):
        word = (item.get(*names) or "").lower().removeprefix("integrity_")
        if word in ("enabled", "disabled") or word.startswith("custom"):
            return word.split()[0]
    return None


def _policy(firmware: Item | None) -> str | None:
    """What the firmware demands of what it starts: Full Security, Reduced Security, ..."""
    if firmware is None:
        return None
    return _system_profiler.overview(firmware, "ibridge_secure_boot", "Secure Boot").get(
        "ibridge_secure_boot", "Secure Boot"
    )


def _secure_memory(overview: Item) -> bool | None:
    said = (overview.get("secure_vm", "Secure Virtual Memory") or "").lower().removeprefix("secure_vm_")
    return {"enabled": True, "not enabled": False, "disabled": False, "not_enabled": False}.get(said)


collector = Collector(
    reads=(
        Command(("sw_vers",), optional=True),
        _sysctl.question("kern"),
        _system_profiler.question(SOFTWARE),
        _system_profiler.question(FIRMWARE),
        Command(("csrutil", "status"), optional=True),
        Command(("uname", "-a"), optional=True),
        Command(("uptime",), optional=True),
        Links("/etc/localtime", optional=True),
    ),
    more=more,
    parse=parse,
    columns=("os_name", "os_version", "os_build", "kernel_version"),
    metadata={
        "os.id": "macos",
        "os.pretty_name": "name, code name and version: macOS Tahoe 26.0.1",
        "os.version_id": "the product version",
        "os.version_extra": "a rapid security response: (a)",
        "os.codename": "name of the version, by the platform reference: Sequoia",
        "os.kernel_release": "release of the kernel, as `uname -r` prints it",
        "os.kernel_build": "build of the kernel, as `uname -v` prints it",
        "os.release_type": "User, Beta, Internal",
        "os.boot_mode": "normal or safe",
        "os.boot_volume": "name of the volume it was started from",
        "os.boot_arguments": "arguments the kernel was started with",
        "os.boot_id": "identity of this start of the machine",
        "os.booted_at": "when the machine was started, UTC, to the minute",
        "os.computer_name": "the name its owner gave it",
        "os.time_zone": "time zone: Europe/Berlin",
        "os.system_integrity_protection": "enabled, disabled, or custom: some of its protections are off",
        "os.secure_boot": "whether the firmware checks the signature of what it starts",
        "os.secure_boot_policy": "what it demands: Full Security, Reduced Security, ...",
        "os.secure_virtual_memory": "whether what is swapped out is encrypted",
        "os.kernel_64_bit": "whether the kernel runs with 64 bits (Mac OS X 10.6 to 10.7)",
        "os.init_system": "launchd",
        "observed.os.uptime_seconds": "how long it had been up at the last look, seconds",
    },
)
