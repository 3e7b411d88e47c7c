"""Kill `aya collect` with SIGKILL at random moments, and see that all of what it found is recorded, or nothing.

Before each trial the recorded state is made to differ from the machine in hundreds of rows of several sections, or there is
none. Half of the kills hit anywhere, half of them while rows are written. Afterwards either everything is as it was before,
or a run is there with its outcomes and marks, and no row still differs; and the log explains the state.

Looking takes longest and writes nothing. So most trials kill a process that records what was looked at once before, of this
machine and AYA's own server; one in twenty-five kills the whole command.
"""

import pickle
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from aya.audit.live import examine
from aya.audit.verify import Report
from aya.db.connection import Connection, rows
from aya.db.database import Login
from aya.errors import HostError
from aya.model import NodeState
from aya.operations.collection import look
from aya.record.recorder import record
from bench._laboratory import Laboratory
from soak._trial import Outcome, Trial

FIRST_LOAD_EVERY = 4
MARKS_EVERY = 50
WHOLE_EVERY = 25
BEYOND = 1.2
"""So far beyond how long it lasts kills may come: some come too late, so that none of its moments is left out."""
WHOLE = (sys.executable, "-m", "aya", "collect", "--json")
RECORDING = """
import pickle, sys
from aya.operations.context import Context
from aya.record.recorder import record
from aya.settings import load
with Context(load()).database.connect() as connection, open(sys.argv[1], "rb") as file:
    record(connection, [pickle.load(file)])
"""

SOFTWARE = "source = 'packages' AND is_active"
SETTINGS = "is_active AND split_part(instance, ':', 1) = (SELECT system_identifier::text FROM pg_control_system())"
DISTURB = (
    f"UPDATE software_versions SET software_version = coalesce(software_version, '') || '!' WHERE {SOFTWARE}",
    f"UPDATE postgresql_configuration SET setting_value = coalesce(setting_value, '') || '!' WHERE {SETTINGS}",
    "UPDATE system_nodes SET cpu_model = coalesce(cpu_model, '') || '!'",
)
"""What the machine and AYA's own server surely have otherwise; other servers may come and go meanwhile."""
COUNTS = f"""
SELECT (SELECT max(id) FROM collection_runs) AS run,
    (SELECT count(*) FROM collection_runs) AS runs,
    (SELECT count(*) FROM collection_outcomes) AS outcomes,
    (SELECT count(*) FROM collection_runs WHERE id NOT IN (SELECT run_id FROM collection_outcomes)) AS empty_runs,
    (SELECT count(*) FROM change_log WHERE run_id NOT IN (SELECT id FROM collection_runs)) AS changes_without_run,
    (SELECT count(*) FROM system_nodes) AS nodes,
    (SELECT count(*) FROM software_versions) AS software,
    (SELECT count(*) FROM postgresql_configuration) AS settings,
    (SELECT count(*) FROM software_versions WHERE software_version ~ '!$' AND {SOFTWARE}) AS software_disturbed,
    (SELECT count(*) FROM postgresql_configuration WHERE setting_value ~ '!$' AND {SETTINGS}) AS settings_disturbed,
    (SELECT count(*) FROM system_nodes WHERE cpu_model ~ '!$') AS nodes_disturbed,
    (SELECT count(*) FROM performance_metrics) AS measurements,
    (SELECT count(*) FROM aya.section_marks) AS marks,
    (SELECT count(*) FROM change_log) AS changes
"""
MAY_BE_NONE = (
    "run",
    "empty_runs",
    "changes_without_run",
    "software_disturbed",
    "settings_disturbed",
    "nodes_disturbed",
)
WRITING = "SELECT FROM pg_stat_activity WHERE usename = 'aya_writer'"


def run(lab: Laboratory, times: int, seed: int, progress: Callable[[str], None]) -> Outcome:
    """Kill so often."""
    chance = random.Random(seed)
    counted: Counter[str] = Counter()
    failures: list[str] = []
    found = _own(lab, look(lab.context, lab.context.redactor))
    path = lab.context.settings.home / "found"
    path.write_bytes(pickle.dumps(found))
    recording = (sys.executable, "-c", RECORDING, str(path))
    with lab.context.database.connect(Login.ADMIN) as admin:
        lasts_s: dict[tuple[str, ...], tuple[float, float]] = {}
        for number in range(times):
            command = WHOLE if number % WHOLE_EVERY == WHOLE_EVERY - 1 else recording
            if command not in lasts_s:
                lab.empty()
                lasts_s[command] = _lasts(lab, admin, command)
            first_load = number % FIRST_LOAD_EVERY == 0
            if first_load:
                lab.empty()
            else:
                for statement in DISTURB:
                    admin.execute(statement)  # type: ignore[arg-type]
            before = rows(admin, COUNTS)[0]
            writing = chance.random() < 0.5
            after_s = chance.uniform(0, BEYOND * lasts_s[command][writing])
            finished = _killed(lab, admin, command, after_s, writing=writing)
            after = rows(admin, COUNTS)[0]
            recorded = after["runs"] > before["runs"]
            counted["first loads" if first_load else "changes"] += 1
            counted["recorded" if recorded else "nothing recorded"] += 1
            counted["ended before the kill"] += finished
            where = f"kill {number} ({'writing' if writing else 'anywhere'} + {after_s:.3f} s)"
            failures += [f"{where}: {problem}" for problem in (*_half(before, after), *_unexplained(admin))]
            if number % MARKS_EVERY == MARKS_EVERY - 1 or number == times - 1:
                failures += [f"after {where}: {problem}" for problem in _wrong_marks(lab, found)]
            if number % 10 == 9:
                progress(f"{number + 1} of {times} kills: {len(failures)} half recorded")
    path.unlink()
    said = ", ".join(f"{count} {what}" for what, count in sorted(counted.items()))
    return Outcome(f"{times} kills: {said}; {len(failures)} half recorded", tuple(failures))


def _own(lab: Laboratory, found: NodeState) -> NodeState:
    """What was found of this machine and of AYA's own server: others on it are not this trial's."""
    with lab.context.database.connect(Login.ADMIN) as admin:
        identity = rows(admin, "SELECT system_identifier::text AS own FROM pg_control_system()")[0]["own"]
    collected = tuple(one for one in found.collected if not one.target or one.target.startswith(identity))
    return replace(found, collected=collected)


def _lasts(lab: Laboratory, admin: Connection, command: tuple[str, ...]) -> tuple[float, float]:
    """How many seconds the command lasts, and how many of them it writes."""
    started = time.monotonic()
    with subprocess.Popen(command, env=lab.environment(), stdout=subprocess.DEVNULL) as process:
        _wait_for_writing(admin, process)
        writes = time.monotonic()
    if process.returncode:
        raise HostError(f"{command[:3]} failed without being killed.")
    return time.monotonic() - started, time.monotonic() - writes


def _wait_for_writing(admin: Connection, process: "subprocess.Popen[bytes]") -> None:
    while not rows(admin, WRITING) and process.poll() is None:
        time.sleep(0.001)


def _killed(lab: Laboratory, admin: Connection, command: tuple[str, ...], after_s: float, *, writing: bool) -> bool:
    """Start it and kill it; whether it had ended before. Returns when its session in the server is gone."""
    with subprocess.Popen(
        command, env=lab.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        if writing:
            _wait_for_writing(admin, process)
        time.sleep(after_s)
        finished = process.poll() is not None
        process.send_signal(signal.SIGKILL)
    while rows(admin, WRITING):
        time.sleep(0.005)
    return finished


def _half(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """What is neither as it was before nor as a whole run leaves it."""
    if after["empty_runs"] or after["changes_without_run"]:
        yield f"a run without outcomes, or changes of a run that is not there: {after}"
    if after["runs"] == before["runs"]:
        if after != before:
            yield f"no run is recorded, but {before} became {after}"
        return
    if any(after[name] for name in ("software_disturbed", "settings_disturbed", "nodes_disturbed")):
        yield f"a run is recorded, but not all that it found: {after}"
    if lacking := [name for name, count in after.items() if not count and name not in MAY_BE_NONE]:
        yield f"a run is recorded without {', '.join(lacking)}: {after}"


def _unexplained(admin: Connection) -> list[str]:
    report = Report()
    examine(admin, report)
    return [problem.said for problem in report.problems]


def _wrong_marks(lab: Laboratory, found: NodeState) -> Iterator[str]:
    """Whether a section that is marked as recorded is not: compared anew, the same look must change nothing."""
    with lab.context.database.connect() as writer:
        record(writer, [found])
        writer.execute("DELETE FROM aya.section_marks")
        if (again := record(writer, [found])[0]).changed:
            yield f"a mark promised rows that were not there: {again}"


trial = Trial(run, times=500)
