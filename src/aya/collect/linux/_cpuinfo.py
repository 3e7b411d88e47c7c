"""The processor as `/proc/cpuinfo` describes it: a block for each hardware thread, different on each architecture."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from aya.collect.json_values import integer
from aya.collect.linux import _arm
from aya.collect.linux._cores import Cache, CoreClass, Description, kib, model_name, ranked

ARM_VERSIONS = {"v5l": "armv5tel", "v6l": "armv6l", "v7l": "armv7l"}


def read_cpuinfo(text: str) -> Description:
    """What `/proc/cpuinfo` says: names, features, and cores where every package is shown whole."""
    head, blocks = _blocks(text)
    numbers = [int(block["processor"]) for block in blocks]

    def get(*keys: str) -> str | None:
        return next((block[key] for key in keys for block in (*blocks, head) if block.get(key)), None)

    names = {}
    for number, block in zip(numbers, blocks, strict=True):
        part = block.get("CPU part") or get("CPU part")
        maker = block.get("CPU implementer") or get("CPU implementer")
        if part and maker:
            names[number] = _arm.PARTS.get((maker.lower(), part.lower())) or f"{maker}/{part}"
    maker, part = get("CPU implementer"), get("CPU part")
    vendor = get("vendor_id")
    if vendor == "IBM/S390":
        return _mainframe(head | {key: value for block in reversed(blocks) for key, value in block.items()})
    features = get("flags", "Features", "features", "isa") or ""
    named = get("model name", "Model Name", "Processor", "cpu model", "cpu", "uarch")
    whole = numbers == list(range(len(numbers))) and len(numbers) > 0
    return replace(
        _counted(blocks, names) if whole else Description(),
        model=_arm.PARTS.get(((maker or "").lower(), (part or "").lower())) or model_name(named),
        architecture=isa_architecture(features.split(), get("model name", "Processor") or ""),
        vendor=vendor or _arm.MAKERS.get((maker or "").lower()),
        family=get("cpu family"),
        number=get("model") if vendor else part,
        stepping=get("stepping") or _arm_revision(get("CPU variant"), get("CPU revision")),
        microcode=get("microcode"),
        line_bytes=integer(get("clflush size")),
        features=tuple(sorted(set(features.replace("_", " ").split() if get("isa") else features.split()))),
        names=names,
    )


def _blocks(text: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    """What stands before the first processor, and each processor. Some kernels put no empty line between them."""
    head: dict[str, str] = {}
    blocks: list[dict[str, str]] = []
    for line in text.splitlines():
        key, colon, value = (part.strip() for part in line.partition(":"))
        if not colon:
            continue
        if key == "processor" and integer(value) is not None:
            blocks.append({})
        (blocks[-1] if blocks else head).setdefault(key, value)
    return head, blocks


def _counted(blocks: Sequence[Mapping[str, str]], names: Mapping[int, str]) -> Description:
    """Sockets, cores and threads, if these processors are all there are and say how they belong together."""
    packages: dict[str, list[Mapping[str, str]]] = {}
    for block in blocks:
        packages.setdefault(block.get("physical id", ""), []).append(block)
    if "" not in packages:
        cores: dict[tuple[str, str | None], set[int]] = {}
        for package, members in packages.items():
            seen = len({block.get("core id") for block in members})
            if any(
                block.get("siblings") != str(len(members)) or block.get("cpu cores") != str(seen) for block in members
            ):
                return Description()
            for block in members:
                cores.setdefault((package, block.get("core id")), set()).add(int(block["processor"]))
        return Description(
            sockets=len(packages),
            cores=len(cores),
            threads=len(blocks),
            threads_per_core=max(len(threads) for threads in cores.values()),
            groups=frozenset(frozenset(threads) for threads in cores.values()),
        )
    if len(blocks) > 1 and len(names) == len(blocks) and not _arm.SEVERAL_THREADS & set(names.values()):
        return Description(cores=len(blocks), threads=len(blocks), threads_per_core=1, classes=_by_design(names))
    return Description()


def _by_design(names: Mapping[int, str]) -> tuple[CoreClass, ...]:
    """The classes of cores where several designs are in one chip; none where all are alike."""
    designs = sorted(set(names.values()))
    classes = []
    for design in designs if len(designs) > 1 else ():
        numbers = frozenset(number for number, name in names.items() if name == design)
        speed = (_arm.rank_of(design), 0)
        classes.append(CoreClass(name=design, cores=len(numbers), threads=len(numbers), speed=speed, numbers=numbers))
    return ranked(classes)


def _mainframe(said: Mapping[str, str]) -> Description:
    """IBM Z: one list for the whole machine, with the caches of a core; the kernel does not name the model."""
    threads = integer(said.get("# processors")) or None
    # The highest number of a thread within a core.
    single = said.get("max thread id") == "0"
    machine = next((found[1] for value in said.values() if (found := re.search(r"machine = (\w+)", value))), None)
    features = said.get("features", "")
    return Description(
        architecture="s390x" if "zarch" in features.split() else None,
        vendor=said.get("vendor_id"),
        number=machine or said.get("machine"),
        cores=threads if single else None,
        threads=threads,
        threads_per_core=1 if single else None,
        features=tuple(sorted(set(features.split()))),
        caches=tuple(_mainframe_caches(said)),
    )


def _mainframe_caches(said: Mapping[str, str]) -> Iterable[Cache]:
    for key, value in said.items():
        parts = dict(re.findall(r"(\w+)=(\w+)", value)) if re.fullmatch(r"cache\d+", key) else {}
        level = integer(parts.get("level"))
        if level and parts.get("type") in ("Data", "Instruction", "Unified"):
            yield Cache(
                level=level,
                type=parts["type"],
                size_kib=kib(parts.get("size")),
                line_bytes=integer(parts.get("line_size")),
            )


def isa_architecture(features: Sequence[str], banner: str) -> str | None:
    """What the features of a processor, or the name that old ARM kernels give it, tell of its architecture."""
    if "lm" in features:
        return "x86_64"
    if "asimd" in features:
        return "ARM64"
    if features and re.match(r"rv(32|64)", features[0]):
        return f"riscv{features[0][2:4]}"
    version = re.search(r"\((v\d+l)\)", banner)
    return ARM_VERSIONS.get(version[1]) if version else None


def _arm_revision(variant: str | None, revision: str | None) -> str | None:
    """`r1p0`, as Arm's manuals and `lscpu` write it."""
    if variant is None or revision is None or not re.fullmatch(r"0x[0-9a-fA-F]{1,2}", variant):
        return None
    return f"r{int(variant, 16)}p{revision}"
