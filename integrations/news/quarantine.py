"""Webhooks whose signature no key of ours fits: turned away, but kept for a while, in case GHL has changed its key.

Strangers can write here, so everything is bounded, and nothing is believed before a key of ours fits. What names our
app or a location we know outlives what does not; when such events come in numbers and none is signed as it should be,
people are told.
"""

import hashlib
import logging
import threading
import time
from collections import deque
from datetime import timedelta

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone

from contacts.models import Location
from integrations.access import incidents
from integrations.ghl import announcement, signature
from integrations.models import InboundEvent, Incident, QuarantinedEvent

log = logging.getLogger(__name__)

MOST_ROWS, MOST_BYTES, MOST_A_MINUTE = 1_000, 256_000, 100  # the last for each process that receives
KEPT = timedelta(days=7)
ALARM, WITHIN = 5, timedelta(minutes=10)
REASON = (
    "Webhooks arrive that seem to be GoHighLevel's, but are signed with a key we do not know. If GoHighLevel has "
    "announced a new key, add it to GHL_WEBHOOK_PUBLIC_KEYS and restart; what came meanwhile is kept and taken in then."
)
SIGNATURE = Incident.Kind.SIGNATURE


def keep(body, signed, keys):
    """Never raises: whatever happens here, the answer is the same."""
    if not signed or signed.strip() in ("", "N/A") or len(signed) > 400 or not signed.isprintable():
        return
    if len(body) > MOST_BYTES or not _may():
        return
    try:
        with transaction.atomic():
            looks_ours = _looks_ours(body)
            row = QuarantinedEvent(
                body_hash=QuarantinedEvent.hash_of(body),
                body=body,
                signature=signed,
                looks_ours=looks_ours,
                keys_tried=fingerprint(keys),
            )
            QuarantinedEvent.objects.bulk_create([row], ignore_conflicts=True)
            _make_room()
            if looks_ours and _is_alarming():
                incidents.open_incident(None, SIGNATURE, REASON)
    except DatabaseError as trouble:
        log.warning("an unverified webhook was not kept: %s", type(trouble).__name__)


def verify_again(keys, store):
    """Try what is kept with keys that it was not tried with; `store(body, received_at)` what fits. How many did."""
    now_tried, fitting = fingerprint(keys), 0
    for row in QuarantinedEvent.objects.exclude(keys_tried=now_tried).order_by("pk").iterator(chunk_size=20):
        if signature.is_signed(keys, bytes(row.body), row.signature):
            store(bytes(row.body), row.received_at)
            row.delete()
            fitting += 1
        else:
            row.keys_tried = now_tried
            row.save(update_fields=["keys_tried"])
    if fitting:
        log.info("%s webhooks fit a key we know now", fitting)
    return fitting


def tidy():
    """Forget what is old, and end the alarm once a webhook with a good signature came after the last bad one."""
    QuarantinedEvent.objects.filter(received_at__lt=timezone.now() - KEPT).delete()
    if Incident.objects.open().filter(kind=SIGNATURE).exists():
        last = QuarantinedEvent.objects.filter(looks_ours=True).order_by("-received_at").first()
        if last is None or _good_since(last.received_at):
            incidents.close_incident(None, SIGNATURE)


def fingerprint(keys):
    raw = sorted(key.public_bytes(Encoding.Raw, PublicFormat.Raw) for key in keys)
    return hashlib.sha256(b"".join(raw)).hexdigest()


def _looks_ours(body):
    told = announcement.announcement(body)
    app = settings.GHL_CLIENT_ID.partition("-")[0]  # GHL makes a client id of the app's id and a suffix
    if app and told.app_id == app:
        return True
    return bool(told.location_id) and Location.objects.filter(remote_id=told.location_id).exists()


def _is_alarming():
    """Several of late, and not one good one beside them: strangers alone cannot ring this bell while GHL is heard."""
    lately = QuarantinedEvent.objects.filter(looks_ours=True, received_at__gt=timezone.now() - WITHIN)
    times = list(lately.order_by("-received_at").values_list("received_at", flat=True)[:ALARM])
    return len(times) == ALARM and not _good_since(times[-1])


def _good_since(moment):
    newest = InboundEvent.objects.order_by("-pk").values_list("received_at", flat=True).first()
    return newest is not None and newest > moment


def _make_room():
    if QuarantinedEvent.objects.count() > MOST_ROWS:
        kept = QuarantinedEvent.objects.order_by("-looks_ours", "-received_at").values("pk")[:MOST_ROWS]
        QuarantinedEvent.objects.exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()


_lately: deque[float] = deque(maxlen=MOST_A_MINUTE)
_counting = threading.Lock()


def _may():
    with _counting:
        now = time.monotonic()
        if len(_lately) == _lately.maxlen and _lately[0] > now - 60:
            return False
        _lately.append(now)
        return True
