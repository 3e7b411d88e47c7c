"""The settings recorded as waiting for a restart are those that the server says are waiting, and it has cause to.

`pending_restart` of `pg_settings` must be set for exactly the recorded ones; and of each the configuration files must say
something that cannot be applied to the running server (`pg_file_settings`), or nothing any more. Where the files may not be
read (superuser only) the evidence says so.
"""

from collections.abc import Iterator

from aya.db.observed import NotObserved, Observed
from aya.verify.check import Check, Finding, Subject, failed, passed
from aya.verify.checks._instances import not_answered, opened, recorded

WAITING = (
    "SELECT instance, setting_name FROM postgresql_configuration "
    "WHERE node_id = %(node)s AND is_active AND requires_restart ORDER BY 1, 2"
)
PROBE = "SELECT name, setting FROM pg_catalog.pg_settings WHERE pending_restart"
FILES = (
    "SELECT DISTINCT ON (lower(name)) lower(name) AS name, setting, applied FROM pg_file_settings "
    "WHERE name IS NOT NULL ORDER BY lower(name), seqno DESC"
)


def run(subject: Subject) -> Iterator[Finding]:
    """One finding per instance."""
    waiting: dict[str, set[str]] = {}
    for row in subject.recorded(WAITING):
        waiting.setdefault(row["instance"], set()).add(row["setting_name"])
    for instance in recorded(subject):
        server = opened(subject, instance, PROBE)
        if isinstance(server, Finding):
            yield server
            continue
        with server:
            try:
                yield _compared(instance, waiting.get(instance, set()), server)
            except NotObserved as error:
                yield not_answered(instance, error, PROBE)


def _compared(instance: str, waiting: set[str], server: Observed) -> Finding:
    # Bare, and before the files: reading those marks settings of this session as pending.
    now = {row["name"]: row["setting"] for row in server.rows(PROBE, bare=True)}
    files, evidence = _files(server) if now else ({}, "")
    problems = [f"{name} is recorded as waiting, but is not" for name in sorted(waiting - now.keys())]
    problems += [f"{name} is waiting, but not recorded so" for name in sorted(now.keys() - waiting)]
    problems += [
        f"{name} is said to wait, but the files say what is in force"
        for name in sorted(now)
        if files.get(name.lower(), (None, False)) == (now[name], True)
    ]
    evidence = f"waiting: {', '.join(sorted(now)) or 'none'}{evidence}"
    probe = f"{PROBE}; {FILES}" if now else PROBE
    if problems:
        return failed(instance, "; ".join(problems), evidence, probe=probe)
    return passed(instance, evidence, probe=probe)


def _files(server: Observed) -> tuple[dict[str, tuple[str, bool]], str]:
    """What the files say of each setting and whether it can be applied; and what there is to say about reading them."""
    try:
        return {row["name"]: (row["setting"], row["applied"]) for row in server.rows(FILES)}, ""
    except NotObserved as error:
        return {}, f"; the files could not be compared: {error.reason}"


check = Check(run, from_afar=True)
