"""Programs of the JavaScript world, kept in a folder that git ignores."""

import os
import platform
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "build" / "conformance"
SUITE, INSPECTOR = "@modelcontextprotocol/conformance@0.2.0-alpha.12", "@modelcontextprotocol/inspector@2.12.0"
NEEDED_MAJOR = 22
"""Of Node.js, by the inspector and the suite."""
MACHINES = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended."""

    code: int
    out: str


def install() -> None:
    """Install the judges, and Node.js where there is none that is new enough. Scripts of packages are not run."""
    if shutil.which("npm") is None:
        raise SystemExit("This needs npm, of Node.js: https://nodejs.org")
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = [SUITE, INSPECTOR]
    if _major() < NEEDED_MAJOR:
        wanted.append(f"node-{platform.system().lower()}-{MACHINES[platform.machine()]}@24")
    arguments = ["npm", "install", "--no-fund", "--no-audit", "--ignore-scripts", "--engine-strict=false", *wanted]
    subprocess.run(arguments, cwd=FOLDER, check=True, stdout=subprocess.DEVNULL)


def run(program: str, *arguments: str, timeout_s: float = 900) -> Ended:
    """Run an installed program to its end."""
    own = next(FOLDER.glob("node_modules/node-*/bin"), None)
    path = os.pathsep.join([*([str(own)] if own else []), os.environ["PATH"]])
    with tempfile.TemporaryFile("w+") as out:  # not a pipe: Node.js leaves without having written all of it to one
        done = subprocess.run(
            [str(FOLDER / "node_modules" / ".bin" / program), *arguments],
            env={**os.environ, "PATH": path},
            cwd=FOLDER,
            stdout=out,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
        )
        out.seek(0)
        return Ended(done.returncode, out.read())


def _major() -> int:
    node = shutil.which("node")
    said = subprocess.run([node, "--version"], capture_output=True, text=True).stdout if node else ""
    found = re.match(r"v(\d+)", said)
    return int(found[1]) if found else 0
