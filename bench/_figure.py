"""What a benchmark is, and what it says: rounds of ours and of the reference, side by side, and the goal."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from bench._laboratory import Laboratory


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to be reached: a ratio to the reference, or where there is none, an amount in the line's unit."""

    limit: float
    at_least: bool = False

    def reached(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.limit:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was measured. Round `n` of `ours` ran beside round `n` of `reference`."""

    what: str
    ours: tuple[float, ...]
    against: str = ""
    reference: tuple[float, ...] = ()
    unit: str = "ms"
    goal: Goal | None = None
    """None: told for information."""

    @property
    def ratios(self) -> tuple[float, ...]:
        return (
            tuple(mine / other for mine, other in zip(self.ours, self.reference, strict=True)) if self.reference else ()
        )

    @property
    def reached(self) -> bool | None:
        return self.goal.reached(median(self.ratios or self.ours)) if self.goal else None


@dataclass(frozen=True, slots=True)
class Figure:
    """One benchmark; its module's docstring says what it compares."""

    measure: Callable[[Laboratory], Iterator[Line]]


def interleaved(
    rounds: int, *actions: Callable[[], object], before: Sequence[Callable[[], object]] = ()
) -> tuple[tuple[float, ...], ...]:
    """The milliseconds of each action, turn by turn, so that what disturbs one disturbs the others.

    `before`: what to do before each of them, which is not counted.
    """
    times: tuple[list[float], ...] = tuple([] for _ in actions)
    for number in range(rounds):
        # Who goes first changes: the later ones find warmer caches.
        for turn in range(len(actions)):
            which = (number + turn) % len(actions)
            if before:
                before[which]()
            times[which].append(milliseconds(actions[which]))
    return tuple(map(tuple, times))


def milliseconds(action: Callable[[], object]) -> float:
    """How long it takes, in ms of wall time."""
    started = perf_counter()
    action()
    return (perf_counter() - started) * 1000
