"""AYA's own database keeps what is written to it: a row is written and committed, found through a second connection, removed,
and not found any more.

The row stands in `aya.probe_rows`, and is no state. What a check that was broken off left there is removed after a day.
"""

from collections.abc import Iterator
from uuid import uuid4

from aya.db.connection import rows
from aya.db.database import Login
from aya.verify.check import Check, Finding, Subject, failed, passed

WRITE = "INSERT INTO aya.probe_rows (token) VALUES (%(token)s)"
READ = "SELECT token FROM aya.probe_rows WHERE token = %(token)s"
REMOVE = "DELETE FROM aya.probe_rows WHERE token = %(token)s OR written_at < now() - interval '1 day'"
PROBE = f"{WRITE}; on another connection: {READ}; {REMOVE}"


def run(subject: Subject) -> Iterator[Finding]:
    """One finding."""
    token = {"token": uuid4()}
    with subject.connect(Login.WRITER) as writer, subject.connect(Login.READER) as reader:
        writer.execute(WRITE, token)
        found = rows(reader, READ, token)
        writer.execute(REMOVE, token)
        left = rows(reader, READ, token)
    if not found:
        yield failed("AYA's database", "a committed row is not found by another connection", probe=PROBE)
    elif left:
        yield failed("AYA's database", "a removed row is still found by another connection", str(left), probe=PROBE)
    else:
        yield passed("AYA's database", f"{token['token']} was written, read back and removed", probe=PROBE)


check = Check(run)
