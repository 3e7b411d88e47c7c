"""Every recorded setting equals what `pg_settings` of that server says now.

Compares value and unit of all settings of each active instance; settings that appeared or vanished differ as well.
"""

from collections.abc import Iterator

from aya.db.observed import NotObserved, Observed
from aya.redaction import Redactor
from aya.verify.check import Check, Finding, Subject, failed, passed
from aya.verify.checks._instances import not_answered, opened

RECORDED = (
    "SELECT c.instance, c.setting_name AS name, c.setting_value AS setting, c.setting_unit AS unit "
    "FROM postgresql_configuration c JOIN postgresql_instances i USING (node_id, instance) "
    "WHERE c.node_id = %(node)s AND c.is_active AND i.is_active ORDER BY 1, 2"
)
PROBE = "SELECT name, setting, unit FROM pg_catalog.pg_settings"
SHOWN = 5

Value = tuple[str, str | None]


def run(subject: Subject) -> Iterator[Finding]:
    """One finding per instance."""
    recorded: dict[str, dict[str, Value]] = {}
    for row in subject.recorded(RECORDED):
        recorded.setdefault(row["instance"], {})[row["name"]] = (row["setting"], row["unit"])
    for instance, settings in recorded.items():
        server = opened(subject, instance, PROBE)
        if isinstance(server, Finding):
            yield server
            continue
        try:
            with server:
                now = _settings(server, subject.redactor)
        except NotObserved as error:
            yield not_answered(instance, error, PROBE)
            continue
        different = [
            f"{name}: recorded {_text(settings.get(name))}, now {_text(now.get(name))}"
            for name in sorted(settings.keys() | now.keys())
            if settings.get(name) != now.get(name)
        ]
        if different:
            yield failed(
                instance,
                f"{len(different)} settings differ: " + "; ".join(different[:SHOWN]),
                "\n".join(different),
                probe=PROBE,
            )
        else:
            yield passed(instance, f"{len(now)} settings are as recorded", probe=PROBE)


def _settings(server: Observed, redactor: Redactor) -> dict[str, Value]:
    # Bare, as the collector asks: a limit set for this session would show among the settings.
    now = server.rows(PROBE, bare=True)
    return {row["name"]: (redactor.text(row["setting"]), row["unit"]) for row in now}


def _text(value: Value | None) -> str:
    return "nothing" if value is None else f"{value[0]!r:.80}{value[1] or ''}"


check = Check(run, from_afar=True)
