"""What fits nowhere costs the fact, never the whole look; what fits is left as it is."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aya.collect.fitting import fitting
from aya.collect.runner import put_together
from aya.delivery.document import read_state, write_state
from aya.model import FACT_TYPES, Collected, Facts, Interface, Measurement, Node, Outcome, Service, Software
from aya.record.payload import check

NUMBER = st.one_of(st.integers(), st.integers(min_value=-(2**70), max_value=2**70), st.none())
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("xy", max_size=2), inner, max_size=3),
    max_leaves=8,
)
TEXT = st.sampled_from(["en0", "en1", "", "x" * 50])
ADDRESS = st.sampled_from(
    [None, "10.0.0.1", "10.0.0.1/8", "fe80::1", "fe80::1%en0", "999.1.1.1", "x", "00:11:22:33:44:55", "0:1"]
)


SIZE = st.decimals(allow_nan=True, allow_infinity=True) | st.integers(min_value=1, max_value=10**200).map(Decimal)
INTERFACE = st.builds(
    Interface,
    interface_name=TEXT,
    ipv4_address=ADDRESS,
    mac_address=ADDRESS,
    ipv6_prefix=NUMBER,
    metadata=st.dictionaries(st.just("a"), JSON),
)
SERVICE = st.builds(Service, service_name=TEXT, process_id=NUMBER, uptime_seconds=NUMBER)


@given(
    NUMBER,
    SIZE,
    st.lists(INTERFACE, max_size=4),
    st.lists(SERVICE, max_size=3),
    st.dictionaries(st.text("km", max_size=2), JSON, max_size=3),
)
def test_whatever_was_found_can_be_recorded_and_delivered_then(
    number: int | None, size: Decimal, interfaces: list[Interface], services: list[Service], metadata: dict[str, object]
) -> None:
    facts = Facts(
        node=Node(cpu_cores_total=number, ram_gb=size),
        interfaces=tuple(interfaces),
        services=tuple(services),
        metadata=metadata,
        measurements=(Measurement(category="c", name="n", value=size, unit="u"),),
    )
    fit = fitting(facts)
    state = put_together("NODE", None, [Collected(collector="c", outcome=Outcome.OK, facts=fit)], datetime.now(UTC))

    for fact_type in FACT_TYPES:
        check(state, fact_type)
    assert read_state(json.loads(write_state(state))) == state
    assert fitting(replace(fit, gaps=())) == replace(fit, gaps=())
    assert (fit == facts) is (not fit.gaps)


def test_what_is_left_out_is_told() -> None:
    facts = Facts(
        node=Node(cpu_cores_total=10**300, cpu_cores_performance=8),
        software=(Software(software_name="a", metadata={"n": [1, 2**64]}), Software(software_name="a")),
    )
    fit = fitting(facts)

    assert fit.node == Node(cpu_cores_performance=8)
    assert fit.software == (Software(software_name="a", metadata={"n": [1, None]}),)
    assert [gap.reason for gap in fit.gaps] == [
        "does not fit: node: cpu_cores_total a number of 997 bits",
        "does not fit: software a: metadata.n a number of 65 bits",
        "told twice: software a",
    ]


@pytest.mark.parametrize("value", [0, -(2**31), 2**31 - 1])
def test_what_fits_is_the_same_object(value: int) -> None:
    facts = Facts(node=Node(cpu_cores_total=value), metadata={"x": {"y": [2**63 - 1]}})

    assert fitting(facts) is facts
