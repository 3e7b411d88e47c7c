"""The claims of documents as they are kept, and judged again when more was measured."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from aya.claims.judging import Claim, Judgement, decisive
from aya.claims.measured import RULE, judge_measured, measured_of
from aya.claims.rule import Verdict
from aya.claims.statement import ServerSetting
from aya.db.connection import Connection, rows, translated
from aya.db.queries import query
from aya.record.claimed import RecordedNode


def server_settings(connection: Connection) -> Mapping[str, ServerSetting]:
    """What AYA's own PostgreSQL says of its settings, by name."""
    with translated(doing="reading the settings of PostgreSQL"):
        found = rows(connection, query("server_settings"))
    return {
        row["name"]: ServerSetting(**row | {"choices": tuple(row["choices"]) if row["choices"] else None})
        for row in found
    }


def put_claims(
    connection: Connection, document: str, claims: Sequence[Claim], nodes: Mapping[str, RecordedNode]
) -> int:
    """Keep the claims of a document in the place of those it had; returns how many were written.

    `nodes`: the recorded nodes by what the document calls them.
    """
    given = [
        {
            "line": one.line,
            "ordinal": one.ordinal,
            "text": one.text,
            "node": one.node,
            "node_id": nodes[one.node].id if one.node is not None and one.node in nodes else None,
            "subject": one.subject,
            "value": one.value,
            "facts": one.facts,
            **_judged(one.judgements),
        }
        for one in claims
    ]
    with translated(doing=f"keeping the claims of {document}"):
        written = rows(connection, query("put_claims"), {"document": document, "claims": orjson.dumps(given).decode()})
    return int(written[0]["written"])


def with_measured(connection: Connection, claims: Sequence[Claim], nodes: Mapping[str, RecordedNode]) -> list[Claim]:
    """The claims of a document, held against what was measured as well."""
    by_node: dict[str, list[Claim]] = {}
    for one in claims:
        if one.node is not None and one.facts:
            by_node.setdefault(one.node, []).append(one)
    judged: dict[int, Claim] = {}
    for node, those in by_node.items():
        measured = measured_of(connection, nodes[node].name, [fact for one in those for fact in one.facts])
        for one in those if measured else ():
            said = judge_measured(one.facts, measured)
            if said is not None:
                judged[one.ordinal] = replace(one, judgements=(*one.judgements, said))
    return [judged.get(one.ordinal, one) for one in claims]


def judge_again(connection: Connection, nodes: Sequence[str] | None = None) -> int:
    """Hold the claims about these nodes (None: all) against what is measured now; returns how many verdicts are others."""
    with translated(doing="judging claims"), connection.transaction():
        found = rows(connection, query("claims_with_facts"), {"nodes": list(nodes) if nodes is not None else None})
        changed: list[dict[str, Any]] = []
        for node in sorted({row["node"] for row in found}):
            those = [row for row in found if row["node"] == node]
            measured = measured_of(connection, node, [fact for row in those for fact in row["facts"]])
            for row in those:
                before = [Judgement(one["rule"], Verdict(one["verdict"]), one["evidence"]) for one in row["judgements"]]
                said = judge_measured(row["facts"], measured) if measured else None
                now = [*(one for one in before if one.rule != RULE), *([said] if said else [])]
                # That it was measured again, with the same result, is no news.
                if [(one.rule, one.verdict) for one in now] != [(one.rule, one.verdict) for one in before] or _differs(
                    now, before
                ):
                    changed.append({"id": row["id"], **_judged(now)})
        if changed:
            rows(connection, query("update_judgements"), {"claims": orjson.dumps(changed).decode()})
    return len(changed)


def _differs(now: Sequence[Judgement], before: Sequence[Judgement]) -> bool:
    """Whether something else was measured; the moment of measuring aside."""
    told = [[one.evidence.partition(" UTC: ")[2] for one in those if one.rule == RULE] for those in (now, before)]
    return told[0] != told[1]


def _judged(judgements: Sequence[Judgement]) -> dict[str, Any]:
    one = decisive(judgements)
    return {
        "judgements": [{"rule": j.rule, "verdict": j.verdict, "evidence": j.evidence} for j in judgements],
        "verdict": one.verdict if one else Verdict.UNVERIFIABLE,
        "rule": one.rule if one else None,
        "evidence": one.evidence if one else None,
    }
