"""The log as it is in the database: what seals cover, and what only the database itself can show."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aya.audit.seal import KnownKey, Seal, known_keys, seals
from aya.audit.verify import Line, Pruning, Report
from aya.db.connection import Connection, rows, stream
from aya.db.queries import query

MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Live:
    """A database as a source. Its connection must be in a transaction, so that all is read as of one moment."""

    connection: Connection

    def public_keys(self) -> Sequence[KnownKey]:
        """The keys that signed."""
        return known_keys(self.connection)

    def prunings(self) -> Sequence[Pruning]:
        """What was pruned."""
        return [Pruning(**row) for row in rows(self.connection, query("list_prunings"))]

    def seals(self) -> Iterator[Seal]:
        """The seals in their order."""
        return seals(self.connection)

    def lines(self, seal: Seal) -> Iterator[Line]:
        """The changes of a seal that are there."""
        bounds = rows(
            self.connection,
            "SELECT lower(m) AS first, upper(m) - 1 AS last FROM (SELECT %(changes)s::int8multirange AS m) c",
            {"changes": seal.changes},
        )[0]
        for number, line in stream(self.connection, query("read_leaves"), bounds | {"changes": seal.changes}):
            yield number, line.encode()


def examine(connection: Connection, report: Report) -> None:
    """Add what is wrong around the log: rows inserted late or by hand, and snapshots, calls and state it does not explain."""
    found = rows(connection, query("unsealed_rows"))[0]
    report.unsealed = found["unsealed"]
    for number in found["late"] or ():
        report.add(
            f"change {number} is in no seal, though its transaction was over when one was made: it was inserted later",
            change=number,
        )
    if found["not_given"]:
        first, more = found["first_not_given"], found["not_given"] - 1
        report.add(
            f"change {first}{f' and {more:,} more' if more else ''}: the database has not given such a number yet; "
            "it was inserted by hand, or the sequence was set back",
            change=first,
        )
    for snapshot in rows(connection, query("snapshots_against_log")):
        said = "is gone or is about something else" if snapshot["missing"] else "logged something else of it"
        report.add(f"snapshot {snapshot['snapshot_name']}: change {snapshot['logged_change']}, which logged it, {said}")
    for call in rows(connection, query("calls_against_log"), {"most": MOST_NAMED}):
        report.add(f"call {call['call']} {call['said']}", change=call["change"])
    there = "SELECT * FROM aya.state_tables WHERE to_regclass(table_name) IS NOT NULL ORDER BY table_name"
    for table in rows(connection, there):
        _examine_state(connection, table["table_name"], table["section"] == "node", table["observations"], report)


def _examine_state(
    connection: Connection, table: str, is_node: bool, observations: Sequence[str], report: Report
) -> None:
    """Whether the rows of a table are as the log says that they became."""
    text = (
        query("state_against_log")
        .replace("{table}", table)
        .replace("{row}", "aya.flat(to_jsonb(r))" if is_node else "to_jsonb(r)")
    )
    asked = {"table": table, "unlogged": ["id", "created_at", "updated_at", *observations], "most": MOST_NAMED}
    for row in rows(connection, text, asked):
        where = f"{table} {row['record_id']}" + (f" ({row['fact']})" if row["fact"] else "")
        match row["problem"]:
            case "unlogged":
                report.add(f"{where} is there, but the log knows nothing of it")
            case "missing":
                report.add(
                    f"{where} is gone, but the log knows nothing of that; change {row['change']} left it there",
                    change=row["change"],
                )
            case _:
                report.add(
                    f"{where}: {row['key']} is {_said(row['is'])}, but change {row['change']} made it {_said(row['became'])}",
                    change=row["change"],
                )


def _said(value: object) -> object:
    return "nothing" if value is None else value
