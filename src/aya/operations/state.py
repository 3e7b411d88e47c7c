"""The state of the nodes, whole: what the machines are, now or then."""

from collections.abc import Sequence
from typing import Annotated

import orjson

from aya.db.connection import translated
from aya.db.database import Login
from aya.db.state import read_state
from aya.history.moment import as_of as past
from aya.history.moment import moment
from aya.operations.context import Context
from aya.operations.operation import AsOf, JsonText, operation
from aya.operations.show import refuse_unknown


@operation("GET /system/state", command="state")
def get_system_state(
    context: Context,
    *,
    node: Annotated[Sequence[str], "Only of this node; may be repeated. All nodes when none is named."] = (),
    as_of: AsOf = None,
) -> JsonText:
    """The whole state that is recorded of the nodes: hardware, interfaces, software, services, PostgreSQL servers, settings,
    replication and schemas. What is not known is left out.

    Raises NotFound, naming those there are, for an unknown node, and UsageError for what is no moment or lies in the future.
    """
    states = b",".join(orjson.dumps(name) + b":" + state for name, state in _states(context, node, as_of))
    return JsonText(b'{"nodes":{' + states + b"}}")


@operation("GET /nodes/{node}", command="node show")
def get_node(context: Context, node: Annotated[str, "The node."], *, as_of: AsOf = None) -> JsonText:
    """The whole state that is recorded of one node. What is not known is left out.

    Raises NotFound, naming those there are, for an unknown node, and UsageError for what is no moment or lies in the future.
    """
    return JsonText(_states(context, (node,), as_of)[0][1])


def _states(context: Context, nodes: Sequence[str], as_of: str | None) -> list[tuple[str, bytes]]:
    at = moment(as_of) if as_of is not None else None
    with (
        context.database.connect(Login.READER) as connection,
        translated(doing="reading the state"),
        past(connection, at),
    ):
        refuse_unknown(connection, nodes, at)
        return read_state(connection, nodes)
