"""`aya embed`: texts to vectors."""

from typing import Annotated

import typer

from aya.serve.cli.app import AsJson, app, working

embed = typer.Typer(help="Embeddings: texts to vectors.", no_args_is_help=True)
app.add_typer(embed, name="embed")

Model = Annotated[
    str | None,
    typer.Option("--model", help="OWNER/MODEL of the hub, or the path of a folder [default: AYA_EMBEDDING_MODEL]."),
]


@embed.command("serve")
def embed_serve(
    host: Annotated[
        str | None, typer.Option("--host", help="Address to listen on [default: AYA_HOST, else 127.0.0.1].")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", help="Port to listen on [default: AYA_EMBEDDING_PORT, else 8765].")
    ] = None,
    model: Model = None,
) -> None:
    """Serve embeddings over HTTP until Ctrl-C, as OpenAI, TEI and AYA itself are asked for them."""
    from aya.serve.cli.embedding import print_serving_embeddings
    from aya.serve.embedding.server import serve

    with working(True, host=host, embedding_port=port, embedding_model=model) as context:
        settings = context.settings
        serve(
            context,
            settings.host,
            settings.embedding_port,
            lambda chosen: print_serving_embeddings(settings.host, chosen),
        )


@embed.command("text")
def embed_text(
    texts: Annotated[list[str], typer.Argument(help="The texts, each an argument.")],
    role: Annotated[str, typer.Option("--role", help="passage: to be found; query: to find others by.")] = "passage",
    model: Model = None,
    as_json: AsJson = False,
) -> None:
    """The vectors of a few texts, made here without the service; exit 3 when one was too long and lost its end."""
    from aya.errors import ExitCode, UsageError
    from aya.operations.embedding import embed_text as operation
    from aya.operations.operation import of
    from aya.serve.cli.embedding import print_texts_embedded
    from aya.serve.cli.output import print_json

    if role not in ("passage", "query"):
        raise UsageError(f"There is no role {role}.", remedy="There are: passage, query.")
    with working(as_json, embedding_model=model) as context:
        done = of(operation)(context, texts=texts, role=role)
    if as_json:
        print_json(done)
    else:
        print_texts_embedded(done)
    if any(one.truncated for one in done.texts):
        raise typer.Exit(ExitCode.ATTENTION)


@embed.command("models")
def embed_models(as_json: AsJson = False) -> None:
    """The models whose files are here, which of them is used, and those of which the database holds vectors."""
    from aya.operations.embedding import embedding_models
    from aya.operations.operation import of
    from aya.serve.cli.embedding import print_embedding_models
    from aya.serve.cli.output import print_json

    with working(as_json) as context:
        found = of(embedding_models)(context)
    if as_json:
        print_json(found)
    else:
        print_embedding_models(found)
