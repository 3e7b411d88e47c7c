"""The library of every installed extension loads, in every database of every recorded PostgreSQL server.

An extension stays installed when its library is gone or was built for another version, and breaks at its first use. `LOAD` is
for superusers; where AYA is none the extension is skipped. Extensions without a library have nothing to test.
"""

from collections.abc import Iterator

from aya.db.observed import NotObserved
from aya.verify.check import Check, Finding, Subject, passed
from aya.verify.checks._instances import each_database, not_answered

LIBRARIES = """
SELECT DISTINCT e.extname::text AS extension, e.extversion AS version, p.probin AS library, quote_literal(p.probin) AS quoted
FROM pg_extension e
JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
    AND d.classid = 'pg_proc'::regclass
JOIN pg_proc p ON p.oid = d.objid
WHERE p.probin IS NOT NULL
ORDER BY 1, 3
""".strip()


def run(subject: Subject) -> Iterator[Finding]:
    """One finding per library, extension and database."""
    for found in each_database(subject, LIBRARIES):
        if isinstance(found, Finding):
            yield found
            continue
        database_name, database = found
        try:
            libraries = database.rows(LIBRARIES)
        except NotObserved as error:
            yield not_answered(database_name, error, LIBRARIES)
            continue
        for row in libraries:
            library = "" if row["library"].endswith(f"/{row['extension']}") else f" {row['library']}"
            target, probe = f"{database_name} {row['extension']}{library}", f"LOAD {row['quoted']}"
            try:
                # LOAD gives no rows: those of the SELECT before it are fetched when both went well.
                database.rows(f"SELECT 1; {probe}")
                yield passed(target, f"{row['library']} of {row['extension']} {row['version']} loads", probe=probe)
            except NotObserved as error:
                yield not_answered(target, error, probe)
                if error.lost:
                    break


check = Check(run, from_afar=True)
