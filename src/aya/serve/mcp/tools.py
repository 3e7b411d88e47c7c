"""Operations as tools: what they take and answer comes from their signatures, what they do from their declaration."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import mcp.types as types
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.json_schema import GenerateJsonSchema

from aya.db.selection import Page
from aya.errors import UsageError
from aya.operations.context import Context
from aya.operations.operation import Kind, Operation, Scope, operations
from aya.serve.mcp.answer import BUDGET_BYTES, LEAST_BUDGET_BYTES, MOST_BUDGET_BYTES, Answer, answer, page_answer
from aya.serve.mcp.pages import Shape, seal

BUDGET = "max_bytes"
CURSOR = "cursor"


class Untitled(GenerateJsonSchema):
    """A schema without titles that only repeat names: agents pay for each byte."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        """No field needs one."""
        return False


@dataclass(frozen=True)
class Tool:
    """An operation that agents may call."""

    operation: Operation

    @cached_property
    def shape(self) -> Shape:
        """Where rows stand in what it answers. To go on means to call again, which is no way to do what writes."""
        shape = Shape.of(self.result)
        return Shape(()) if self.operation.writes else shape

    @property
    def result(self) -> Any:
        """The type of its data."""
        return list[dict[str, Any]] if self.pages_itself else self.operation.shape

    @property
    def pages_itself(self) -> bool:
        """Whether the operation answers pages, and takes a cursor itself."""
        return self.operation.kind is Kind.ROWS

    @cached_property
    def arguments(self) -> type[BaseModel]:
        """What it takes: the operation's parameters, the budget, and where it answers rows, the cursor."""
        fields: dict[str, Any] = {
            one.name: (Annotated[one.annotation, Field(description=one.help)], ... if one.required else one.default)
            for one in self.operation.parameters
        }
        fields[BUDGET] = (
            Annotated[
                int, Field(description="So many bytes of JSON at most.", ge=LEAST_BUDGET_BYTES, le=MOST_BUDGET_BYTES)
            ],
            BUDGET_BYTES,
        )
        if self.shape.places and not self.pages_itself:
            fields[CURSOR] = (
                Annotated[
                    str | None, Field(description="`next` of the answer to go on from, with the same arguments.")
                ],
                None,
            )
        return create_model(self.operation.name, __config__=ConfigDict(extra="forbid"), **fields)

    @cached_property
    def declaration(self) -> types.Tool:
        """How it is shown to clients."""
        one = self.operation
        answers: Any = Answer
        title = one.name.replace("_", " ").capitalize()
        return types.Tool(
            name=one.name,
            title=title,
            description=one.description,
            input_schema=self.arguments.model_json_schema(schema_generator=Untitled),
            output_schema=answers[self.result].model_json_schema(mode="serialization", schema_generator=Untitled),
            annotations=types.ToolAnnotations(
                title=title,
                read_only_hint=not one.writes,
                destructive_hint=one.destructive,
                idempotent_hint=not one.writes,
                open_world_hint=False,
            ),
        )

    def call(self, context: Context, given: Mapping[str, Any]) -> types.CallToolResult:
        """Do it. Raises AyaError: UsageError for arguments that do not fit, and what the operation raises."""
        arguments = self._read(given)
        if self.pages_itself:
            return self._page(context, arguments)
        budget_bytes, cursor = arguments.pop(BUDGET, BUDGET_BYTES), arguments.pop(CURSOR, None)
        limits = [one.default for one in self.operation.parameters if one.name == "limit"]
        result = self.operation(context, **arguments)
        return answer(
            result.document() if hasattr(result, "document") else result,
            self.shape,
            query=seal([self.operation.name, arguments]),
            cursor=cursor,
            budget_bytes=budget_bytes,
            limit=arguments.get("limit", limits[0]) if limits else None,
        )

    def _page(self, context: Context, arguments: dict[str, Any]) -> types.CallToolResult:
        """A page of as many rows as fit; a smaller page is asked for again, for it knows where the next begins."""
        budget_bytes = arguments.pop(BUDGET, BUDGET_BYTES)
        page: Page = self.operation(context, **arguments)
        done, shown = page_answer(page, budget_bytes)
        if shown < len(page.rows):
            done, _ = page_answer(self.operation(context, **{**arguments, "limit": shown}), budget_bytes)
        return done

    def _read(self, given: Mapping[str, Any]) -> dict[str, Any]:
        try:
            model = self.arguments.model_validate(given)
        except ValidationError as error:
            there = ", ".join(self.arguments.model_fields)
            raise UsageError(
                "; ".join(
                    f"{'.'.join(map(str, one['loc']))}: "
                    + ("there is no such argument" if one["type"] == "extra_forbidden" else one["msg"])
                    for one in error.errors(include_url=False, include_input=False)
                )
                + ".",
                remedy=f"{self.operation.name} takes: {there}.",
            ) from None
        return {name: getattr(model, name) for name in model.model_fields_set}


def tools(scopes: frozenset[Scope]) -> dict[str, Tool]:
    """The tools of those who have these scopes, by name."""
    return {
        name: Tool(one)
        for name, one in operations().items()
        if one.tool and one.kind is not Kind.STREAM and one.scope in scopes
    }
