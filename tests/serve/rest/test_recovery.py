"""When the database goes, the server says so; when it is back, it answers again, without being started anew."""

import shutil
from collections.abc import Iterator

import httpx2
import pytest

from aya.db.migrate import migrate
from aya.operations.context import Context
from aya.record.recorder import record
from aya.serve.rest.server import serving
from aya.settings import Settings
from tests.conftest import make_home
from tests.record.states import whole

PATHS = ("/api/v1/system/state", "/api/v1/nodes/ALPHA", "/api/v1/settings", "/api/v1/why/ALPHA/fsync", "/openapi.json")


@pytest.fixture
def own() -> Iterator[Context]:
    """An AYA whose server may be stopped."""
    context = Context(Settings(home=make_home(), node="ALPHA"))
    context.database.start()
    migrate(context.database)
    with context.database.connect() as writer:
        record(writer, [whole()])
    yield context
    context.database.server.stop()
    shutil.rmtree(context.settings.home)


def test_the_database_may_go_and_come_back(own: Context) -> None:
    with serving(own, "127.0.0.1", 0) as port, httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        assert [client.get(path).status_code for path in PATHS] == [200] * 5
        assert client.get("/ready").json()["status"] == "ready"
        own.database.server.stop()
        for path in PATHS[:4]:
            answer = client.get(path)
            assert answer.status_code == 503, path
            assert "aya db start" in answer.json()["remedy"]
            assert answer.headers["retry-after"]
        assert client.get("/health").status_code == 200
        assert client.get("/ready").status_code == 503
        own.database.start()
        with own.database.connect() as writer:
            writer.execute("UPDATE postgresql_configuration SET setting_value = 'back' WHERE setting_name = 'fsync'")
        assert [client.get(path).status_code for path in PATHS] == [200] * 5
        assert '"back"' in client.get("/api/v1/system/state").text
        assert client.get("/ready").status_code == 200
