"""Whether what is looked at is a container, and of which kind.

Marker files alone prove nothing: a virtual machine made from a container image still has `/.dockerenv`. They count
only where one of our namespaces is not the first one of the kernel, whose numbers are fixed (`PROC_*_INIT_INO`).
"""

import re

from aya.host.reading import File, Found, Links, Names, Read

FIRST_NAMESPACES = {"pid": "pid:[4026531836]", "uts": "uts:[4026531838]", "cgroup": "cgroup:[4026531835]"}

READS: tuple[Read, ...] = (
    Links("/proc/self/ns/*", optional=True),
    Names("/.dockerenv", optional=True),
    Names("/run/.containerenv", optional=True),
    File("/run/systemd/container", optional=True),
    File("/proc/1/environ", optional=True),
    File("/proc/1/cgroup", optional=True),
    File("/proc/sys/kernel/osrelease", optional=True),
)

CGROUPS = {"docker": "docker", "kubepods": "kubernetes", "libpod": "podman", "lxc": "lxc", "machine.slice": "nspawn"}


def container(found: Found) -> str | None:
    """`none`, the kind of container (`docker`, `lxc`, `wsl`, ...), `other`, or None where it cannot be told."""
    namespaces = dict(found.matches("/proc/self/ns/*"))
    ours = {kind: namespaces.get(f"/proc/self/ns/{kind}") for kind in FIRST_NAMESPACES}
    if all(ours[kind] in (first, None) for kind, first in FIRST_NAMESPACES.items()) and ours["pid"]:
        return "none"
    if "microsoft" in (found.text("/proc/sys/kernel/osrelease") or "").lower():
        return "wsl"
    if marker := _marker(found):
        return marker
    if ours["pid"] is None:
        return None
    return "none" if ours["pid"] == FIRST_NAMESPACES["pid"] else "other"


def _marker(found: Found) -> str | None:
    if any(found.matches("/.dockerenv")):
        return "docker"
    if any(found.matches("/run/.containerenv")):
        return "podman"
    stated = re.search(r"(?:^|\0)container=([\w-]+)", found.text("/proc/1/environ") or "")
    if kind := found.line("/run/systemd/container") or (stated and stated[1]):
        return kind
    groups = found.text("/proc/1/cgroup") or ""
    return next((kind for word, kind in CGROUPS.items() if word in groups), None)
