"""Search the knowledge base."""

from typing import Annotated

from annotated_types import Ge, Le
from pydantic import WithJsonSchema

from aya.db.database import Login
from aya.knowledge.searching import PassagesFound, Question, search
from aya.operations.changes import time_of
from aya.operations.context import Context
from aya.operations.operation import operation


@operation("GET /knowledge/search", command="kb search", tool=True)
def search_knowledge(
    context: Context,
    text: Annotated[
        str,
        'A question, or words; "in quotes" as they stand, `or` between, `-` before what must not be there.',
        WithJsonSchema({"type": "string", "pattern": r"[^\s\x1c-\x1f]"}),
    ],
    *,
    limit: Annotated[int, "So many passages at most.", Ge(1), Le(100)] = 10,
    category: Annotated[str | None, "Only documents of this category: state, documentation, …"] = None,
    source: Annotated[str | None, "Only documents whose source begins so: `state:ALPHA/`."] = None,
    node: Annotated[str | None, "Only documents of this node."] = None,
    since: Annotated[
        str | None, "Only documents that changed at that moment or later: `2026-11-01`, `2 days ago`."
    ] = None,
    until: Annotated[str | None, "Only documents that changed before that moment."] = None,
) -> PassagesFound:
    """Passages of the knowledge base that answer a question: documentation, files, and what is recorded of the nodes.

    Found by meaning and by words, best first, each with its document, headings and offsets. Raises UsageError when there is no
    word to look for, or a moment is none.
    """
    with context.database.connect(Login.READER) as connection:
        question = Question(text, limit, category, source, node, time_of(since), time_of(until))
        return search(connection, context.settings, question)
