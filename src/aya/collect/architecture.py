"""One name for each processor architecture, and how a program built for one runs on another."""

NAMES = {
    "x86_64": "x86_64",
    "amd64": "x86_64",
    "x64": "x86_64",
    "aarch64": "ARM64",
    "arm64": "ARM64",
    "i386": "x86",
    "i486": "x86",
    "i586": "x86",
    "i686": "x86",
    "armhf": "ARM",
    "armv7l": "ARM",
    "armv7hl": "ARM",
    "armv7": "ARM",
    "armv6l": "ARM",
    "ppc64el": "ppc64le",
    "all": "any",
    "any": "any",
    "noarch": "any",
}
"""How kernels and package managers call them. `any`: the software is the same for all."""

ALSO_NATIVE = {("x86", "x86_64"), ("x32", "x86_64"), ("ARM", "ARM64"), ("riscv32", "riscv64")}
"""Programs that the processor of a wider machine runs by itself."""


def architecture_name(name: str | None) -> str | None:
    """One name for each architecture, whoever names it; an unknown one keeps its name."""
    return NAMES.get(name, name) if name else None


def runtime_mode(program: str | None, machine: str | None) -> str | None:
    """`native` or `emulated` (by QEMU and the like); None where one of the two is not known."""
    if program is None or machine is None:
        return None
    return "native" if program in (machine, "any") or (program, machine) in ALSO_NATIVE else "emulated"
