"""What may stand for a variable of a resource's address, or an argument of a prompt."""

from collections.abc import Callable, Iterable

import mcp.types as types

from aya.errors import NotFound
from aya.operations.context import Context
from aya.operations.nodes import list_nodes
from aya.operations.schema import describe_schema
from aya.operations.show import sections
from aya.operations.snapshots import list_snapshots
from aya.serve.mcp.prompts import PROMPTS
from aya.serve.mcp.resources import ALL, KINDS

AT_ONCE = 100
"""The protocol's own limit."""


def completion(
    context: Context, reference: types.ResourceTemplateReference | types.PromptReference, variable: str, begun: str
) -> types.Completion:
    """The values that begin so; none where anything may stand. Raises NotFound for an unknown address, prompt or variable."""
    if isinstance(reference, types.PromptReference):
        variables = {name: list(one.arguments) for name, one in PROMPTS.items()}
        asked = reference.name
    else:
        variables = {kind.template: kind.variables for kind in KINDS}
        asked = reference.uri
    if variable not in variables.get(asked, ()):
        there = "; ".join(f"{name}: {', '.join(of)}" for name, of in variables.items() if of)
        raise NotFound(f"{asked} has no {variable}.", remedy=f"There are: {there}.")
    fitting = [name for name in _values(context, variable) if name.lower().startswith(begun.lower())]
    return types.Completion(values=fitting[:AT_ONCE], total=len(fitting), has_more=len(fitting) > AT_ONCE)


def _values(context: Context, variable: str) -> Iterable[str]:
    def nodes() -> list[str]:
        return [one.node_name for one in list_nodes(context, limit=ALL)]

    def states() -> list[str]:
        return [*nodes(), *(one.snapshot_name for one in list_snapshots(context)), "now"]

    values: dict[str, Callable[[], Iterable[str]]] = {
        "node": nodes,
        "section": sections,
        "table": lambda: [one.name for one in describe_schema(context)],
        "before": states,
        "after": states,
    }
    return values[variable]() if variable in values else ()
