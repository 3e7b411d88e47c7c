"""Tamper with the log as the superuser, at random, and see whether verifying finds it and names the row.

Each trial puts the guards aside, does one thing, verifies with a checkpoint that was kept outside, and rolls everything
back. Between the trials the untouched log is verified, which must find nothing.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from aya.audit.live import Live, examine
from aya.audit.note import VerifierKey
from aya.audit.seal import newest_seal, seals
from aya.audit.verify import Numbers, Report, verify
from aya.db.connection import Connection
from aya.db.database import Login
from aya.operations import audit
from aya.record.recorder import record
from bench._laboratory import Laboratory
from soak._trial import Outcome, Trial
from tests.record import states

GUARDS = ("change_log", "aya.seals", "aya.audit_keys", "aya.prunings")
CHANGED = {
    "node_id": "coalesce(node_id, 0) # (1 << %(bit)s)",
    "node_name": "{flip}",
    "section": "{flip}",
    "source": "{flip}",
    "change_type": "{flip}",
    "change_category": "{flip}",
    "table_affected": "{flip}",
    "record_id": "coalesce(record_id, 0) # (1::bigint << %(bit)s)",
    "records": "coalesce(records, '{}') + int8multirange(int8range(%(bit)s + 900000, %(bit)s + 900001))",
    "fact": "{flip}",
    "action": "CASE action WHEN 'update' THEN 'insert' ELSE 'update' END",
    "change_description": "{flip}",
    "old_value": "coalesce(old_value, '{}') || jsonb_build_object('x', %(bit)s)",
    "new_value": "coalesce(new_value, '{}') || jsonb_build_object('x', %(bit)s)",
    "changed_by": "{flip}",
    "change_reason": "{flip}",
    "verification_status": "{flip}",
    "verification_notes": "{flip}",
    "run_id": "coalesce(run_id, 0) # (1::bigint << %(bit)s)",
    "happened_after": "coalesce(happened_after, created_at) + interval '1 us' * (1 << %(bit)s)",
    "happened_before": "coalesce(happened_before, created_at) - interval '1 us' * (1 << %(bit)s)",
    "session_role": "{flip}",
    "transaction_id": "transaction_id # (1::bigint << %(bit)s)",
    "created_at": "created_at + interval '1 us' * (1 << %(bit)s)",
}
"""How a bit of each hashed column is flipped; of a text, a bit of its first character, or it gets one."""
FLIP = "CASE WHEN coalesce({column}, '') = '' THEN 'x' ELSE overlay({column} PLACING chr(ascii({column}) # 1) FROM 1 FOR 1) END"
SEAL_CHANGED = {
    "seal_number": "seal_number + 1000",
    "first_leaf": "first_leaf - 1",
    "tree_size": "tree_size + 1",
    "changes": "changes + int8multirange(int8range(900000, 900001))",
    "leaf_hashes": "set_bit(leaf_hashes, %(bit)s, 1 - get_bit(leaf_hashes, %(bit)s))",
    "root": "set_bit(root, %(bit)s, 1 - get_bit(root, %(bit)s))",
    "frontier": "set_bit(frontier, %(bit)s, 1 - get_bit(frontier, %(bit)s))",
    "horizon": "horizon # (1::bigint << %(bit)s)",
    "sealed_at": "sealed_at + interval '1 us' * (1 << %(bit)s)",
    "note": "overlay(note PLACING chr(ascii(substr(note, 1 + %(bit)s * 7, 1)) # 1) FROM 1 + %(bit)s * 7 FOR 1)",
}
KEY_CHANGED = {
    "verifier_key": "overlay(verifier_key PLACING chr(ascii(substr(verifier_key, 1 + %(bit)s, 1)) # 1) FROM 1 + %(bit)s FOR 1)",
    "first_seal": "first_seal + 1",
    "note": "overlay(note PLACING chr(ascii(substr(note, 1 + %(bit)s * 7, 1)) # 1) FROM 1 + %(bit)s * 7 FOR 1)",
}
"""How the signed columns of a key are; when it was introduced is not signed."""


@dataclass(frozen=True, slots=True)
class Tampering:
    """One way to tamper, done: what it was, and the change or seal that must be named (None: whichever)."""

    what: str
    change: int | None = None
    seal: int | None = None


@dataclass(slots=True)
class Found:
    """What verifying found of all that was done."""

    trials: Counter[str]
    missed: list[str]
    misnamed: list[str]
    false_alarms: list[str]


def tamper(
    admin: Connection,
    keys: list[VerifierKey],
    kept: tuple[str, str],
    *,
    times: int,
    untouched: int,
    seed: int,
    append: Callable[[], None] = lambda: None,
    progress: Callable[[str], None] = lambda _: None,
) -> Found:
    """Tamper so many times, and verify so many times what nobody touched. `append`: let the log grow and be sealed."""
    chance = random.Random(seed)
    outcome = Found(Counter(), [], [], [])
    calm = set(chance.sample(range(times), min(untouched, times))) if times else set()
    for number in range(max(times, untouched)):
        if number in calm or number >= times:
            append()
            with admin.transaction():
                report = verified(admin, keys, kept)
            outcome.false_alarms += [problem.said for problem in report.problems]
            outcome.trials["untouched"] += 1
        if number < times:
            with admin.transaction(force_rollback=True):
                for table in GUARDS:
                    admin.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")  # type: ignore[arg-type]
                trial = _tampered(admin, chance)
                for table in GUARDS:
                    admin.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only")  # type: ignore[arg-type]
                report = verified(admin, keys, kept)
            outcome.trials[trial.what.split(":")[0]] += 1
            if report.whole:
                outcome.missed.append(f"{trial}")
            elif not _named(trial, report):
                outcome.misnamed.append(f"{trial}: {[problem.said for problem in report.problems][:3]}")
        if number % 50 == 49:
            progress(f"{number + 1} trials, {len(outcome.missed)} missed, {len(outcome.false_alarms)} false alarms")
    return outcome


def _named(trial: Tampering, report: Report) -> bool:
    """Whether the change or seal that was tampered with is named."""
    if trial.change is not None:
        return any(problem.change == trial.change for problem in report.problems)
    return trial.seal is None or any(str(trial.seal) in problem.said for problem in report.problems)


def verified(admin: Connection, keys: list[VerifierKey], kept: tuple[str, str]) -> Report:
    """What verifying says, within a transaction."""
    report = verify(Live(admin), keys, [kept])
    examine(admin, report)
    return report


def _tampered(admin: Connection, chance: random.Random) -> Tampering:
    """60 % flipped bits, 10 % each: deleted, inserted, swapped, cut."""
    return chance.choices([_flipped, _deleted, _inserted, _swapped, _cut], weights=[60, 10, 10, 10, 10])[0](
        admin, chance
    )


def _any_change(admin: Connection, chance: random.Random) -> int:
    """A change that is sealed."""
    one = chance.choice([*_sealed(admin)])
    return chance.choice([*Numbers(one)])


def _sealed(admin: Connection) -> Iterator[str]:
    for one in seals(admin):
        yield one.changes


def _flipped(admin: Connection, chance: random.Random) -> Tampering:
    bit = chance.randrange(8)
    where = chance.random()
    if where < 0.05:
        column = chance.choice([*KEY_CHANGED])
        _run(admin, f"UPDATE aya.audit_keys SET {column} = {KEY_CHANGED[column]}", {"bit": bit})
        return Tampering(f"flipped: audit_keys.{column}")
    if where < 0.25:
        column = chance.choice([*SEAL_CHANGED])
        number = chance.randint(1, _last(admin))
        if column == "first_leaf" and number == 1:
            column = "root"
        if column in ("leaf_hashes", "root", "frontier"):
            bit = chance.randrange(256)
        values = {"bit": bit, "seal": number}
        if column in ("first_leaf", "tree_size"):
            _run(admin, "ALTER TABLE aya.seals DROP CONSTRAINT seals_check, DROP CONSTRAINT seals_check1")
        _run(admin, f"UPDATE aya.seals SET {column} = {SEAL_CHANGED[column]} WHERE seal_number = %(seal)s", values)
        return Tampering(f"flipped: seals.{column} of {number}", seal=number)
    column, change = chance.choice([*CHANGED]), _any_change(admin, chance)
    expression = CHANGED[column].replace("{flip}", FLIP.format(column=column))
    _run(admin, f"UPDATE change_log SET {column} = {expression} WHERE id = %(id)s", {"bit": bit, "id": change})
    return Tampering(f"flipped: {column} of {change}", change=change)


def _deleted(admin: Connection, chance: random.Random) -> Tampering:
    if chance.random() < 0.2:
        number = chance.randint(1, _last(admin))
        _run(admin, "DELETE FROM aya.seals WHERE seal_number = %(seal)s", {"seal": number})
        return Tampering(f"deleted: seal {number}")
    change = _any_change(admin, chance)
    _run(admin, "DELETE FROM change_log WHERE id = %(id)s", {"id": change})
    return Tampering(f"deleted: {change}", change=change)


def _inserted(admin: Connection, chance: random.Random) -> Tampering:
    """A copy of a change under another number, as if it had always been there."""
    change = _any_change(admin, chance)
    columns = (
        "node_id, node_name, section, source, table_affected, record_id, fact, action, change_description, old_value, new_value, "
        "transaction_id, created_at"
    )
    new = 10**9 + chance.randrange(10**6)
    _run(
        admin,
        f"INSERT INTO change_log (id, {columns}) SELECT %(new)s, {columns} FROM change_log WHERE id = %(id)s",
        {"id": change, "new": new},
    )
    return Tampering(f"inserted: {new} like {change}", change=new)


def _swapped(admin: Connection, chance: random.Random) -> Tampering:
    """Two changes exchange their numbers."""
    one, two = _any_change(admin, chance), _any_change(admin, chance)
    if one == two:
        return _deleted(admin, chance)
    for old, new in ((one, -1), (two, one), (-1, two)):
        _run(admin, "UPDATE change_log SET id = %(new)s WHERE id = %(old)s", {"old": old, "new": new})
    return Tampering(f"swapped: {one} and {two}", change=min(one, two))


def _cut(admin: Connection, chance: random.Random) -> Tampering:
    """The end of the log goes: changes and seals, so that what is left fits together."""
    number = chance.randint(1, _last(admin))
    left = Numbers(",".join(one.changes for one in seals(admin) if one.seal_number < number))
    _run(admin, "DELETE FROM aya.seals WHERE seal_number >= %(seal)s", {"seal": number})
    _run(admin, "DELETE FROM change_log WHERE NOT id = ANY (%(left)s)", {"left": [*left]})
    return Tampering(f"cut: from seal {number}")


def _last(admin: Connection) -> int:
    last = newest_seal(admin)
    return last.seal_number if last else 0


def _run(admin: Connection, statement: str, values: dict[str, Any] | None = None) -> None:
    admin.execute(statement, values or {})  # type: ignore[arg-type]


SEALS = 12
UNTOUCHED = 10  # one in so many trials is of an untouched log


def run(lab: Laboratory, times: int, seed: int, progress: Callable[[str], None]) -> Outcome:
    """Tamper so often; a tenth as often verify what only grew."""
    lab.empty()
    values = iter(range(10**9))
    with lab.context.database.connect() as writer, lab.context.database.connect(Login.ADMIN) as admin:

        def grow() -> None:
            value = str(next(values))
            record(writer, [states.state(states.settings_of(*(states.setting(name, value) for name in "abcd")))])
            audit.seal(lab.context)

        record(writer, [states.whole()])
        for _ in range(SEALS):
            grow()
        found = Found(Counter(), [], [], [])
        for start in range(0, times, 500):
            lab_keys = [VerifierKey.read(str(audit.list_keys(lab.context)[0]["verifier_key"]))]
            kept = ("kept", audit.newest_checkpoint(lab.context))
            part = min(500, times - start)
            done = tamper(admin, lab_keys, kept, times=part, untouched=0, seed=seed + start)
            for _ in range(part // UNTOUCHED):
                done.trials["untouched"] += 1
                done.false_alarms += [problem.said for problem in audit.verify_log(lab.context).problems]
            grow()
            found.trials += done.trials
            found.missed += done.missed
            found.misnamed += done.misnamed
            found.false_alarms += done.false_alarms
            progress(
                f"{start + part:,} of {times:,}: {len(found.missed)} missed, {len(found.false_alarms)} false alarms"
            )
    counted = ", ".join(f"{count:,} {what}" for what, count in sorted(found.trials.items()))
    said = f"{counted}; {len(found.missed)} missed, {len(found.misnamed)} not named, {len(found.false_alarms)} false alarms"
    return Outcome(said, (*found.missed, *found.misnamed, *found.false_alarms))


trial = Trial(run, times=10_000)
