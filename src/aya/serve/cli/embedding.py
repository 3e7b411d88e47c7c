"""What a person sees of embeddings, and how they are served beside something else."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from aya.errors import AyaError
from aya.serve.cli.output import console, print_table, report_error, shown

if TYPE_CHECKING:
    from aya.operations.context import Context
    from aya.operations.embedding import EmbeddingModels, TextsEmbedded

NUMBERS = 4
"""So many numbers of a vector are shown to people."""


@contextmanager
def embeddings_beside(context: "Context") -> Iterator[None]:
    """Meanwhile embeddings are served, if the options say so. That they cannot be is told, and no reason not to go on."""
    from aya.serve.embedding.server import serving

    settings = context.settings
    with ExitStack() as meanwhile:
        if settings.embedding_served:
            try:
                port = meanwhile.enter_context(serving(context, settings.host, settings.embedding_port))
                print_serving_embeddings(settings.host, port)
            except AyaError as error:
                report_error(error, as_json=False)
        yield


def print_serving_embeddings(host: str, port: int) -> None:
    """Where they are served."""
    where = f"[{host}]" if ":" in host else host
    console().print(f"Embedding on http://{where}:{port}/embed and /v1/embeddings; /health says when.", markup=False)


def print_texts_embedded(done: "TextsEmbedded") -> None:
    """The model, and of each vector how it begins."""
    screen = console()
    if done.instead:
        screen.print(f"[yellow]{shown(done.instead)}[/]")
    screen.print(f"{shown(done.model)} {shown(done.revision)}, {done.dimensions} dimensions\n")
    rows = [
        {
            "text": one.text,
            "tokens": one.tokens,
            "truncated": one.truncated or None,
            "embedding": " ".join(f"{number:.4f}" for number in one.embedding[:NUMBERS]) + " ...",
        }
        for one in done.texts
    ]
    print_table(rows, ("text", "tokens", "truncated", "embedding"))


def print_embedding_models(found: "EmbeddingModels") -> None:
    """Which models are here, and which the database knows."""
    screen = console()
    rows = [
        {
            "used": "yes" if one.used else None,
            "name": one.name,
            "revision": one.revision,
            "dimensions": one.dimensions,
            "max_tokens": one.max_tokens,
            "pooling": one.pooling,
            "folder": one.folder,
        }
        for one in found.here
    ]
    print_table(rows, ("used", "name", "revision", "dimensions", "max_tokens", "pooling", "folder"))
    if found.problem:
        screen.print(f"[bold red]{shown(found.problem)}[/]")
    if found.known is None:
        screen.print(
            f"\n[yellow]Not asked of which models the database holds vectors:[/] {shown(found.known_problem or '')}"
        )
        return
    screen.print()
    print_table(
        [
            {"id": one.id, "name": one.name, "revision": one.revision, "dimensions": one.dimensions}
            for one in found.known
        ],
        ("id", "name", "revision", "dimensions"),
        title="Of which the database holds vectors",
        empty="The database holds no vectors yet.",
    )
