"""The command `aya`. Heavy things are imported inside the commands, so that `aya --help` is quick."""

import os
import signal
import sys
from io import TextIOWrapper
from threading import Timer, get_ident
from typing import TYPE_CHECKING, NoReturn

from aya.errors import AyaError, ExitCode, UsageError

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    sys.unraisablehook = _interrupt_again
    try:
        _make_streams_writable()
        code = _run(as_json="--json" in sys.argv)
    except KeyboardInterrupt:
        print("Interrupted. Nothing is half recorded.", file=sys.stderr)
        code = INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has had enough; what Python still holds for it must go somewhere at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.DONE
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        code = ExitCode.FAILED
    sys.exit(code)


def _interrupt_again(lost: "UnraisableHookArgs") -> None:
    """A Ctrl-C that came while Python was in a callback, out of which it lets no exception, comes again right after it."""
    if issubclass(lost.exc_type, KeyboardInterrupt):
        again = Timer(0.01, signal.pthread_kill, (get_ident(), signal.SIGINT))
        again.daemon = True
        again.start()
    else:
        sys.__unraisablehook__(lost)


def _make_streams_writable() -> None:
    """Whoever starts us may have closed our output, or have us write in an encoding that knows few characters."""
    sys.stdout = sys.stdout or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _run(*, as_json: bool) -> int:
    """Run the command that was asked for; its exit code. What goes wrong is said, with --json as the one document."""
    import typer

    from aya.serve.cli.app import complete

    command = complete()
    try:
        # Not simply app(): that would keep Ctrl-C and a closed pipe to itself.
        with command.make_context("aya", sys.argv[1:]) as context:
            command.invoke(context)
    except typer.Exit as finished:
        return finished.exit_code
    except AyaError as error:
        _report(error, as_json)
        return error.exit_code
    except typer.TyperException as error:
        if as_json:
            _report(UsageError(error.format_message(), remedy="`aya --help` lists what there is."), as_json)
        else:
            error.show()  # type: ignore[attr-defined]
        return ExitCode.USAGE
    except Exception as error:
        if as_json and not isinstance(error, BrokenPipeError):
            defect = AyaError(f"{type(error).__name__}: {error}", remedy="This is a defect of AYA: please report it.")
            _report(defect, as_json)
        raise
    return ExitCode.DONE


def _report(error: AyaError, as_json: bool) -> None:
    from aya.serve.cli.output import report_error

    report_error(error, as_json=as_json)
