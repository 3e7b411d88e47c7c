"""A machine that is not here is looked at by the same collectors, and recorded as itself."""

import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aya.collect.runner import collect_machine
from aya.db.connection import Connection, rows
from aya.delivery.document import read_state, write_state
from aya.errors import Conflict, UsageError
from aya.host.local import LocalHost
from aya.host.recorded import RecordedHost
from aya.host.recording import RecordingHost, write
from aya.operations.collection import collect, look
from aya.operations.context import Context
from aya.operations.host_recording import record_host
from aya.redaction import Redactor
from tests.serve.command import Command

UUID = "12345678-9abc-4def-8123-456789abcdef"


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """The recording of a small machine."""
    folder = tmp_path / "box"
    folder.mkdir()
    files = {
        "/sys/class/dmi/id/product_uuid": f"{UUID}\n",
        "/sys/class/dmi/id/product_name": "Box 1\n",
        "/proc/sys/kernel/hostname": "box-7\n",
        "/etc/os-release": 'NAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n',
    }
    for number, text in enumerate(files.values()):
        (folder / f"{number}.txt").write_text(text)
    manifest = {"system": "Linux", "odd": 1, "files": {path: f"{number}.txt" for number, path in enumerate(files)}}
    (folder / "host.json").write_text(json.dumps(manifest))
    return folder


def named(context: Context, node: str) -> Context:
    return Context(context.settings.model_copy(update={"node": node, "node_role": "primary"}))


def test_a_recording_of_this_machine_gives_the_facts_that_the_machine_gave(tmp_path: Path) -> None:
    redactor = Redactor(b"k" * 32)
    recording = RecordingHost(LocalHost())
    live = collect_machine(recording, redactor)
    about = {"recorded_at": "", "aya_version": ""}
    write(recording.tape, tmp_path / "r.tar.gz", lambda text: text, about, names_kept=True)
    replayed = collect_machine(RecordedHost.open(tmp_path / "r.tar.gz"), redactor)

    for before, after in zip(live, replayed, strict=True):
        assert replace(before, duration_ms=0) == replace(after, duration_ms=0)


def test_it_is_recorded_as_itself_and_how_it_was_looked_at_is_kept(
    context: Context, writer: Connection, box: Path
) -> None:
    done = collect(named(context, "BOX"), host=f"recorded:{box}")

    assert done.recorded is not None
    assert done.state.identity == f"uuid:{UUID}"
    assert done.state.node_role is None  # the role that is set is of this node
    found = rows(
        writer, "SELECT node_name, hardware_uuid, model_name, os_name FROM system_nodes WHERE node_name = 'BOX'"
    )
    assert [(str(row["hardware_uuid"]), row["model_name"]) for row in found] == [(UUID, "Box 1")]
    outcomes = rows(
        writer,
        "SELECT o.collector, o.target, o.outcome, o.reason FROM collection_outcomes o WHERE o.run_id = %s",
        [done.recorded.run_id],
    )
    (way,) = (row for row in outcomes if row["collector"] == "host")
    assert (way["target"], way["outcome"]) == ("recorded:box", "ok")
    assert "'odd'" in way["reason"]
    assert not [row for row in outcomes if row["collector"].startswith("postgresql.")]
    assert not [row for row in outcomes if row["outcome"] in ("absent", "failed")]


def test_looking_again_at_a_recording_changes_nothing(context: Context, writer: Connection, box: Path) -> None:
    first, again = (collect(named(context, "BOX"), host=f"recorded:{box}").recorded for _ in range(2))

    assert first is not None
    assert first.inserted + first.updated > 0
    assert again is not None
    assert (again.inserted, again.updated, again.vanished) == (0, 0, 0)


def test_its_state_can_be_delivered(context: Context, box: Path) -> None:
    state = look(named(context, "BOX"), Redactor(b"k" * 32), f"recorded:{box}")

    assert read_state(json.loads(write_state(state))) == state


@pytest.mark.parametrize("address", ["recorded:", "ssh:", "box", "http:x", "recorded:/no/such/place", "ssh:-oX=1"])
def test_what_names_no_machine_is_refused(context: Context, address: str) -> None:
    with pytest.raises(UsageError) as refused:
        collect(context, dry_run=True, host=address)
    assert refused.value.remedy


def test_a_dry_run_needs_a_name_and_leaves_no_trace(tmp_path: Path, box: Path) -> None:
    aya = Command.at(tmp_path / "home")
    nameless = aya("collect", "--host", f"recorded:{box}", "--dry-run")
    done = aya("collect", "--host", f"recorded:{box}", "--node", "BOX", "--dry-run", "--json")

    assert nameless.code == 2
    assert "--node" in nameless.err
    assert done.code == 0
    said: dict[str, Any] = done.document
    assert (said["node_name"], said["recorded"]) == ("BOX", None)
    assert said["state"]["node"]["model_name"] == "Box 1"
    assert not (tmp_path / "home").exists()


def test_recording_this_machine_without_names_leaves_its_name_out(context: Context, tmp_path: Path) -> None:
    done = record_host(context, tmp_path / "r", without_names=True)
    name = socket.gethostname()
    written = [path.read_bytes() for path in (tmp_path / "r").rglob("*") if path.is_file()]

    assert done.written.answers > 100
    if len(name) >= 5:
        assert not [text for text in written if name.encode() in text]
    assert {one.outcome for one in collect_machine(RecordedHost.open(tmp_path / "r"), Redactor(b"k" * 32))} <= {
        *done.outcomes
    }
    with pytest.raises(Conflict):
        record_host(context, tmp_path / "r")
