"""A socket that waits for connections."""

from collections.abc import Iterable
from dataclasses import dataclass

from aya.model import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One socket that takes connections or datagrams. `address` of a Unix socket is its path."""

    protocol: str
    address: str
    port: int | None
    inode: str
    user_id: str | None = None

    @property
    def rank(self) -> tuple[bool, bool, int, str, str]:
        """What comes first in a list: TCP, then UDP, then Unix sockets; the lowest port, the widest address."""
        unix, udp = self.protocol == "unix", self.protocol == "udp"
        return unix, udp, self.port or 0, self.address, self.protocol

    def as_json(self) -> dict[str, Json]:
        """The entry in `metadata.listeners`."""
        return {"protocol": self.protocol, "address": self.address, "port": self.port}


def each_once(listeners: Iterable[Listener]) -> list[Listener]:
    """Each address once, in a stable order."""
    by_address = {(one.protocol, one.address, one.port): one for one in listeners}
    return sorted(by_address.values(), key=lambda listener: listener.rank)
