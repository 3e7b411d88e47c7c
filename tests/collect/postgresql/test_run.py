"""A server is looked at whole; what goes wrong with one part leaves the others as they are."""

import re
from dataclasses import replace

import pytest

from aya.collect.postgresql import run
from aya.collect.postgresql.run import collect_server, collect_servers, server_collectors
from aya.host.local import LocalHost
from aya.host.reading import Answer, Names, Read
from aya.model import Collected, Facts, Outcome
from aya.redaction import Redactor
from tests.collect.postgresql.cluster import Cluster, free_port
from tests.collect.postgresql.conftest import REDACTOR, made
from tests.collect.postgresql.declared import floats, undeclared


class EmptyHost:
    """A machine that runs no PostgreSQL."""

    system = "Linux"

    def ask(self, read: Read) -> dict[str, Answer]:
        return {}


def look(cluster: Cluster, *, user: str = "postgres") -> tuple[Collected, ...]:
    with cluster.observed(user=user) as connection:
        return collect_server(connection, REDACTOR)


def without_observation(collected: Collected) -> str:
    facts = collected.facts
    schemas = tuple(
        replace(
            row,
            table_size_bytes=None,
            index_size_bytes=None,
            metadata={k: v for k, v in row.metadata.items() if k != "observed"},
        )
        for row in facts.schemas
    )
    return repr((collected.collector, collected.target, collected.outcome, facts.instances, facts.settings, schemas))


def test_a_superuser_sees_everything_of_every_database(cluster: Cluster) -> None:
    with cluster.scratch("other") as other, cluster.scratch("closed", "ALLOW_CONNECTIONS false"):
        results = look(cluster)
    assert {c.outcome for c in results} == {Outcome.OK, Outcome.ABSENT}
    assert {c.collector for c in results} == {f"postgresql.{name}" for name in server_collectors()}
    (instance,) = {row.instance for c in results for row in c.facts.instances}
    targets = {c.target for c in results}
    assert targets == {instance, *(f"{instance}/{name}" for name in ("postgres", "template1", other))}


def test_a_monitor_sees_the_same_except_what_only_a_superuser_may(cluster: Cluster) -> None:
    results = {(c.collector, c.target): c for c in look(cluster, user="monitor")}
    denied = {key[0] for key, c in results.items() if c.outcome is Outcome.DENIED}
    assert denied == {"postgresql.settings", "postgresql.instance", "postgresql.extensions"}
    assert {c.outcome for c in results.values()} == {Outcome.OK, Outcome.ABSENT, Outcome.DENIED}
    for whole in look(cluster):
        seen = results[whole.collector, whole.target]
        assert len(seen.facts.settings) == len(whole.facts.settings)
        assert len(seen.facts.schemas) == len(whole.facts.schemas)


def test_two_looks_at_an_unchanged_server_are_equal(cluster: Cluster) -> None:
    assert list(map(without_observation, look(cluster))) == list(map(without_observation, look(cluster)))


def test_what_changed_between_two_looks_of_one_process_is_seen(cluster: Cluster) -> None:
    def seen() -> tuple[str | None, set[str | None]]:
        results = look(cluster)
        values = {row.setting_name: row.setting_value for c in results for row in c.facts.settings}
        return values["work_mem"], {row.table_name for c in results for row in c.facts.schemas}

    value, tables = seen()
    assert seen() == (value, tables)
    with cluster.scratch() as scratch:
        cluster.run("CREATE TABLE appeared (number integer)", database=scratch)
        cluster.run("ALTER SYSTEM SET work_mem = '9MB'")
        cluster.reload()
        assert seen() == ("9216", tables | {"appeared"})
        cluster.run("DROP TABLE appeared", database=scratch)
        cluster.run("ALTER SYSTEM RESET work_mem")
        cluster.reload()
    assert seen() == (value, tables)


def test_the_same_answers_are_marked_anew_under_another_key(cluster: Cluster) -> None:
    def overrides(redactor: Redactor) -> str:
        with cluster.observed() as connection:
            results = collect_server(connection, redactor)
        (row,) = (row for c in results for row in c.facts.settings if row.setting_name == "app.token")
        return repr(row.metadata["overrides"])

    cluster.run("ALTER DATABASE postgres SET app.token = 'hunter2'")
    try:
        first, other = REDACTOR, Redactor(b"\2" * 32)
        assert first.mark("hunter2") in overrides(first)
        assert other.mark("hunter2") in overrides(other)
        assert first.mark("hunter2") in overrides(first)
    finally:
        cluster.run("ALTER DATABASE postgres RESET ALL")


def test_every_key_that_is_produced_is_declared_and_no_state_is_a_float(cluster: Cluster) -> None:
    cluster.run("SELECT pg_create_physical_replication_slot('waiting', true)")
    try:
        results = look(cluster)
    finally:
        cluster.run("SELECT pg_drop_replication_slot('waiting')")
    for collected in results:
        collector = server_collectors()[collected.collector.removeprefix("postgresql.")]
        assert undeclared(collector, collected.facts) == set()
        assert floats(collected.facts) == []
        assert collector.sections == collected.sections


def test_every_measurement_says_its_unit_first() -> None:
    for collector in server_collectors().values():
        for name, meaning in collector.measures.items():
            assert re.fullmatch(r"[a-z]+\.[a-z_]+", name)
            assert re.fullmatch(r"[a-z]+: .+", meaning)


def test_a_database_that_refuses_does_not_stop_the_others(newest: Cluster) -> None:
    newest.run(
        "CREATE ROLE monitor LOGIN IN ROLE pg_monitor",
        "CREATE DATABASE closed",
        "REVOKE CONNECT ON DATABASE closed FROM PUBLIC",
    )
    results = look(newest, user="monitor")
    closed = [c for c in results if c.target.endswith("/closed")]
    assert {(c.collector, c.outcome) for c in closed} == {
        ("postgresql.extensions", Outcome.DENIED),
        ("postgresql.schemas", Outcome.DENIED),
    }
    assert {c.outcome for c in results if c.target.endswith("/postgres")} == {Outcome.OK, Outcome.DENIED}


def test_a_server_that_dies_midway_keeps_what_it_told_before(newest: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = run.query

    def dying(name: str, major: int) -> str:
        if name == "databases" and newest.process is not None:
            newest.kill()
        return ask(name, major)

    monkeypatch.setattr(run, "query", dying)
    first, *others = look(newest)
    assert (first.collector, first.outcome) == ("postgresql.settings", Outcome.OK)
    assert len(first.facts.settings) > 350
    assert {c.collector for c in others} == {f"postgresql.{name}" for name in server_collectors()} - {first.collector}
    assert {c.outcome for c in others} == {Outcome.FAILED}
    assert all(c.reason for c in others)


def test_a_collector_that_breaks_does_not_stop_the_others(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Facts:
        raise RuntimeError("surprise")

    collectors = dict(server_collectors())
    collectors["databases"] = replace(collectors["databases"], parse=broken)
    monkeypatch.setattr(run, "server_collectors", lambda: collectors)
    outcomes = {c.collector: (c.outcome, c.reason) for c in look(cluster)}
    assert outcomes.pop("postgresql.databases") == (Outcome.FAILED, "RuntimeError: surprise")
    assert {outcome for outcome, _ in outcomes.values()} == {Outcome.OK, Outcome.ABSENT}


def test_an_old_server_is_unsupported(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "OLDEST_MAJOR", 99)
    monkeypatch.setattr(run, "query", lambda name, _: run.variants()[name][0])
    results = look(cluster)
    assert {c.outcome for c in results} == {Outcome.UNSUPPORTED}
    assert results[0].reason == f"PostgreSQL {cluster.version} is older than 99, the oldest version AYA can look at"


def test_servers_named_by_url_are_looked_at_once_and_a_wrong_one_does_not_stop_the_others(cluster: Cluster) -> None:
    good = f"host={cluster.folder} port={cluster.port} user=postgres dbname=template1"
    wrong = f"postgresql://ann:hunter2@127.0.0.1:{free_port()}/postgres"
    search, *results = collect_servers(EmptyHost(), [wrong, good, good], REDACTOR)
    assert (search.collector, search.outcome, search.roll_call) == ("postgresql.servers", Outcome.OK, None)
    count = len(server_collectors())
    assert {c.outcome for c in results[:count]} == {Outcome.FAILED}
    assert len({(c.collector, c.target) for c in results}) == len(results)
    assert {c.outcome for c in results[count:]} == {Outcome.OK, Outcome.ABSENT}
    assert "hunter2" not in repr(results)


def test_the_servers_that_answered_are_named_when_none_was_left_out(cluster: Cluster) -> None:
    search, *results = collect_servers(
        EmptyHost(), [f"host={cluster.folder} port={cluster.port} user=postgres"], REDACTOR
    )
    assert search.roll_call == tuple({row.instance for c in results for row in c.facts.instances})


def test_a_machine_without_postgresql_has_none() -> None:
    (search,) = collect_servers(EmptyHost(), [], REDACTOR)
    assert (search.outcome, search.roll_call) == (Outcome.ABSENT, ())


def test_a_running_server_is_found_and_looked_at_without_being_told_how() -> None:
    cluster = made(18)

    class OnlyThis(LocalHost):
        """This machine with every other server of PostgreSQL left out, which belong to other tests."""

        def ask(self, read: Read) -> dict[str, Answer]:
            assert cluster.process is not None
            answers = dict(super().ask(read))
            if isinstance(read, Names):
                return {}
            if "/proc/net/unix" in answers:
                lines = answers["/proc/net/unix"].text.splitlines(keepends=True)
                ours = [line for line in lines if "PGSQL" not in line or str(cluster.port) in line]
                return {"/proc/net/unix": Answer(Outcome.OK, "".join(ours).encode())}
            return {
                name: answer
                for name, answer in answers.items()
                if not name.endswith("/cmdline") or name == f"/proc/{cluster.process.pid}/cmdline"
            }

    try:
        search, *results = collect_servers(OnlyThis(), [], REDACTOR)
        assert search.outcome is Outcome.OK
        assert {c.outcome for c in results} == {Outcome.OK, Outcome.ABSENT}
        assert [row.data_directory for c in results for row in c.facts.instances] == [str(cluster.data)]
        cluster.lock_out("local all all reject\n")
        _, *refused = collect_servers(OnlyThis(), [], REDACTOR)
        assert {c.outcome for c in refused} == {Outcome.DENIED}
        assert {c.target for c in refused} == {f"{cluster.folder}:{cluster.port}"}
        assert "pg_hba.conf rejects connection" in str(refused[0].reason)
    finally:
        cluster.remove()
