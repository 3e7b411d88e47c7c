"""Compilers, build tools, language runtimes and container engines: which, which version, for which processor.

They are looked for in the fixed folders where such programs live, not in the PATH of whoever starts AYA, so that root,
a user and a timer see the same machine. The version is read from a file where the product keeps one (Java, Go, CUDA,
npm), else asked by one command; a program in the home folder of an ordinary user is never started. Links to the same
program count once. The install path is the folder the product was installed into: `/usr`, `/usr/lib/llvm-14`,
`/root/.rustup/toolchains/stable-x86_64-unknown-linux-gnu`; for GCC, of which several share `/usr`, its library folder.

`docker` is a client: its row says in `metadata.engine` whether an engine is `running` (its socket is there),
`installed` or there is `none`.
"""

import posixpath
import re

from aya.collect.architecture import architecture_name, runtime_mode
from aya.collect.collector import Collector
from aya.collect.elf import architecture_of_program
from aya.collect.executables import reads_of, there
from aya.collect.json_values import dig, parsed, words
from aya.collect.linux._homes import READS as HOME_READS
from aya.collect.linux._homes import in_homes, may_be_run
from aya.collect.tools import Tool, programs_of, release_files, version_in_files, version_said
from aya.host.reading import Call, Command, Files, Found, Head, Names, Read
from aya.model import Facts, Json, Software

FOLDERS = ("/usr/bin", "/usr/local/bin", "/opt/*/bin", "/snap/bin")
"""Where programs of the system lie; `/bin` is the same as `/usr/bin` today."""


TOOLS = (
    Tool(
        name="GCC",
        program="gcc*",
        folders=FOLDERS,
        names=r"gcc(-\d+(\.\d+)*)?",
        version=r"^\S+ \(.*?\) (\d+(?:\.\d+)+)",
    ),
    Tool(
        name="Clang",
        program="clang*",
        names=r"clang(-\d+(\.\d+)*)?",
        folders=(*FOLDERS, "/usr/lib/llvm-*/bin"),
        version=r"clang version (\d\S*)",
    ),
    Tool(
        name="Rust",
        program="rustc",
        folders=(
            "/usr/bin",
            "/opt/*/bin",
            "/usr/local/rustup/toolchains/*/bin",
            *in_homes(".rustup/toolchains/*/bin"),
        ),
        version=r"^rustc (\d\S*)",
        folder_names=r"/toolchains/(\d+\.\d+\.\d+)-",
    ),
    Tool(
        name="Go",
        program="go",
        folders=(
            "/usr/bin",
            "/usr/local/go/bin",
            "/usr/lib/go/bin",
            "/usr/lib/go-*/bin",
            "/usr/lib/golang/bin",
            *in_homes("sdk/go*/bin"),
        ),
        arguments=("version",),
        version=r"\bgo(\d\S*)",
        release=("VERSION", r"^go(\d\S*)"),
    ),
    Tool(
        name="Java",
        program="java",
        folders=("/usr/lib/jvm/*/bin", "/opt/*/bin", "/usr/java/*/bin", *in_homes(".sdkman/candidates/java/*/bin")),
        arguments=("-version",),
        version=r'version "(\d[^"]*)"',
        release=("release", r'^JAVA_VERSION="(\d[^"]*)"'),
    ),
    Tool(
        name="CUDA",
        program="nvcc",
        folders=("/usr/local/cuda/bin", "/usr/local/cuda-*/bin", "/opt/cuda/bin", "/usr/bin"),
        version=r"release \S+, V(\d[\d.]*)",
        release=("version.json", r'"cuda"\s*:\s*\{[^}]*"version"\s*:\s*"(\d[\d.]*)"'),
    ),
    Tool(
        name="Node.js",
        program="node",
        folders=(*FOLDERS, *in_homes(".nvm/versions/node/*/bin")),
        version=r"^v(\d\S*)",
        folder_names=r"/versions/node/v(\d+\.\d+\.\d+)$",
    ),
    Tool(name="GNU Make", program="make", folders=FOLDERS, version=r"GNU Make (\d\S*)"),
    Tool(name="CMake", program="cmake", folders=FOLDERS, version=r"cmake version (\d\S*)"),
    Tool(name="Git", program="git", folders=FOLDERS, version=r"git version (\d\S*)"),
    Tool(name="Docker", program="docker", folders=FOLDERS, version=r"Docker version (\d[^\s,]*)"),
    Tool(name="Podman", program="podman", folders=FOLDERS, version=r"podman version (\d\S*)"),
    Tool(name="containerd", program="containerd", folders=FOLDERS, version=r"containerd \S+ v?(\d\S*)"),
)

NPM = (
    "/usr/lib/node_modules/npm/package.json",
    "/usr/local/lib/node_modules/npm/package.json",
    "/usr/share/nodejs/npm/package.json",
    "/opt/*/lib/node_modules/npm/package.json",
    *in_homes(".nvm/versions/node/*/lib/node_modules/npm/package.json"),
)
GCC_FOLDERS = ("/usr/lib/gcc/*/*", "/usr/local/lib/gcc/*/*", "/opt/*/lib/gcc/*/*")
ENGINES = ("/usr/bin/dockerd", "/usr/local/bin/dockerd", "/snap/bin/dockerd")
ENGINE_SOCKETS = ("/run/docker.sock", "/var/run/docker.sock")
LINKED_FOLDERS = ("/usr/lib/jvm/*", "/usr/local/cuda*", "/usr/lib/go*", "/etc/alternatives/*")
"""Folders and links that stand in the way of a program and may be links themselves."""


def more(found: Found) -> tuple[Read, ...]:
    """The head of each program, and its version where no file tells it."""
    asked: list[Read] = []
    for tool in TOOLS:
        for path in programs_of(found, tool):
            asked.append(Head(path, optional=True))
            if may_be_run(path) and version_in_files(found, tool, path) is None:
                asked.append(Command((path, *tool.arguments), timeout_s=5))
    return tuple(asked)


def _row(found: Found, tool: Tool, path: str, machine: str | None) -> Software:
    version = version_in_files(found, tool, path)
    if version is None and may_be_run(path):
        version = version_said(tool, found.answer(" ".join((path, *tool.arguments))))
    prefix = posixpath.dirname(posixpath.dirname(path))
    architecture = architecture_of_program(found.answer(f"head {path}").data)
    return Software(
        software_name=tool.name,
        software_version=version,
        software_architecture=architecture,
        runtime_mode=runtime_mode(architecture, machine),
        install_path=_gcc_folder(found, prefix, version) or prefix if tool.name == "GCC" else prefix,
        executable_path=path,
        metadata=_metadata(found, tool, prefix),
    )


def _gcc_folder(found: Found, prefix: str, version: str | None) -> str | None:
    """The library folder of one version of GCC, named by all of its number or the first part of it."""
    numbers = (version or "").split(".")
    wanted = [".".join(numbers[:length]) for length in range(len(numbers), 0, -1)]
    folders = [path for path in there(found, GCC_FOLDERS) if path.startswith(f"{prefix}/lib/")]
    # A compiler for another processor has its folder beside: the first is the machine's own, cross compilers differ
    # by the name of the program as well and are not looked at.
    return next((folder for number in wanted for folder in folders if posixpath.basename(folder) == number), None)


def _metadata(found: Found, tool: Tool, prefix: str) -> dict[str, Json]:
    if tool.name == "Docker":
        if any(socket in found.answers() for socket in ENGINE_SOCKETS):
            return {"engine": "running"}
        return {"engine": "installed" if any(engine in found.answers() for engine in ENGINES) else "none"}
    if tool.name == "Java":
        maker = re.search(r'^IMPLEMENTOR="(.+?)"', found.text(f"{prefix}/release") or "", re.MULTILINE)
        development = f"{prefix}/bin/javac" in found.answers()
        return {"vendor": maker[1] if maker else None, "edition": "JDK" if development else "JRE"}
    return {}


def _npm_rows(found: Found) -> list[Software]:
    rows = []
    for path in there(found, NPM):
        version = words(dig(parsed(found.text(path)), "version"))
        folder = posixpath.dirname(path)
        rows.append(Software(software_name="npm", software_version=version, install_path=folder))
    return rows


def parse(found: Found) -> Facts:
    """Every tool that is there."""
    machine = architecture_name(words(parsed(found.text("machine-architecture"))))
    rows = [_row(found, tool, path, machine) for tool in TOOLS for path in programs_of(found, tool)] + _npm_rows(found)
    by_key: dict[tuple[str, ...], Software] = {}
    for row in rows:  # two names of one version in one place are one installation
        by_key.setdefault(row.key, row)
    return Facts(
        software=tuple(by_key[key] for key in sorted(by_key)),
        absent=not by_key and not found.gaps(),
    )


collector = Collector(
    reads=(
        *(read for tool in TOOLS for read in reads_of(tool.patterns)),
        *(read for tool in TOOLS for read in release_files(tool)),
        *reads_of(LINKED_FOLDERS),
        *(Files(pattern) for pattern in NPM),
        *(Names(pattern) for pattern in (*GCC_FOLDERS, "/usr/lib/jvm/*/bin/javac", "/opt/*/bin/javac")),
        *(Names(path) for path in (*ENGINES, *ENGINE_SOCKETS)),
        *HOME_READS,
        Call("machine-architecture"),
    ),
    more=more,
    parse=parse,
    sections=("software",),
    metadata={
        "software:engine": "of the Docker client: whether an engine is `running`, `installed` or there is `none`",
        "software:vendor": "who built this Java",
        "software:edition": "`JDK` with a compiler, `JRE` without",
    },
)
