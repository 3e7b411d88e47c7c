"""Each operation by whatever face: the same name, the same errors."""

from typing import Any

import httpx2
import pytest

from aya.errors import ExitCode
from aya.operations.declared import declared_commands
from aya.operations.operation import operations
from aya.serve.cli.app import complete
from tests.serve.command import Command

FACES_THEMSELVES = {"embed serve", "mcp", "serve", "settings"}
"""Commands that are about the faces, and no operation."""


def leaves(command: Any, way: str = "") -> set[str]:
    if not hasattr(command, "commands"):
        return {way}
    found = {leaf for name, inner in command.commands.items() for leaf in leaves(inner, f"{way} {name}".strip())}
    return found | ({way} if command.invoke_without_command and way else set())


def test_every_operation_has_a_command_and_every_command_an_operation() -> None:
    there = leaves(complete())
    declared = {one.command for one in operations().values()}
    # A list is shown by `show NAME`; a snapshot can be compared under two names.
    assert {words if not words.startswith("show ") else "show" for words in declared} == (
        there - FACES_THEMSELVES - {"snapshot diff"}
    )


def test_what_is_read_from_the_source_is_what_is_declared() -> None:
    declared = {one.command: one.summary for one in operations().values() if not one.name.startswith("show_")}
    read = declared_commands()
    assert set(read) == set(declared)


@pytest.mark.parametrize(
    ("arguments", "path", "status", "code"),
    [
        (("node", "show", "NOBODY"), "/api/v1/nodes/NOBODY", 404, ExitCode.USAGE),
        (("state", "--as-of", "2999-01-01"), "/api/v1/system/state?as_of=2999-01-01", 422, ExitCode.USAGE),
        (("why", "ALPHA", "nothing_such"), "/api/v1/why/ALPHA/nothing_such", 404, ExitCode.USAGE),
        (("snapshot", "show", "none"), "/api/v1/snapshots/none", 404, ExitCode.USAGE),
        (("docs", "show", "4711"), "/api/v1/documentation_files/4711", 404, ExitCode.USAGE),
        (("metrics", "--node", "NOBODY"), "/api/v1/performance/metrics/buckets?node=NOBODY", 404, ExitCode.USAGE),
        (("audit", "prove", "4711"), "/api/v1/audit/proofs/4711", 404, ExitCode.USAGE),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_an_error_is_the_same_by_command_and_by_rest(
    client: httpx2.Client, here: Command, arguments: tuple[str, ...], path: str, status: int, code: ExitCode
) -> None:
    problem, done = client.get(path), here(*arguments, *(() if arguments[:2] == ("audit", "prove") else ("--json",)))
    assert (problem.status_code, done.code) == (status, code)
    assert problem.json()["detail"] in done.err


def test_a_generated_command_shows_what_rest_answers(client: httpx2.Client, here: Command) -> None:
    assert here("state", "--json").document == client.get("/api/v1/system/state").json()
    assert here("state", "--node", "ALPHA", "--json").document["nodes"].keys() == {"ALPHA"}
    wrong = here("metrics", "--width-s", "0", "--json")
    assert (wrong.code, "greater than or equal to 1" in wrong.err) == (ExitCode.USAGE, True)
    assert here("metrics").code == ExitCode.DONE
