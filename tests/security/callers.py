"""The ways by which SQL gets in: each makes a caller for a database, the ports while they are served. A new way is one more
function here.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx2
import orjson
import psycopg

from aya.db.adhoc.question import Question
from aya.db.adhoc.workers import ask
from aya.db.database import Database, Login
from aya.errors import AyaError
from aya.operations.context import Context
from aya.operations.query import query
from aya.operations.tokens import create_token
from aya.serve.cli.output import json_value
from aya.serve.rest.server import serving
from tests.security.hostile import CALLER, Caller

LIMITS = {"sql_timeout_s": 1, "sql_bytes": 100_000, "sql_value_bytes": 2000, "sql_rows": 200, "sql_concurrency": 4}


def operation(database: Database) -> Caller:
    """The operation, as every face calls it."""
    context = Context(database.settings.model_copy(update=LIMITS))

    def call(sql: str) -> str:
        try:
            return orjson.dumps(query(context, sql), default=json_value).decode()
        except AyaError as error:
            return str(error)

    return call


def unparsed(database: Database) -> Caller:
    """The same without the parser, which is no wall."""
    limited = Database(database.settings.model_copy(update=LIMITS))

    def call(sql: str) -> str:
        question = Question(sql=sql, as_of=None, timeout_s=1, rows=200, bytes=100_000, value_bytes=2000)
        try:
            return orjson.dumps(ask(limited, question, checked=False), default=json_value).decode()
        except AyaError as error:
            return str(error)

    return call


def role_alone(database: Database) -> Caller:
    """A direct login, as from psql: several statements in one text, no READ ONLY of ours, everything committed."""

    def call(sql: str) -> str:
        with closing(psycopg.connect(database.url(Login.SQL), autocommit=True)) as connection:
            connection.execute("SET statement_timeout = '1s'")
            result = connection.pgconn.exec_(sql.encode())
            values = [
                result.get_value(row, column) for row in range(result.ntuples) for column in range(result.nfields)
            ]
            return repr((values, result.error_message))

    return call


@contextmanager
def ports(database: Database) -> Iterator[dict[str, Caller]]:
    """Meanwhile REST and the tool of agents are served, over real HTTP, for a token that may run SQL; by name."""
    context = Context(database.settings.model_copy(update=LIMITS))
    token = create_token(context, CALLER, scope=["read", "sql"]).token
    for_agents = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
    with (
        serving(context, "127.0.0.1", 0) as port,
        httpx2.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {token}"}, timeout=60
        ) as client,
    ):

        def rest(sql: str) -> str:
            return client.post("/api/v1/sql", json={"sql": sql}).text

        def mcp(sql: str) -> str:
            called = {"name": "query", "arguments": {"sql": sql}}
            message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": called}
            return client.post("/mcp", json=message, headers=for_agents).text

        yield {"rest": rest, "mcp": mcp}
