"""A Python on a machine: its program, the folder it was installed into, and its version."""

import re
from dataclasses import dataclass

from aya.collect.json_values import dig, parsed, words
from aya.host.reading import Answer, Found
from aya.model import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """One Python: its program, the folder it was installed into, and `3.11`."""

    executable: str
    prefix: str
    minor: str
    version: str | None = None
    environment: bool = False

    @property
    def library(self) -> str:
        """The folder of its standard library, or of the packages of a virtual environment."""
        return f"{self.prefix}/lib/python{self.minor}"


def running_python(found: Found) -> Interpreter | None:
    """The Python that AYA runs in."""
    answer = parsed(found.text("running-python"))
    executable, prefix, version = (words(dig(answer, key)) for key in ("executable", "prefix", "version"))
    if executable is None or prefix is None or version is None:
        return None
    return Interpreter(
        executable=executable, prefix=prefix, minor=".".join(version.split(".")[:2]), version=version, environment=True
    )


def version_said(answer: Answer) -> str | None:
    """The version in the answer to `-V`. Python 2 prints it as an error."""
    said = re.match(r"Python (\d+\.\d+\.\d+\S*)", answer.text + answer.errors)
    return said[1] if said and answer.outcome is Outcome.OK else None
