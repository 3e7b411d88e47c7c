"""`aya serve`: answer over HTTP."""

from typing import Annotated

import typer

from aya.serve.cli.app import app, working

Host = Annotated[str | None, typer.Option("--host", help="Address to listen on [default: AYA_HOST, else 127.0.0.1].")]
Port = Annotated[int | None, typer.Option("--port", help="Port to listen on [default: AYA_PORT, else 8080].")]


@app.command()
def serve(host: Host = None, port: Port = None) -> None:
    """Serve REST over HTTP until Ctrl-C, /docs says what there is; and embeddings on their own port."""
    from aya.serve.cli.embedding import embeddings_beside
    from aya.serve.cli.overview import print_serving
    from aya.serve.rest.server import serve as run

    with working(True, host=host, port=port) as context:
        context.database.start()
        settings = context.settings
        with embeddings_beside(context):
            run(context, settings.host, settings.port, lambda chosen: print_serving(settings.host, chosen))
