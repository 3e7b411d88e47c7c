"""Prompts: what people most often want an agent to do with AYA; clients offer them as commands."""

from collections.abc import Mapping
from dataclasses import dataclass

import mcp.types as types

from aya.errors import NotFound, UsageError


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt. The text names its arguments in braces; all of them must be given."""

    title: str
    description: str
    arguments: Mapping[str, str]
    """Name and help of each."""
    text: str


NODE = {"node": "The node."}
PROMPTS = {
    "review_node": Prompt(
        "Review a node",
        "What a node is, what is wrong with it, and what could not be looked at.",
        NODE,
        "Review the node {node}. Read its overview with query_system_state, then its sections `checks`, `settings` (what awaits "
        "a restart) and `services`, and list_changes of the last week. Tell what it is, what needs attention and why, with the "
        "rows that show it, and what could not be looked at. Do not take what is unknown for absent.",
    ),
    "explain_thing": Prompt(
        "Explain why a thing is as it is",
        "The changes of a setting, package, service or schema object, and what else changed around them.",
        NODE | {"thing": "A setting, package, service, schema object, or column of the node."},
        "Explain why {thing} on {node} is as it is now. Use why, and list_changes around each change. Tell between which two "
        "looks each change must have happened, who made it, and what else changed then; say plainly what is only simultaneous.",
    ),
    "compare_states": Prompt(
        "Compare two states",
        "What differs between two nodes, snapshots or moments, and what of it matters.",
        {
            "before": "A node, snapshot or moment: ALPHA, baseline, `2 hours ago`, ALPHA@baseline.",
            "after": "Likewise, or now.",
        },
        "Compare {before} with {after} by diff_states. Group what differs, the most dangerous first: what would break a "
        "failover, a restart or an upgrade. Leave out what differs by nature between machines, and say that you did.",
    ),
}


def listed() -> list[types.Prompt]:
    """All prompts."""
    return [
        types.Prompt(
            name=name,
            title=one.title,
            description=one.description,
            arguments=[
                types.PromptArgument(name=argument, description=said, required=True)
                for argument, said in one.arguments.items()
            ],
        )
        for name, one in PROMPTS.items()
    ]


def filled(name: str, given: Mapping[str, str]) -> types.GetPromptResult:
    """A prompt with its arguments. Raises NotFound for an unknown one, UsageError for arguments that do not fit."""
    if name not in PROMPTS:
        raise NotFound(f"There is no prompt {name}.", remedy=f"There are: {', '.join(PROMPTS)}.")
    prompt = PROMPTS[name]
    if given.keys() != prompt.arguments.keys():
        raise UsageError(
            f"{name} was given {', '.join(given) or 'nothing'}.", remedy=f"Give exactly: {', '.join(prompt.arguments)}."
        )
    text = prompt.text.format(**{argument: f"`{value}`" for argument, value in given.items()})
    message = types.PromptMessage(role="user", content=types.TextContent(type="text", text=text))
    return types.GetPromptResult(description=prompt.description, messages=[message])
