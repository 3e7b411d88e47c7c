"""Which checks there are: those of AYA, and those that a user put into `AYA_HOME/checks/`.

A file there is a check as soon as it is there: `NAME.py` or `NAME.sql`; one whose name begins with `_` or `.` is none. It runs
with the rights of whoever runs AYA, so it and its folder must be root's or theirs, and writable by nobody else. It is read
only in the process of its check: a mistake in it, or a name that another check has, is a failed result that names the file.
"""

import ast
import inspect
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from aya.errors import ConfigurationError, NotFound
from aya.registry import discover
from aya.verify.check import Check
from aya.verify.sql_check import leading_comment, sql_check

PACKAGE = "aya.verify.checks"
KINDS = (".py", ".sql")
FOLDER = "checks"


@dataclass(frozen=True, slots=True)
class Entry:
    """One check that can be run."""

    name: str
    about: str
    """What it tests: the docstring of its file, or what hinders reading that."""
    file: Path | None = None
    """The user's file that defines it; None for one of AYA's own."""
    problem: str | None = None
    """Why it cannot be run, where that is known without trying."""


def catalogue(home: Path, only: Iterable[str] = ()) -> list[Entry]:
    """AYA's checks and the user's, by name, or those named. Raises NotFound that names what exists."""
    own = [Entry(name, inspect.getdoc(import_module(f"{PACKAGE}.{name}")) or "") for name in own_checks()]
    found = [*own, *_users(home / FOLDER, {entry.name for entry in own})]
    wanted = list(only)
    names = sorted({entry.name for entry in found})
    for name in wanted:
        if name not in names:
            raise NotFound(f"There is no check named {name}.", remedy=f"There are: {', '.join(names)}.")
    return [entry for entry in found if not wanted or entry.name in wanted]


def own_checks() -> dict[str, Check]:
    """The checks of AYA itself, by name."""
    return discover(PACKAGE, Check, "check")


def load(entry: Entry) -> Check:
    """The check itself. Raises ConfigurationError that names the file, or whatever running a user's file raises."""
    if entry.file is None:
        return own_checks()[entry.name]
    if entry.problem is not None:
        raise ConfigurationError(entry.problem)
    _refuse_foreign(entry.file)
    if entry.file.suffix == ".sql":
        return sql_check(entry.file)
    spec = spec_from_file_location(f"aya_user_check_{entry.name}", entry.file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ConfigurationError(f"{entry.file} cannot be loaded: {type(error).__name__}: {error}") from error
    check = getattr(module, "check", None)
    if not isinstance(check, Check):
        raise ConfigurationError(f"{entry.file} defines no check: write `check = Check(run)` in it.")
    return check


def _users(folder: Path, taken: set[str]) -> list[Entry]:
    """The user's files, in order; files beginning with `_` or `.` are none, as in AYA's own folder."""
    try:
        names = sorted(name for name in os.listdir(folder) if Path(name).suffix in KINDS and name[0] not in "_.")
    except FileNotFoundError:
        return []
    except OSError as error:
        return [Entry(FOLDER, "", folder, f"{folder} cannot be read: {error.strerror}")]
    entries: list[Entry] = []
    seen: dict[str, Path] = {}
    for file in (folder / name for name in names):
        name = file.stem
        rival = "a check of AYA's own" if name in taken else seen.get(name)
        problem = f"{file} was not run: {rival} has the same name; rename it" if rival else None
        entries.append(Entry(name, _about(file), file, problem))
        seen.setdefault(name, file)
    return entries


def _about(file: Path) -> str:
    """The docstring of a user's file, without running it."""
    try:
        text = file.read_text("utf-8-sig")
        said = leading_comment(text) if file.suffix == ".sql" else ast.get_docstring(ast.parse(text))
    except (OSError, SyntaxError, ValueError) as error:
        return f"cannot be read: {error}"
    return said or "says nothing of itself"


def _refuse_foreign(file: Path) -> None:
    """Nobody but root and the one who runs AYA may decide what AYA runs."""
    for path in (file, file.parent):
        found = path.stat()
        if found.st_uid not in (0, os.geteuid()) or found.st_mode & 0o022:
            raise ConfigurationError(
                f"{file} was not run: others may write {path}. Make it yours alone: chown, and chmod go-w."
            )


def summary(about: str) -> str:
    """The first sentence of what a check says of itself, on one line."""
    paragraph = " ".join(about.split("\n\n", 1)[0].split())
    return re.split(r"(?<=\.)\s", paragraph, maxsplit=1)[0]
