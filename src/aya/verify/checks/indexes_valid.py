"""Every index in every database of every recorded PostgreSQL server is valid and ready.

What a `CREATE INDEX CONCURRENTLY` or `REINDEX CONCURRENTLY` that failed leaves behind costs every write and helps no read. An
index that is being built at this moment is not counted as broken.
"""

from collections.abc import Iterator

from aya.db.observed import NotObserved, Observed
from aya.verify.check import Check, Finding, Subject, failed, passed
from aya.verify.checks._instances import each_database, not_answered

COUNT = "SELECT count(*) AS number FROM pg_index"
PROBE = """
SELECT format('%I.%I', s.nspname, c.relname) AS index, format('%I.%I', ts.nspname, t.relname) AS "table",
    i.indisvalid, i.indisready, i.indislive
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace s ON s.oid = c.relnamespace
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace ts ON ts.oid = t.relnamespace
WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)
    AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
ORDER BY 1
""".strip()


def run(subject: Subject) -> Iterator[Finding]:
    """One finding per database."""
    for found in each_database(subject, PROBE):
        if isinstance(found, Finding):
            yield found
            continue
        target, database = found
        try:
            yield _looked_at(target, database)
        except NotObserved as error:
            yield not_answered(target, error, PROBE)


def _looked_at(target: str, database: Observed) -> Finding:
    broken = database.rows(PROBE)
    number = database.rows(COUNT)[0]["number"]
    if not broken:
        return passed(target, f"{number} indexes are valid", probe=PROBE)
    states = (("indisvalid", "not valid"), ("indisready", "not ready"), ("indislive", "being dropped"))
    said = [
        f"{row['index']} on {row['table']} is {' and '.join(word for name, word in states if not row[name])}"
        for row in broken
    ]
    return failed(target, "; ".join(said), f"{len(broken)} of {number} indexes: {broken}", probe=PROBE)


check = Check(run, from_afar=True)
