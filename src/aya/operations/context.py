"""What every operation needs: the options, the database, the machine, who asks, and a way to say how far it is."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from uuid import uuid4

from aya.access.caller import Caller, command_line
from aya.access.calls import Tally
from aya.db.database import Database
from aya.db.pool import Pool
from aya.host.local import LocalHost
from aya.redaction import Redactor, load_redactor
from aya.settings import Settings


@dataclass(frozen=True)
class Context:
    """One caller's view of AYA."""

    settings: Settings
    progress: Callable[[str], None] = lambda _: None
    """Told what is being done, for those who wait."""
    pool: Pool | None = None
    """Kept connections of the reader, shared by all callers of a program that stays."""
    asking: Caller | None = None
    """Who asks from elsewhere; None on the command line, see `caller`."""
    request_id: str = field(default_factory=lambda: uuid4().hex)
    """By which one request is found again, in answers, calls and changes."""
    idempotency_key: str | None = None
    """By which the caller says that it is the same request again; see `record_collection`."""
    tally: Tally = field(default_factory=Tally)
    """What the call answered or took in, for the list of calls."""

    @property
    def caller(self) -> Caller:
        """Who asks."""
        return self.asking or command_line(self.settings.actor)

    def asked_by(self, caller: Caller, request_id: str, idempotency_key: str | None = None) -> "Context":
        """The same for one request from elsewhere: what it changes is logged with who asked, and by which request."""
        return replace(
            self,
            asking=caller,
            request_id=request_id,
            idempotency_key=idempotency_key,
            tally=Tally(),
        )

    @cached_property
    def database(self) -> Database:
        """AYA's own database; what is changed there is logged with who asks and by which request."""
        if self.asking is None:
            return Database(self.settings, self.pool)
        return Database(
            self.settings.model_copy(update={"actor": self.asking.name, "reason": self.request_id}), self.pool
        )

    @cached_property
    def host(self) -> LocalHost:
        """This machine."""
        return LocalHost()

    @property
    def secrets_folder(self) -> Path:
        """The closed folder of passwords and keys."""
        return self.settings.home / "secrets"

    @cached_property
    def redactor(self) -> Redactor:
        """Takes secrets out of what is stored."""
        return load_redactor(self.secrets_folder)
