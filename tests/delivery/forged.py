"""States that the holder of ALPHA's token may not have recorded."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from http.client import HTTPConnection
from uuid import UUID, uuid4

from aya.delivery.document import write_state
from aya.delivery.post import PATH
from aya.model import NodeState
from tests.record.states import ALPHA_UUID, identified, setting, settings_of, state, whole
from tests.serve.guard.port import Port, bearer

BETA_UUID = UUID("0f0e0d0c-0b0a-4908-8706-050403020100")


def beta() -> NodeState:
    """The other node, as it is recorded."""
    return state(identified(BETA_UUID, "m2"), settings_of(setting("work_mem", "65536")), name="BETA")


def forged(number: int, chance: random.Random) -> NodeState:
    """A state that the holder of ALPHA's token may not have recorded."""
    names = ["BETA", "beta", "Alpha", "ALPHA2", "ALPHA.local", "AL\u200bPHA", "ΑLPHA", "BETA'; DROP TABLE services; --"]
    claims = [
        replace(whole(), node_name=chance.choice(names)),
        # Its own name, on BETA's machine, which would make BETA's rows ALPHA's.
        state(identified(BETA_UUID, "m2"), settings_of(setting("work_mem", str(number)))),
        state(identified(BETA_UUID, None), settings_of(setting("work_mem", str(number)))),
        state(identified(None, "m2"), settings_of(setting("work_mem", str(number)))),
        # BETA's name and machine, and BETA's name on its own machine.
        state(identified(BETA_UUID, "m2"), settings_of(setting("fsync", "off")), name="BETA"),
        state(identified(ALPHA_UUID, "m1"), settings_of(setting("fsync", "off")), name="BETA"),
        # Its own name, on a machine that nobody knows.
        state(identified(uuid4(), f"m{number}"), settings_of(setting("fsync", "off"))),
    ]
    return chance.choice(claims)


def deliver_forged(
    port: Port, token: str, times: int, *, seed: int, progress: Callable[[int], None] = lambda _: None
) -> Counter[int]:
    """Deliver so many of them; how often which status was answered."""
    chance = random.Random(seed)
    statuses: Counter[int] = Counter()
    connection = HTTPConnection(port.address, port.number, timeout=60)
    for number in range(times):
        headers = bearer(token) | {"Content-Type": "application/json", "Idempotency-Key": f"k{number % 7}"}
        connection.request("POST", PATH, write_state(forged(number, chance)), headers)
        response = connection.getresponse()
        response.read()
        statuses[response.status] += 1
        progress(number + 1)
    connection.close()
    return statuses
