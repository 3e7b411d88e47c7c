"""The shape of a collector of machine facts: what to read, and how to understand it.

A collector is one file in `aya/collect/linux/` or `aya/collect/macos/` that defines `collector = Collector(...)`. Its
module docstring is its page in the docs. `parse` is pure: it gets the answers and returns `Facts`; it never reads, runs
or connects.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aya.host.reading import Found, Read
from aya.model import Facts


class Unreadable(Exception):
    """An answer came that this collector does not understand. The message names the source and what was wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """What to read on a machine, how to understand it, and what it speaks for."""

    reads: tuple[Read, ...]
    """Asked first, in this order. Not answered because there is none: no gap. Refused or broken: a gap, unless
    optional.
    """
    parse: Callable[[Found], Facts]
    more: Callable[[Found], tuple[Read, ...]] | None = None
    """Questions that follow from the first answers (one per disk, one per process); pure as well."""
    columns: tuple[str, ...] = ()
    """The columns of `system_nodes` it fills: the fields of `Node`."""
    sections: tuple[str, ...] = ()
    """The sections it adds rows to: `interfaces`, `software`, `services`."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What it puts into metadata: dotted key -> meaning with unit. `cpu.caches[].level` describes an item of a list.

    Keys of the node's metadata stand plain; those of rows begin with the section: `interfaces:mtu`.
    """
    measures: Mapping[str, str] = field(default_factory=dict)
    """The measurements it takes: `category.name` -> unit and meaning, `bytes: free space of a file system`."""

    @property
    def owns(self) -> tuple[str, ...]:
        """Its columns, and the top-level keys of the node's metadata it fills, as `metadata.KEY`."""
        # `observed` belongs to nobody: every collector adds its own keys to it.
        keys = {key.split(".")[0].split("[")[0] for key in self.metadata if ":" not in key} - {"observed"}
        return self.columns + tuple(f"metadata.{key}" for key in sorted(keys))
