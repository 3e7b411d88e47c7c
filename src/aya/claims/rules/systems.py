"""A version of macOS, its name, build, kernel and Metal belong together: Darwin 25 is macOS 26, as a build 25A362 is."""

import re
from collections.abc import Iterator

from aya.claims.facts.node import CODE_NAME
from aya.claims.rule import Case, Opinion, Rule
from aya.claims.statement import Stated
from aya.reference import OperatingSystem, operating_system, operating_systems


def _judge(case: Case) -> Iterator[Opinion]:
    for node in case.page.nodes:
        yield from _system(case, node)


def _system(case: Case, node: str) -> Iterator[Opinion]:
    yield from _metal(case, node)
    version, kernel, build = (case.first(node, what) for what in ("os_version", "kernel_version", "os_build"))
    name = case.first(node, "os_name")
    called = case.first(node, CODE_NAME)
    if version is not None and called is not None and called.item is version.item:
        yield from _name(version, str(called.value))
    darwin = operating_system(str(kernel.value)) if kernel and str(kernel.value).startswith("Darwin") else None
    built = (
        _of_build(str(build.value))
        if build and (darwin or (name and re.search(r"(?i)mac|os x", str(name.value))))
        else None
    )
    if darwin and built and kernel and build:
        agree = darwin.kernel_major == built.kernel_major
        told = f"A build that begins with {built.kernel_major} is of Darwin {built.kernel_major}"
        if agree:
            yield Opinion(kernel.item, True, f"{told}, as build {build.value} on line {build.item.line} does.")
            yield Opinion(build.item, True, f"{told}, as line {kernel.item.line} has it.")
        else:
            yield Opinion(build.item, False, f"{told}; line {kernel.item.line} says {kernel.value}.")
    belongs = darwin or built
    if version is None or belongs is None or not re.match(r"\d", str(version.value)):
        return
    number = re.match(r"[\d.]+", str(version.value))
    because = (
        f"{kernel.value} on line {kernel.item.line}"
        if darwin and kernel
        else f"build {build.value} on line {build.item.line}"
        if build
        else ""
    )
    if number and belongs.includes(number[0].rstrip(".")):
        yield Opinion(version.item, True, f"{because} is of {_called(belongs)}.")
    elif number:
        more = (
            f"; so is build {build.value} on line {build.item.line}"
            if darwin and built and build and darwin.kernel_major == built.kernel_major
            else ""
        )
        yield Opinion(version.item, False, f"{because} is of {_called(belongs)}{more}.")


def _metal(case: Case, node: str) -> Iterator[Opinion]:
    """Metal 4 came with macOS 26, Metal 3 with macOS 13."""
    kernel = case.first(node, "kernel_version")
    system = operating_system(str(kernel.value)) if kernel and str(kernel.value).startswith("Darwin") else None
    for one in case.of(node, "gpu_metal_version"):
        first = {"Metal 3": 22, "Metal 4": 25}.get(str(one.value))
        if system is not None and first is not None and kernel is not None:
            came = operating_system(f"Darwin {first}.0.0")
            told = f"{one.value} came with {_called(came)}" if came else ""
            yield Opinion(
                one.item,
                system.kernel_major >= first,
                f"{told}; {kernel.value} on line {kernel.item.line} is of {_called(system)}.",
            )


def _name(version: Stated, name: str) -> Iterator[Opinion]:
    """`15.0 (Sequoia)`: the name is that of the version."""
    known = [one for one in operating_systems() if one.code_name.casefold() == name.casefold()]
    if known and not known[0].includes(str(version.value)):
        yield Opinion(version.item, False, f"{known[0].code_name} is {_called(known[0])}.")


def _of_build(build: str) -> OperatingSystem | None:
    """The system of a build: its first two digits are the kernel's."""
    found = re.match(r"(\d{2})[A-Z]", build)
    return operating_system(f"Darwin {found[1]}.0.0") if found else None


def _called(system: OperatingSystem) -> str:
    return f"{system.name} {system.version} ({system.code_name})"


rule = Rule(_judge)
