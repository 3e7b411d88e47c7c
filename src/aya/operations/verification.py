"""Test whether what is recorded of a node is so."""

import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import orjson

from aya.collect.catalogue import collectors
from aya.collect.postgresql.run import reachable_by_url, reachable_servers
from aya.collect.runner import put_together, run_collector
from aya.db.connection import Connection, rows, translated
from aya.db.observed import Observed, Route
from aya.db.queries import query
from aya.errors import NotFound, SnapshotError
from aya.model import CheckResult
from aya.operations.context import Context
from aya.operations.operation import Scope, operation
from aya.snapshot.version import Version, changed_since, version_of
from aya.verify.catalogue import Entry, catalogue
from aya.verify.check import Subject
from aya.verify.confinement import get_ready
from aya.verify.runner import run_checks, store

IDENTIFICATION = "identification"


@dataclass(frozen=True, slots=True)
class Verified:
    """The results of the checks, and their numbers in `check_results`."""

    results: tuple[CheckResult, ...]
    ids: tuple[int, ...]
    state_hash: str | None = None
    """SHA-256, in hex, of the state of the node that they vouch for; None when they vouch for none."""
    state_problem: str | None = None
    """Why they vouch for no state."""
    change_number: int | None = None
    """Newest change that the state had seen when the checks began."""


@operation("POST /verifications", command="verify", scope=Scope.VERIFY, tool=True)
def verify(
    context: Context,
    *,
    only: Annotated[Sequence[str], "Only these checks; all when none is named."] = (),
    node: Annotated[str | None, "The recorded node; this one when none is named."] = None,
) -> Verified:
    """Run the checks, all or those named, on this node or the recorded one that is named, and store what they showed.

    What they vouch for is the state that was recorded all the while. Raises NotFound for a check or node that is not there.
    """
    entries = catalogue(context.settings.home, only)
    get_ready()
    with context.database.connect(autocommit=True) as connection:
        subject = _subject(context, connection, node or context.settings.node)
        version, problem = _version(connection, subject.node_name)
        results = run_checks(subject, entries, context.progress)
        if version is not None:
            problem = changed_since(connection, subject.node_name, version)
        state_hash = version.state_hash if version is not None and problem is None else None
        change_number = None if version is None else version.change_number
        ids = store(
            connection,
            subject.node_id,
            results,
            every_check=not only,
            state_hash=state_hash,
            state_problem=problem,
            change_number=change_number,
        )
    return Verified(tuple(result for result, _ in results), tuple(ids), state_hash, problem, change_number)


@operation("GET /checks/catalogue", command="verify")
def list_checks(context: Context) -> list[Entry]:
    """Every check there is: AYA's own, and those in `AYA_HOME/checks/`. Needs no database."""
    return catalogue(context.settings.home)


def _version(connection: Connection, node_name: str) -> tuple[Version | None, str | None]:
    try:
        return version_of(connection, node_name), None
    except SnapshotError as error:  # the checks say something nevertheless, only not of a state
        return None, error.message


def _subject(context: Context, connection: Connection, name: str) -> Subject:
    with translated(doing=f"looking for node {name}"):
        found = rows(connection, "SELECT id FROM system_nodes WHERE node_name = %(name)s", {"name": name})
        names = [row["node_name"] for row in rows(connection, "SELECT node_name FROM system_nodes ORDER BY 1 LIMIT 20")]
    if not found:
        recorded = f"Recorded are: {', '.join(names)}. " if names else ""
        raise NotFound(f"No node named {name} is recorded.", remedy=f"{recorded}`aya up` records this machine.")
    node_id = found[0]["id"]
    is_here = _this_node(context, connection) == node_id
    urls = [url.get_secret_value() for url in context.settings.postgres_urls]
    servers: Mapping[str, Callable[[], Observed]]
    if is_here:
        servers = reachable_servers(context.host, urls, context.redactor)
    else:
        servers = reachable_by_url(_leading_to(name, _addresses(connection, node_id), urls), context.redactor)
    return Subject(name, node_id, is_here, context.database, context.host, servers, context.redactor)


def _this_node(context: Context, connection: Connection) -> int | None:
    """The node that this machine is recorded as, whatever it is called; None when it is not recorded."""
    collector = collectors(context.host.system)[IDENTIFICATION]
    identified = run_collector(IDENTIFICATION, collector, context.host, context.redactor)
    state = put_together(context.settings.node, None, (identified,), datetime.now(UTC))
    known = {
        "number": 0,
        "node_name": state.node_name,
        "identity": state.identity,
        "hardware_uuid": state.hardware_uuid,
        "machine_id": state.machine_id,
    }
    number: int | None = rows(connection, query("find_nodes"), {"nodes": orjson.dumps([known]).decode()})[0]["id"]
    return number


def _addresses(connection: Connection, node_id: int) -> set[str]:
    select = (
        "SELECT host(unnest(ARRAY[ipv4_address, ipv6_address])) AS address FROM network_interfaces "
        "WHERE node_id = %(node)s AND is_present"
    )
    return {row["address"] for row in rows(connection, select, {"node": node_id}) if row["address"]}


def _leading_to(name: str, addresses: set[str], urls: Iterable[str]) -> list[str]:
    """The URLs whose host is that node: by its name, or an address it is recorded with that is not every machine's."""
    mine = {address for address in addresses if not address.startswith("127.") and address != "::1"}
    hosts = {url: Route(url=url).label.rpartition(":")[0] for url in urls}
    return [url for url, host in hosts.items() if host == name or mine & _resolved(host)]


def _resolved(host: str) -> set[str]:
    with suppress(OSError, UnicodeError):
        return {str(address[4][0]) for address in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    return set()
