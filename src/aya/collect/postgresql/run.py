"""Look at PostgreSQL servers: find them, connect, and run every collector on each server and each of its databases.

Must not run while other threads read the machine: connecting as a server's owner changes the user of the whole process
for a moment (`aya.db.observed.effective_user`).
"""

import os
import pwd
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache, partial
from hashlib import sha256
from importlib.resources import files
from typing import Any

import orjson

from aya.collect.postgresql import servers
from aya.collect.postgresql.collector import OLDEST_MAJOR, Rows, Server, ServerCollector
from aya.collect.runner import Progress, conclude
from aya.db.observed import NotObserved, Observed, Route
from aya.host.reading import Found, Host
from aya.model import Collected, Facts, Gap, Outcome
from aya.redaction import Redactor
from aya.registry import discover

PACKAGE = "aya.collect.postgresql.collectors"


@cache
def server_collectors() -> Mapping[str, ServerCollector]:
    """The collectors for a server, by name."""
    return discover(PACKAGE, ServerCollector, "collector")


@cache
def variants() -> Mapping[str, Mapping[int, str]]:
    """The text of every query: its name -> oldest major version it is for -> SQL."""
    texts: dict[str, dict[int, str]] = {}
    for entry in files(PACKAGE).iterdir():
        if parts := re.fullmatch(r"(\w+?)(?:\.pg(\d+))?\.sql", entry.name):
            texts.setdefault(parts[1], {})[int(parts[2] or 0)] = entry.read_text("utf-8")
    return texts


def query(name: str, major: int) -> str:
    """The SQL of a query for a server: the newest variant that is not newer than the server."""
    texts = variants()[name]
    return texts[max(version for version in texts if version <= major)]


Ways = tuple[tuple[str, tuple[Route, ...]], ...]
"""For each server: what to call it, and the routes to try, best first."""


def ways(host: Host, urls: Iterable[str]) -> tuple[Ways, Found]:
    """How to reach every server that runs on this machine and those named by URL, and what the search was answered."""
    found = Found.of(host, servers.reads)
    found += Found.of(host, servers.more(found))
    own_uid = os.geteuid()
    try:
        own_name = pwd.getpwuid(own_uid).pw_name
    except KeyError:
        own_name = None
    running = [(address.label, address.routes(own_uid, own_name)) for address in servers.parse(found)]
    return (*running, *_named(urls)), found


def _named(urls: Iterable[str]) -> Ways:
    return tuple(((route := Route(url=url)).label, (route,)) for url in urls)


def collect_servers(
    host: Host, urls: Iterable[str], redactor: Redactor, progress: Progress = lambda _: None
) -> tuple[Collected, ...]:
    """Look at every server that runs on this machine, and at those named by URL; each server once."""
    started = time.monotonic()
    to_try, found = ways(host, urls)
    search = Collected(
        collector="postgresql.servers", outcome=Outcome.OK, facts=Facts(absent=not to_try, gaps=found.gaps())
    )
    search = conclude(search, redactor, started)
    collected: list[Collected] = []
    seen: set[str] = set()
    refused: set[str] = set()
    everyone = search.outcome.complete
    for label, routes in to_try:
        progress(f"PostgreSQL {label}")
        by_this_way = _collect_by(label, routes, seen, redactor)
        if any(part.target == label for part in by_this_way):
            # A server that did not say who it is may be any of those recorded before.
            everyone = False
            if label in refused:
                continue  # a second URL for one place
            refused.add(label)
        collected += by_this_way
    return (replace(search, roll_call=tuple(sorted(seen)) if everyone else None), *collected)


def reachable_servers(host: Host, urls: Iterable[str], redactor: Redactor) -> dict[str, Callable[[], Observed]]:
    """How to connect to each server that can be reached now, by instance; connecting may raise NotObserved."""
    return _reachable(ways(host, urls)[0], redactor)


def reachable_by_url(urls: Iterable[str], redactor: Redactor) -> dict[str, Callable[[], Observed]]:
    """The same of the servers that are named by URL alone, for those of another machine."""
    return _reachable(_named(urls), redactor)


def _reachable(ways: Ways, redactor: Redactor) -> dict[str, Callable[[], Observed]]:
    reachable: dict[str, Callable[[], Observed]] = {}
    for _, routes in ways:
        for route in routes:
            try:
                with _connected(route) as connection:
                    reachable.setdefault(identify(connection, redactor).instance, partial(_connected, route))
                break
            except NotObserved:
                continue
    return reachable


def _collect_by(label: str, routes: Iterable[Route], seen: set[str], redactor: Redactor) -> tuple[Collected, ...]:
    started = time.monotonic()
    refusals: list[NotObserved] = []
    known: set[str] = set()
    for route in routes:
        if route.host in known:
            continue
        try:
            with _connected(route) as connection:
                if collected := collect_server(connection, redactor, seen=seen):
                    return collected
                # Another server answers there, one that was looked at before; this one may still have a way of its own.
                known.add(route.host)
        except NotObserved as error:
            refusals.append(error)
    if known:
        return ()
    if not refusals:
        refusals.append(NotObserved(Outcome.FAILED, f"{label}: neither a socket nor a loopback port is known"))
    # Being refused says more than that a further way did not work either.
    outcome = Outcome.DENIED if any(error.outcome is Outcome.DENIED for error in refusals) else refusals[0].outcome
    reason = "; ".join(dict.fromkeys(error.reason for error in refusals))
    return _all_ended(server_collectors(), label, outcome, reason, redactor, started)


def _connected(route: Route) -> Observed:
    try:
        return Observed.open(route)
    except NotObserved as error:
        if route.url or '"postgres"' not in error.reason or "database" not in error.reason:
            raise
        return Observed.open(route, "template1")


def collect_server(connection: Observed, redactor: Redactor, *, seen: set[str] | None = None) -> tuple[Collected, ...]:
    """Run all collectors on one server; each ends with its own outcome, whatever becomes of the others.

    `seen` holds the instances looked at before: one of them gives nothing, any other is added.
    """
    started = time.monotonic()
    collectors = server_collectors()
    try:
        server = identify(connection, redactor)
    except NotObserved as error:
        return _all_ended(collectors, connection.route.label, error.outcome, error.reason, redactor, started)
    if seen is not None:
        if server.instance in seen:
            return ()
        seen.add(server.instance)
    if server.major < OLDEST_MAJOR:
        reason = f"PostgreSQL {server.major} is older than {OLDEST_MAJOR}, the oldest version AYA can look at"
        return _all_ended(collectors, server.instance, Outcome.UNSUPPORTED, reason, redactor, started)
    once = {name: c for name, c in collectors.items() if not c.each_database}
    collected = [
        run_collector(name, collector, connection, server, redactor)
        # Those that are asked bare come first: others leave traces in the session.
        for name, collector in sorted(once.items(), key=lambda item: (not item[1].bare, item[0]))
    ]
    return (*collected, *_collect_databases(connection, server, redactor))


def _collect_databases(connection: Observed, server: Server, redactor: Redactor) -> Iterable[Collected]:
    started = time.monotonic()
    collectors = {name: c for name, c in server_collectors().items() if c.each_database}
    try:
        databases = [row["database"] for row in connection.rows(query("_databases", server.major))]
    except NotObserved as error:
        return _all_ended(collectors, server.instance, error.outcome, error.reason, redactor, started)
    connection.close()
    collected: list[Collected] = []
    for database in databases:
        there = replace(server, database=database)
        started = time.monotonic()
        try:
            with connection.elsewhere(database) as inside:
                collected += (run_collector(name, c, inside, there, redactor) for name, c in collectors.items())
        except NotObserved as error:
            target = f"{server.instance}/{database}"
            collected += _all_ended(collectors, target, error.outcome, error.reason, redactor, started)
    return collected


def identify(connection: Observed, redactor: Redactor) -> Server:
    """Which server this is. Raises NotObserved."""
    (row,) = connection.rows(query("_identity", OLDEST_MAJOR))
    try:
        system_identifier = connection.rows(query("_system_identifier", OLDEST_MAJOR))[0]["system_identifier"]
    except NotObserved as error:
        if error.lost:
            raise
        system_identifier = None
    return Server(
        instance=f"{system_identifier}:{row['port']}" if system_identifier else connection.route.label,
        system_identifier=system_identifier,
        port=row["port"],
        version_num=row["version_num"],
        database=row["database"],
        in_recovery=row["in_recovery"],
        reads_all_settings=row["reads_all_settings"],
        reads_all_stats=row["reads_all_stats"],
        mark=redactor.mark,
    )


_MADE: dict[tuple[Callable[[Rows, Server], Facts], str], tuple[bytes, Collected]] = {}
"""What this process last made of each target's answers to each collector, after the hash of those answers."""


def run_collector(
    name: str, collector: ServerCollector, connection: Observed, server: Server, redactor: Redactor
) -> Collected:
    """Ask one collector's queries and settle its outcome; never raises for what a server answers.

    Answers that are the same as at the last look are not understood and redacted again.
    """
    started = time.monotonic()
    target = f"{server.instance}/{server.database}" if collector.each_database else server.instance
    facts, gaps, answers = Facts(), [], b""
    rows: dict[str, list[dict[str, Any]]] = {}
    try:
        for query_name in collector.queries + collector.further:
            try:
                sql = query(query_name, server.major)
                rows[query_name] = connection.rows(sql, bare=query_name in collector.bare)
            except NotObserved as error:
                gaps.append(Gap(error.outcome, f"{query_name}: {error.reason}"))
        answers = _hash(rows, gaps, server, redactor)
        last_answers, last_made = _MADE.get((collector.parse, target), (None, None))
        if last_made and last_answers == answers:
            return replace(last_made, duration_ms=round((time.monotonic() - started) * 1000))
        if all(query_name in rows for query_name in collector.queries):
            facts = collector.parse(rows, server)
    except Exception as error:  # noqa: BLE001 - whatever a strange server makes a collector do, the others go on
        gaps.append(Gap(Outcome.FAILED, f"{type(error).__name__}: {error}"))
    made = conclude(
        Collected(
            collector=f"postgresql.{name}",
            target=target,
            outcome=Outcome.OK,
            sections=collector.sections,
            facts=replace(facts, gaps=(*gaps, *facts.gaps)),
        ),
        redactor,
        started,
    )
    _MADE[collector.parse, target] = answers, made
    return made


def _hash(*answers: object) -> bytes:
    """The hash of answers; of such as cannot be written down, one that no others have."""
    try:
        text = orjson.dumps(answers, default=repr)
    except orjson.JSONEncodeError:
        text = os.urandom(32)
    return sha256(text).digest()


def _all_ended(
    collectors: Mapping[str, ServerCollector],
    target: str,
    outcome: Outcome,
    reason: str,
    redactor: Redactor,
    started: float,
) -> tuple[Collected, ...]:
    """Every one of these collectors ended in the same way, because there was nothing to ask."""
    gap = Gap(outcome, reason)
    return tuple(
        conclude(
            Collected(
                collector=f"postgresql.{name}",
                target=target,
                outcome=outcome,
                sections=collector.sections,
                facts=Facts(gaps=(gap,)),
            ),
            redactor,
            started,
        )
        for name, collector in collectors.items()
    )
