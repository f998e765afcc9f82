"""GHL's side of a webhook, and the worker's: what the tests of webhooks share."""

import contextlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection as database
from django.utils import timezone

from integrations.models import InboundEvent
from integrations.news import events, quarantine
from integrations.reading import sync
from tests.integrations.signatures import HEADER, pem, sign

KEY = Ed25519PrivateKey.from_private_bytes(b"a key only these tests ever use.")
NEW_KEY = Ed25519PrivateKey.from_private_bytes(b"another key, for these tests too")


@pytest.fixture(autouse=True)
def our_key(settings, tmp_path, monkeypatch):
    """Our server knows KEY, has a spool of its own that only the sweeper empties, and remembers no earlier troubles."""
    settings.GHL_WEBHOOK_PUBLIC_KEYS = pem(KEY)
    settings.WEBHOOK_SPOOL = str(tmp_path / "spool")
    quarantine._lately.clear()
    monkeypatch.setattr(events, "emptier", events.SpoolEmptier(every_s=3600))
    events._away.until = 0.0


def post(client, event, key=KEY, body=None, path="/webhooks/ghl/", **headers):
    """Signed as GHL signs, unless other headers are given. `body` is sent instead of what was signed."""
    signed = json.dumps(event).encode()
    headers = headers or {HEADER: sign(key, signed)}
    return client.post(path, signed if body is None else body, content_type="application/json", headers=headers)


def about(connection, kind, **values):
    """An event of this location, sent now."""
    return {
        "type": kind, "locationId": connection.location.remote_id, "webhookId": f"{kind}-{values}",
        "timestamp": timezone.now().isoformat(), **values,
    }  # fmt: skip


def work_off(rounds=3):
    """What the worker does with what has been stored, the time between its looks left out."""
    for _ in range(rounds):
        InboundEvent.objects.filter(finished_at=None).update(next_at=timezone.now(), lease_until=None)
        ring_for_what_is_due()


def ring_for_what_is_due():
    for pk in events.waiting_events():
        for run in events.handle(pk):
            sync.work(run.pk)


def let_time_pass(seconds):
    """For all unfinished events, as if they had come so much earlier."""
    from datetime import timedelta

    for event in InboundEvent.objects.filter(finished_at=None):
        earlier = timedelta(seconds=seconds)
        InboundEvent.objects.filter(pk=event.pk).update(
            received_at=event.received_at - earlier, next_at=event.next_at - earlier
        )


@contextlib.contextmanager
def no_database():
    """Nobody answers at the database's address."""
    database.close()
    port, database.settings_dict["PORT"] = database.settings_dict["PORT"], 9
    try:
        yield
    finally:
        database.close()
        database.settings_dict["PORT"] = port
        events._away.until = 0.0
