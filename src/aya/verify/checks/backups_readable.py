"""Every folder of backups (option `backup_folders`) is there, holds something, and each file in it can be opened and read.

Of each file the first block is read. Whether a backup can be restored is another question.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from aya.host.disk import content
from aya.host.local import look_up
from aya.model import Outcome
from aya.verify.check import Check, Finding, Subject, failed, passed, skipped

MOST_FILES = 20_000
SHOWN = 5


def run(subject: Subject) -> Iterator[Finding]:
    """One finding per folder."""
    for folder in map(str, subject.own.settings.backup_folders):
        yield _looked_at(folder)


def _looked_at(folder: str) -> Finding:
    probe = f"read the first block of every file below {folder}"
    there = look_up(folder)
    if there.outcome is Outcome.DENIED:
        return skipped(folder, there.reason, probe=probe)
    if there.outcome is not Outcome.OK:
        return failed(folder, there.reason, probe=probe)
    found = content(folder, most_files=MOST_FILES)
    newest = (
        ""
        if found.newest_epoch_s is None
        else f", newest {datetime.fromtimestamp(found.newest_epoch_s, UTC):%Y-%m-%d %H:%M:%SZ}"
    )
    more = f", the first {MOST_FILES:,} files only" if found.cut_off else ""
    evidence = f"{found.files:,} files, {found.size_bytes:,} bytes{newest}{more}"
    if found.unreadable:
        shown = "; ".join(found.unreadable[:SHOWN])
        return failed(folder, f"{len(found.unreadable):,} cannot be read: {shown}", evidence, probe=probe)
    if not found.files:
        return failed(folder, "there is no file in it", evidence, probe=probe)
    return passed(folder, evidence, probe=probe)


check = Check(run)
