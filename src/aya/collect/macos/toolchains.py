"""Developer tools of a Mac: Xcode and the Command Line Tools, compilers, language runtimes and container engines.

They are looked for in the fixed folders where such programs live, not in the PATH of whoever starts AYA. The programs in
`/usr/bin` are only stand-ins for the developer tools and are left out. The version is read from a file where the product
keeps one (Xcode, Java, Go), else asked by one command; a program in the home folder of a person is never started.
"""

import posixpath
import re
from dataclasses import replace

from aya.collect.asked import asked
from aya.collect.collector import Collector
from aya.collect.json_values import dig, words
from aya.collect.macho import HEAD_BYTES, architectures_of_program
from aya.collect.macos import _plist, _rosetta
from aya.collect.macos._homes import READS as HOME_READS
from aya.collect.macos._homes import in_homes, may_be_run
from aya.collect.macos._programs_there import LOOKED, looked_for, only_a_part
from aya.collect.tools import Tool, programs_of, release_files, version_in_files, version_said
from aya.host.reading import Answer, Command, Files, Found, Head, Read
from aya.model import Facts, Json, Outcome, Software

FOLDERS = ("/opt/homebrew/bin", "/usr/local/bin", "/opt/local/bin")
DEVELOPER = ("/Library/Developer/CommandLineTools/usr/bin", "/Applications/Xcode*.app/Contents/Developer/usr/bin")
TOOLCHAIN = "/Applications/Xcode*.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr/bin"

TOOLS = (
    Tool(
        name="Clang",
        program="clang",
        folders=(DEVELOPER[0], TOOLCHAIN, "/opt/homebrew/opt/llvm/bin", "/usr/local/opt/llvm/bin"),
        version=r"clang version (\d\S*)",
    ),
    Tool(
        name="Swift",
        program="swiftc",
        folders=(DEVELOPER[0], TOOLCHAIN),
        version=r"Swift version (\d\S*)",
    ),
    Tool(
        name="GCC",
        program="gcc-*",
        names=r"gcc-\d+",
        folders=FOLDERS,
        version=r"^\S+ \(.*?\) (\d+(?:\.\d+)+)",
    ),
    Tool(
        name="Rust",
        program="rustc",
        folders=(*FOLDERS, *in_homes(".rustup/toolchains/*/bin")),
        version=r"^rustc (\d\S*)",
        folder_names=r"/toolchains/(\d+\.\d+\.\d+)-",
    ),
    Tool(
        name="Go",
        program="go",
        folders=("/usr/local/go/bin", *FOLDERS, *in_homes("sdk/go*/bin")),
        arguments=("version",),
        version=r"\bgo(\d\S*)",
        release=("VERSION", r"^go(\d\S*)"),
    ),
    Tool(
        name="Java",
        program="java",
        folders=(
            "/Library/Java/JavaVirtualMachines/*/Contents/Home/bin",
            "/opt/homebrew/opt/openjdk*/bin",
            *in_homes("Library/Java/JavaVirtualMachines/*/Contents/Home/bin"),
            *in_homes(".sdkman/candidates/java/*/bin"),
        ),
        arguments=("-version",),
        version=r'version "(\d[^"]*)"',
        release=("release", r'^JAVA_VERSION="(\d[^"]*)"'),
    ),
    Tool(
        name="Node.js",
        program="node",
        folders=(*FOLDERS, *in_homes(".nvm/versions/node/*/bin")),
        version=r"^v(\d\S*)",
        folder_names=r"/versions/node/v(\d+\.\d+\.\d+)$",
    ),
    Tool(name="CMake", program="cmake", folders=FOLDERS, version=r"cmake version (\d\S*)"),
    Tool(name="Git", program="git", folders=(*DEVELOPER, *FOLDERS), version=r"git version (\d\S*)"),
    Tool(name="GNU Make", program="make", folders=DEVELOPER, version=r"GNU Make (\d\S*)"),
    Tool(
        name="Docker",
        program="docker",
        folders=("/Applications/Docker.app/Contents/Resources/bin", *FOLDERS),
        version=r"Docker version (\d[^\s,]*)",
    ),
    Tool(name="Podman", program="podman", folders=("/opt/podman/bin", *FOLDERS), version=r"podman version (\d\S*)"),
    Tool(
        name="Ollama",
        program="ollama",
        folders=("/Applications/Ollama.app/Contents/Resources", *FOLDERS),
        version=r"version is (\d\S*)",
    ),
)
XCODE = "/Applications/Xcode*.app/Contents/version.plist"
CLT = "pkgutil --pkg-info=com.apple.pkg.CLTools_Executables"
LINKED_FOLDERS = ("/opt/homebrew/opt/*", "/usr/local/opt/*")
"""Links to the folder of one version of a formula, which stand in the way of its programs."""


def more(found: Found) -> tuple[Read, ...]:
    """The head of each program, and its version where no file tells it."""
    reads: list[Read] = []
    for tool in TOOLS:
        for path in programs_of(found, tool):
            reads.append(Head(path, HEAD_BYTES, optional=True))
            if may_be_run(path) and version_in_files(found, tool, path) is None:
                reads.append(Command((path, *tool.arguments), timeout_s=5, optional=True))
    return tuple(reads)


def _row(found: Found, tool: Tool, path: str, machine: str | None) -> Software:
    version = version_in_files(found, tool, path)
    if version is None and may_be_run(path):
        version = version_said(tool, found.answer(" ".join((path, *tool.arguments))))
    prefix = posixpath.dirname(posixpath.dirname(path))
    built_for = architectures_of_program(found.answer(f"head {path}").data)
    architecture, mode = _rosetta.how_it_runs(built_for, machine)
    return Software(
        software_name=tool.name,
        software_version=version,
        software_architecture=architecture,
        runtime_mode=mode,
        install_path=prefix,
        executable_path=path,
        metadata={"architectures": list(built_for)} | _java(found, tool, prefix),
    )


def _java(found: Found, tool: Tool, prefix: str) -> dict[str, Json]:
    if tool.name != "Java":
        return {}
    answer = found.answers().get(f"{prefix}/release", Answer(Outcome.ABSENT))
    maker = re.search(r'^IMPLEMENTOR="(.+?)"', answer.text, re.MULTILINE)
    return {"vendor": maker[1] if maker else None}


def _xcodes(found: Found) -> list[Software]:
    """Each Xcode by its own file, and the Command Line Tools by the receipt of their installation."""
    rows = []
    for path, text in found.matches(XCODE):
        told = _plist.plain(_plist.parsed(text.encode("utf-8", "surrogateescape")))
        rows.append(
            Software(
                software_name="Xcode",
                software_version=words(dig(told, "CFBundleShortVersionString")),
                install_path=path.removesuffix("/Contents/version.plist"),
                metadata={"build": words(dig(told, "ProductBuildVersion"))},
            )
        )
    told = re.search(r"^version: (\d\S*)", asked(found, CLT), re.MULTILINE)
    if told is not None:
        folder = DEVELOPER[0].removesuffix("/usr/bin")
        rows.append(Software(software_name="Command Line Tools", software_version=told[1], install_path=folder))
    return rows


def parse(found: Found) -> Facts:
    """Every tool that is there."""
    machine = _rosetta.machine(found)
    rows = [_row(found, tool, path, machine) for tool in TOOLS for path in programs_of(found, tool)] + _xcodes(found)
    by_key: dict[tuple[str, ...], Software] = {}
    for row in rows:  # two names of one version in one place are one installation
        by_key.setdefault(row.key, row)
    gaps = only_a_part(found, "developer tools")
    return Facts(
        software=tuple(by_key[key] for key in sorted(by_key)),
        gaps=gaps,
        absent=not by_key and not gaps and not found.gaps(),
    )


collector = Collector(
    reads=(
        *(read for tool in TOOLS for read in looked_for(tool.patterns)),
        *(replace(read, optional=True) for tool in TOOLS for read in release_files(tool)),
        *looked_for(LINKED_FOLDERS),
        Files(XCODE, optional=True),
        LOOKED,
        Command(tuple(CLT.split()), optional=True),
        *HOME_READS,
        *_rosetta.READS,
    ),
    more=more,
    parse=parse,
    sections=("software",),
    metadata={
        "software:architectures": "architectures that its program file holds",
        "software:vendor": "who built this Java",
        "software:build": "build of this Xcode: `16A242d`",
    },
)
