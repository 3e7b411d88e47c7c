"""Hostile SQL, mutated at random, through the operation: nothing is written, read from files, leaked, left, or harmed."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import psycopg
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from aya.db.database import Login
from aya.db.migrate import migrate
from bench._laboratory import Laboratory
from soak._trial import Outcome, Trial
from tests.security import hostile
from tests.security.callers import operation, unparsed
from tests.security.mutation import mutated


def run(lab: Laboratory, times: int, chance: int, tell: Callable[[str], None]) -> Outcome:
    """So many mutations, each with the parser and without it."""
    database = lab.context.database
    folder = lab.context.settings.home / "written"
    folder.mkdir()
    folder.chmod(0o777)
    catalogue = [one for one in hostile.statements(Path(folder)) if one.kind != "dos"]
    failures: list[str] = []
    done = 0
    with (
        database.connect(Login.ADMIN) as admin,
        database.connect(Login.READER) as bystander,
    ):
        hostile.plant(admin)
        migrate(database)
        with psycopg.connect(database.url(Login.SQL), autocommit=True) as same:
            watch = hostile.Watch(admin, bystander, same, folder)
            calls = (operation(database), unparsed(database))

            @seed(Random(chance).getrandbits(64))
            @settings(max_examples=times, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
            @given(data=st.data())
            def tried(data: st.DataObject) -> None:
                nonlocal done
                sql = data.draw(st.sampled_from(catalogue).flatmap(lambda one: mutated(one.sql)))
                for call in calls:
                    found = hostile.leaked(call(sql)) + watch.breaches()
                    failures.extend(f"{breach}: {sql!r}" for breach in found)
                done += 1
                if done % 100 == 0:
                    tell(f"{done} of {times}")

            tried()
            left = watch.sessions_left()
    failures += [f"{left} sessions were left"] if left else []
    return Outcome(f"{done} mutations, {len(calls)} ways, {len(failures)} breaches", tuple(failures))


trial = Trial(run, times=1000)
