"""The embedding service as its clients meet it, over real HTTP."""

import base64
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import numpy as np
import openai
import pytest

from aya.access.scope import Scope
from aya.embedding.packaged import NAME
from aya.operations.context import Context
from aya.operations.tokens import create_token
from aya.serve.embedding.server import serving
from tests.serve.command import Command

LONG = " ".join(f"word{number}" for number in range(400))
NEAR = 0.995


@pytest.fixture(scope="session")
def where(context: Context) -> Iterator[str]:
    options = {"embedding_model": NAME, "embedding_texts": 100, "embedding_body_limit_bytes": 100_000, "rate_per_s": 0}
    served = Context(context.settings.model_copy(update=options))
    with serving(served, "127.0.0.1", 0) as port:
        url = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                if httpx2.get(f"{url}/health").status_code == 200:
                    break
            except httpx2.ConnectError:
                pass
            time.sleep(0.05)
        yield url


@pytest.fixture
def http(where: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=where) as client:
        yield client


def test_one_text_has_one_embedding_and_says_of_which_model(http: httpx2.Client) -> None:
    said = http.post("/embed", json={"text": "hello world"}).json()
    assert np.linalg.norm(said["embedding"]) == pytest.approx(1, abs=1e-5)
    assert (said["dimensions"], said["model"], said["tokens"], said["overlong"]) == (384, NAME, 2, [])
    assert len(said["embedding"]) == 384


def test_the_three_forms_and_openai_give_the_same_vectors(http: httpx2.Client, where: str) -> None:
    texts = ["first text", "second"]
    own = http.post("/embed", json={"texts": texts}).json()["embeddings"]
    tei = http.post("/embed", json={"inputs": texts}).json()
    with openai.OpenAI(base_url=f"{where}/v1", api_key="sk-of-another-service", max_retries=0) as client:
        found = client.embeddings.create(model="text-embedding-3-small", input=texts)
    assert own == tei
    assert np.array([one.embedding for one in found.data]) == pytest.approx(np.array(own), abs=1e-6)
    assert (found.model, found.usage.prompt_tokens) == (NAME, 3)


def test_an_unmodified_openai_client_embeds_with_a_token(where: str, context: Context) -> None:
    token = create_token(context, "embedder", scope=[Scope.READ]).token
    with openai.OpenAI(base_url=f"{where}/v1", api_key=token, max_retries=0) as client:
        many = client.embeddings.create(model=NAME, input=["a", "b", "c"])
        as_floats = client.embeddings.create(model=NAME, input="a", encoding_format="float", dimensions=5)
        assert [one.index for one in many.data] == [0, 1, 2]
        assert len(as_floats.data[0].embedding) == 5
        assert [one.id for one in client.models.list()] == [NAME]
        for refused, kind in (([1, 2, 3], "those of another model"), ("", "holds nothing"), ([], "no text")):
            with pytest.raises(openai.UnprocessableEntityError, match=kind):
                client.embeddings.create(model=NAME, input=refused)
        with pytest.raises(openai.APIStatusError, match="tokens, and the model") as too_long:
            client.embeddings.create(model=NAME, input=LONG)
        assert too_long.value.status_code == 413


def test_base64_holds_the_same_numbers(http: httpx2.Client) -> None:
    asked = {"model": "any", "input": "some text"}
    plain = http.post("/v1/embeddings", json=asked).json()["data"][0]["embedding"]
    packed = http.post("/v1/embeddings", json=asked | {"encoding_format": "base64"}).json()["data"][0]["embedding"]
    assert np.frombuffer(base64.b64decode(packed), "<f4") == pytest.approx(np.array(plain, np.float32), abs=0)


@pytest.mark.parametrize(
    ("asked", "done"),
    [
        ({}, "truncated"),
        ({"overlong": "truncate"}, "truncated"),
        ({"overlong": "split"}, "split"),
        ({"truncate": True}, "truncated"),
    ],
)
def test_what_was_done_with_a_text_that_is_too_long_is_said(
    http: httpx2.Client, asked: dict[str, Any], done: str
) -> None:
    said = http.post("/embed", json={"texts": ["short", LONG], **asked}).json()
    assert [(one["index"], one["done"]) for one in said["overlong"]] == [(1, done)]
    assert said["overlong"][0]["tokens"] == said["tokens"][1] > said["overlong"][0]["max_tokens"]


def test_tei_refuses_what_is_too_long_unless_told_to_truncate(http: httpx2.Client) -> None:
    refused = http.post("/embed", json={"inputs": ["short", LONG]})
    assert (refused.status_code, refused.json()["error_type"]) == (413, "validation")
    assert "Text 1 has" in refused.json()["error"]
    truncated = http.post("/embed", json={"inputs": ["short", LONG], "truncate": True})
    assert truncated.headers["x-aya-overlong"] == "1 truncated"
    assert len(truncated.json()) == 2


REFUSED: list[tuple[Any, int, str]] = [
    ({}, 422, "no text"),
    ({"text": "a", "texts": ["b"]}, 422, "text and texts"),
    ({"text": ""}, 422, "Text 0 holds nothing"),
    ({"texts": ["a", "  \n"]}, 422, "Text 1 holds nothing"),
    ({"texts": []}, 422, "no text"),
    ({"text": 5}, 422, "should be a valid string"),
    ({"texts": ["a", None]}, 422, "texts.1"),
    ({"texts": {"a": 1}}, 422, "should be a valid list"),
    ({"text": "a", "role": "judge"}, 422, "role"),
    ({"text": "a", "dimensions": 0}, 422, "dimensions"),
    ({"text": "a", "dimensions": 385}, 422, "384 dimensions"),
    ({"text": "a", "normalize": "yes"}, 422, "normalize"),
    ({"text": "a", "unknown": 1}, 422, "unknown"),
    ({"text": "a", "truncate": True, "overlong": "split"}, 422, "both truncate and overlong"),
    ({"text": "a\0b"}, 400, "NUL"),
    ([], 422, "does not fit"),
    ({"texts": [f"text {number}" for number in range(101)]}, 413, "101 texts are more than the 100"),
    (b'{"text": NaN}', 400, "NaN"),
    (b'{"text": "\xff"}', 400, "not UTF-8"),
    (b'{"text": "\\ud800"}', 400, "half a character"),
    (b'{"text": "a"', 400, "not JSON"),
    (b"", 400, "not JSON"),
    (b'{"text": "' + b"a" * 10_000_000 + b'"}', 413, "larger than 100000 bytes"),
    (b'{"texts": [' + b'"a",' * 99_999 + b'"a"]}', 413, "larger than 100000 bytes"),
]


@pytest.mark.parametrize(("sent", "status", "said"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_embedded_is_refused_with_its_reason(
    http: httpx2.Client, sent: Any, status: int, said: str
) -> None:
    content = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    answer = http.post("/embed", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == status, answer.text
    assert said in answer.json()["detail"]
    assert answer.json()["remedy"]


def test_a_bad_request_hurts_none_that_is_asked_beside_it(where: str) -> None:
    def ask(number: int) -> tuple[int, int]:
        text = "   " if number % 3 == 0 else f"text number {number}"
        return number, httpx2.post(f"{where}/embed", json={"text": text}).status_code

    with ThreadPoolExecutor(12) as callers:
        for number, status in callers.map(ask, range(36)):
            assert status == (422 if number % 3 == 0 else 200)


@pytest.mark.parametrize("path", ["/embed", "/v1/embeddings", "/stats", "/metrics", "/info", "/health"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"authorization": "Bearer aya_00000000nonsense"}, 401),
    ],
)
def test_the_guard_of_every_port_stands_before_this_one(
    http: httpx2.Client, path: str, headers: dict[str, str], status: int
) -> None:
    method = "POST" if path.startswith(("/embed", "/v1")) else "GET"
    assert http.request(method, path, headers=headers).status_code == status


def test_a_caller_from_elsewhere_needs_a_token_for_all_but_health(where: str) -> None:
    forwarded = {"x-forwarded-for": "192.0.2.1"}
    foreign = forwarded | {"authorization": "Bearer sk-of-another-service"}
    assert httpx2.post(f"{where}/embed", json={"text": "a"}, headers=foreign).status_code == 401
    assert httpx2.post(f"{where}/embed", json={"text": "a"}, headers=forwarded).status_code == 401
    assert httpx2.get(f"{where}/stats", headers=forwarded).status_code == 401
    assert httpx2.get(f"{where}/health", headers=forwarded).status_code == 200


def test_stats_and_metrics_count_what_was_done(http: httpx2.Client) -> None:
    before = http.get("/stats").json()
    for _ in range(2):
        http.post("/embed", json={"texts": ["a text of these figures only", "and another"]})
    after = http.get("/stats").json()
    assert after["texts"] - before["texts"] == 4
    assert after["cache_hits"] - before["cache_hits"] == 2
    assert after["request_ms"]["p50"] <= after["request_ms"]["p99"]
    assert after["queue"] == {"waiting": 0, "limit": 16_384}
    metrics = http.get("/metrics").text
    assert f"aya_embedding_texts {float(after['texts'])}" in metrics
    assert 'aya_http_requests_total{method="POST",operation="/embed",status="200"}' in metrics


def test_every_path_is_described_and_what_is_described_is_there(http: httpx2.Client) -> None:
    described = http.get("/openapi.json").json()["paths"]
    assert {"/embed", "/v1/embeddings", "/health", "/stats", "/metrics", "/info", "/v1/models"} <= described.keys()
    body = described["/embed"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert {"text", "texts", "inputs", "role", "overlong"} <= body["properties"].keys()
    for path, methods in described.items():
        if "get" in methods:
            assert http.get(path).status_code == 200
    assert http.get("/info").json()["max_input_length"] == 256


def test_the_command_embeds_without_a_service(here: Command) -> None:
    here = here.given(AYA_EMBEDDING_MODEL=NAME)
    done = here("embed", "text", "a cat", "a dog", "--json")
    assert [one["text"] for one in done.document["texts"]] == ["a cat", "a dog"]
    assert len(done.document["texts"][0]["embedding"]) == done.document["dimensions"] == 384
    long = here("embed", "text", LONG)
    assert (long.code, "yes" in long.out) == (3, True)
    nothing = here("embed", "text", "  ")
    assert (nothing.code, "Text 0 holds nothing" in nothing.err) == (2, True)


def test_the_command_says_which_models_there_are(here: Command) -> None:
    said = here("embed", "models", "--json", AYA_EMBEDDING_MODEL=NAME).document
    assert [(one["name"], one["used"]) for one in said["here"]] == [(NAME, True)]
    assert (said["known_problem"], said["problem"]) == (None, None)
    broken = here("embed", "models", AYA_EMBEDDING_MODEL="/nowhere")
    assert "/nowhere is no folder" in broken.out


def test_the_command_serves_until_it_is_told_to_end(here: Command) -> None:
    with here.start("embed", "serve", "--port", "0", "--model", NAME, PYTHONUNBUFFERED="1") as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = line.split()[2].removesuffix("/embed")
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                if httpx2.post(f"{url}/embed", json={"text": "a"}).status_code == 200:
                    break
            except httpx2.ConnectError:
                pass
            time.sleep(0.1)
        said = httpx2.get(f"{url}/health").json()
        process.terminate()
    assert said["model"] == NAME
