"""Let go what is older than is to be kept: changes, measurements, runs, checks. What that is, is shown before it is done.

A kind is a query `retention_KIND.sql`, an option `keep_KIND_days` and the functions `aya.prunable_KIND` and what prunes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from aya.audit.pruning import prune
from aya.db.connection import Connection, rows, translated
from aya.db.database import Login
from aya.db.queries import query, query_names
from aya.errors import NotFound, UsageError
from aya.history.moment import moment
from aya.operations.audit import seal, signing_key
from aya.operations.context import Context
from aya.operations.operation import Scope, operation
from aya.settings import FOREVER, Settings

PREFIX = "retention_"
SIGNED = "changes"
"""The kind that only goes by a signed statement; all others are observations."""


@dataclass(frozen=True, slots=True)
class Share:
    """What of one table may go, or went."""

    kind: str
    table_name: str
    before: datetime | None
    """What is older may go; None: everything is kept for ever."""
    rows: int
    bytes: int
    """As the rows are stored; the disk gets them back when PostgreSQL uses their place again."""
    oldest: datetime | None
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class Retention:
    """What may go by table, and whether it went."""

    applied: bool
    shares: tuple[Share, ...]

    @property
    def rows(self) -> int:
        """Rows in all tables together."""
        return sum(share.rows for share in self.shares)


def kinds() -> list[str]:
    """What can be let go."""
    return [name.removeprefix(PREFIX) for name in query_names() if name.startswith(PREFIX)]


Keep = Annotated[str | None, "Keep for so long: `90 days`, `12 weeks`. Left out: as long as the options say."]
Only = Annotated[Sequence[str], "Only these: changes, measurements, runs, checks. All when none is named."]


@operation("GET /retention", command="retention")
def show_retention(context: Context, *, keep: Keep = None, only: Only = ()) -> Retention:
    """What is older than is to be kept, by table; nothing goes.

    Changes that no seal covers yet are not counted: applying seals them first. Raises UsageError for a duration that is none,
    NotFound for an unknown kind.
    """
    return _retention(context, _ages(context, keep, only), apply=False)


@operation("POST /retention", command="retention", scope=Scope.ADMIN, destructive=True)
def apply_retention(context: Context, *, keep: Keep = None, only: Only = ()) -> Retention:
    """Let go what is older than is to be kept; what went, by table.

    Of changes only those that are sealed and superseded go; what is not sealed yet is sealed first. Raises UsageError for a
    duration that is none, NotFound for an unknown kind, AuditError when changes are to go and the signing key is not here.
    """
    return _retention(context, _ages(context, keep, only), apply=True)


def _ages(context: Context, keep: str | None, only: Sequence[str]) -> dict[str, timedelta | None]:
    """How old what is kept may be, by kind; None: any age."""
    for kind in only:
        if kind not in kinds():
            raise NotFound(f"There is nothing named {kind} to let go.", remedy=f"There are: {', '.join(kinds())}.")
    asked = age(keep) if keep is not None else None
    return {kind: _kept(context.settings, kind) if asked is None else asked for kind in (only or kinds())}


def retention_as_set(context: Context) -> Retention | None:
    """Let go what is older than the options say, as far as somebody set them; None when nobody did."""
    options = context.settings.model_fields_set
    ages = {kind: _kept(context.settings, kind) for kind in kinds() if _option(kind) in options}
    return _retention(context, ages, apply=True) if any(ages.values()) else None


def _retention(context: Context, ages: dict[str, timedelta | None], *, apply: bool) -> Retention:
    now = datetime.now(UTC)
    before = {kind: None if age is None else now - age for kind, age in ages.items()}
    if apply and before.get(SIGNED) is not None:
        seal(context)
    login = Login.WRITER if apply else Login.READER
    with context.database.connect(login) as connection, translated(doing="looking for what may go"):
        shares = [share for kind, until in before.items() for share in _shares(context, connection, kind, until)]
        if apply:
            for kind in {share.kind: None for share in shares if share.rows}:
                _let_go(context, connection, kind, before[kind])
    if apply and any(share.rows for share in shares if share.kind == SIGNED):
        seal(context)  # that they went is in the log as well
    return Retention(apply, tuple(shares))


def _shares(context: Context, connection: Connection, kind: str, before: datetime | None) -> list[Share]:
    context.progress(f"looking for {kind} that may go")
    # Without a limit nothing is older, and the tables are named all the same.
    found: list[dict[str, Any]] = rows(connection, query(PREFIX + kind), {"before": before})
    return [Share(kind=kind, before=before, **row) for row in found]


def _let_go(context: Context, connection: Connection, kind: str, before: datetime | None) -> None:
    context.progress(f"letting {kind} go")
    if kind == SIGNED and before is not None:
        prune(connection, signing_key(context, connection), before, context.progress)
    else:
        rows(connection, "SELECT aya.prune_observations(%(kind)s, %(before)s)", {"kind": kind, "before": before})


def _option(kind: str) -> str:
    return f"keep_{kind}_days"


def _kept(settings: Settings, kind: str) -> timedelta | None:
    days = getattr(settings, _option(kind))
    return None if days == FOREVER else timedelta(days=days)


def age(keep: str) -> timedelta:
    """A duration as people write it: `90 days`, `36h`. Raises UsageError."""
    try:
        then = datetime.fromisoformat(moment(f"{keep.strip()} ago").setting)
    except UsageError:
        raise UsageError(f"{keep!r} is no duration.", remedy="Write it as `90 days`, `12 weeks` or `36h`.") from None
    return datetime.now(UTC) - then
