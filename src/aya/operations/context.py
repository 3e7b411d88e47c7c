"""What every operation needs: the options, the database, the machine, and a way to say how far it is."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

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
    """Kept connections, shared by all callers of a program that stays."""

    @cached_property
    def database(self) -> Database:
        """AYA's own database."""
        return Database(self.settings, self.pool)

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
