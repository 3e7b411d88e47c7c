"""The worker: `python -m aya.db.adhoc.worker` answers questions from its input. Whatever a statement does to it, a text that
crashes the parser or a value without end, it does to this process alone.
"""

import orjson

from aya.db.adhoc.question import Question
from aya.db.adhoc.refusal import too_large
from aya.db.adhoc.session import Surroundings, run
from aya.db.adhoc.statement import refuse_unless_reading
from aya.errors import AyaError
from aya.host.worker import serve

MEMORY_LIMIT_BYTES = 256 * 1024 * 1024

_surroundings = Surroundings()


def answer(message: bytes) -> bytes:
    """Run what was asked; the answer, or the error."""
    asked = orjson.loads(message)
    question = Question(**asked["question"])
    try:
        try:
            if asked["checked"]:
                refuse_unless_reading(question.sql)
            return run(question, asked["url"], asked["name"], _surroundings, own_server=asked["own_server"])
        except MemoryError as error:
            raise too_large() from error
    except AyaError as error:
        return orjson.dumps({"error": type(error).__name__, "message": error.message, "remedy": error.remedy})


if __name__ == "__main__":
    serve(answer, memory_limit_bytes=MEMORY_LIMIT_BYTES)
