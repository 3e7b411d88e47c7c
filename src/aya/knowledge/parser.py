"""The process in which files of strangers are parsed: `python -m aya.knowledge.parser` answers with the text of each. Whatever
a file does to a parser, one that never ends or that fills the memory, it does to this process alone.
"""

import logging
from dataclasses import asdict

import orjson

from aya.errors import HostError
from aya.host.worker import serve
from aya.knowledge.format import formats

MEMORY_LIMIT_BYTES = 768 * 1024 * 1024


def answer(message: bytes) -> bytes:
    """The text of a file, as JSON, or why there is none. The message: the name of its kind, a line break, the file."""
    kind, _, data = message.partition(b"\n")
    try:
        return orjson.dumps(asdict(formats()[kind.decode()].read(data)))
    except HostError as error:
        return orjson.dumps({"error": error.message})
    except MemoryError:
        return orjson.dumps({"error": f"Reading it needs more than {MEMORY_LIMIT_BYTES:,} bytes of memory."})
    except Exception as error:  # noqa: BLE001 - a parser may raise anything, and the next file is to be read all the same
        return orjson.dumps({"error": f"It cannot be read: {type(error).__name__}: {str(error)[:200]}"})


if __name__ == "__main__":
    logging.disable()  # parsers warn of what they mend
    serve(answer, memory_limit_bytes=MEMORY_LIMIT_BYTES)
