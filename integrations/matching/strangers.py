"""Customers of the ERP whom nobody here could be matched with: their events wait until a person says who they are."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from contacts.duplicates import same_person
from contacts.models import Contact, ExternalId
from integrations.matching.who import UNLINKED, Hints, present
from integrations.models import ErpEvent, Stranger
from integrations.models.erp_event import hold

LAST = 20  # events that tell what is known of a customer
MANY = 100
MATCHED = {"outcome": "", "reason": "", "finished_at": None, "attempts": 0, "strikes": 0}


def wait(event, reason):
    """The customer of this event stands in the inbox, with what the ERP has told last."""
    key = {"business_id": event.business_id, "system": event.system, "reference": event.reference}
    Stranger.objects.update_or_create(**key, defaults={**_told(event), "reason": reason})


def _told(event):
    hints = Hints.of(event)
    return {name: getattr(hints, name) for name in ("name", "email", "phone", "company") if getattr(hints, name)}


def known(one):
    """It has turned out who the customer is: what waits is due again, and the inbox forgets them. How many wait."""
    with transaction.atomic():
        waiting = ErpEvent.objects.about(one).waiting().update(**MATCHED, next_at=timezone.now())
        about = {"business_id": one.business_id, "system": one.system, "reference": one.reference}
        Stranger.objects.filter(**about).delete()
    return waiting


def link(stranger, contact):
    """This is she: from now on, and for all that waits. An event to ring for, or None when nothing waits any more."""
    with hold(stranger):
        ExternalId.give(contact, stranger.system, stranger.reference)
        return due_again(stranger)


def due_again(stranger):
    """`known`, and one of the events that waited."""
    first = ErpEvent.objects.about(stranger).waiting().order_by("pk").values_list("pk", flat=True).first()
    known(stranger)
    return first


def unlink(link):
    """The customer of this link is nobody's again, and only a person says whose. What was not applied yet waits, for
    whoever takes it up finds no link any more. (the stranger, or None where the link is another by now; how many events
    had been applied, counted up to MANY)"""
    one = Stranger(business_id=link.business_id, system=link.system, reference=link.value)
    with hold(one):
        if not ExternalId.objects.filter(pk=link.pk, contact=link.contact_id).delete()[0]:
            return None, 0
        events = ErpEvent.objects.about(one).filter(contact=link.contact_id)
        told: dict[str, Any] = {"reason": str(UNLINKED), "is_by_hand": True}
        for event in reversed(events.order_by("-pk")[:LAST]):
            told |= _told(event)
        key: dict[str, Any] = {"business_id": one.business_id, "system": one.system, "reference": one.reference}
        stranger = Stranger.objects.update_or_create(**key, defaults=told)[0]
        applied = events.filter(outcome=ErpEvent.Outcome.HANDLED)[:MANY].count()
    return stranger, applied


def create(stranger, location, by):
    """A new contact of what the ERP has told. (contact, event to ring for)"""
    with hold(stranger):
        contact = imagined(stranger, location)
        contact.create(by=by)
        return contact, link(stranger, contact)


def imagined(stranger, location):
    """The contact the stranger would be, not saved."""
    first, _, last = stranger.name.strip().rpartition(" ")
    first, last = (first, last) if first else (last, "")
    return Contact(
        location=location, first_name=first[:200], last_name=last[:200], email=stranger.email, phone=stranger.phone,
        company_name=stranger.company,
    )  # fmt: skip


def candidates(stranger, location):
    """Who of the business it may be, the likeliest first, each with the reasons."""
    return same_person.likely(present(stranger.business_id).select_related("company"), imagined(stranger, location))


def ignore(stranger, by, because):
    """Out of sight. What comes for them is kept all the same."""
    now = timezone.now()
    return Stranger.objects.open().filter(pk=stranger.pk).update(
        ignored_at=now, ignored_by=by, ignored_because=because[:300]
    )  # fmt: skip


def notice(stranger):
    """Ignored no longer."""
    nobody = {"ignored_at": None, "ignored_by": None, "ignored_because": ""}
    return Stranger.objects.filter(pk=stranger.pk).exclude(ignored_at=None).update(**nobody)
