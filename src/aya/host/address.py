"""Which machine is meant: this one, a recording (`recorded:DIR`), or one that is reached by ssh (`ssh:user@host:port`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aya.errors import UsageError
from aya.host.reading import Host
from aya.host.recorded import RecordedHost
from aya.host.ssh import SshHost, destination

FORMS = "recorded:DIR, recorded:FILE.tar.gz or ssh:user@host[:port]"


@contextmanager
def opened(address: str) -> Iterator[Host]:
    """The machine at an address, for as long as it is asked.

    Raises UsageError for what is no address and for a recording that cannot be used, HostError for a machine that cannot be
    reached.
    """
    kind, colon, rest = address.partition(":")
    if not colon or not rest or kind not in ("recorded", "ssh"):
        raise UsageError(f"{address!r:.200} names no machine.", remedy=f"Name it as {FORMS}.")
    if kind == "recorded":
        yield RecordedHost.open(Path(rest).expanduser())
        return
    with SshHost.connected(destination(rest)) as host:
        yield host


def plain(address: str) -> str:
    """An address as it is kept in the history of looks: a recording by its own name, not the folders it lies in."""
    kind, _, rest = address.partition(":")
    return f"recorded:{Path(rest).name}" if kind == "recorded" else address
