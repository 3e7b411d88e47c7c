"""A file's bytes to its text: by the kind that its name says, in a process of its own where strangers decide what happens."""

import os
from types import TracebackType

import orjson

from aya.errors import HostError
from aya.host.worker import Ended, Worker
from aya.knowledge.document import Form
from aya.knowledge.format import Extracted, format_of, formats

MODULE = "aya.knowledge.parser"
START_S = 60.0
PARSE_S = 60.0
"""So long one file may take."""
TEXT_LIMIT_BYTES = 64 * 1024 * 1024
"""So much text, as JSON, one file may give: a small file can hold much more."""


class Extraction:
    """Reads files; ends its process with the block."""

    def __init__(self) -> None:
        self._worker: Worker | None = None

    def __enter__(self) -> "Extraction":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker = None

    def read(self, path: str, data: bytes) -> Extracted | None:
        """The text of a file; None for what is no text and of no known kind. Raises HostError that says why there is none."""
        kind = format_of(path)
        if kind is None:
            try:
                return formats()["text"].read(data)
            except HostError:
                return None
        return self._confined(kind, data) if formats()[kind].is_confined else formats()[kind].read(data)

    def _confined(self, kind: str, data: bytes) -> Extracted:
        if self._worker is None or not self._worker.alive:
            self._worker = Worker(
                MODULE, {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
            )
            if self._worker.wait(START_S).ended is not Ended.ANSWERED:
                raise HostError(
                    "The process that parses files did not start.", remedy=f"`python -m {MODULE}` shows why."
                )
        reply = self._worker.ask(
            kind.encode() + b"\n" + data, timeout_s=PARSE_S, limit_bytes=TEXT_LIMIT_BYTES
        )  # fmt: skip
        if reply.ended is not Ended.ANSWERED:
            said = {
                Ended.SLOW: f"Reading it takes longer than {PARSE_S:g} s.",
                Ended.LONG: f"Its text is longer than {TEXT_LIMIT_BYTES:,} bytes.",
            }
            raise HostError(said.get(reply.ended, "The process that read it died of it."))
        told = orjson.loads(reply.message)
        if "error" in told:
            raise HostError(told["error"])
        return Extracted(told["text"], Form(told["form"]), told["title"], told["metadata"])
