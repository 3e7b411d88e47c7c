"""Every Python on a Mac, and the packages of each.

Looked at are python.org's framework, Apple's developer tools (Xcode and the Command Line Tools), Homebrew, MacPorts, pyenv,
uv, conda, the virtual environments that programs run in just now or that lie in a home folder, and the Python that AYA
itself runs in. `/usr/bin/python3` is only a stand-in for that of the developer tools and is never started. The version is
read from the framework's own file, else from the name of its folder; only a Python outside of home folders is asked.

Packages are named as pip does, `pip:numpy`, with the folder they are in as install path, and are read from the names of
their metadata folders alone. MLX is a product as well: its row has the architecture of its compiled part.
"""

import posixpath
import re
from collections.abc import Iterable

from aya.collect.asked import asked
from aya.collect.collector import Collector
from aya.collect.executables import distinct, there
from aya.collect.interpreter import Interpreter, running_python, version_said
from aya.collect.json_values import dig, words
from aya.collect.macho import HEAD_BYTES, architectures_of_program
from aya.collect.macos import _plist, _rosetta
from aya.collect.macos._homes import READS as HOME_READS
from aya.collect.macos._homes import in_homes, may_be_run
from aya.collect.macos._programs_there import LOOKED, looked_for, only_a_part
from aya.collect.macos._ps import ARGUMENTS
from aya.collect.pip import packages_in, packages_in_list
from aya.host.reading import Call, Command, File, Files, Found, Head, Names, Read
from aya.model import Facts, Json, Outcome, Software

FRAMEWORKS = (
    "/Library/Frameworks/Python.framework",
    "/System/Library/Frameworks/Python.framework",
    "/Library/Developer/CommandLineTools/Library/Frameworks/Python3.framework",
    "/Applications/Xcode*.app/Contents/Developer/Library/Frameworks/Python3.framework",
    "/opt/homebrew/Cellar/python*/*/Frameworks/Python.framework",
    "/usr/local/Cellar/python*/*/Frameworks/Python.framework",
    "/opt/local/Library/Frameworks/Python.framework",
)
PREFIXES = (
    *(f"{framework}/Versions/[23].*" for framework in FRAMEWORKS),
    "/opt/homebrew/Caskroom/*/base",
    "/opt/*",
    "/usr/local",
    *in_homes(".pyenv/versions/*"),
    *in_homes(".local/share/uv/python/*"),
    *in_homes("miniconda3"),
    *in_homes("anaconda3"),
    *in_homes("miniforge3"),
    *in_homes("*/.venv"),
    *in_homes("*/venv"),
    *in_homes(".venv"),
    *in_homes("venv"),
)
BINARIES = tuple(f"{prefix}/bin/python[23].[0-9]*" for prefix in PREFIXES)
BINARY = re.compile(r"python(\d\.\d+)t?")
VERSION_FOLDERS = re.compile(
    r"/(?:\.?pyenv/versions/|uv/python/cpython-|Cellar/python(?:@[\d.]+)?/)(\d+\.\d+\.\d+\w*?)(?:[-+_/].*)?$"
)
INFO = tuple(f"{framework}/Versions/[23].*/Resources/Info.plist" for framework in FRAMEWORKS)
PRIVATE = ("Documents", "Desktop", "Downloads", "Library")
"""Folders of a home that the system guards: looking there opens a question to whoever sits before the screen."""

PACKAGE_FOLDERS = (
    "/Library/Python/[23].[0-9]*/site-packages",
    *in_homes("Library/Python/[23].[0-9]*/lib/python/site-packages"),
    *(f"{prefix}/lib/python[23].[0-9]*/site-packages" for prefix in PREFIXES),
)
KINDS = ("dist", "egg")
MLX_PARTS = tuple(f"{folder}/mlx/core*.so" for folder in PACKAGE_FOLDERS)
MOST_ENVIRONMENTS = 20

PIP_LISTS = ("pip3 list --format=json", "pip list --format=json", "pip3 list", "pip list", "pip3 freeze", "pip freeze")
VERSIONS = ("python3 --version", "python3 -V")
"""What people record instead of folders. A live machine is not asked: whose `pip3` would that be?"""


def _interpreters(found: Found) -> list[Interpreter]:
    """Those found in folders, then the running one where it is in none of them (a virtual environment)."""
    interpreters = []
    for path in distinct(found, there(found, BINARIES)):
        folder, _, name = path.rpartition("/")
        if match := BINARY.fullmatch(name):
            prefix = posixpath.dirname(folder)
            interpreters.append(
                Interpreter(
                    executable=path,
                    prefix=prefix,
                    minor=match[1],
                    version=_version_of_framework(found, prefix) or _version_in_folder(prefix),
                    environment="venv" in posixpath.basename(prefix),
                )
            )
    running = running_python(found)
    if running is not None and not any(running.library == one.library for one in interpreters):
        interpreters.append(running)
    return interpreters


def _version_of_framework(found: Found, prefix: str) -> str | None:
    path = f"{prefix}/Resources/Info.plist"
    answer = found.answers().get(path)
    told = _plist.plain(_plist.parsed(answer.data)) if answer is not None and answer.outcome is Outcome.OK else None
    version = words(dig(told, "CFBundleShortVersionString")) or words(dig(told, "CFBundleVersion")) or ""
    match = re.match(r"(\d+\.\d+\.\d+\w*)", version)
    return match[1] if match else None


def _version_in_folder(prefix: str) -> str | None:
    match = VERSION_FOLDERS.search(prefix)
    return match[1] if match else None


def _must_be_asked(interpreter: Interpreter) -> bool:
    return interpreter.version is None and may_be_run(interpreter.executable)


def _environments(found: Found) -> list[str]:
    """The folders of virtual environments whose Python runs something now, as its command line names it."""
    programs = re.findall(r"^\s*\d+ (/\S+)/bin/python[\d.]*\s", asked(found, " ".join(ARGUMENTS)), re.MULTILINE)
    known = {interpreter.prefix for interpreter in _interpreters(found)}
    guarded = [folder for folder in programs if len(parts := folder.split("/")) > 3 and parts[3] in PRIVATE]
    return sorted({folder for folder in programs if folder not in known and folder not in guarded})[:MOST_ENVIRONMENTS]


def more(found: Found) -> tuple[Read, ...]:
    """The version and architecture of each Python, and the packages of environments that are in use."""
    reads: list[Read] = []
    for interpreter in _interpreters(found):
        reads.append(Head(interpreter.executable, HEAD_BYTES, optional=True))
        if _must_be_asked(interpreter):
            reads.append(Command((interpreter.executable, "-V"), timeout_s=5, optional=True))
    running = running_python(found)
    folders = [f"{prefix}/lib/python[23].[0-9]*" for prefix in _environments(found)]
    if running is not None:
        folders.append(running.library)
        reads.append(File(f"{running.prefix}/pyvenv.cfg", optional=True))
    reads += [Names(f"{folder}/site-packages/*.{kind}-info", optional=True) for folder in folders for kind in KINDS]
    reads += [Head(path, HEAD_BYTES, optional=True) for path in _mlx_parts(found)]
    if only_a_part(found, "Python"):
        reads += [Command(tuple(line.split()), optional=True) for line in (*PIP_LISTS, *VERSIONS)]
    return tuple(reads)


def _mlx_parts(found: Found) -> list[str]:
    return [path for pattern in MLX_PARTS for path, _ in found.matches(pattern)]


def _version(found: Found, interpreter: Interpreter) -> str | None:
    if interpreter.version is not None or not _must_be_asked(interpreter):
        return interpreter.version
    answer = found.answer(f"{interpreter.executable} -V")
    return version_said(answer)


def _interpreter_row(found: Found, interpreter: Interpreter, machine: str | None) -> Software:
    built_for = architectures_of_program(found.answer(f"head {interpreter.executable}").data)
    architecture, mode = _rosetta.how_it_runs(built_for, machine)
    base = None
    if interpreter.environment:
        settings = asked(found, f"{interpreter.prefix}/pyvenv.cfg")
        home = re.search(r"^home\s*=\s*(\S.*?)\s*$", settings, re.MULTILINE)
        base = home[1] if home else None
    return Software(
        software_name="Python",
        software_version=_version(found, interpreter),
        software_architecture=architecture,
        runtime_mode=mode,
        install_path=interpreter.library,
        executable_path=interpreter.executable,
        metadata={"prefix": interpreter.prefix, "environment_of": base, "architectures": list(built_for)},
    )


def _printed_version(found: Found) -> list[Software]:
    said = re.search(r"^Python (\d+\.\d+\.\d+\S*)", "\n".join(asked(found, line) for line in VERSIONS), re.MULTILINE)
    return [Software(software_name="Python", software_version=said[1])] if said else []


def _products(found: Found, packages: Iterable[Software], machine: str | None) -> list[Software]:
    """MLX, which people know by its own name; its compiled part tells the architecture."""
    rows = []
    for package in packages:
        if package.software_name != "pip:mlx":
            continue
        parts = [path for path in _mlx_parts(found) if path.startswith(f"{package.install_path}/")]
        built_for = architectures_of_program(found.answer(f"head {parts[0]}").data) if parts else ()
        architecture, mode = _rosetta.how_it_runs(built_for, machine)
        metadata: dict[str, Json] = {"package": package.software_name}
        rows.append(
            Software(
                software_name="MLX",
                software_version=package.software_version,
                software_architecture=architecture,
                runtime_mode=mode,
                install_path=package.install_path,
                metadata=metadata,
            )
        )
    return rows


def parse(found: Found) -> Facts:
    """Every Python and every package of each."""
    machine = _rosetta.machine(found)
    interpreters = [_interpreter_row(found, interpreter, machine) for interpreter in _interpreters(found)]
    packages = packages_in(path for path in found.answers() if path.endswith((".dist-info", ".egg-info")))
    if not packages:
        lists = (packages_in_list(asked(found, line)) for line in PIP_LISTS)
        packages = next((listed for listed in lists if listed), [])
    if not interpreters:
        interpreters = _printed_version(found)
    rows = [*interpreters, *packages, *_products(found, packages, machine)]
    gaps = only_a_part(found, "Python")
    return Facts(
        software=tuple(sorted(rows, key=lambda row: row.key)),
        gaps=gaps,
        absent=not rows and not gaps and not found.gaps(),
    )


collector = Collector(
    reads=(
        *looked_for(BINARIES),
        *(Files(path, optional=True) for path in INFO),
        *(Names(f"{folder}/*.{kind}-info", optional=True) for folder in PACKAGE_FOLDERS for kind in KINDS),
        *(Names(pattern, optional=True) for pattern in MLX_PARTS),
        *HOME_READS,
        Command(ARGUMENTS, optional=True),
        Call("running-python", optional=True),
        LOOKED,
        *_rosetta.READS,
    ),
    more=more,
    parse=parse,
    sections=("software",),
    metadata={
        "software:prefix": "folder the Python was installed into (`sys.prefix`)",
        "software:environment_of": "for a virtual environment, the program folder of the Python it was made from",
        "software:architectures": "architectures that its program file holds",
        "software:installed_versions": "all versions whose metadata is in the folder, where there are several",
        "software:package": "package that the product was installed as: `pip:mlx`",
    },
)
