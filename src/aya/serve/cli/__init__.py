"""The command `aya`. Heavy things are imported inside the commands, so that `aya --help` is quick."""

import sys
from typing import NoReturn

from aya.errors import AyaError, ExitCode


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    from aya.serve.cli.app import app
    from aya.serve.cli.output import report_error

    try:
        code = app(standalone_mode=False)
    except AyaError as error:
        report_error(error, as_json="--json" in sys.argv)
        code = error.exit_code
    except KeyboardInterrupt:
        print("Interrupted. Nothing is half recorded.", file=sys.stderr)
        code = 130
    except BrokenPipeError:
        # The reader of our output has had enough; keep Python from complaining again at exit.
        sys.stderr.close()
        code = ExitCode.DONE
    except Exception as error:  # noqa: BLE001 - usage errors are of typer's own, unexported kind
        code = _usage(error)
    sys.exit(code or ExitCode.DONE)


def _usage(error: Exception) -> int:
    """Show a usage error as typer would; anything else is a defect and is raised."""
    show = getattr(error, "show", None)
    if show is None:
        raise error
    show()
    return int(getattr(error, "exit_code", ExitCode.USAGE))
