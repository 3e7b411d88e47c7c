"""A command for each operation that has no presentation of its own: its parameters as arguments and options, its result as a
table or, with --json, as one document.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

import typer
from typer.core import TyperCommand, TyperGroup

from aya.operations.declared import declared_commands
from aya.serve.cli.app import AsJson, working

if TYPE_CHECKING:
    from aya.operations.operation import Operation, Parameter


class Generated(TyperCommand):
    """A command that asks its operation what it takes only when it is called."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Read its arguments, as what is made of the operation does."""
        return self.whole().make_context(info_name, args, parent, **extra)

    def whole(self) -> TyperCommand:
        """The command with its parameters."""
        from aya.operations.operation import operations

        (operation,) = (one for one in operations().values() if one.command == self.words)
        single = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
        single.command(name=self.name, help=operation.description)(_callback(operation))
        made = typer.main.get_command(single)
        assert isinstance(made, TyperCommand)
        return made

    words: str

    @property
    def params(self) -> list[Any]:
        """Its parameters."""
        return list(self.whole().params)

    @params.setter
    def params(self, _: list[Any]) -> None:
        """What it is made with has none yet."""


def add_generated(group: TyperGroup) -> None:
    """Add a command for each operation whose words lead to none."""
    for words, summary in declared_commands().items():
        *way, last = words.split(" ")
        place: TyperGroup | None = group
        for word in way:
            there = place.commands.get(word) if place is not None else None
            if there is None and place is not None:
                there = TyperGroup(name=word, help=f"Everything about {word}.", rich_markup_mode=None)
                place.add_command(there)
            place = there if isinstance(there, TyperGroup) else None
        if place is not None and last not in place.commands:
            made = Generated(last, help=summary, rich_markup_mode=None)
            made.words = words
            place.add_command(made)


def _callback(operation: "Operation") -> Callable[..., None]:
    """What the command does; its signature says what it takes."""

    def call(**given: Any) -> None:
        as_json = given.pop("as_json")
        arguments = {one.name: _value(one, given[one.name]) for one in operation.parameters if one.name in given}
        with working(as_json) as context:
            result = operation(context, **arguments)
            _show(result, as_json)

    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter(one.name, keyword, default=_default(one), annotation=_annotation(one))
        for one in operation.parameters
    ]
    as_json = inspect.Parameter("as_json", keyword, default=False, annotation=AsJson)
    vars(call)["__signature__"] = inspect.Signature([*parameters, as_json])
    call.__annotations__ = {one.name: one.annotation for one in [*parameters, as_json]}
    return call


def _annotation(one: "Parameter") -> Any:
    """Its type as the command line reads it. What is no single value is JSON, or for names with values `name=value`."""
    bare = get_args(one.annotation)[0] if get_origin(one.annotation) is Annotated else one.annotation
    some = [kind for kind in (get_args(bare) if get_origin(bare) not in SEVERAL else ()) if kind is not type(None)]
    kind: Any = some[0] if len(some) == 1 else bare
    if get_origin(kind) in SEVERAL:
        kind = list[str]
    elif kind not in (str, int, float, bool, Path):
        kind = str
    said = (
        typer.Argument(help=one.help)
        if one.required
        else typer.Option(f"--{one.name.replace('_', '-')}", help=one.help)
    )
    return Annotated[kind if one.required or kind is bool else kind | None, said]


SEVERAL = (Sequence, list, tuple, dict)


def _default(one: "Parameter") -> Any:
    if one.required:
        return inspect.Parameter.empty
    return None if isinstance(one.default, list | tuple | dict) else one.default


def _value(one: "Parameter", said: Any) -> Any:
    """The value with its limits kept. Raises UsageError."""
    from pydantic import TypeAdapter, ValidationError

    from aya.errors import UsageError

    bare = get_args(one.annotation)[0] if get_origin(one.annotation) is Annotated else one.annotation
    if said is None:
        return one.default
    if get_origin(bare) is dict:
        said = dict(pair.partition("=")[::2] for pair in said)
    adapter = TypeAdapter(one.annotation)
    try:
        return adapter.validate_python(said)
    except ValidationError as error:
        try:
            return adapter.validate_json(said)
        except ValidationError:
            reason = error.errors()[0]["msg"]
            raise UsageError(
                f"{one.name.replace('_', '-')}: {reason[0].lower()}{reason[1:]}.", remedy=one.help
            ) from None


def _show(result: Any, as_json: bool) -> None:
    """The result as one document, or as people read it."""
    import orjson

    from aya.db.selection import Page
    from aya.operations.operation import JsonText
    from aya.serve.cli.output import json_value, print_json, print_json_line, print_table

    if isinstance(result, Iterator):
        for one in result:
            print_json_line(one)
        return
    if isinstance(result, Page):
        rows = [orjson.loads(row) for row in result.rows]
        result = {"rows": rows, "next": result.next} if as_json else rows
    elif isinstance(result, JsonText):
        result = orjson.loads(result.data)
    plain = orjson.loads(orjson.dumps(result, default=json_value, option=orjson.OPT_NON_STR_KEYS))
    if as_json or _is_deep(plain):
        print_json(plain)
    elif isinstance(plain, list):
        rows = plain if all(isinstance(row, dict) for row in plain) else [{"value": row} for row in plain]
        print_table(rows, tuple(dict.fromkeys(name for row in rows for name in row)))
    elif isinstance(plain, dict):
        print_table([{"what": name.replace("_", " "), "is": value} for name, value in plain.items()], ("what", "is"))
    else:
        typer.echo(plain)


def _is_deep(plain: Any) -> bool:
    """Whether it holds more than a table of it can show."""
    return isinstance(plain, dict) and any(isinstance(value, dict | list) and value for value in plain.values())
