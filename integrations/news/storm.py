"""Many contacts of one location have changed at once: one search by their time of change replaces a read of each.

GHL's search lags behind its records. An event is done when the search shows its contact as young as the event, or
shows it at all a while later; what the search does not show even then is read by its id.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from contacts.models import Contact
from contacts.models.leased import LeaseLost
from integrations.gateway import client_for
from integrations.ghl import moments, payloads
from integrations.models import InboundEvent
from integrations.reading import lists, reread
from integrations.reading.merge import merge

KINDS = ("ContactCreate", "ContactUpdate", "ContactTagUpdate", "ContactDndUpdate")
MANY = 50  # waiting for one location
RUSH, LATELY = 25, timedelta(seconds=5)  # or so many received within so short a time
LAG = timedelta(seconds=10)
NEAR = timedelta(seconds=2)  # between a change and GHL's news of it
BACK, FURTHEST = timedelta(seconds=10), timedelta(hours=3)
MOST = 10_000
TOGETHER = "being read with the location's recent changes"
ALONE = "not shown by the location's recent changes; to be read by itself"
DONE = "read with the location's recent changes"


def belongs(event):
    """What has failed in a way nobody foresaw is looked at alone: it must not hold up the others again."""
    return event.kind in KINDS and event.reason != ALONE and event.strikes == 0


def events_of(location_id):
    waiting = InboundEvent.objects.filter(remote_location_id=location_id, finished_at=None, kind__in=KINDS)
    return waiting.exclude(remote_contact_id="").exclude(reason=ALONE).filter(strikes=0)


def being_calmed(location_id):
    return InboundEvent.objects.filter(remote_location_id=location_id, finished_at=None, reason=TOGETHER)


def is_on(location_id):
    of_location = InboundEvent.objects.filter(remote_location_id=location_id, kind__in=KINDS)
    if of_location.filter(finished_at=None)[: MANY + 1].count() > MANY:
        return True
    return of_location.filter(received_at__gt=timezone.now() - LATELY)[: RUSH + 1].count() > RUSH


def calm(connection, events):
    """One search. Each page is brought in together with the end of the events it answers."""
    InboundEvent.objects.filter(pk__in=[event.pk for event in events]).update(reason=TOGETHER)
    began, location = timezone.now(), connection.location
    waiting, shown = {event.pk: event for event in events}, set()
    with client_for(connection, "webhook") as client:
        for page in client.contact_pages(**_changed_since(_earliest(events, began))):
            rows = [payloads.contact_values(row) for row in lists.of_location(page.rows, location)]
            with transaction.atomic():
                if not InboundEvent.objects.renew_together(waiting.values()):
                    raise LeaseLost
                believed = _take(location, rows, began)
                shown |= believed.keys()
                done = [event for event in waiting.values() if _is_answered(event, believed, began)]
                _finish(done)
            for event in done:
                del waiting[event.pk]
            if not waiting:
                break
    _put_off(waiting.values(), began)
    return []


def _changed_since(moment):
    return {
        "filters": [{"field": "dateUpdated", "operator": "range", "value": {"gte": moments.iso(moment)}}],
        "sort": [{"field": "dateUpdated", "direction": "asc"}],
    }


def _earliest(events, now):
    """By GHL's clock where it told the time."""
    return max(min(event.told_at or event.received_at - LAG for event in events) - BACK, now - FURTHEST)


def _take(location, rows, began):
    """Bring in what can be believed. {id: when it changed} of that."""
    merged = merge(location, Contact, rows, listed=True)
    doubted = {row.remote_id for row, _ in merged.doubted}
    believed = {row["remote_id"]: row.get("remote_updated_at") for row in rows if row["remote_id"] not in doubted}
    reread.mark_read(location, location.contacts.filter(remote_id__in=believed), ["record"], began)
    return believed


def _is_answered(event, believed, began):
    if event.remote_contact_id not in believed:
        return False
    changed_at = believed[event.remote_contact_id]
    as_young = event.told_at is not None and changed_at is not None and changed_at >= event.told_at - NEAR
    return as_young or _is_settled(event, began)


def _is_settled(event, began):
    """The search began so long after the event that it knows the change."""
    return event.received_at <= began - LAG


def _finish(events):
    InboundEvent.objects.release_together(
        events, finished_at=timezone.now(), outcome=InboundEvent.Outcome.HANDLED, reason=DONE
    )


def _put_off(events, began):
    settled = [event for event in events if _is_settled(event, began)]
    InboundEvent.objects.release_together(settled, next_at=timezone.now(), reason=ALONE)
    others = [event for event in events if not _is_settled(event, began)]
    InboundEvent.objects.release_together(others, next_at=began + LAG, reason="")
