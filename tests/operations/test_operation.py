"""What a declaration makes of a plain function."""

import inspect
from pathlib import Path
from typing import Annotated

import pytest
from annotated_types import Ge

from aya.operations.context import Context
from aya.operations.operation import Kind, Route, Scope, of, operation, operations
from aya.settings import Settings


@operation("GET /things/{name}", "GET /nodes/{node}/things/{name}", command="thing show", tool=True)
def get_thing(
    context: Context, name: Annotated[str, "Which."], *, limit: Annotated[int, "So many.", Ge(1)] = 7, inner: int = 0
) -> list[str]:
    """A thing. Raises NotFound.

    More about it.
    """
    return [name] * limit


def test_the_signature_is_the_contract() -> None:
    thing = of(get_thing)
    assert (thing.name, thing.command, thing.summary) == ("get_thing", "thing show", "A thing.")
    assert thing.routes == (Route("GET", "/things/{name}"), Route("GET", "/nodes/{node}/things/{name}"))
    assert [(p.name, p.required, p.help) for p in thing.parameters] == [
        ("name", True, "Which."),
        ("limit", False, "So many."),
    ]
    assert thing.result == list[str]
    assert (thing.scope, thing.kind, thing.writes) == (Scope.READ, Kind.DOCUMENT, False)
    assert list(thing.signature.parameters) == ["name", "limit"]


def test_the_function_stays_what_it_was(tmp_path: Path) -> None:
    context = Context(Settings(home=tmp_path))
    assert get_thing(context, "x", limit=2) == of(get_thing)(context, name="x", limit=2) == ["x", "x"]


def test_a_method_that_is_not_get_writes_unless_it_is_said_not_to() -> None:
    def made(context: Context) -> int:
        """It."""
        return 1

    assert of(operation("POST /things", command="thing make")(made)).writes
    assert not of(operation("POST /things", command="thing ask", writes=False)(made)).writes


def test_a_parameter_that_must_be_given_has_help() -> None:
    def careless(context: Context, name: str) -> None:
        """It."""

    with pytest.raises(TypeError, match="name has neither help nor a default"):
        _ = of(operation("GET /careless", command="careless")(careless)).parameters


def test_every_operation_is_fully_declared() -> None:
    for name, one in operations().items():
        assert one.description, name
        assert one.result is not inspect.Signature.empty, name
        assert next(iter(inspect.signature(one.function).parameters)) == "context", name
        for parameter in one.parameters:
            assert parameter.help.endswith((".", "…", "?")), f"{name}.{parameter.name}"
        for route in one.routes:
            placed = {part.split(":")[0] for part in route.path.replace("{", "}").split("}")[1::2]}
            assert placed <= {parameter.name for parameter in one.parameters}, f"{name} {route}"
