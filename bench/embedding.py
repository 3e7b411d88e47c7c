"""The embedding service against the same model called directly, on paragraphs of AYA's own documentation.

The service is a process of its own; its clients are one more, so that on two cores all three share them.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

import httpx2
import numpy as np
import orjson

from aya.embedding import models
from aya.embedding.model import Model
from aya.embedding.packaged import NAME
from bench._figure import Figure, Goal, Line, interleaved, milliseconds
from bench._laboratory import Laboratory

CLIENTS = 16
ALLOWED_MS = 3.0
"""What HTTP may add to one request."""
DOCS = Path(__file__).parents[1] / "docs"


def measure(lab: Laboratory) -> Iterator[Line]:
    model = models.load(lab.context.settings, NAME)
    texts = paragraphs(64 if lab.quick else 256)
    rounds = 3 if lab.quick else 8
    model.embed(texts[:8])
    with served(lab, AYA_EMBEDDING_CACHE_BYTES="0") as (url, _):
        asyncio.run(ask_all(url, texts[:32]))
        ours, direct = interleaved(rounds, lambda: asyncio.run(ask_all(url, texts)), lambda: model.embed(texts))
        yield Line(
            what=f"{CLIENTS} clients, {len(texts)} texts one by one",
            unit="texts/s",
            ours=per_second(len(texts), ours),
            against="one direct call",
            reference=per_second(len(texts), direct),
            goal=Goal(0.85, at_least=True),
        )
        yield from idle(url, model, texts, lab.quick)
    with served(lab) as (url, _):
        yield from repeated(url, texts, rounds)
    yield from batched(model, texts, rounds)
    if find_spec("sentence_transformers") is not None:
        yield from against_sentence_transformers(lab, texts, rounds)


def idle(url: str, model: Model, texts: Sequence[str], quick: bool) -> Iterator[Line]:
    with httpx2.Client(base_url=url) as client:
        pairs = [
            interleaved(1, lambda text=text: ask(client, text), lambda text=text: model.embed([text]))
            for text in texts[: 32 if quick else 128]
        ]
    ours, direct = zip(*((one[0][0] - ALLOWED_MS, one[1][0]) for one in pairs), strict=True)
    yield Line(
        what=f"one request alone, less {ALLOWED_MS:g} ms", ours=ours, against="direct", reference=direct, goal=Goal(1.2)
    )


def repeated(url: str, texts: Sequence[str], rounds: int) -> Iterator[Line]:
    long = " ".join(texts)
    with httpx2.Client(base_url=url) as client:
        ask(client, "warm")
        cold, again = [], []
        for number in range(rounds * 4):
            text = f"{number} {long[number * 50 : number * 50 + 1500]}"
            cold.append(milliseconds(lambda text=text: ask(client, text)))
            again.append(min(milliseconds(lambda text=text: ask(client, text)) for _ in range(5)))
    yield Line(
        what="a text of 256 tokens again", ours=tuple(again), against="new", reference=tuple(cold), goal=Goal(0.02)
    )


def batched(model: Model, texts: Sequence[str], rounds: int) -> Iterator[Line]:
    for what, some in (("short", [text[:60] for text in texts[:32]]), ("whole", texts[:32])):
        together, alone = interleaved(
            rounds, lambda some=some: model.embed(some), lambda some=some: [model.embed([text]) for text in some]
        )
        yield Line(
            what=f"32 {what} texts at once",
            unit="texts/s",
            ours=per_second(32, together),
            against="one by one",
            reference=per_second(32, alone),
            goal=Goal(2, at_least=True) if what == "short" else None,
        )


def against_sentence_transformers(lab: Laboratory, texts: Sequence[str], rounds: int) -> Iterator[Line]:
    """A model with ONNX and safetensors, whose folder BENCH_EMBEDDING_FOLDER names; without it nothing is compared."""
    folder = os.environ.get("BENCH_EMBEDDING_FOLDER")
    if folder is None:
        return
    library = import_module("sentence_transformers").SentenceTransformer(folder, local_files_only=True)
    model = models.load(lab.context.settings, folder)

    def encode() -> np.ndarray:
        return library.encode(list(texts), normalize_embeddings=True)

    cosines = np.einsum("nd,nd->n", model.embed(texts), encode())
    yield Line(what="least cosine to it", unit="", ours=(float(cosines.min()),), goal=Goal(0.99, at_least=True))
    ours, other = interleaved(rounds, lambda: model.embed(texts), encode)
    yield Line(
        what=f"{len(texts)} texts",
        unit="texts/s",
        ours=per_second(len(texts), ours),
        against="sentence-transformers",
        reference=per_second(len(texts), other),
        goal=Goal(2, at_least=True),
    )


def per_second(count: int, times_ms: Sequence[float]) -> tuple[float, ...]:
    return tuple(count * 1000 / one for one in times_ms)


def paragraphs(count: int) -> list[str]:
    """Different texts of up to some hundred words."""
    found = [part.strip() for page in sorted(DOCS.glob("*.md")) for part in page.read_text().split("\n\n")]
    unlike = list(dict.fromkeys(part[:1200] for part in found if len(part) > 40))
    step = max(1, len(unlike) // count)
    return unlike[::step][:count]


def ask(client: httpx2.Client, text: str) -> httpx2.Response:
    answer = client.post("/embed", json={"text": text})
    assert answer.status_code == 200, answer.text
    return answer


async def ask_all(url: str, texts: Sequence[str]) -> None:
    """Every text in a request of its own, by several clients on kept connections that cost next to nothing themselves."""
    host, port = url.removeprefix("http://").split(":")
    left = iter(texts)

    async def client() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for text in left:
            body = orjson.dumps({"text": text})
            head = f"POST /embed HTTP/1.1\r\nhost: {host}:{port}\r\ncontent-type: application/json\r\n"
            writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
            said = await reader.readuntil(b"\r\n\r\n")
            assert said.startswith(b"HTTP/1.1 200"), said
            length = int(said.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
        writer.close()

    await asyncio.gather(*(client() for _ in range(CLIENTS)))


@contextmanager
def served(lab: Laboratory, **variables: str) -> Iterator[tuple[str, int]]:
    """The service as a process of its own, ready: its URL and the number of the process."""
    environment = lab.environment() | {"AYA_EMBEDDING_MODEL": NAME, "AYA_RATE_PER_S": "0", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("aya")), "embed", "serve", "--port", "0"],
        env=environment | variables,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[2].removesuffix("/embed")
        wait_until(lambda: httpx2.get(f"{url}/health").status_code == 200)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait()


def wait_until(ready: Callable[[], bool], limit_s: float = 60) -> None:
    until = perf_counter() + limit_s
    while perf_counter() < until:
        try:
            if ready():
                return
        except httpx2.ConnectError:
            pass
        asyncio.run(asyncio.sleep(0.05))
    raise TimeoutError("the service was not ready in time")


figure = Figure(measure)
