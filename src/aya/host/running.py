"""Which process has a number now."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Running:
    """A process that runs; what may not be seen of it is None."""

    name: str | None
    started_at: datetime | None


def running(process_id: int) -> Running | None:
    """The process with that number; None where there is none, or it has ended."""
    import psutil

    if not psutil.pid_exists(process_id):
        return None
    try:
        process = psutil.Process(process_id)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return Running(process.name(), datetime.fromtimestamp(process.create_time(), UTC))
    except psutil.Error:
        return Running(None, None)
