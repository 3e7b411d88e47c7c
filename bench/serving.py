"""The state over HTTP, against the same server that gives the same bytes from a constant, and against one node's
json_agg; one uvicorn worker, asked by wrk over 8 connections.

What changes is shown by the very next answer, so every request of ours includes a look whether anything was written.
"""

import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import quantiles

import httpx2
import psutil

from aya.db.database import Login
from bench._figure import Figure, Goal, Line, interleaved, milliseconds
from bench._laboratory import Laboratory

STATE = "/api/v1/system/state"
PAGE = "/api/v1/settings?node=NODE0&limit=100"
CHANGE = "UPDATE postgresql_configuration SET setting_value = %s WHERE node_id = 1 AND setting_name = 'setting 7'"
AGGREGATE = (
    "SELECT (SELECT json_agg(c)::text FROM postgresql_configuration c WHERE node_id = 1), "
    "(SELECT json_agg(n)::text FROM system_nodes n WHERE id = 1)"
)


def measure(lab: Laboratory) -> Iterator[Line]:
    if shutil.which("wrk") is None:
        raise SystemExit("This figure needs wrk: install the package `wrk`.")
    rounds, seconds = (3, 1) if lab.quick else (7, 3)
    fill(lab, nodes=3, settings=405)
    with served(lab) as url:
        tag = httpx2.get(url + STATE, headers={"accept-encoding": "identity"}).headers["etag"]
        paths = {
            "whole": (STATE, ()),
            "constant": ("/constant/state", ()),
            "known": (STATE, ("-H", f"If-None-Match: {tag}")),
            "page": (PAGE, ()),
            "constant page": ("/constant/page", ()),
        }
        told: dict[str, list[float]] = {name: [] for name in paths}
        for _ in range(rounds):
            for name, (path, more) in paths.items():
                told[name].append(requests_per_s(url + path, seconds, *more))
        whole, constant = tuple(told["whole"]), tuple(told["constant"])
        yield Line(
            what="the whole state, unchanged", ours=whole, against="constant", reference=constant, unit="1/s",
            goal=Goal(0.8, at_least=True),
        )  # fmt: skip
        yield Line(
            what="304 to who has it", ours=tuple(told["known"]), against="constant, all bytes", reference=constant, unit="1/s",
            goal=Goal(1.0, at_least=True),
        )  # fmt: skip
        yield Line(
            what="a page of 100 rows", ours=tuple(told["page"]), against="constant of 30 kB",
            reference=tuple(told["constant page"]), unit="1/s", goal=Goal(0.5, at_least=True),
        )  # fmt: skip
        yield from after_changes(lab, url)
    yield from fleet(lab, rounds, seconds)


def after_changes(lab: Laboratory, url: str) -> Iterator[Line]:
    """How soon a change is seen."""
    with (
        lab.context.database.connect() as writer,
        lab.context.database.connect(Login.READER) as reader,
        httpx2.Client(base_url=url, headers={"accept-encoding": "identity"}) as client,
    ):
        number = 0

        def change() -> None:
            nonlocal number
            number += 1
            writer.execute(CHANGE, (str(number),))

        first, aggregate = interleaved(
            20 if lab.quick else 100,
            lambda: client.get(STATE),
            lambda: reader.execute(AGGREGATE).fetchall(),
            before=(change, lambda: None),
        )
        yield Line(
            what="first answer after a change",
            ours=first,
            against="json_agg of that node",
            reference=aggregate,
            goal=Goal(2.0),
        )
        times = []
        for _ in range(50 if lab.quick else 300):
            change()
            times.append(milliseconds(lambda: seen(client, str(number))))
        yield Line(what="commit to first fresh answer, p99", ours=(quantiles(times, n=100)[98],), goal=Goal(50))


def seen(client: httpx2.Client, value: str) -> None:
    if f'"setting_value" : "{value}"' not in client.get(f"{STATE}?node=NODE0").text:
        raise SystemExit("A stale answer: the promise is broken.")


def fleet(lab: Laboratory, rounds: int, seconds: int) -> Iterator[Line]:
    """Many nodes against few: a request of one node, and one that only hears that nothing changed."""
    many = 1000 if lab.quick else 10_000
    told: dict[int, dict[str, list[float]]] = {}
    memory: dict[int, float] = {}
    for nodes in (10, many):
        fill(lab, nodes=nodes, settings=40)
        with served(lab) as url:
            tag = httpx2.get(url + STATE, headers={"accept-encoding": "identity"}, timeout=300).headers["etag"]
            told[nodes] = {"one": [], "known": []}
            for _ in range(rounds):
                told[nodes]["one"].append(requests_per_s(f"{url}{STATE}?node=NODE0", seconds))
                told[nodes]["known"].append(requests_per_s(url + STATE, seconds, "-H", f"If-None-Match: {tag}"))
            memory[nodes] = resident_mb(url)
    for what, name in (("one node, unchanged", "one"), ("304 of the whole, unchanged", "known")):
        yield Line(
            what=f"{what}, of {many:,} nodes",
            ours=tuple(1e6 / rate for rate in told[many][name]),
            against="of 10",
            reference=tuple(1e6 / rate for rate in told[10][name]),
            unit="us",
            goal=Goal(1.2),
        )
    yield Line(
        what=f"memory of the server with {many:,} nodes",
        ours=(memory[many],),
        against="10 nodes",
        reference=(memory[10],),
        unit="MB",
    )


def fill(lab: Laboratory, *, nodes: int, settings: int) -> None:
    """Record so many nodes with so many settings each."""
    lab.empty()
    with lab.context.database.connect(Login.ADMIN) as admin, admin.transaction(), lab.unaudited(admin):
        admin.execute("SET CONSTRAINTS ALL DEFERRED")
        admin.execute(
            "INSERT INTO system_nodes (id, node_name, node_role) "
            "SELECT n + 1, 'NODE' || n, 'standalone' FROM generate_series(0, %s) n",
            (nodes - 1,),
        )
        admin.execute(
            "INSERT INTO postgresql_configuration (node_id, instance, setting_name, setting_value, setting_unit, context) "
            "SELECT n + 1, 'i', 'setting ' || s, 'value ' || s, 'kB', 'sighup' "
            "FROM generate_series(0, %s) n, generate_series(1, %s) s",
            (nodes - 1, settings),
        )
    with lab.context.database.connect(Login.ADMIN) as admin:
        admin.execute("ANALYZE")


@contextmanager
def served(lab: Laboratory) -> Iterator[str]:
    """Meanwhile it is served by a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "bench._served", str(port)], env=lab.environment())
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(600):
            try:
                httpx2.get(f"{url}/health", timeout=300)
                break
            except httpx2.ConnectError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


def resident_mb(url: str) -> float:
    port = int(url.rsplit(":", 1)[1])
    (listening,) = {c.pid for c in psutil.net_connections("tcp4") if c.status == "LISTEN" and c.laddr.port == port}
    return psutil.Process(listening).memory_info().rss / 1e6


def requests_per_s(url: str, seconds: int, *more: str) -> float:
    """As wrk counts them; an answer that is an error ends the measurement."""
    told = subprocess.run(
        ["wrk", "-t1", "-c8", f"-d{seconds}s", *more, url], check=True, capture_output=True, text=True
    ).stdout
    if "Non-2xx" in told:
        raise SystemExit(f"{url} answered with errors: {told}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", told)
    assert found is not None
    return float(found[1])


figure = Figure(measure)
