"""Every Python on the machine, and the packages of each.

Looked at are the folders of the system, pyenv, uv and conda, the home folders of people, and the Python that AYA itself
runs in with its virtual environment. Several in one place are told apart by their library folder, which is the install
path: `/usr/lib/python3.11`. Packages are named as pip does, `pip:numpy`, with the folder they are in as install path,
and are read from the names of their metadata folders alone. A Python in somebody's home folder is never started; its
version is that of its folder, else unknown.
"""

import posixpath
import re

from aya.collect.architecture import architecture_name, runtime_mode
from aya.collect.collector import Collector
from aya.collect.elf import architecture_of_program
from aya.collect.executables import distinct, reads_of, there
from aya.collect.interpreter import Interpreter, running_python, version_said
from aya.collect.json_values import parsed, words
from aya.collect.linux._homes import READS as HOME_READS
from aya.collect.linux._homes import in_homes, may_be_run
from aya.collect.pip import packages_in
from aya.host.reading import Call, Command, File, Found, Head, Names, Read
from aya.model import Facts, Software

PREFIXES = (
    "/usr",
    "/usr/local",
    "/opt/*",
    "/opt/pyenv/versions/*",
    "/usr/local/pyenv/versions/*",
    *in_homes(".pyenv/versions/*"),
    *in_homes(".local/share/uv/python/*"),
    *in_homes("miniconda3"),
    *in_homes("anaconda3"),
    *in_homes("miniforge3"),
)
BINARIES = tuple(f"{prefix}/bin/python[23].[0-9]*" for prefix in PREFIXES)
BINARY = re.compile(r"python(\d\.\d+)t?")
VERSION_FOLDERS = re.compile(r"/(?:\.?pyenv/versions/|uv/python/cpython-)(\d+\.\d+\.\d+\w*)(?:[-+][^/]*)?$")

PACKAGE_FOLDERS = (
    "/usr/lib/python3/dist-packages",
    "/usr/lib64/python[23].[0-9]*/site-packages",
    "/usr/local/lib/python[23].[0-9]*/dist-packages",
    *(f"{prefix}/lib/python[23].[0-9]*/site-packages" for prefix in PREFIXES),
    *in_homes(".local/lib/python[23].[0-9]*/site-packages"),
)


def _interpreters(found: Found) -> list[Interpreter]:
    """Those found in folders, then the running one where it is in none of them (a virtual environment)."""
    found_there = []
    for path in distinct(found, there(found, BINARIES)):
        folder, _, name = path.rpartition("/")
        if match := BINARY.fullmatch(name):
            prefix = posixpath.dirname(folder)
            named = VERSION_FOLDERS.search(prefix)
            found_there.append(
                Interpreter(executable=path, prefix=prefix, minor=match[1], version=named[1] if named else None)
            )
    running = running_python(found)
    if running is not None and not any(running.library == one.library for one in found_there):
        found_there.append(running)
    return found_there


def _must_be_asked(interpreter: Interpreter) -> bool:
    return interpreter.version is None and may_be_run(interpreter.executable)


def more(found: Found) -> tuple[Read, ...]:
    """The version and architecture of each Python, and the packages of the virtual environment AYA runs in."""
    asked: list[Read] = []
    for interpreter in _interpreters(found):
        asked.append(Head(interpreter.executable, optional=True))
        if _must_be_asked(interpreter):
            asked.append(Command((interpreter.executable, "-V"), timeout_s=5))
    running = running_python(found)
    if running is not None:
        asked += [Names(f"{running.library}/site-packages/*.{kind}-info") for kind in ("dist", "egg")]
        asked.append(File(f"{running.prefix}/pyvenv.cfg"))
    return tuple(asked)


def _version(found: Found, interpreter: Interpreter) -> str | None:
    if interpreter.version is not None or not _must_be_asked(interpreter):
        return interpreter.version
    answer = found.answer(f"{interpreter.executable} -V")
    return version_said(answer)


def _interpreter_row(found: Found, interpreter: Interpreter, machine: str | None) -> Software:
    architecture = architecture_of_program(found.answer(f"head {interpreter.executable}").data)
    base = None
    if interpreter.environment:
        settings = found.text(f"{interpreter.prefix}/pyvenv.cfg") or ""
        home = re.search(r"^home\s*=\s*(\S.*?)\s*$", settings, re.MULTILINE)
        base = home[1] if home else None
    return Software(
        software_name="Python",
        software_version=_version(found, interpreter),
        software_architecture=architecture,
        runtime_mode=runtime_mode(architecture, machine),
        install_path=interpreter.library,
        executable_path=interpreter.executable,
        metadata={"prefix": interpreter.prefix, "environment_of": base},
    )


def parse(found: Found) -> Facts:
    """Every Python and every package of each."""
    machine = architecture_name(words(parsed(found.text("machine-architecture"))))
    interpreters = [_interpreter_row(found, interpreter, machine) for interpreter in _interpreters(found)]
    packages = packages_in(path for path in found.answers() if path.endswith((".dist-info", ".egg-info")))
    return Facts(
        software=tuple(sorted([*interpreters, *packages], key=lambda row: row.key)),
        absent=not interpreters and not packages and not found.gaps(),
    )


collector = Collector(
    reads=(
        *reads_of(BINARIES),
        *(Names(f"{folder}/*.{kind}-info") for folder in PACKAGE_FOLDERS for kind in ("dist", "egg")),
        *HOME_READS,
        Call("running-python"),
        Call("machine-architecture"),
    ),
    more=more,
    parse=parse,
    sections=("software",),
    metadata={
        "software:prefix": "folder the Python was installed into (`sys.prefix`)",
        "software:environment_of": "for a virtual environment, the program folder of the Python it was made from",
        "software:installed_versions": "all versions whose metadata is in the folder, where there are several",
    },
)
