"""Replication as a PostgreSQL server sees it: whom it feeds, its slots, and by whom it is fed.

`side` is `primary` for links and slots that this server feeds, `replica` for its own receiver. Lag is 0 when nothing
is outstanding, and unknown when it cannot be known: of a slot that nobody reads (`inactive`), and on a replica whose
link is cut (`disconnected`), which would otherwise look perfectly up to date. Each lag that is known is also a
measurement. Connections that nothing tells apart (same slot, name and address) are one row with the greatest lag.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from aya.collect.postgresql.collector import Row, Rows, Server, ServerCollector
from aya.model import Facts, Gap, Measurement, Outcome, Replication

MOST_MS = 2**31 - 1
LAGS = {
    "replay_lag_bytes": "bytes",
    "replay_lag_ms": "ms",
    "write_lag_ms": "ms",
    "flush_lag_ms": "ms",
}
LINK = {
    "login": "role that the receiver logged in as",
    "sync_priority": "its place among the candidates for synchronous standby",
    "slot_type": "physical or logical",
    "plugin": "output plugin of a logical slot",
    "database": "database of a logical slot",
    "temporary": "whether the slot ends with its session",
    "two_phase": "whether the slot decodes prepared transactions",
    "wal_status": "reserved, extended, unreserved or lost: whether the log it needs is still there",
    "invalidation_reason": "why the slot became useless",
    "failover": "whether the slot is kept on replicas for a failover",
    "synced": "whether the slot was copied from a primary",
}
LINK_OBSERVED = {
    "retained_bytes": "bytes of log kept because of the slot",
    "safe_wal_bytes": "bytes that can be written until the slot may be lost",
    "inactive_since": "when the slot was last left",
    "sent_lsn": "sent up to this position of the log",
    "write_lsn": "written up to",
    "flush_lsn": "flushed up to",
    "replay_lsn": "replayed up to",
    "restart_lsn": "oldest position that the slot needs",
    "confirmed_flush_lsn": "position that the reader of a logical slot has confirmed",
}
RECEIVER = {
    "replay_pause_state": "not paused, pause requested or paused",
    "received_timeline": "timeline of the log it receives",
}
RECEIVER_OBSERVED = {
    "receive_lsn": "received and flushed up to this position of the log",
    "replay_lsn": "replayed up to",
    "sender_lsn": "end of the log as the sender last told it",
    "last_message_at": "when the sender last said anything",
}


def parse(rows: Rows, server: Server) -> Facts:
    """One row for each link or slot; absent where there is neither."""
    links = [_link(row, server) for row in rows["links"]] + [_receiver(row, server) for row in rows["receiver"]]
    links = _told_apart(links)
    gaps: tuple[Gap, ...] = ()
    if links and not server.reads_all_stats:
        gaps = (Gap(Outcome.DENIED, "replication links of others: pg_read_all_stats is not granted"),)
    return Facts(
        replication=tuple(links), measurements=tuple(_measurements(links)), gaps=gaps, absent=not links and not gaps
    )


def _link(row: Row, server: Server) -> Replication:
    retained = {**row, "retained_bytes": _bytes(row["retained_bytes"])}
    return Replication(
        instance=server.instance,
        side="primary",
        slot_name=row["slot_name"],
        application_name=row["application_name"] or None,
        client_address=row["client_address"],
        state=row["state"] if row["is_connected"] else "inactive",
        sync_state=row["sync_state"],
        replay_lag_bytes=_bytes(row["replay_lag_bytes"]),
        replay_lag_ms=_ms(row["replay_lag_ms"]),
        write_lag_ms=_ms(row["write_lag_ms"]),
        flush_lag_ms=_ms(row["flush_lag_ms"]),
        last_check=row["checked_at"],
        metadata=_told(row, LINK) | {"observed": _told(retained, LINK_OBSERVED)},
    )


def _receiver(row: Row, server: Server) -> Replication:
    connected = row["is_connected"]
    host, port = (
        (row["sender_host"], row["sender_port"]) if connected else (row["configured_host"], row["configured_port"])
    )
    outstanding = _bytes(row["outstanding_bytes"]) if connected else None
    lag_ms = None if outstanding is None else 0 if outstanding == 0 else row["ms_since_replayed_transaction"]
    return Replication(
        instance=server.instance,
        side="replica",
        slot_name=row["slot_name"],
        # Several hosts may be configured; which of them it will be is known only once connected.
        peer=f"{host}:{port or 5432}" if host and "," not in host else None,
        state=row["status"] if connected else "disconnected",
        replay_lag_bytes=outstanding,
        replay_lag_ms=_ms(lag_ms),
        last_check=row["checked_at"],
        metadata=_told(row, RECEIVER) | {"observed": _told(row, RECEIVER_OBSERVED)},
    )


def _told(row: Row, documented: dict[str, str]) -> dict[str, Any]:
    told = {key: row[key] for key in documented if row[key] is not None}
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in told.items()}


def _ms(milliseconds: int | None) -> int | None:
    return None if milliseconds is None else max(0, min(milliseconds, MOST_MS))


def _bytes(difference: int | None) -> int | None:
    # The other end may be read a moment later than this one and be ahead of it.
    return None if difference is None else max(0, difference)


def _told_apart(links: Iterable[Replication]) -> list[Replication]:
    by_key: dict[tuple[str, ...], list[Replication]] = {}
    for link in links:
        by_key.setdefault(link.key, []).append(link)
    apart = []
    for alike in by_key.values():
        worst = max(alike, key=lambda link: (link.replay_lag_bytes or 0, link.replay_lag_ms or 0))
        if len(alike) > 1:
            worst = replace(worst, metadata=worst.metadata | {"connections": len(alike)})
        apart.append(worst)
    return apart


def _measurements(links: Iterable[Replication]) -> Iterable[Measurement]:
    for link in links:
        conditions = {
            "instance": link.instance,
            "side": link.side,
            "slot_name": link.slot_name,
            "application_name": link.application_name,
            "client_address": link.client_address,
        }
        values = {name: getattr(link, name) for name in LAGS}
        values["retained_bytes"] = link.metadata["observed"].get("retained_bytes")
        for name, value in values.items():
            if value is not None:
                yield Measurement(
                    category="replication",
                    name=name,
                    value=Decimal(value),
                    unit=LAGS.get(name, "bytes"),
                    conditions=conditions,
                )


collector = ServerCollector(
    queries=("links", "receiver"),
    parse=parse,
    sections=("replication",),
    metadata={
        **{f"replication:{key}": meaning for key, meaning in (LINK | RECEIVER).items()},
        "replication:connections": "connections that this row stands for because nothing tells them apart, if several",
        **{f"replication:observed.{key}": meaning for key, meaning in (LINK_OBSERVED | RECEIVER_OBSERVED).items()},
    },
    measures={
        "replication.replay_lag_bytes": "bytes: log the sender has written, as far as known here, not yet replayed",
        "replication.replay_lag_ms": "ms: how far replay is behind",
        "replication.write_lag_ms": "ms: how far writing there is behind",
        "replication.flush_lag_ms": "ms: how far flushing there is behind",
        "replication.retained_bytes": "bytes: log kept because of a slot",
    },
)
