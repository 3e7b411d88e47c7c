"""Ask everything that the OpenAPI document says can be asked, and much that it says cannot: no answer is a server error,
and each is what the document says.

The requests are made by schemathesis, with all its checks: by somebody without a token, and by one who may everything. The
stream of changes does not end, running the checks of a machine takes seconds each time, and whoever revokes every token asks
nothing after that: those three are left out.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from aya.access.scope import Scope
from aya.operations import audit
from aya.operations.context import Context
from aya.operations.operation import operations
from aya.operations.snapshots import create_snapshot
from aya.operations.tokens import create_token
from aya.record.recorder import record
from aya.serve.rest.server import serving
from bench._laboratory import Laboratory
from soak._trial import Outcome, Trial
from tests.record import states

SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))
LEFT_OUT = "stream|verifications|revocations"
CONFIGURATION = str(Path(__file__).with_name("schemathesis.toml"))


def fuzz(url: str, token: str | None, times: int, seed: int, *phases: str) -> tuple[str, list[str]]:
    """Make about so many requests; what schemathesis counted, and what it found."""
    share = max(1, times // sum(len(one.routes) for one in operations().values()))
    with tempfile.TemporaryDirectory() as folder:
        told = subprocess.run(
            [
                *(SCHEMATHESIS, "--config-file", CONFIGURATION, "run", f"{url}/openapi.json"),
                *(("--header", f"Authorization: Bearer {token}") if token is not None else ()),
                *("--continue-on-failure", "--no-color"),
                *("--exclude-path-regex", LEFT_OUT, "--max-examples", str(share), "--seed", str(seed)),
                *("--phases", ",".join(phases or ("examples", "coverage", "fuzzing", "stateful"))),
            ],
            cwd=folder,
            capture_output=True,
            text=True,
        ).stdout
    counted = re.search(r"\d[\d,]* generated.*", told)
    found = re.findall(r"^- (ST\d+ .+)$", told, re.M)
    again = re.findall(r"^ +(curl .+)$", told, re.M)
    if counted is None:
        return "nothing was asked", [told[-2000:]]
    return counted[0], [f"{what}: {how}" for what, how in zip(found, again, strict=False)]


def run(lab: Laboratory, times: int, seed: int, tell: Callable[[str], None]) -> Outcome:
    """Serve a small state, and fuzz it."""
    with lab.context.database.connect() as writer:
        record(writer, [states.whole()])
    create_snapshot(lab.context, "first")
    audit.seal(lab.context)
    token = create_token(lab.context, "fuzzing", scope=[one for one in Scope if one is not Scope.COLLECT]).token
    said, failures = [], []
    # As often as one likes: a request that is refused for its rate would try nothing.
    context = Context(lab.context.settings.model_copy(update={"rate_per_s": 0}))
    with serving(context, "127.0.0.1", 0) as port:
        for who, given in (("without a token", None), ("with a token", token)):
            tell(f"asking http://127.0.0.1:{port} {who}")
            counted, found = fuzz(f"http://127.0.0.1:{port}", given, times, seed)
            said.append(f"{counted} {who}")
            failures += [f"{who}: {one}" for one in found]
    return Outcome("; ".join(said), tuple(failures))


trial = Trial(run, times=5000)
