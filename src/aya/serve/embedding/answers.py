"""How embeddings are answered, in the form in which they were asked for, and how a refusal is told to each form's clients."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

from aya.embedding.model import Model
from aya.embedding.service import Asked, Embedded, Overlong
from aya.errors import AyaError, InferenceFailed, ModelNotReady, ModelUnusable, TextsTooLarge, TooManyRequests
from aya.serve.embedding.forms import EmbedBody, OpenAIBody

OVERLONG_HEADER = "x-aya-overlong"
NAMED_IN_HEADER = 100
"""So many over-long texts are named there; a header has no end of room."""
NO_STORE = {"cache-control": "no-store"}
KINDS: tuple[tuple[type[AyaError], str], ...] = (
    (TooManyRequests, "overloaded"),
    (TextsTooLarge, "validation"),
    (InferenceFailed, "backend"),
    (ModelNotReady, "unhealthy"),
    (ModelUnusable, "unhealthy"),
)
"""As TEI names them; anything else that is refused it calls `tokenizer`."""


def embed_answer(body: EmbedBody, asked: Asked, found: Embedded, model: Model) -> Response:
    """The answer of `POST /embed`: an array of arrays for `inputs`, else an object that also says of which model."""
    overlong = overlong_texts(asked, found, model)
    if body.inputs is not None:
        headers = {"x-compute-tokens": str(sum(found.tokens))}
        if overlong:
            named = ", ".join(f"{one['index']} {one['done']}" for one in overlong[:NAMED_IN_HEADER])
            headers[OVERLONG_HEADER] = named + (", ..." if len(overlong) > NAMED_IN_HEADER else "")
        return json_response(found.vectors, headers)
    said: dict[str, Any] = {
        "model": model.name,
        "revision": model.revision,
        "dimensions": int(found.vectors.shape[1]),
        "normalized": asked.normalize,
        "overlong": overlong,
    }
    if body.text is not None:
        one = {"embedding": found.vectors[0], "tokens": found.tokens[0], "cached": found.cached[0]}
        return json_response(one | said)
    many = {"embeddings": found.vectors, "count": len(found.tokens), "tokens": found.tokens, "cached": found.cached}
    return json_response(many | said)


def openai_answer(body: OpenAIBody, asked: Asked, found: Embedded, model: Model) -> Response:
    """The answer of `POST /v1/embeddings`; `overlong` is added where a text was."""
    vectors: list[Any] = list(found.vectors)
    if body.encoding_format == "base64":
        vectors = [b64encode(one.astype("<f4").tobytes()).decode() for one in found.vectors]
    overlong = overlong_texts(asked, found, model)
    return json_response(
        {
            "object": "list",
            "data": [{"object": "embedding", "index": index, "embedding": one} for index, one in enumerate(vectors)],
            "model": model.name,
            "usage": {"prompt_tokens": sum(found.tokens), "total_tokens": sum(found.tokens)},
            **({"overlong": overlong} if overlong else {}),
        }
    )


def overlong_texts(asked: Asked, found: Embedded, model: Model) -> list[dict[str, Any]]:
    """Which texts were longer than the model takes, and what was done with them."""
    done = "split" if asked.overlong is Overlong.SPLIT else "truncated"
    return [
        {"index": index, "tokens": found.tokens[index], "max_tokens": model.max_tokens, "done": done, "parts": parts}
        for index, parts in enumerate(found.parts)
        if parts > 1
    ]


def error_members(error: AyaError, path: str) -> Mapping[str, Any]:
    """What clients of OpenAI or TEI look for in a refusal."""
    kind = next((name for one, name in KINDS if isinstance(error, one)), "tokenizer")
    if path.startswith("/v1/"):
        return {"error": {"message": str(error), "type": kind, "param": None, "code": error.http_status}}
    return {"error": str(error), "error_type": kind}


def json_response(value: Any, headers: Mapping[str, str] | None = None, status: int = 200) -> Response:
    """An answer of JSON; arrays of numbers as they are."""
    data = orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(data, status, {**NO_STORE, **(headers or {})}, "application/json")
