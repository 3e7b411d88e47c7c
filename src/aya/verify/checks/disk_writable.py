"""The disks that data goes to can be written and are not full: AYA's home, and the data folder of every recorded PostgreSQL
server.

In AYA's home a block is really written, synced, read back and removed. In the data folder of a server AYA writes nothing:
there the file system must not be mounted read-only. Everywhere at least 256 MiB and one more file must be free.
"""

from collections.abc import Iterator

from aya.db.server import NEEDED_SPACE_BYTES
from aya.host.disk import Space, space, write_and_read_back
from aya.host.reading import Answer
from aya.model import Outcome
from aya.verify.check import Check, Finding, Subject, failed, passed, skipped

RECORDED = (
    "SELECT DISTINCT data_directory AS path FROM postgresql_instances "
    "WHERE node_id = %(node)s AND is_active AND data_directory LIKE '/%%' ORDER BY 1"
)


def run(subject: Subject) -> Iterator[Finding]:
    """One finding per folder."""
    home = str(subject.own.settings.home)
    yield _tested(home, write=True)
    for row in subject.recorded(RECORDED):
        if row["path"] != home:
            yield _tested(row["path"], write=False)


def _tested(folder: str, *, write: bool) -> Finding:
    probe = f"statvfs({folder!r})" + ("; write, sync, read back and remove a file" if write else "")
    found = space(folder)
    if isinstance(found, Answer):
        if found.outcome is Outcome.DENIED:
            return skipped(folder, found.reason, probe=probe)
        return failed(folder, found.reason, probe=probe)
    evidence = f"{found.free_bytes:,} of {found.size_bytes:,} bytes free"
    if found.read_only:
        return failed(folder, "its file system is mounted read-only", evidence, probe=probe)
    if problem := _full(found):
        return failed(folder, problem, evidence, probe=probe)
    if write:
        written = write_and_read_back(folder)
        if written.outcome is not Outcome.OK:
            return failed(folder, written.reason, evidence, probe=probe)
        evidence = f"{evidence}; {written.text}"
    return passed(folder, evidence, probe=probe)


def _full(found: Space) -> str | None:
    if found.free_bytes < NEEDED_SPACE_BYTES:
        return f"only {found.free_bytes:,} bytes are free"
    return "it can hold no further file" if found.free_files == 0 else None


check = Check(run)
