"""A look at a server leaves no trace in what it sees, cannot write, and says why it was not answered."""

import os
import signal

import pytest

from aya.collect.postgresql.run import query
from aya.db.observed import NotObserved, Observed, Route
from aya.model import Outcome
from tests.collect.postgresql.cluster import Cluster, free_port
from tests.collect.postgresql.conftest import made


def refusal(route: Route, database: str | None = None) -> NotObserved:
    with pytest.raises(NotObserved) as caught:
        Observed.open(route, database).close()
    return caught.value


def test_no_setting_comes_from_the_session_that_looks(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGAPPNAME": "x", "PGOPTIONS": "-c work_mem=9MB", "PGCLIENTENCODING": "latin1"}.items():
        monkeypatch.setenv(name, value)
    with cluster.observed() as connection:
        sources = {row["name"]: row["source"] for row in connection.rows(query("settings", 18), bare=True)}
    assert {name for name, source in sources.items() if source in ("client", "session")} == set()


def test_settings_read_after_other_questions_are_still_those_of_the_server(cluster: Cluster) -> None:
    with cluster.observed() as connection:
        connection.rows("SELECT 1 AS one")
        after = {row["name"]: row["setting"] for row in connection.rows(query("settings", 18), bare=True)}
    with cluster.observed() as connection:
        assert {row["name"]: row["setting"] for row in connection.rows(query("settings", 18), bare=True)} == after


def test_nothing_can_be_written(cluster: Cluster) -> None:
    with cluster.observed() as connection:
        with pytest.raises(NotObserved, match="read-only") as caught:
            connection.rows("CREATE TABLE written ()")
        assert caught.value.outcome is Outcome.FAILED
        assert connection.rows("SELECT to_regclass('public.written') AS written") == [{"written": None}]


def test_a_function_in_another_schema_is_never_called_instead_of_the_servers_own(cluster: Cluster) -> None:
    with cluster.scratch() as database:
        cluster.run(
            "CREATE FUNCTION public.pg_get_userbyid(regclass) RETURNS name "
            "LANGUAGE sql AS $$ SELECT 'trapped'::name $$",
            database=database,
        )
        with cluster.observed(database) as connection:
            assert connection.rows("SELECT pg_get_userbyid(10)::text AS who") == [{"who": "postgres"}]
            with pytest.raises(NotObserved):
                connection.rows("SELECT pg_get_userbyid('pg_class'::regclass::text)")


def test_a_question_that_is_not_allowed_is_denied_and_the_next_one_is_answered(cluster: Cluster) -> None:
    with cluster.observed(user="monitor") as connection:
        with pytest.raises(NotObserved, match="permission denied") as caught:
            connection.rows("SELECT * FROM pg_authid")
        assert (caught.value.outcome, caught.value.lost) == (Outcome.DENIED, False)
        assert connection.rows("SELECT 1 AS one") == [{"one": 1}]


def test_a_question_that_the_server_does_not_know_is_unsupported(cluster: Cluster) -> None:
    with cluster.observed() as connection, pytest.raises(NotObserved) as caught:
        connection.rows("SELECT * FROM pg_not_yet_invented")
    assert caught.value.outcome is Outcome.UNSUPPORTED


def test_an_unknown_role_is_denied(cluster: Cluster) -> None:
    refused = refusal(cluster.route("stranger"))
    assert refused.outcome is Outcome.DENIED
    assert 'role "stranger" does not exist' in refused.reason


def test_a_server_that_is_not_there_failed() -> None:
    assert refusal(Route(host="/nonexistent", port=5432, user="postgres")).outcome is Outcome.FAILED
    assert refusal(Route(host="127.0.0.1", port=free_port(), user="postgres")).outcome is Outcome.FAILED


@pytest.mark.parametrize(
    "url", ["postgresql://u:hunter2@h:12x/db", "postgresql://u:hunt%er2@h/db", "password=hunter2 =x", "\0"]
)
def test_a_url_that_cannot_be_understood_does_not_show_its_password(url: str) -> None:
    route = Route(url=url)
    refused = refusal(route)
    assert "hunter2" not in refused.reason + str(refused) + repr(route) + route.label
    assert "hunt%er2" not in refused.reason + repr(route) + route.label


HBA = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"


def test_a_wrong_password_is_denied_and_never_shown() -> None:
    cluster = made(18, conf="listen_addresses = '127.0.0.1'\n", hba=HBA)
    try:
        cluster.run("CREATE ROLE keeper LOGIN PASSWORD 'right'")
        url = f"postgresql://keeper:{{}}@127.0.0.1:{cluster.port}/postgres"
        refused = refusal(Route(url=url.format("hunter2")))
        assert refused.outcome is Outcome.DENIED
        assert "hunter2" not in str(refused)
        with Observed.open(Route(url=url.format("right"))) as connection:
            assert connection.rows("SELECT current_user::text AS me") == [{"me": "keeper"}]
        no_password = refusal(Route(host="127.0.0.1", port=cluster.port, user="keeper"))
        assert no_password.outcome is Outcome.DENIED
    finally:
        cluster.remove()


def test_a_server_found_by_chance_is_not_told_a_password_in_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = made(
        18, conf="listen_addresses = '127.0.0.1'\n", hba="local all all trust\nhost all all 127.0.0.1/32 password\n"
    )
    try:
        cluster.run("CREATE ROLE keeper LOGIN PASSWORD 'right'")
        monkeypatch.setenv("PGPASSWORD", "right")
        refused = refusal(Route(host="127.0.0.1", port=cluster.port, user="keeper"))
        assert refused.outcome is Outcome.DENIED
        assert "authentication method requirement" in refused.reason
    finally:
        cluster.remove()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user for a moment")
def test_root_is_let_in_as_the_owner_where_the_kernel_is_asked_who_connects() -> None:
    cluster = made(18)
    try:
        cluster.run("CREATE ROLE nobody LOGIN")
        (cluster.data / "pg_hba.conf").write_text("local all nobody peer\n")
        cluster.run("SELECT pg_reload_conf()")
        as_root = Route(host=str(cluster.folder), port=cluster.port, user="nobody")
        as_owner = Route(host=str(cluster.folder), port=cluster.port, user="nobody", effective_uid=cluster.uid)
        with Observed.open(as_owner) as connection:
            assert connection.rows("SELECT current_user::text AS me") == [{"me": "nobody"}]
        assert os.geteuid() == 0
        assert refusal(as_root).outcome is Outcome.DENIED
    finally:
        cluster.remove()


def test_a_server_that_no_longer_answers_is_given_up(newest: Cluster) -> None:
    with newest.observed(lifetime_s=1.0) as connection:
        backend = connection.rows("SELECT pg_backend_pid() AS pid")[0]["pid"]
        os.kill(backend, signal.SIGSTOP)
        try:
            with pytest.raises(NotObserved, match="did not answer within 1 s") as caught:
                connection.rows("SELECT 1 AS one", bare=True)
            assert (caught.value.outcome, caught.value.lost) == (Outcome.FAILED, True)
        finally:
            os.kill(backend, signal.SIGCONT)


def test_bytes_of_an_unknown_encoding_stay_visible(cluster: Cluster) -> None:
    with cluster.scratch("ascii", "ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'") as database:
        with cluster.connect(database) as connection:
            connection.execute(b'CREATE TABLE "caf\xe9 \xc3\xa9" ()')
        with cluster.observed(database) as connection:
            names = connection.rows("SELECT relname, ARRAY[relname] AS list FROM pg_class WHERE relname ~ '^caf'")
    assert names == [{"relname": "caf\\xe9 é", "list": ["caf\\xe9 é"]}]


def test_a_name_out_of_a_database_of_another_encoding_stays_visible(cluster: Cluster) -> None:
    with cluster.scratch("latin", "ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'") as database:
        with cluster.connect(database) as connection:
            connection.execute("SET client_encoding = 'LATIN1'")
            connection.execute("CREATE ROLE café".encode("latin1"))
        try:
            with cluster.observed() as connection:
                assert connection.rows("SELECT rolname FROM pg_roles WHERE rolname ~ '^caf'") == [
                    {"rolname": "caf\\xe9"}
                ]
            with cluster.observed(database) as connection:
                assert connection.rows("SELECT rolname FROM pg_roles WHERE rolname ~ '^caf'") == [{"rolname": "café"}]
        finally:
            with cluster.connect(database) as connection:
                connection.execute("SET client_encoding = 'LATIN1'")
                connection.execute("DROP ROLE café".encode("latin1"))
