"""Every replica that a recorded primary feeds really receives what is written there.

On the server of AYA's own database a row is written to `aya.probe_rows`, and must be found on the replica. On any other server
AYA writes no row: there a message that concerns nobody is put into the write-ahead log (`pg_logical_emit_message`), and the
replica must have replayed it. A replica is looked for among the servers of this machine and the option `postgres_urls`; what
cannot be reached from here is skipped.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

from aya.db.configuration import DATABASE
from aya.db.connection import rows
from aya.db.database import Login
from aya.db.observed import NotObserved, Observed, Route
from aya.verify.check import Check, Finding, Subject, failed, passed, skipped
from aya.verify.checks._instances import not_answered, opened

WAIT_S = 15.0
PAUSE_S = 0.05
LINKS = """
SELECT r.instance, r.slot_name, r.application_name, r.state, i.system_identifier
FROM replication_status r
LEFT JOIN postgresql_instances i ON i.node_id = r.node_id AND i.instance = r.instance AND i.is_active
WHERE r.node_id = %(node)s AND r.side = 'primary' AND r.is_active AND r.metadata ->> 'slot_type' IS DISTINCT FROM 'logical'
ORDER BY 1, 3, 2
"""
WHO = """
SELECT pg_is_in_recovery() AS is_standby, (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier,
    (SELECT slot_name FROM pg_stat_wal_receiver) AS slot_name,
    coalesce((SELECT substring(conninfo FROM 'application_name=(\\S+)') FROM pg_stat_wal_receiver),
        nullif(current_setting('cluster_name'), ''), 'walreceiver') AS application_name
"""
OWN = "SELECT system_identifier::text AS id, pg_is_in_recovery() AS is_standby FROM pg_control_system()"
WRITE = "INSERT INTO aya.probe_rows (token) VALUES (%(token)s)"
REMOVE = "DELETE FROM aya.probe_rows WHERE token = %(token)s"


@dataclass(frozen=True, slots=True)
class Standby:
    """A server that is in recovery, and what its receiver is called."""

    open: Callable[[], Observed]
    system_identifier: str
    slot_name: str | None
    application_name: str


def run(subject: Subject) -> Iterator[Finding]:
    """One finding per link."""
    links = subject.recorded(LINKS)
    if not links:
        return
    standbys = list(_standbys(subject))
    own = rows(subject.database, OWN)[0]
    for link in links:
        target = f"{link['instance']} {link['application_name'] or link['slot_name'] or ''}".strip()
        if link["state"] == "inactive":
            yield skipped(target, f"no replica uses the slot {link['slot_name']} now")
            continue
        standby = _of_link(link, standbys, alone=sum(other["instance"] == link["instance"] for other in links) == 1)
        if standby is None:
            yield skipped(target, "no replica of it can be reached from here: name it in the option postgres_urls")
        elif link["system_identifier"] == own["id"] and not own["is_standby"]:
            yield _row_arrives(subject, target, standby)
        else:
            yield _message_arrives(subject, link["instance"], target, standby)


def _standbys(subject: Subject) -> Iterator[Standby]:
    urls = (Route(url=url.get_secret_value()) for url in subject.own.settings.postgres_urls)
    ways: list[Callable[[], Observed]] = [*subject.servers.values(), *(partial(Observed.open, route) for route in urls)]
    for way in ways:
        with suppress(NotObserved), way() as server:  # what cannot be asked is not found, which is said of the link
            said = server.rows(WHO)[0]
            if said["is_standby"]:
                yield Standby(way, said["system_identifier"], said["slot_name"], said["application_name"])


def _of_link(link: dict[str, Any], standbys: list[Standby], *, alone: bool) -> Standby | None:
    """The standby at the other end: by its slot, else by its name, else when there is only one of each."""
    same = [standby for standby in standbys if standby.system_identifier == link["system_identifier"]]
    by_slot = [standby for standby in same if link["slot_name"] and standby.slot_name == link["slot_name"]]
    by_name = [standby for standby in same if standby.application_name == link["application_name"]]
    for found in (by_slot, by_name, same if alone else []):
        if len({standby.slot_name for standby in found}) == 1:
            return found[0]
    return None


def _row_arrives(subject: Subject, target: str, standby: Standby) -> Finding:
    token = {"token": uuid4()}
    read = f"SELECT count(*) AS number FROM aya.probe_rows WHERE token = '{token['token']}'"
    probe = f"{WRITE}; on the replica: {read}"
    with ExitStack() as stack:
        writer = stack.enter_context(subject.connect(Login.WRITER))
        try:
            replica = stack.enter_context(standby.open())
            there = stack.enter_context(replica.elsewhere(DATABASE))
            # Not waited for here: a synchronous replica that is gone would hold the check for ever.
            writer.execute("SET synchronous_commit = local")
            writer.execute(WRITE, token)
            stack.callback(lambda: writer.execute(REMOVE, token))
            return _awaited(target, probe, lambda: bool(there.rows(read)[0]["number"]), f"row {token['token']}")
        except NotObserved as error:
            return not_answered(target, error, probe)


def _message_arrives(subject: Subject, instance: str, target: str, standby: Standby) -> Finding:
    # In a transaction: the end of one is written out soon, a message by itself only when something else is.
    emit = f"SELECT pg_logical_emit_message(true, 'aya.check', '{uuid4()}')::text AS lsn"
    primary = opened(subject, instance, emit)
    if isinstance(primary, Finding):
        return primary
    try:
        with primary, standby.open() as replica:
            lsn = primary.rows(emit)[0]["lsn"]
            read = f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'::pg_lsn AS is_there"
            probe = f"{emit}; on the replica: {read}"
            return _awaited(target, probe, lambda: bool(replica.rows(read)[0]["is_there"]), f"message at {lsn}")
    except NotObserved as error:
        return not_answered(target, error, emit)


def _awaited(target: str, probe: str, arrived: Callable[[], bool], what: str) -> Finding:
    started = time.monotonic()
    while not arrived():
        if time.monotonic() - started > WAIT_S:
            return failed(target, f"the {what} did not arrive within {WAIT_S:g} s", probe=probe)
        time.sleep(PAUSE_S)
    return passed(target, f"the {what} arrived after {(time.monotonic() - started) * 1000:.0f} ms", probe=probe)


check = Check(run, from_afar=True)
