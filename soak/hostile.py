"""Hostile SQL by REST, MCP and the operation, as it is listed and mutated at random: nothing is written, read from files, leaked,
left, or harmed, and every answer comes within its time and length.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from random import Random
from statistics import median

import psycopg
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from aya.db.adhoc.workers import ENVELOPE_BYTES
from aya.db.database import Login
from aya.db.migrate import migrate
from bench._laboratory import Laboratory
from soak._trial import Outcome, Trial
from tests.security import hostile
from tests.security.callers import LIMITS, operation, ports, unparsed
from tests.security.hostile import Caller, Hostile, Watch
from tests.security.mutation import mutated

TIME_S = LIMITS["sql_timeout_s"] + 1
LENGTH_BYTES = LIMITS["sql_bytes"] + ENVELOPE_BYTES


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of one statement."""

    sql: str
    took_s: float
    answer: str

    @property
    def length_bytes(self) -> int:
        """How long the answer is."""
        return len(self.answer.encode())

    def breaches(self) -> list[str]:
        """What the answer may not hold, and whether it came too late or is too long."""
        late = [f"answered after {self.took_s:.2f} s"] if self.took_s > TIME_S else []
        long = [f"{self.length_bytes} bytes were answered"] if self.length_bytes > LENGTH_BYTES else []
        return [f"{breach}: {self.sql[:200]!r}" for breach in (*hostile.leaked(self.answer), *late, *long)]


def run(lab: Laboratory, times: int, chance: int, tell: Callable[[str], None]) -> Outcome:
    """The whole catalogue by each way; then so many mutations, by each way and without the parser."""
    database = lab.context.database
    folder = lab.context.settings.home / "written"
    folder.mkdir()
    folder.chmod(0o777)
    catalogue = hostile.statements(folder)
    failures: list[str] = []
    with ExitStack() as meanwhile:
        admin = meanwhile.enter_context(database.connect(Login.ADMIN))
        bystander = meanwhile.enter_context(database.connect(Login.READER))
        hostile.plant(admin)
        migrate(database)
        same = meanwhile.enter_context(psycopg.connect(database.url(Login.SQL), autocommit=True))
        ways = {**meanwhile.enter_context(ports(database)), "operation": operation(database)}
        watch = Watch(admin, bystander, same, folder)
        for name, call in ways.items():
            done = _catalogue(call, catalogue)
            failures += [f"{name}: {breach}" for asked in done for breach in asked.breaches()]
            failures += [f"{name}: {breach}" for breach in watch.breaches()]
            tell(f"{name}: {_figures(done)}")
        ways["unparsed"] = unparsed(database)
        failures += _mutations(ways, [one for one in catalogue if one.kind != "dos"], watch, times, chance, tell)
        left = watch.sessions_left()
    failures += [f"{left} sessions were left"] if left else []
    said = f"{len(catalogue)} statements and {times} mutations, by {', '.join(ways)}, {len(failures)} breaches"
    return Outcome(said, tuple(failures))


def _ask(call: Caller, sql: str) -> Asked:
    started = time.monotonic()
    answer = call(sql)
    return Asked(sql, time.monotonic() - started, answer)


def _catalogue(call: Caller, catalogue: Sequence[Hostile]) -> list[Asked]:
    """As many at once as may be."""
    with ThreadPoolExecutor(LIMITS["sql_concurrency"]) as pool:
        return list(pool.map(partial(_ask, call), [one.sql for one in catalogue]))


def _figures(done: Sequence[Asked]) -> str:
    took_s = [asked.took_s for asked in done]
    longest = max(asked.length_bytes for asked in done)
    return (
        f"{len(done)} statements, answered after {median(took_s) * 1000:.0f} ms in the median and {max(took_s):.2f} s at most, "
        f"with {longest} bytes at most"
    )


def _mutations(
    ways: Mapping[str, Caller],
    catalogue: Sequence[Hostile],
    watch: Watch,
    times: int,
    chance: int,
    tell: Callable[[str], None],
) -> list[str]:
    failures: list[str] = []
    done = 0

    @seed(Random(chance).getrandbits(64))
    @settings(max_examples=times, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None)
    @given(data=st.data())
    def tried(data: st.DataObject) -> None:
        nonlocal done
        sql = data.draw(st.sampled_from(catalogue).flatmap(lambda one: mutated(one.sql)))
        for name, call in ways.items():
            breaches = [*_ask(call, sql).breaches(), *(f"{breach}: {sql!r}" for breach in watch.breaches())]
            failures.extend(f"{name}: {breach}" for breach in breaches)
        done += 1
        if done % 100 == 0:
            tell(f"{done} of {times} mutations")

    tried()
    return failures


trial = Trial(run, times=1000)
