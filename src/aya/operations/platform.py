"""What is published of chips, and what is expected of a node by it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Annotated, Any

from aya.db.connection import rows, translated
from aya.db.database import Login
from aya.errors import NotFound
from aya.history.moment import as_of as past
from aya.history.moment import moment
from aya.operations.context import Context
from aya.operations.operation import AsOf, operation
from aya.operations.show import refuse_unknown
from aya.reference import (
    Chip,
    OperatingSystem,
    chips,
    expectations,
    operating_system,
    operating_systems,
    similar,
    variants,
)


@dataclass(frozen=True, slots=True)
class PublishedChips:
    """Chips, each in every configuration in which it is sold."""

    chips: Sequence[Chip]

    def document(self) -> dict[str, Any]:
        """As JSON: every figure that is published, and the source of each."""
        return {"chips": [_known(asdict(one)) for one in self.chips]}


@dataclass(frozen=True, slots=True)
class Expected:
    """What one column of a node holds, and what is expected of it."""

    column: str
    recorded: int | float | str | None
    expected: list[int | float | str]
    """Several where it depends on a variant of the chip that what is recorded does not tell."""
    agrees: bool | None
    """None: nothing is recorded."""
    because: str
    """The chip, or the kernel."""
    source: str


@operation("GET /platform/chips", command="platform")
def list_chips(
    context: Context,  # noqa: ARG001 - every operation takes it
    *,
    name: Annotated[
        str | None, "Only this one, as a tool or a person writes it: `RTX 3080`. All when left out."
    ] = None,
) -> PublishedChips:
    """What is published of chips: cores, caches, memory and its bandwidth, what they compute at most; each figure with its
    source. What is left out is not published.

    Raises NotFound, naming what is like it, for a name that is not that of one chip.
    """
    if name is None:
        return PublishedChips([one for known in chips() for one in variants(known.name)])
    found = variants(name)
    if not found:
        near = similar(name)
        remedy = f"Similar are: {', '.join(near)}." if near else "`aya platform` lists those that are known."
        raise NotFound(f"No chip is known by the name {name!r}.", remedy=remedy)
    return PublishedChips(found)


@operation("GET /platform/operating_systems", command="platform")
def list_operating_systems(
    context: Context,  # noqa: ARG001 - every operation takes it
    *,
    kernel: Annotated[str | None, "Only that of this kernel: `Darwin 25.0.0`. All when left out."] = None,
) -> list[OperatingSystem]:
    """Which version of an operating system came with which kernel, oldest first.

    Raises NotFound for a kernel that is not known.
    """
    if kernel is None:
        return list(operating_systems())
    found = operating_system(kernel)
    if found is None:
        majors = ", ".join(str(one.kernel_major) for one in operating_systems())
        raise NotFound(f"No system is known of the kernel {kernel!r}.", remedy=f"Known are Darwin {majors}.")
    return [found]


@operation("GET /nodes/{node}/platform", command="platform")
def expect_of_node(context: Context, node: Annotated[str, "The node."], *, as_of: AsOf = None) -> list[Expected]:
    """What is expected of a node by what is published of its chips and its kernel, beside what is recorded; empty where nothing
    is published of them.

    Raises NotFound, naming those there are, for an unknown node, and UsageError for what is no moment or lies in the future.
    """
    at = moment(as_of) if as_of is not None else None
    with (
        context.database.connect(Login.READER) as connection,
        translated(doing=f"reading node {node}"),
        past(connection, at),
    ):
        refuse_unknown(connection, (node,), at)
        (recorded,) = rows(connection, "SELECT * FROM system_nodes WHERE node_name = %(node)s", {"node": node})
    return [
        Expected(
            column=one.column,
            recorded=_plain(recorded[one.column]),
            expected=[_plain(value) for value in one.values],
            agrees=one.holds(recorded[one.column]),
            because=one.because,
            source=one.source,
        )
        for one in expectations(recorded)
    ]


def _plain(value: Any) -> Any:
    """A number as JSON has it."""
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == int(value) else float(value)


def _known(figures: dict[str, Any]) -> dict[str, Any]:
    """Without what is not known."""
    return {
        name: [_known(one) for one in value] if isinstance(value, tuple) else _plain(value)
        for name, value in figures.items()
        if value not in (None, ())
    }
