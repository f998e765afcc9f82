"""A tiny HTTP server that answers what a test has queued, and remembers what it was asked."""

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}


@dataclass
class Answer:
    body: Any = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drip: float = 0.0  # seconds between single bytes of the body
    drip_head: float = 0.0  # the same for the status line
    hang_up: bool = False  # close after reading the request, without a word
    cut: bool = False  # promise more than is sent

    @property
    def raw(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Server:
    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.queue: list[Answer] = []
        self.connections = 0
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                owner.connections += 1

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                parts = urlsplit(self.path)
                headers = {key.lower(): value for key, value in self.headers.items()}
                owner.asked.append(
                    Asked(self.command, parts.path, parse_qs(parts.query), headers, self.rfile.read(length))
                )
                answer = owner.queue.pop(0) if owner.queue else Answer({"traceId": "t-0"})
                time.sleep(answer.delay)
                if answer.hang_up:
                    self.close_connection = True
                    return
                try:
                    self.write(answer)
                except OSError:
                    self.close_connection = True

            def write(self, answer: Answer) -> None:
                for _ in range(400 if answer.drip_head else 0):
                    self.wfile.write(b"H")
                    self.wfile.flush()
                    time.sleep(answer.drip_head)
                self.send_response(answer.status)
                for key, value in ({"Content-Type": "application/json"} | answer.headers).items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(answer.raw) + (50 if answer.cut else 0)))
                self.end_headers()
                if answer.cut:
                    self.close_connection = True
                if not answer.drip:
                    self.wfile.write(answer.raw)
                    return
                for byte in answer.raw:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(answer.drip)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *args: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def answers(self, *answers: Answer) -> None:
        self.queue.extend(answers)

    def says(self, body: Any, status: int = 200, **more: Any) -> None:
        self.queue.append(Answer(body, status, **more))

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
