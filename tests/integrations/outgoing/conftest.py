"""An ERP that listens: Northgate's, at an address of this machine."""

import json
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.utils import timezone

from integrations.models import OutgoingDelivery, OutgoingHook
from integrations.outgoing import replay, sending, telling


@dataclass
class Heard:
    headers: dict
    body: bytes

    @property
    def told(self):
        return json.loads(self.body)


@dataclass
class Ear:
    """Hears what is POSTed to `url` and answers as it was told to, by default 204."""

    url: str = ""
    heard: list = field(default_factory=list)
    answers: list = field(default_factory=list)  # (status, headers, body) for the next ones, the last for ever

    def answer(self, status, body=b"", **headers):
        self.answers = [(status, headers, body)]

    @property
    def told(self):
        return [one.told for one in self.heard]


@pytest.fixture
def ear():
    ear = Ear()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            ear.heard.append(Heard(dict(self.headers), body))
            status, headers, answer = ear.answers[0] if ear.answers else (204, {}, b"")
            if len(ear.answers) > 1:
                ear.answers.pop(0)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(answer)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    ear.url = f"http://127.0.0.1:{server.server_address[1]}/rankr"
    yield ear
    server.shutdown()
    server.server_close()


@pytest.fixture
def hook(northgate, ada, ear):
    telling.follow()  # the feed begins here
    earlier = timezone.now() - timedelta(days=10)
    return OutgoingHook.objects.make(northgate, ada, name="ERP", url=ear.url, on_since=earlier)


def tell():
    """What the worker does: write down what is to be told, and bring it."""
    telling.follow()
    replay.go_on()
    for pk in sending.waiting():
        sending.deliver(pk)


def let_it_be_due():
    """As much later as the next try needs."""
    now = timezone.now()
    OutgoingDelivery.objects.filter(finished_at=None).update(next_at=now)
    OutgoingHook.objects.update(rests_until=now)
