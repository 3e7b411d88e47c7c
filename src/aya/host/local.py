"""This machine, as the kernel, its files and its programs describe it."""

import errno
import glob
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

from aya.host import nvml
from aya.host.process import run
from aya.host.reading import Answer, Call, Command, File, Files, Head, Links, Names, Read, name_of
from aya.model import Outcome

FILE_LIMIT_BYTES = 16 * 1024 * 1024
NO_VALUE = {errno.EINVAL, errno.ENODATA, errno.EOPNOTSUPP, errno.ENXIO, errno.EIO, errno.EISDIR, errno.ENODEV}
"""How kernel files say "this device has no such value": the file is there, the fact is not."""
REFUSED = {errno.EACCES, errno.EPERM}
GONE = {errno.ENOENT, errno.ENOTDIR, errno.ESRCH}


def _interface_addresses() -> object:
    """Every address of every interface, by getifaddrs."""
    import psutil

    return {
        name: [{"family": a.family.name, "address": a.address, "netmask": a.netmask} for a in addresses]
        for name, addresses in psutil.net_if_addrs().items()
    }


def _running_python() -> object:
    """The interpreter that AYA itself runs in: where it is, and its version, `3.11.7`."""
    return {"executable": sys.executable, "prefix": sys.prefix, "version": platform.python_version()}


CALLS: Mapping[str, Callable[[], object]] = {
    "interface-addresses": _interface_addresses,
    "machine-architecture": platform.machine,
    "byte-order": lambda: sys.byteorder,
    "page-size": lambda: os.sysconf("SC_PAGE_SIZE"),
    "clock-ticks": lambda: os.sysconf("SC_CLK_TCK"),
    "user-id": os.geteuid,
    "running-python": _running_python,
    "nvml": nvml.ask,
}
"""Answers of the operating system and of drivers that no file and no program gives as well; each as JSON can say it, or as
an answer that says itself how it ended.
"""


class LocalHost:
    """The machine this program runs on."""

    @cached_property
    def system(self) -> str:
        """`Linux` or `Darwin`."""
        return platform.system()

    def ask(self, read: Read) -> Mapping[str, Answer]:
        """Answer a question; see `aya.host.reading.Host`."""
        match read:
            case File(path=path):
                return {path: read_file(path)}
            case Head(path=path, size=size):
                return {name_of(read): read_file(path, first_bytes=size)}
            case Files(pattern=pattern):
                return {path: read_file(path) for path in matching(pattern)}
            case Links(pattern=pattern):
                return {path: read_link(path) for path in matching(pattern)}
            case Names(pattern=pattern):
                return {path: Answer(Outcome.OK) for path in matching(pattern)}
            case Command(argv=argv, timeout_s=timeout_s):
                return {name_of(read): run(argv, timeout_s=timeout_s)}
            case Call(name=name):
                return {name: call(name)}
        raise TypeError(f"a machine cannot be asked {read!r}")


def matching(pattern: str) -> Iterator[str]:
    """The paths that a shell pattern matches, hidden ones as well."""
    return glob.iglob(pattern, include_hidden=True)


def call(name: str) -> Answer:
    """What a library of the operating system answers, as JSON."""
    try:
        said = CALLS[name]()
        return said if isinstance(said, Answer) else Answer(Outcome.OK, json.dumps(said).encode())
    except (OSError, ValueError) as error:  # psutil breaks at a name that is not UTF-8
        return Answer(Outcome.FAILED, reason=f"{name}: {error}")


def read_file(path: str, first_bytes: int | None = None) -> Answer:
    """The content of a file, up to 16 MiB; or only its first bytes, however large it is."""
    try:
        # Non-blocking and unbuffered: a pipe or a device named like a file must not hold us.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if first_bytes is not None:
                return Answer(Outcome.OK, os.read(descriptor, first_bytes))
            chunks, size = [], 0
            while chunk := os.read(descriptor, 65536):
                chunks.append(chunk)
                size += len(chunk)
                if size > FILE_LIMIT_BYTES:
                    return Answer(Outcome.UNREADABLE, reason=f"{path} is larger than {FILE_LIMIT_BYTES} bytes")
        finally:
            os.close(descriptor)
    except OSError as error:
        return refusal(path, error)
    except ValueError as error:
        return Answer(Outcome.FAILED, reason=f"{path}: {error}")
    return Answer(Outcome.OK, b"".join(chunks))


def look_up(path: str) -> Answer:
    """Whether a path exists: its mode and owner, or why that cannot be told."""
    try:
        found = os.stat(path)
    except OSError as error:
        return refusal(path, error)
    except ValueError as error:
        return Answer(Outcome.FAILED, reason=f"{path}: {error}")
    return Answer(Outcome.OK, f"mode {found.st_mode:o}, owner {found.st_uid}".encode())


def read_link(path: str) -> Answer:
    """Where a symbolic link points."""
    try:
        return Answer(Outcome.OK, os.readlink(path).encode("utf-8", "surrogateescape"))
    except OSError as error:
        return refusal(path, error)


def refusal(path: str, error: OSError) -> Answer:
    """What an error of the operating system says of a path: refused, gone, or unreadable."""
    if error.errno in REFUSED:
        return Answer(Outcome.DENIED, reason=f"{path}: {error.strerror}")
    if error.errno in GONE or error.errno in NO_VALUE:
        return Answer(Outcome.ABSENT, reason=f"{path}: {error.strerror}")
    return Answer(Outcome.UNREADABLE, reason=f"{path}: {error.strerror}")
