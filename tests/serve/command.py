"""The command `aya` as a stranger's script calls it: a program with arguments, variables, an exit code and two streams."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
NOBODY = 65534


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout; anything else there is an error."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Command:
    """`aya` with the variables that it sees."""

    variables: Mapping[str, str]
    program: tuple[str, ...] = (str(Path(sys.executable).with_name("aya")),)
    user: int | None = None

    def __call__(self, *arguments: str, **more: str) -> Done:
        """Run it to its end."""
        process = self.start(*arguments, **more)
        out, err = process.communicate(timeout=120)
        return Done(process.returncode, out, err)

    def start(self, *arguments: str, **more: str) -> "subprocess.Popen[str]":
        """Start it; its streams are pipes."""
        return subprocess.Popen(
            [*self.program, *arguments],
            env={**self.variables, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="surrogateescape",
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
            cwd="/",
        )

    @classmethod
    def at(cls, home: Path, **variables: str) -> "Command":
        """`aya` with that AYA_HOME."""
        return cls({**os.environ, "AYA_HOME": str(home), **variables})

    @property
    def home(self) -> Path:
        """Its AYA_HOME."""
        return Path(self.variables["AYA_HOME"])

    def given(self, **variables: str) -> "Command":
        """The same with further variables."""
        return replace(self, variables={**self.variables, **variables})


@cache
def as_ordinary_user() -> Command | None:
    """`aya` run by a user who owns nothing; None where this is not root, or no Python here may be run by others."""
    if os.geteuid() != 0:
        return None
    packages = [str(ROOT / "src"), *(path for path in sys.path if path.endswith("site-packages"))]
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(packages),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": "/nonexistent",
    }
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, shutil.which(version, path="/usr/local/bin:/usr/bin")):
        command = Command(variables, program=(python or "", "-m", "aya"), user=NOBODY)
        try:
            if command("--version").code == 0:
                return command
        except OSError:
            continue
    return None
