"""Write down what a machine answers, so that it can be looked at elsewhere: to report a fault, or where AYA cannot run."""

import os
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from aya import __version__
from aya.collect.runner import collect_machine
from aya.host.address import opened
from aya.host.identities import Disguise, people
from aya.host.recording import RecordingHost, Tape, Written, refuse_what_is_there, write
from aya.model import Collected, Outcome
from aya.operations.context import Context
from aya.operations.operation import operation
from aya.redaction import passing_redactor

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class HostRecording:
    """A recording that was written, and how the collectors ended that it was made for."""

    written: Written
    outcomes: dict[str, int]
    """Outcome -> how many collectors ended so."""


@operation(command="host record", writes=True)
def record_host(
    context: Context,
    path: Annotated[Path, "Where to write it: a folder, or FILE.tar.gz; nothing may be there yet."],
    *,
    without_names: Annotated[
        bool, "Replace names of people and of the machine, serial numbers, UUIDs and MAC addresses by made-up ones."
    ] = False,
    host: Annotated[str | None, "Another machine instead of this one: ssh:user@host[:port]."] = None,
) -> HostRecording:
    """Write everything that the collectors read on a machine into a folder or archive, with known shapes of secrets replaced.

    `aya collect --host recorded:PATH` looks at it again, anywhere. Raises Conflict where something is there already, and
    HostError where it cannot be written.
    """
    refuse_what_is_there(path)
    redactor = passing_redactor(context.secrets_folder)
    with opened(host) if host is not None else nullcontext(context.host) as machine:
        recording = RecordingHost(machine)
        collected = collect_machine(recording, redactor, context.progress)
    tape = recording.tape
    context.progress("writing the recording")
    disguise = Disguise(names_of(tape, collected) if without_names else (), os.urandom(KEY_BYTES))

    def clean(text: str) -> str:
        text = redactor.text(text)
        return disguise.text(text) if without_names else text

    about = {"recorded_at": datetime.now(UTC).isoformat(timespec="seconds"), "aya_version": __version__}
    written = write(tape, path, clean, about, names_kept=not without_names)
    outcomes = {outcome.value: sum(one.outcome is outcome for one in collected) for outcome in Outcome}
    return HostRecording(written, {name: count for name, count in outcomes.items() if count})


def names_of(tape: Tape, collected: Iterable[Collected]) -> set[str]:
    """The names by which a machine and its people are known: what collectors found, accounts, folders of people."""
    found = people(answer.text for (kind, _), answer in tape.answers.items() if kind in ("files", "commands"))
    found |= people(asked for _, asked in tape.answers)
    for one in collected:
        node = one.facts.node
        found.update(str(value) for value in (node.serial_number, node.hardware_uuid) if value)
        found.update(_identifying(one.facts.metadata))
    return found | {name.split(".")[0] for name in found if "." in name and " " not in name}


def _identifying(value: object, key: str = "") -> Iterator[str]:
    """Texts under keys that say they identify: serial numbers, host names, UUIDs."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _identifying(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _identifying(inner, key)
    elif isinstance(value, str) and key.endswith(
        ("hostname", "host_name", "serial_number", "serial", "machine_id", "uuid", "udid", "computer_name", "asset_tag")
    ):
        yield value
