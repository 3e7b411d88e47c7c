"""Products for developers: the file that is each, and how to know its version."""

import posixpath
import re
from dataclasses import dataclass

from aya.collect.executables import distinct, target_of, there
from aya.host.reading import Answer, Files, Found, Read
from aya.model import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A product, the file that is it, and how it says its version."""

    name: str
    program: str
    version: str
    """A pattern for what it prints; the first group is the version."""
    folders: tuple[str, ...]
    names: str = ""
    """A pattern of the file names that count; default: the program's own."""
    arguments: tuple[str, ...] = ("--version",)
    release: tuple[str, str] | None = None
    """A file below the install path that tells the version, and the pattern to find it there."""
    folder_names: str | None = None
    """A pattern that finds the version in the install path itself."""

    @property
    def patterns(self) -> tuple[str, ...]:
        """Where it may be."""
        return tuple(f"{folder}/{self.program}" for folder in self.folders)

    def is_named(self, path: str) -> bool:
        """Whether the file is this product and not merely called alike."""
        return bool(re.fullmatch(self.names or re.escape(self.program), posixpath.basename(path)))


def programs_of(found: Found, tool: Tool) -> list[str]:
    """The product's programs, each once."""
    plain: set[str] = set()
    for path in there(found, tool.patterns):
        if tool.is_named(path):
            folder = posixpath.dirname(posixpath.dirname(path))
            real = f"{target_of(found, folder)}{path.removeprefix(folder)}"
            plain.add(real if real in found.answers() else path)
    return distinct(found, plain)


def release_files(tool: Tool) -> tuple[Read, ...]:
    """The files that tell the version of a product, to be asked for."""
    if tool.release is None:
        return ()
    return tuple(Files(f"{posixpath.dirname(folder)}/{tool.release[0]}") for folder in tool.folders)


def version_in_files(found: Found, tool: Tool, path: str) -> str | None:
    """The version, as far as it can be known without starting the program."""
    prefix = posixpath.dirname(posixpath.dirname(path))
    if tool.folder_names is not None and (match := re.search(tool.folder_names, prefix)):
        return match[1]
    if tool.release is not None:
        text = found.text(f"{prefix}/{tool.release[0]}")
        if text is not None and (match := re.search(tool.release[1], text, re.MULTILINE)):
            return match[1]
    return None


def version_said(tool: Tool, answer: Answer) -> str | None:
    """The version in what the program printed."""
    # Some print it as an error, some warn before it.
    said = re.search(tool.version, f"{answer.text}\n{answer.errors}", re.MULTILINE)
    return said[1].rstrip(",;") if said and answer.outcome is Outcome.OK else None
