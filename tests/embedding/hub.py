"""The hub (Hugging Face), which is not here: what it answers of one model, over real HTTP; and it can break off."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "a" * 40


@dataclass
class Hub:
    """One model, by the paths of its files."""

    files: dict[str, bytes]
    breaks_at: int | None = None
    """After so many bytes of a file the connection is closed."""
    url: str = ""
    asked: list[str] = field(default_factory=list)


@contextmanager
def hub(files: dict[str, bytes]) -> Iterator[Hub]:
    served = Hub(files)

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            served.asked.append(self.path)
            path = self.path.split("?")[0]
            if not served.files:
                self.send_error(404)
            elif path.startswith("/api/models/") and "/tree/" in path:
                self.send(listing(served), {}, body=body)
            elif path.startswith("/api/models/"):
                said = {"_id": "1", "id": "some/model", "modelId": "some/model", "sha": COMMIT, "private": False}
                siblings = [{"rfilename": name, "size": len(data)} for name, data in served.files.items()]
                self.send(json.dumps(said | {"siblings": siblings}).encode(), {}, body=body)
            elif (data := served.files.get(path.split(f"/resolve/{COMMIT}/")[-1])) is not None:
                start = int(self.headers.get("range", "bytes=0-").removeprefix("bytes=").split("-")[0])
                etag = sha256(data).hexdigest()
                self.send(data[start:], {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT}, body=body, partial=start > 0)
            else:
                self.send_error(404)

        def send(self, data: bytes, headers: dict[str, str], *, body: bool, partial: bool = False) -> None:
            self.send_response(206 if partial else 200)
            for name, value in {
                "Content-Length": str(len(data)),
                "Content-Type": "application/json",
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            if body:
                broken = served.breaks_at is not None and len(data) > served.breaks_at
                self.wfile.write(data[: served.breaks_at] if broken else data)
                self.close_connection = broken

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()


def listing(served: Hub) -> bytes:
    entries = [
        {"type": "file", "path": name, "size": len(data), "oid": sha256(data).hexdigest()[:40]}
        for name, data in served.files.items()
    ]
    return json.dumps(entries).encode()
