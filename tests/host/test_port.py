"""Whether something listens, by trying."""

import socket

import pytest

from aya.host.port import accepts
from aya.model import Outcome


@pytest.mark.parametrize(("bound", "asked"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("::", "::")])
def test_a_port_that_listens_accepts_and_one_that_was_closed_does_not(bound: str, asked: str) -> None:
    family = socket.AF_INET6 if ":" in bound else socket.AF_INET
    with socket.create_server((bound, 0), family=family) as server:
        port = server.getsockname()[1]
        assert accepts(asked, port).outcome is Outcome.OK
    assert accepts(asked, port).outcome is Outcome.FAILED


def test_a_name_is_no_address() -> None:
    assert accepts("localhost", 1).outcome is Outcome.UNREADABLE
