"""Whether the server lives, and whether it can answer."""

import asyncio

import orjson
from starlette.responses import Response

from aya import __version__
from aya.db.connection import translated
from aya.db.database import Login
from aya.db.migrate import is_current
from aya.errors import AyaError
from aya.operations.context import Context

NO_STORE = {"cache-control": "no-store"}


def health() -> Response:
    """It lives: it answers this. Says nothing of the database."""
    return _response(200, {"status": "alive", "version": __version__})


async def ready(context: Context) -> Response:
    """Whether the database can be reached and has the schema that this program needs: 200, or 503 with the reason."""
    try:
        current = await asyncio.to_thread(_is_current, context)
    except AyaError as error:
        return _response(503, {"status": "unready", "database": error.message, "remedy": error.remedy})
    if not current:
        said = "The database is not what this version of AYA needs."
        return _response(503, {"status": "unready", "database": said, "remedy": "Run `aya db migrate`."})
    return _response(200, {"status": "ready", "database": str(context.database), "version": __version__})


def _is_current(context: Context) -> bool:
    with context.database.connect(Login.READER) as connection, translated(doing="looking at the schema"):
        return is_current(connection)


def _response(status: int, document: dict[str, str]) -> Response:
    return Response(orjson.dumps(document), status, media_type="application/json", headers=NO_STORE)
