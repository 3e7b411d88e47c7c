"""What makes a plain function an operation: one declaration from which its REST route, its MCP tool and its command come.

    @operation("GET /why/{node}/{thing}", command="why", tool=True)
    def why(context: Context, node: Annotated[str, "The node."], *, limit: Annotated[int, "So many.", Ge(1)] = 20) -> Why:
        \"\"\"The changes of a thing. Raises NotFound …\"\"\"

The signature is the contract: the first parameter is the context, each further one has its help and its limits beside its
type, and the result has a type. A parameter without help has a default, and is for callers in Python only. The docstring's
first sentence is what people read in lists. The function's name is the name of the tool and of the operation in OpenAPI.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from importlib import import_module
from pkgutil import iter_modules
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from aya.access.calls import logged
from aya.access.scope import Scope as Scope
from aya.operations.sentence import first_sentence

F = TypeVar("F", bound=Callable[..., Any])

MARK = "aya_operation"
LARGEST = 10**18
"""No row has a larger number."""
EMPTY = inspect.Parameter.empty

AsOf = Annotated[
    str | None,
    "As it was then: `2026-11-20 14:00`, `2 hours ago`, or #812 for right after change 812. Left out: as it is now.",
]
"""The one parameter by which every operation that reads state goes back in time."""


@dataclass(frozen=True, slots=True)
class JsonText:
    """A result that PostgreSQL wrote as JSON: sent as it is, for reading it and writing it again would only cost."""

    data: bytes


class Kind(StrEnum):
    """The form of a result: one JSON `document`, a page of `rows`, plain `text`, or a `stream` without an end."""

    DOCUMENT = "document"
    ROWS = "rows"
    TEXT = "text"
    STREAM = "stream"


@dataclass(frozen=True, slots=True)
class Route:
    """Where an operation is found by HTTP; the path stands under `/api/v1`."""

    method: str
    path: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation."""

    name: str
    annotation: Any
    """Its type with its limits (`annotated_types`), as pydantic reads it."""
    default: Any
    """`inspect.Parameter.empty` where it must be given."""
    help: str

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is EMPTY


@dataclass(frozen=True)
class Operation:
    """Everything that the faces need to know of an operation."""

    function: Callable[..., Any]
    command: str
    """The words of its command after `aya`."""
    routes: tuple[Route, ...]
    """None for what concerns only this machine: its server, its files, its keys."""
    scope: Scope
    kind: Kind
    writes: bool
    """Whether it changes anything."""
    destructive: bool
    """Whether it can lose something."""
    tool: bool
    """Whether it is offered to agents by MCP."""
    keeps: bool
    """Whether its result holds until something is written to the database."""

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.__name__

    @property
    def summary(self) -> str:
        """The first sentence of its docstring."""
        return first_sentence(self.description)

    @property
    def description(self) -> str:
        """Its docstring."""
        return inspect.getdoc(self.function) or ""

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Its parameters without the context."""
        hints = get_type_hints(self.function, include_extras=True)
        declared = list(inspect.signature(self.function).parameters.values())[1:]
        return tuple(
            Parameter(one.name, hints[one.name], one.default, said) for one in declared if (said := _help(one, hints))
        )

    @cached_property
    def result(self) -> Any:
        """The type of what it returns."""
        return get_type_hints(self.function, include_extras=True)["return"]

    @property
    def shape(self) -> Any:
        """The type whose JSON is that of the result: a result that has `document()` says itself what it is."""
        return dict[str, Any] if hasattr(self.result, "document") else self.result

    @property
    def signature(self) -> inspect.Signature:
        """Its signature without the context, all by keyword, for those who build on signatures."""
        return inspect.Signature(
            [
                inspect.Parameter(
                    one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=one.annotation
                )
                for one in self.parameters
            ],
            return_annotation=self.result,
        )

    @property
    def is_logged(self) -> bool:
        """Whether each call of it is logged: what writes, and every SQL."""
        return self.writes or self.scope is Scope.SQL

    def __call__(self, context: Any, **arguments: Any) -> Any:
        """Do it for whoever asks; what writes and SQL is logged before it is done, and is not done when it cannot be.

        Raises NotAuthenticated or NotAllowed when they may not, and what the operation raises: AyaError.
        """
        context.caller.require(self.scope)
        # The command line begins with nothing, not even a database; what it changes is in the log of changes.
        if not self.is_logged or (context.asking is None and not self.routes):
            return self.function(context, **arguments)
        with logged(
            context.database.connect,
            context.redactor,
            context.caller,
            context.request_id,
            self.name,
            arguments,
            context.tally,
        ):
            return self.function(context, **arguments)


def operation(
    *routes: str,
    command: str,
    scope: Scope = Scope.READ,
    kind: Kind = Kind.DOCUMENT,
    writes: bool | None = None,
    destructive: bool = False,
    tool: bool = False,
    keeps: bool = False,
) -> Callable[[F], F]:
    """Declare a function to be an operation; the function stays as it is.

    `routes`: `GET /nodes/{node}`, under `/api/v1`; none for what concerns only this machine. `writes`: by default what any
    method but GET does, and what has no route.
    """
    parsed = tuple(Route(*route.split(" ", 1)) for route in routes)

    def declare(function: F) -> F:
        declared = Operation(
            function=function,
            command=command,
            routes=parsed,
            scope=scope,
            kind=kind,
            writes=any(route.method != "GET" for route in parsed) if writes is None else writes,
            destructive=destructive,
            tool=tool,
            keeps=keeps,
        )
        setattr(function, MARK, declared)
        return function

    return declare


@cache
def operations() -> dict[str, Operation]:
    """Every operation by its name: the functions so declared in the modules beside this one."""
    found: dict[str, Operation] = {}
    for one in _declared():
        if one.name in found:
            raise TypeError(f"two operations are named {one.name}")
        found[one.name] = one
    return dict(sorted(found.items()))


def of(function: Callable[..., Any]) -> Operation:
    """The operation that a function was declared to be."""
    declared: Operation = getattr(function, MARK)
    return declared


def _declared() -> Iterator[Operation]:
    package = import_module(__package__ or "aya.operations")
    for name in sorted(f"{package.__name__}.{entry.name}" for entry in iter_modules(package.__path__)):
        for value in vars(import_module(name)).values():
            # A tuple of operations is a family: made from files, one each.
            for one in value if isinstance(value, tuple) else (value,):
                declared = getattr(one, MARK, None)
                # A function that another module imported is declared there.
                if isinstance(declared, Operation) and declared.function.__module__ == name:
                    yield declared


def _help(declared: inspect.Parameter, hints: dict[str, Any]) -> str:
    hint = hints[declared.name]
    said = [one for one in get_args(hint)[1:] if isinstance(one, str)] if get_origin(hint) is Annotated else []
    if not said and declared.default is EMPTY:
        raise TypeError(f"the parameter {declared.name} has neither help nor a default")
    return said[0] if said else ""
