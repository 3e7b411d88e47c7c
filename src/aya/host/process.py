"""Run a program safely: no shell, no terminal, a plain environment, a time limit and a limit on what it may print."""

import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, NoReturn

from aya.errors import HostError
from aya.host.reading import Answer
from aya.model import Outcome

OUTPUT_LIMIT_BYTES = 8 * 1024 * 1024
"""A hundred times what any tool prints of a large machine; several are held at once."""
KILL_WAIT_S = 1.0
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin:/usr/local/cuda/bin"
REFUSALS = (
    "permission denied",
    "operation not permitted",
    "must be root",
    "are you root",
    "superuser",
    "not privileged",
)


def search_path() -> str:
    """The caller's PATH, then the folders where system tools live.

    What is not absolute is left out: it, and an empty PATH, would mean whatever folder we happen to stand in.
    """
    return ":".join(folder for folder in f"{os.environ.get('PATH', '')}:{SEARCH_PATH}".split(":") if folder[:1] == "/")


def find(program: str) -> str | None:
    """The absolute path of a program: as PATH has it, else in the folders where system tools live."""
    return shutil.which(program, path=search_path())


def plain_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a program gets to see: a search path, the C locale, and nothing of what the caller's shell holds."""
    environment = {
        "PATH": search_path(),
        "HOME": os.environ.get("HOME", "/"),
        "LC_ALL": "C",
        "LANGUAGE": "C",
        "TZ": "UTC",
    }
    return environment | dict(extra or {})


def run(
    argv: Sequence[str],
    *,
    timeout_s: float,
    environment: Mapping[str, str] | None = None,
    user: str | int | None = None,
    group: str | int | None = None,
    output_limit_bytes: int = OUTPUT_LIMIT_BYTES,
    given: bytes = b"",
) -> Answer:
    """Run a program to its end and return what it printed; `given` is what it can read from its input.

    The outcome is `absent` when there is no such program, `denied` when it or the system refused, `failed` when it
    could not start, ended with an error, printed more than the limit, or did not end in time; then it and everything it
    started is killed. What was printed until then is kept.
    """
    program = argv[0] if "/" in argv[0] else find(argv[0])
    if program is None:
        return Answer(Outcome.ABSENT, reason=f"{argv[0]} is not installed")
    try:
        with _input(given) as stdin:
            process = subprocess.Popen(
                [program, *argv[1:]],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=plain_environment(environment),
                cwd="/",
                user=user,
                group=group,
                extra_groups=[] if user is not None else None,
                start_new_session=True,
            )
    except FileNotFoundError:
        return Answer(Outcome.ABSENT, reason=f"{program} does not exist")
    except PermissionError as error:
        return Answer(Outcome.DENIED, reason=f"{program}: {error.strerror}")
    except OSError as error:
        return Answer(Outcome.FAILED, reason=f"{program}: {error.strerror}")
    except ValueError as error:
        return Answer(Outcome.FAILED, reason=f"{program}: {error}")
    trouble = "was interrupted"
    try:
        output, errors, trouble = _drain(process, timeout_s, output_limit_bytes)
    finally:
        if trouble:
            _kill_group(process)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
    said = errors.decode("utf-8", errors="backslashreplace").strip()
    if trouble:
        reason = f"{' '.join(argv)} {trouble}"
        return Answer(Outcome.FAILED, output, reason, process.returncode, said, broken_off=True)
    return judged(" ".join(argv), process.returncode, output, said)


@contextmanager
def _input(given: bytes) -> Iterator[IO[bytes] | int]:
    """Nothing, or a nameless file: unlike a pipe it never makes the writer wait."""
    if not given:
        yield subprocess.DEVNULL
        return
    with tempfile.TemporaryFile() as file:
        file.write(given)
        file.seek(0)
        yield file


def _drain(process: subprocess.Popen[bytes], timeout_s: float, limit: int) -> tuple[bytes, bytes, str]:
    """What a program prints until it ends, and why it was not waited for any longer: empty where it ended."""
    assert process.stdout is not None
    assert process.stderr is not None
    streams: dict[IO[bytes], bytearray] = {process.stdout: bytearray(), process.stderr: bytearray()}
    deadline = time.monotonic() + timeout_s
    trouble = ""
    with selectors.DefaultSelector() as selector:
        for stream, buffer in streams.items():
            selector.register(stream, selectors.EVENT_READ, buffer)
        while selector.get_map() and not trouble:
            for key, _ in selector.select(max(0.0, deadline - time.monotonic())):
                chunk = os.read(key.fd, 65536)
                if not chunk:
                    selector.unregister(key.fileobj)
                    continue
                key.data.extend(chunk)
                if len(key.data) > limit:
                    trouble = f"printed more than {limit} bytes"
            if selector.get_map() and not trouble and time.monotonic() >= deadline:
                trouble = f"did not end within {timeout_s:g} s"
    if not trouble:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            trouble = f"did not end within {timeout_s:g} s"
    return bytes(streams[process.stdout]), bytes(streams[process.stderr]), trouble


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End the program and whatever it started in its session, also where that outlived the program itself."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    # A program that hangs in the kernel, on a dying disk, does not even die: then it is left to end by itself.
    with suppress(subprocess.TimeoutExpired):
        process.wait(KILL_WAIT_S)


def judged(command: str, status: int, output: bytes, errors: str) -> Answer:
    """What it means that a program ended with a status and printed that."""
    if status == 0:
        return Answer(Outcome.OK, output, "", 0, errors)
    said = (errors or output.decode("utf-8", errors="backslashreplace").strip()).splitlines()
    reason = f"{command} ended with {status}" + (f": {said[0][:300]}" if said else "")
    refused = any(word in (errors + reason).lower() for word in REFUSALS)
    return Answer(Outcome.DENIED if refused else Outcome.FAILED, output, reason, status, errors)


def become(argv: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Replace this program by another one, which gets the terminal and further variables. Raises HostError when it
    cannot be started.
    """
    try:
        os.execve(argv[0], list(argv), os.environ | dict(environment))
    except OSError as error:
        raise HostError(f"{argv[0]} cannot be started: {error.strerror}.") from error
