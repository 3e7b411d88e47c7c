"""Applications of a Mac, as its own report lists them: which, which version, for which processor, and where from.

One row for each bundle. An application for Intel runs under Rosetta 2 on Apple silicon; one for both runs natively. Those
that are part of macOS itself (below /System) come with it and are no rows of their own.
"""

import re
from collections.abc import Iterable

from aya.collect.collector import Collector
from aya.collect.macos import _rosetta
from aya.collect.macos._system_profiler import Item, alternatives, gap, not_understood, question, section
from aya.host.reading import Found, Read
from aya.model import Facts, Gap, Outcome, Software

KIND = "SPApplicationsDataType"
TIMEOUT_S = 60.0
SYSTEM = re.compile(r"/System/|/Library/Apple/System/")

BUILT_FOR: dict[str, tuple[str, ...]] = {
    "arch_arm_i64": ("ARM64", "x86_64"),
    "arch_arm": ("ARM64",),
    "arch_i64": ("x86_64",),
    "arch_i32_i64": ("x86_64", "x86"),
    "arch_i32": ("x86",),
    "apple silicon": ("ARM64",),
}
"""What the report calls a kind, for which processors it was built. Those that are not here name no processor surely."""
SOURCES = {
    "apple": "Apple",
    "mac_app_store": "Mac App Store",
    "identified_developer": "identified developer",
    "unknown": "unknown",
}


def more(found: Found) -> tuple[Read, ...]:
    """Other forms where the first gave nothing."""
    return alternatives(found, KIND, TIMEOUT_S)


def _built_for(item: Item) -> tuple[str, ...]:
    """The processors of an application. `Universal` was PowerPC and Intel once, and is Intel and Apple silicon today:
    only what stands beside it tells which.
    """
    kind = (item.get("arch_kind", "runtime_environment", "Kind") or "").lower()
    if kind in BUILT_FOR:
        return BUILT_FOR[kind]
    wide = item.flag("has64BitIntelCode", "64-Bit (Intel)")
    if kind in ("arch_x86", "intel"):
        return ("x86",) if wide is False else ("x86_64",)
    if kind in ("powerpc", "arch_ppc"):
        return ("ppc",)
    if kind == "universal":
        return ("ARM64", "x86_64") if wide is None else ("ppc", "x86_64" if wide else "x86")
    return ()


def _row(item: Item, machine: str | None) -> Software:
    built_for = _built_for(item)
    architecture, mode = _rosetta.how_it_runs(built_for, machine)
    source = item.get("obtained_from", "Obtained from")
    signed = item.get("signed_by", "Signed by")
    return Software(
        software_name=item.name,
        software_version=item.get("version", "Version"),
        software_architecture=architecture,
        runtime_mode=mode,
        install_path=item.get("path", "Location"),
        metadata={
            "kind": "application",
            "built_for": item.get("arch_kind", "runtime_environment", "Kind"),
            "architectures": list(built_for),
            "obtained_from": SOURCES.get((source or "").lower(), source),
            "signed_by": signed.split(", Apple ")[0].split(", Developer ID")[0] if signed else None,
        },
    )


def _unknown_kinds(items: Iterable[Item]) -> list[str]:
    told = {(item.get("arch_kind", "runtime_environment", "Kind") or "") for item in items if not _built_for(item)}
    known = {"", "arch_other", "other", "ios", "arch_ios", "arch_web", "web"}
    return sorted(kind for kind in told if kind.lower() not in known)


def parse(found: Found) -> Facts:
    """Every application that did not come with macOS."""
    report = section(found, KIND)
    if report is None:
        return Facts(gaps=(gap(found, KIND),))
    items = [item for item in report.items if item.name]
    placed = [item for item in items if item.get("path", "Location")]
    gaps = []
    if items and not placed:
        gaps.append(not_understood(KIND))
    if unknown := _unknown_kinds(placed):
        gaps.append(Gap(Outcome.UNREADABLE, f"{KIND}: kinds that are not known: {', '.join(unknown)[:200]}"))
    machine = _rosetta.machine(found)
    rows: dict[tuple[str, ...], Software] = {}
    for item in placed:
        if not SYSTEM.match(item.get("path", "Location") or ""):
            row = _row(item, machine)
            rows.setdefault(row.key, row)
    return Facts(software=tuple(rows[key] for key in sorted(rows)), gaps=tuple(gaps), absent=not rows and not gaps)


collector = Collector(
    reads=(question(KIND, TIMEOUT_S), *_rosetta.READS),
    more=more,
    parse=parse,
    sections=("software",),
    metadata={
        "software:kind": "`application`",
        "software:built_for": "what the report calls its kind: `arch_arm_i64`, `Universal`, `Intel`",
        "software:architectures": "architectures it was built for",
        "software:obtained_from": "`Apple`, `Mac App Store`, `identified developer`, `unknown`",
        "software:signed_by": "who signed it: the first name of the chain",
    },
)
