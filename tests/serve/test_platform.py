"""`aya platform` and its routes: what is published of chips, and what is expected of a node."""

from dataclasses import replace
from decimal import Decimal

import httpx2

from aya.db.connection import Connection
from aya.errors import ExitCode
from aya.model import Node
from aya.record.recorder import record
from tests.record.states import collected, identified, state
from tests.serve.command import Command

ULTRA = Node(cpu_model="Apple M3 Ultra", cpu_cores_total=32, gpu_cores=80, gpu_compute_tflops=Decimal(12))


def recorded(writer: Connection, node: Node) -> None:
    part = replace(
        collected("cpu"),
        owns=("cpu_model", "cpu_cores_total", "gpu_cores", "gpu_compute_tflops"),
        facts=replace(collected("cpu").facts, node=node),
    )
    record(writer, [state(identified(), part)])


def test_a_node_is_shown_beside_what_is_expected_of_it(
    client: httpx2.Client, writer: Connection, here: Command
) -> None:
    recorded(writer, ULTRA)
    told = {one["column"]: one for one in client.get("/api/v1/nodes/ALPHA/platform").json()}
    assert told["gpu_compute_tflops"]["recorded"] == 12
    assert told["gpu_compute_tflops"]["expected"] == [28.26]
    assert told["gpu_compute_tflops"]["agrees"] is False
    assert told["cpu_cores_total"]["agrees"] is True
    assert told["ram_bandwidth_gbps"]["agrees"] is None
    assert all(one["source"] for one in told.values())
    done = here("platform", "ALPHA")
    assert done.code == ExitCode.ATTENTION
    assert "differs" in done.out
    assert here("platform", "ALPHA", "--json").document == list(told.values())


def test_a_node_of_which_nothing_differs_needs_no_attention(
    writer: Connection, client: httpx2.Client, here: Command
) -> None:
    recorded(writer, replace(ULTRA, gpu_compute_tflops=Decimal("28.26")))
    assert here("platform", "ALPHA").code == ExitCode.DONE


def test_a_node_of_whose_parts_nothing_is_published_has_no_expectations(client: httpx2.Client, here: Command) -> None:
    assert client.get("/api/v1/nodes/ALPHA/platform").json() == []
    done = here("platform", "ALPHA")
    assert (done.code, "Nothing is published" in done.out) == (ExitCode.DONE, True)


def test_a_chip_is_shown_in_each_variant_with_its_sources(client: httpx2.Client, nowhere: Command) -> None:
    told = client.get("/api/v1/platform/chips", params={"name": "m3 max"}).json()["chips"]
    assert [(one["gpu_cores"], one["memory_bandwidth_gbps"]) for one in told] == [(30, 300), (40, 400)]
    assert all(one["sources"]["memory_bandwidth_gbps"] for one in told)
    # It needs no database.
    assert nowhere("platform", "m3 max", "--json").document == {"chips": told}
    assert "300 | 400" in nowhere("platform", "m3 max").out
    assert len(nowhere("platform").out.splitlines()) > 200


def test_a_name_that_is_neither_is_not_found(client: httpx2.Client, here: Command) -> None:
    problem = client.get("/api/v1/platform/chips", params={"name": "RTX 3081"})
    assert problem.status_code == 404
    assert "RTX 3080" in problem.text
    done = here("platform", "RTX 3081")
    assert done.code == ExitCode.USAGE
    assert "No node named RTX 3081" in done.err
    assert client.get("/api/v1/nodes/NOBODY/platform").status_code == 404


def test_a_kernel_tells_its_system(client: httpx2.Client, nowhere: Command) -> None:
    told = client.get("/api/v1/platform/operating_systems", params={"kernel": "Darwin 25.0.0"}).json()
    assert [(one["version"], one["code_name"]) for one in told] == [("26", "Tahoe")]
    assert nowhere("platform", "--systems", "Darwin 25.0.0", "--json").document == told
    assert "macOS 15" in nowhere("platform", "--systems").out
    unknown = nowhere("platform", "--systems", "6.1.0")
    assert (unknown.code, "Known are Darwin" in unknown.err) == (ExitCode.USAGE, True)
    assert client.get("/api/v1/platform/operating_systems", params={"kernel": "x"}).status_code == 404
