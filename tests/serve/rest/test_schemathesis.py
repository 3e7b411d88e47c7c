"""Whatever is asked, by whomever, is answered as the OpenAPI document says; `make soak SOAK=fuzzing` asks more."""

import httpx2
import pytest

from aya.operations import audit
from aya.operations.context import Context
from aya.operations.snapshots import create_snapshot
from soak.fuzzing import fuzz


@pytest.mark.usefixtures("beta")
@pytest.mark.parametrize("has_token", [False, True], ids=["without a token", "with a token"])
def test_no_answer_is_a_server_error_and_each_is_what_the_document_says(
    client: httpx2.Client, context: Context, has_token: bool
) -> None:
    create_snapshot(context, "first")
    audit.seal(context)
    token = client.headers["authorization"].removeprefix("Bearer ") if has_token else None
    said, failures = fuzz(str(client.base_url), token, 1, 1, "fuzzing")
    assert failures == [], said
    assert "generated" in said
