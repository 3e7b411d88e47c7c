"""A secret of this installation: made at first use and kept in a closed file."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from aya.errors import HostError


def kept_secret(path: Path, make: Callable[[], bytes]) -> bytes:
    """What the file holds, which is made first if there is none. Raises HostError.

    Programs that make it at the same moment agree on one, and a kill leaves nothing half written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            descriptor, incoming = tempfile.mkstemp(dir=path.parent)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(make())
                os.link(incoming, path)  # unlike a renaming, this leaves one that appeared meanwhile
            except FileExistsError:
                pass
            finally:
                os.unlink(incoming)
        return path.read_bytes()
    except OSError as error:
        raise HostError(
            f"The secret {path} cannot be kept: {error}.", remedy="Set AYA_HOME to a folder that you may write."
        ) from error
