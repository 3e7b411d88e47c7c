"""Whether what is recorded of a node is still known: how the collectors ended last, and how long ago.

What could not be looked at, or not for long, is not known: it is neither equal nor different.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aya.drift.thing import Look

COMPLETE = frozenset({"ok", "absent"})


@dataclass(frozen=True, slots=True)
class Gap:
    """Since when something is not known, and why."""

    since: datetime | None
    """When it was last seen whole; None: never."""
    reason: str


@dataclass(frozen=True, slots=True)
class Looks:
    """The last looks at one node."""

    at: datetime | None
    """When it was last looked at, by any collector; None: never."""
    outcomes: Mapping[Look, tuple[str, str | None]]
    """How each collector ended then on each target, and why."""
    complete: Mapping[Look, datetime]
    """When each last saw everything."""

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]]) -> "Looks":
        """Out of the rows of `latest_looks.sql` that are of one node."""
        at: datetime | None = None
        outcomes, complete = {}, {}
        for row in rows:
            at = row["collected_at"]
            if row["collector"] is not None:
                key = row["collector"], row["target"]
                if row["outcome"] is not None:
                    outcomes[key] = row["outcome"], row["reason"]
                if row["complete_at"] is not None:
                    complete[key] = row["complete_at"]
        return cls(at, outcomes, complete)

    def gap(self, looks: Iterable[Look], now: datetime, stale_after: timedelta) -> Gap | None:
        """Why what these looks tell is not known; None: it is.

        A collector that did not run at all, because there is none for that system, is no gap beside others that did.
        """
        looks = tuple(looks)
        if self.at is None:
            return Gap(None, "never looked at")
        whole = min((self.complete[look] for look in looks if look in self.complete), default=None)
        ran = [look for look in looks if look in self.outcomes]
        if looks and not ran:
            return Gap(whole, "the last look did not come to it" if whole else "never looked at")
        for look in ran:
            outcome, reason = self.outcomes[look]
            if outcome not in COMPLETE:
                return Gap(self.complete.get(look), f"{look[0]} ended {outcome}" + (f": {reason}" if reason else ""))
        if now - self.at > stale_after:
            return Gap(self.at, f"looked at last {_age(now - self.at)} ago")
        return None

    @property
    def targets(self) -> tuple[str, ...]:
        """The servers and databases that were looked at, also in vain."""
        return tuple(sorted({target for _, target in (*self.outcomes, *self.complete) if target}))

    def refusals(self, known: Iterable[str]) -> Gap | None:
        """Why it is not known which PostgreSQL servers there are: one did not say who it is."""
        named = tuple(known)
        for (name, target), (outcome, reason) in sorted(self.outcomes.items()):
            if name == "postgresql.instance" and outcome not in COMPLETE and target not in named:
                return Gap(None, f"{target} ended {outcome}" + (f": {reason}" if reason else ""))
        return None


def _age(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} days"
