"""Every error AYA raises, in one tree; each knows its exit code and its HTTP status.

AyaError                    something AYA was asked to do was not done
 +- UsageError              the request itself is wrong: an unknown name, an option that does not fit
 |   +- NotFound            the thing asked for does not exist
 |   +- Pruned              it existed, but retention let it go
 |   +- StatementRefused    a statement of SQL was not run, or PostgreSQL refused or stopped it
 |   +- Conflict            it clashes with what is there already
 |   +- RequestRefused      how it was asked cannot be accepted, whatever it says
 |       +- Malformed       it cannot even be read
 |       +- BodyTooSlow     it was not here in time
 |       +- BodyTooLarge    it is larger than what is taken
 |       +- Misdirected     it is not addressed to AYA
 |       +- MethodNotAllowed    what it asks for takes other methods
 |       +- NotAcceptable   the answer is wanted in a form in which it is not given
 |       +- UnsupportedMedia    it was sent in a form that is not taken
 |       +- TextsTooLarge   more texts, or longer ones, than are embedded at once
 +- AccessError             the caller may not do it
 |   +- NotAuthenticated    it is not known who calls
 |   +- NotAllowed          it is known, and they may not
 |   +- TooManyRequests     not now: they asked too often, or for too much at once
 |   +- UnsafeToServe       a server that anybody could enter does not start
 +- DeliveryFailed          a state did not reach the AYA elsewhere
 +- ConfigurationError      an option or a file of options cannot be used
 +- HostError               a command, file or folder of the machine could not be used
 +- DatabaseError           PostgreSQL refused, vanished, or is not what AYA needs
 |   +- DatabaseUnreachable no connection could be made
 |   +- DatabaseUnsuitable  connected, but wrong version, no pgvector or too few rights
 |   +- ServerStartFailed   the embedded server did not start
 |   +- MigrationFailed     a migration did not apply; the database is as it was
 +- RecordingError          a state was not recorded; nothing of it was
 |   +- PayloadRefused      it does not fit: wrong type, too large, or the same fact twice
 +- SnapshotError           a snapshot cannot be made, read or trusted
 +- EmbeddingError          texts were not made into vectors
 |   +- ModelUnusable       a model cannot be had, or its files are not those of a model
 |   +- ModelNotReady       it is still being loaded
 |   +- InferenceFailed     the model was run and gave no vector
 +- Defect                  AYA itself is wrong
 +- AuditError              the log cannot be sealed, or a proof cannot be read or trusted

A message says what happened, to what, and what to do next. "Could not look" is not an error but an `Outcome`.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a finished `aya` command tells the shell."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    ATTENTION = 3


class AyaError(Exception):
    """Something AYA was asked to do was not done.

    `message` says what happened and to what; `remedy` says what to do next.
    """

    exit_code = ExitCode.FAILED
    http_status = 500

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n{self.remedy}" if self.remedy else self.message


class UsageError(AyaError):
    """The request itself is wrong."""

    exit_code = ExitCode.USAGE
    http_status = 422


class NotFound(UsageError):
    """The thing asked for does not exist; the message names what does."""

    http_status = 404


class Pruned(UsageError):
    """What was asked for is no longer known: retention let it go. The remedy says since when everything is."""

    http_status = 410


class StatementRefused(UsageError):
    """A statement of SQL was not run, or PostgreSQL refused or stopped it; the message says where and why."""


class Conflict(UsageError):
    """What is asked for clashes with what is there already."""

    http_status = 409


class RequestRefused(UsageError):
    """How something was asked cannot be accepted, whatever it says."""

    http_status = 400


class Malformed(RequestRefused):
    """The request cannot even be read: no UTF-8, no JSON, or JSON that two readers would read differently."""


class BodyTooSlow(RequestRefused):
    """The body of the request was not here in time."""

    http_status = 408


class BodyTooLarge(RequestRefused):
    """The body of the request is larger than what is taken."""

    http_status = 413


class Misdirected(RequestRefused):
    """The request is not addressed to this server."""

    http_status = 421


class MethodNotAllowed(RequestRefused):
    """What is asked for takes other methods; `allowed` names them, separated by commas."""

    http_status = 405

    def __init__(self, message: str, *, allowed: str) -> None:
        super().__init__(message, remedy=f"It takes: {allowed}.")
        self.allowed = allowed


class NotAcceptable(RequestRefused):
    """The answer is wanted in a form in which it is not given; the message names those it is given in."""

    http_status = 406


class UnsupportedMedia(RequestRefused):
    """The request was sent in a form that is not taken."""

    http_status = 415


class TextsTooLarge(RequestRefused):
    """More texts, or longer ones, than are embedded at once."""

    http_status = 413


class AccessError(AyaError):
    """The caller may not do it."""

    http_status = 403


class NotAuthenticated(AccessError):
    """It is not known who calls: no token, or one that is not valid."""

    http_status = 401


class NotAllowed(AccessError):
    """It is known who calls, and they may not do this; the message names what it takes."""


class TooManyRequests(AccessError):
    """Not now: the caller asked too often, or for too much at once."""

    http_status = 429

    def __init__(self, message: str, *, remedy: str = "", retry_after_s: int = 1) -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after_s = retry_after_s


class UnsafeToServe(AccessError):
    """A server that anybody could enter, or listen in on, does not start."""

    exit_code = ExitCode.USAGE


class DeliveryFailed(AyaError):
    """A state did not reach the AYA elsewhere; it is kept, and sent the next time."""


class ConfigurationError(AyaError):
    """An option, or a file of options, cannot be used."""

    exit_code = ExitCode.USAGE


class HostError(AyaError):
    """A command, file or folder of the machine could not be used."""


class DatabaseError(AyaError):
    """PostgreSQL refused, vanished, or is not what AYA needs."""

    http_status = 503


class DatabaseUnreachable(DatabaseError):
    """No connection could be made."""


class DatabaseUnsuitable(DatabaseError):
    """Connected, but the server has the wrong version, no pgvector, or grants too few rights."""


class ServerStartFailed(DatabaseError):
    """The embedded server did not start; the message carries the end of its log."""


class MigrationFailed(DatabaseError):
    """A migration did not apply; the database is as it was before."""


class RecordingError(AyaError):
    """A state was not recorded; nothing of it was."""


class PayloadRefused(RecordingError):
    """A state does not fit: a wrong type, too large, or the same fact twice. Nothing of it was recorded."""

    http_status = 422


class SnapshotError(AyaError):
    """A snapshot cannot be made, read or trusted."""

    http_status = 409


class EmbeddingError(AyaError):
    """Texts were not made into vectors."""


class ModelUnusable(EmbeddingError):
    """A model cannot be had, or its files are not those of a model that can be run here."""

    http_status = 503


class ModelNotReady(EmbeddingError):
    """The model is still being loaded; ask again soon."""

    http_status = 503


class InferenceFailed(EmbeddingError):
    """The model was run on a text and gave no vector; other texts of the same request are not to blame."""

    http_status = 424


class Defect(AyaError):
    """AYA itself is wrong: something happened that nobody foresaw."""


class AuditError(AyaError):
    """The log of changes cannot be sealed, or a checkpoint, key or proof cannot be read or trusted."""

    http_status = 409
