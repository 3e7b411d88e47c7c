"""When processes began: the kernel counts in ticks since the machine was started."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aya.collect.json_values import integer
from aya.host.reading import Call, File, Found, Read

READS: tuple[Read, ...] = (
    File("/proc/stat", optional=True),
    File("/proc/uptime", optional=True),
    Call("clock-ticks", optional=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What turns the ticks of a process into a time."""

    booted: int | None
    up_seconds: int | None
    ticks_per_second: int | None

    def started(self, ticks: int | None) -> datetime | None:
        """When something began that many ticks after boot, in whole seconds."""
        if ticks is None or self.booted is None or not self.ticks_per_second:
            return None
        try:
            return datetime.fromtimestamp(self.booted + ticks // self.ticks_per_second, UTC)
        except (ValueError, OverflowError, OSError):
            return None

    def since(self, moment: datetime | None) -> int | None:
        """How many seconds ago that was."""
        if moment is None or self.booted is None or self.up_seconds is None:
            return None
        try:
            now = datetime.fromtimestamp(self.booted, UTC) + timedelta(seconds=self.up_seconds)
        except (ValueError, OverflowError, OSError):
            return None
        return max(0, int((now - moment).total_seconds()))


def read_clock(found: Found) -> Clock:
    """The clock of the machine, as far as it is told."""
    booted = re.search(r"^btime (\d{1,11})$", found.text("/proc/stat") or "", re.MULTILINE)
    return Clock(
        booted=int(booted[1]) if booted else None,
        up_seconds=integer((found.line("/proc/uptime") or "").partition(".")[0]),
        ticks_per_second=integer(found.line("clock-ticks")),
    )
