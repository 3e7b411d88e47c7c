"""How embeddings are asked for: AYA's own form, that of TEI and that of OpenAI, each read into the same `Asked`."""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aya.embedding.prefixes import Role
from aya.embedding.service import Asked, Overlong
from aya.errors import UsageError

Body = TypeVar("Body", bound=BaseModel)
Word = Literal["truncate", "split", "refuse"]
OVERLONG = (
    "What becomes of a text that is longer than the model takes: truncate (only its beginning counts), split (the vectors of "
    "its parts are merged) or refuse."
)
SHOWN = 3
"""So many things that do not fit are named."""


class Options(BaseModel):
    """What every form takes."""

    model_config = ConfigDict(strict=True, extra="forbid")

    role: Literal["passage", "query"] = Field("passage", description="passage: to be found; query: to find others by.")
    overlong: Word | None = Field(None, description=OVERLONG)
    dimensions: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Only so many numbers of each vector, which only some models are made for."
    )


class EmbedBody(Options):
    """Of `POST /embed`: exactly one of `text`, `texts` (both AYA's own form) and `inputs` (that of TEI)."""

    text: str | None = Field(None, description="One text; the answer has one `embedding`.")
    texts: list[str] | None = Field(None, description="Several; the answer has `embeddings` in their order.")
    inputs: str | list[str] | None = Field(None, description="As TEI takes them; the answer is an array of arrays.")
    normalize: bool = Field(True, description="Whether vectors are made as long as 1.")
    truncate: bool | None = Field(None, description="As TEI takes it: the same as `overlong` truncate or refuse.")
    truncation_direction: Literal["Right", "right"] | None = Field(
        None, description="As TEI takes it: the end is cut off."
    )
    prompt_name: Literal["query", "passage", "document"] | None = Field(
        None, description="As TEI takes it: the same as `role`."
    )


class OpenAIBody(Options):
    """Of `POST /v1/embeddings`."""

    model_config = ConfigDict(strict=True, extra="ignore")

    input: str | list[Any] = Field(
        description="One text or several. Tokens are refused: they are those of another model."
    )
    model: str | None = Field(None, description="Is not looked at: the answer says which model was used.")
    encoding_format: Literal["float", "base64"] = Field("float", description="base64: float32, little-endian.")
    user: str | None = Field(None, description="Is not looked at.")


def read_embed(said: Any) -> tuple[EmbedBody, Asked]:
    """What `POST /embed` asks for. Raises UsageError that says what does not fit."""
    body = _read(EmbedBody, said)
    given = [name for name in ("text", "texts", "inputs") if getattr(body, name) is not None]
    if len(given) != 1:
        raise UsageError(
            f"The request has {' and '.join(given) or 'no text'}.", remedy="Send one of `text`, `texts` and `inputs`."
        )
    if body.truncate is not None and body.overlong is not None:
        raise UsageError("The request has both truncate and overlong.", remedy="Send one of them.")
    texts = getattr(body, given[0])
    # TEI refuses what is too long unless it is told to truncate.
    default = (
        Overlong.REFUSE
        if body.truncate is False or (body.inputs is not None and not body.truncate)
        else Overlong.TRUNCATE
    )
    role = {"query": Role.QUERY, None: Role(body.role)}.get(body.prompt_name, Role.PASSAGE)
    return body, Asked(
        texts=[texts] if isinstance(texts, str) else texts,
        role=role,
        overlong=Overlong(body.overlong) if body.overlong else default,
        normalize=body.normalize,
        dimensions=body.dimensions,
    )


def read_openai(said: Any) -> tuple[OpenAIBody, Asked]:
    """What `POST /v1/embeddings` asks for. Raises UsageError that says what does not fit."""
    body = _read(OpenAIBody, said)
    texts = [body.input] if isinstance(body.input, str) else body.input
    for place, text in enumerate(texts):
        if isinstance(text, int | list) and not isinstance(text, bool):
            raise UsageError(
                f"input[{place}] is tokens: those of another model, which mean something else here.",
                remedy="Send texts. In LangChain: OpenAIEmbeddings(check_embedding_ctx_length=False).",
            )
        if not isinstance(text, str):
            raise UsageError(f"The request does not fit: input[{place}] is no text.", remedy="Send texts.")
    return body, Asked(
        texts=texts,
        role=Role(body.role),
        # As OpenAI does.
        overlong=Overlong(body.overlong or "refuse"),
        dimensions=body.dimensions,
    )


def _read(form: type[Body], said: Any) -> Body:
    try:
        return form.model_validate(said)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        named = [
            f"{'.'.join(str(part) for part in one['loc'][:2]) or 'the body'}: {one['msg'][0].lower()}{one['msg'][1:]}"
            for one in problems[:SHOWN]
        ]
        more = f"; and {len(problems) - SHOWN:,} more" if len(problems) > SHOWN else ""
        raise UsageError(
            f"The request does not fit: {'; '.join(named)}{more}.", remedy=f"It takes: {', '.join(form.model_fields)}."
        ) from None
