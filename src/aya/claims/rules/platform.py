"""What is published of a chip: cores and their names, caches, memory and its bandwidth, what it can compute at most."""

import re
from collections.abc import Iterator
from decimal import Decimal

from aya.claims.quantity import COUNT, quantity, shown
from aya.claims.rule import Case, Opinion, Rule
from aya.claims.statement import Stated
from aya.reference import Chip, chips, variants

_FIGURES = (
    ("cpu_cores_total", "cpu_cores", Decimal(1)),
    ("gpu_cores", "gpu_cores", Decimal(1)),
    ("ram_bandwidth_gbps", "memory_bandwidth_gbps", Decimal(10**9)),
    ("gpu_compute_tflops", "gpu_fp32_tflops", Decimal(10**12)),
)
_OTHER_FIGURE = re.compile(r"(?i)fp16|bf16|fp8|int8|half|tensor|tops|\bmeasured\b|stream\b")
"""Another figure than the one that is published: of smaller numbers, or what was reached."""
_CACHES = (("l1d", "l1_data_kib", 1), ("l1i", "l1_instruction_kib", 1), ("l2", "l2_mib", 1024))


def _judge(case: Case) -> Iterator[Opinion]:
    for node in (*case.page.nodes, None):
        known = case.chip(node)
        if known is not None:
            yield from _figures(case, node, known)
            yield from _memory_type(case, node, known)
            if known.kind == "soc":
                yield from _cores(case, node, known)
                yield from _lanes(case, node, known)
                yield from _code_names(case, node, known)
    yield from _made_of_two(case)


def _figures(case: Case, node: str | None, known: Chip) -> Iterator[Opinion]:
    for subject, figure, unit in _FIGURES:
        published = getattr(known, figure)
        for one in case.of(node, subject):
            if known.kind != "soc" and figure != "cpu_cores":
                continue  # of a socketed processor the board decides
            if figure in ("cpu_cores", "gpu_cores"):
                sold = sorted({count for variant in variants(known.name) if (count := getattr(variant, figure))})
                if sold and one.said:
                    # A board may have several processors.
                    holds = any(
                        int(one.value) % count == 0 if known.kind != "soc" else int(one.value) == count
                        for count in sold
                    )
                    yield Opinion(
                        one.item,
                        holds,
                        f"{known.name} is sold with {' or '.join(map(str, sold))} {figure.replace('_', ' ').upper()[:3]} cores.",
                    )
            elif published is not None and one.said is not None and not _OTHER_FIGURE.search(one.item.text):
                source = known.sources.get(figure, "")
                yield Opinion(
                    one.item,
                    _about(one, published * unit),
                    f"Published of {_named(known)}: {shown(published)} {_unit(figure)} ({source}).",
                )


def _about(one: Stated, published: Decimal) -> bool:
    """Whether it is that figure, or the rounding of it that people use: 800 for 819."""
    said = one.said
    assert said is not None
    return said.agrees(published) or (not said.bound and abs(said.value - published) <= published * Decimal("0.03"))


def _unit(figure: str) -> str:
    return "GB/s" if figure == "memory_bandwidth_gbps" else "TFLOPS FP32"


def _named(known: Chip) -> str:
    return (
        f"{known.name} with {known.gpu_cores} GPU cores" if known.gpu_cores and known.vendor == "Apple" else known.name
    )


def _cores(case: Case, node: str | None, known: Chip) -> Iterator[Opinion]:
    for one_class in known.core_classes:
        for one in case.of(node, f"cpu_cores_{one_class.name}"):
            if one_class.cores is not None:
                holds = int(one.value) == one_class.cores
                yield Opinion(one.item, holds, f"{_named(known)} has {one_class.cores} {one_class.name} cores.")
        for level, figure, kib in _CACHES:
            published = getattr(one_class, figure)
            for one in case.of(node, f"{level} of {one_class.name} cores"):
                if published is None:
                    continue
                size = Decimal(str(one.value)) * kib
                amount = f"{published} {'MiB' if kib > 1 else 'KiB'} of {level.upper()}"
                told = f"{one_class.name.capitalize()} cores of {known.name} have {amount}"
                if one.said and one.said.unit[:1] in "kK" and one.said.low != size:
                    told += f": {int(size * 1024):,} bytes are the {one.said.text} that are stated, counted by 1000"
                yield Opinion(one.item, size == Decimal(published) * kib, f"{told}.")


def _memory_type(case: Case, node: str | None, known: Chip) -> Iterator[Opinion]:
    for one in case.of(node, "ram_type"):
        if known.memory_type and known.kind == "soc" and re.match(r"LP?DDR\dX?$|LPDDR", str(one.value)):
            yield Opinion(
                one.item, str(one.value).upper() == known.memory_type.upper(), f"{known.name} uses {known.memory_type}."
            )


def _lanes(case: Case, node: str | None, known: Chip) -> Iterator[Opinion]:
    """`Total ALUs: ~2560`: FP32 lanes of the whole GPU."""
    for item in case.page.items(node):
        said = quantity(item.value, COUNT)
        if node is None and not any(case.has_chip(item, name) for name in case.page.nodes):
            continue
        if (
            known.gpu_lanes
            and said
            and re.fullmatch(
                r"(?i)(?:total )?(?:alus|shaders|shader units|cuda cores|stream processors|fp32 (?:lanes|units))",
                item.key,
            )
        ):
            source = known.sources.get("gpu_lanes", "")
            yield Opinion(
                item,
                said.agrees(Decimal(known.gpu_lanes)),
                f"{_named(known)} has {known.gpu_lanes:,} FP32 lanes ({source}).",
            )


def _made_of_two(case: Case) -> Iterator[Opinion]:
    """`M3 Ultra is created by fusing two M3 Max chips`: twice the cores of each kind."""
    for item in case.page.outline.items:
        found = re.search(r"\b(?P<whole>M\d+ \w+)\b.*\btwo\s+(?:Apple )?(?P<half>M\d+ \w+)", item.text)
        if found is None:
            continue
        whole, half = (variants(found[name]) for name in ("whole", "half"))
        counts = [(max(v.cpu_cores or 0 for v in of), max(v.gpu_cores or 0 for v in of)) for of in (whole, half) if of]
        if len(counts) == 2:
            (cpu, gpu), (half_cpu, half_gpu) = counts
            told = f"{whole[0].name} has up to {cpu} CPU and {gpu} GPU cores, {half[0].name} up to {half_cpu} and {half_gpu}"
            yield Opinion(item, (cpu, gpu) == (2 * half_cpu, 2 * half_gpu), f"{told}.")


def _code_names(case: Case, node: str | None, known: Chip) -> Iterator[Opinion]:
    """`Performance Cores (Avalanche)` of a chip that is of another generation."""
    owners: dict[str, list[str]] = {}
    for one in chips():
        for one_class in one.core_classes if one.vendor == known.vendor else ():
            if one_class.code_name:
                owners.setdefault(one_class.code_name, []).append(one.name)
    own = {one_class.code_name for one_class in known.core_classes if one_class.code_name}
    for item in case.page.items(node):
        if node is None and not any(case.has_chip(item, name) for name in case.page.nodes):
            continue
        for name, others in owners.items():
            # As in `Performance Cores (Avalanche)`: the names alone are words of every day.
            if not re.search(
                rf"(?i)\bcores?\s*\(\s*{re.escape(name)}\s*\)|\b{re.escape(name)} (?:[pe]-?)?cores?\b", item.text
            ):
                continue
            if name in own:
                yield Opinion(item, True, f"So the cores of {known.name} are called.")
            elif known.name not in others:
                yield Opinion(item, False, f"{name} are the cores of {', '.join(others)}, not of {known.name}.")


rule = Rule(_judge)
