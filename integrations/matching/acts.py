"""What an ERP event does to the contact it is about: by the same verbs that people's edits go through."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from contacts.day import due
from contacts.models import (
    ActorKind,
    Change,
    Contact,
    ExternalId,
    HistoryEvent,
    Location,
    Machine,
    Note,
    NotEditable,
    RemoteUser,
    Task,
)
from contacts.open_pages import live
from integrations.erp import payloads
from integrations.mapping import applying
from integrations.matching import who
from integrations.models import FieldMapping


@dataclass(frozen=True)
class Done:
    """`reason` says what of it could not be taken; `line` is the first line of history that came of it."""

    line: HistoryEvent | None = None
    change: Change | None = None
    reason: str = ""

    @classmethod
    def by(cls, change, reason=""):
        return cls(change.history.order_by("pk").first() if change else None, change, reason)


class CannotApply(Exception):
    """What was sent makes no sense for this contact; the message says why."""

    def __init__(self, sentence, contact=None):
        super().__init__(sentence)
        self.contact = contact


def sender(event, cause=None):
    """Who acts: the ERP, by the name of the key it came in with."""
    return Machine(ActorKind.ERP, event.key.name if event.key else "", cause)


def apply(event, contact):
    return {"event": _line, "customer": _update, "task": _task, "note": _note}[event.kind](event, contact)


def _line(event, contact):
    told, at = event.body, min(event.occurred_at, timezone.now())
    line = HistoryEvent.objects.create(
        location_id=contact.location_id, contact=contact, kind=HistoryEvent.Kind.ERP_EVENT,
        actor_kind=ActorKind.ERP, actor_name=str(sender(event)), happened_at=at,
        title=told.get("title") or in_words(event.type), detail=told.get("detail", ""), link=told.get("link", ""),
    )  # fmt: skip
    Contact.objects.filter(pk=contact.pk).update(last_activity_at=Greatest(F("last_activity_at"), at))
    live.tell(contact.business_id, [contact.pk], ["contact"])
    change, reason = None, ""
    if mapping := FieldMapping.active_of(event.business_id):
        try:
            change, troubles = _fill(event, contact, sender(event, cause=line), mapping)
            reason = _taken_but(troubles)
        except NotEditable as refused:  # what happened is told all the same
            reason = str(refused)
    return Done(line, change, reason)


def in_words(event_type):
    """invoice.paid → Invoice paid"""
    words = " ".join(event_type.replace(".", " ").replace("_", " ").replace("-", " ").split())
    return words[:1].upper() + words[1:]


# --- customers --------------------------------------------------------------------------------------------------------


def create_customer(event):
    """(finding, done): a contact of its own for a customer that is nobody's yet. Two callers at once make one."""
    location = location_of(event)
    held = Location.objects.select_for_update(no_key=True).select_related("business").get(pk=location.pk)
    finding = who.find(event)
    if finding.contact or not finding.is_nobody:
        return finding, apply(event, finding.contact) if finding.contact else Done()
    contact, mapped = imagined(event, held, FieldMapping.active_of(event.business_id))
    change = contact.create(by=sender(event))
    ExternalId.give(contact, event.system, event.reference)
    return who.Finding(contact), Done.by(change, _taken_but(mapped.troubles))


def imagined(event, location, mapping):
    """(the contact a customer would be, not saved; what it is made of). CannotApply when it would be nobody."""
    contact = Contact(location=location)
    mapped = applying.values_for(event.body, contact, mapping)
    take(mapped, contact)
    if not (contact.first_name or contact.last_name or contact.email or contact.phone or contact.company_name):
        raise CannotApply(_("A new contact needs a name, an e-mail address, a phone number or a company."))
    return contact, mapped


def take(mapped, contact):
    """On the object alone."""
    for name, value in mapped.values.items():
        setattr(contact, name, value)
    contact.tags = sorted({*contact.tags, *mapped.tags.add} - set(mapped.tags.remove))


def location_of(event):
    """Where a new contact of this customer belongs, or CannotApply."""
    locations = Location.objects.filter(business=event.business_id)
    if named := event.body.get("location"):
        if location := locations.filter(remote_id=named).first():
            return location
        raise CannotApply(_("No location of this business has the id that was given."))
    found = list(locations[:2])
    if len(found) == 1:
        return found[0]
    if not found:
        raise CannotApply(_("This business has no location yet, so a new contact would belong nowhere."))
    raise CannotApply(_("This business has several locations: say in “location” where a new contact belongs."))


def _update(event, contact):
    change, troubles = _fill(event, contact, sender(event), FieldMapping.active_of(event.business_id))
    return Done.by(change, _taken_but(troubles))


def _fill(event, contact, by, mapping):
    """(the first change made, what could not be taken)"""
    contact = Contact.objects.select_for_update(no_key=True, of=["self"]).select_related("location").get(pk=contact.pk)
    mapped = applying.values_for(event.body, contact, mapping)
    changes = [
        contact.edit(by=by, **mapped.values) if mapped.values else None,
        contact.add_tags(mapped.tags.add, by=by),
        contact.remove_tags(mapped.tags.remove, by=by),
    ]
    return next((change for change in changes if change), None), mapped.troubles


def _taken_but(troubles):
    return " ".join(troubles)


# --- tasks and notes --------------------------------------------------------------------------------------------------


def _task(event, contact):
    told = event.body
    values = {name: told[name] for name in ("title", "body") if told.get(name) is not None}
    troubles = []
    if told.get("due_at"):
        values["due_at"] = _moment(told["due_at"], contact.location)
    if told.get("status"):
        values["completed"] = told["status"] in payloads.DONE
    if email := told.get("assignee"):
        values["assignee"] = RemoteUser.objects.filter(location=contact.location_id, email__iexact=email).first()
        if values["assignee"] is None:
            del values["assignee"]
            troubles.append(_("No GHL user of this location has the e-mail address of the assignee."))

    def new():
        if not values.get("title"):
            raise CannotApply(_("A new task needs a title."), contact)
        return Task(contact=contact, location=contact.location, due_at=due.next_working_day(contact.location))

    return _put(event, contact, "task", values, new, troubles)


def _note(event, contact):
    values = {name: event.body[name] for name in ("title", "body") if event.body.get(name) is not None}
    return _put(event, contact, "note", values, lambda: Note(contact=contact, location=contact.location), [])


def _put(event, contact, kind, values, new, troubles):
    """Update the record that has this reference, or make it. One that was deleted since stays deleted."""
    name = {"system": event.body["customer"]["system"], "value": event.record}
    known = ExternalId.objects.filter(business=event.business_id, kind=kind, **name).select_related(kind).first()
    if known and known.record.deleted_at:
        return Done(reason=_("It was deleted since, and stays so."))
    if known:
        return Done.by(known.record.edit(by=sender(event), **values), _taken_but(troubles))
    record = new()
    for key, value in values.items():
        setattr(record, key, value)
    change = record.create(by=sender(event))
    ExternalId.give(record, **name)
    return Done.by(change, _taken_but(troubles))


def _moment(text, location):
    """A day alone means the end of its working hours there."""
    if len(text) == 10:
        return due.at(parse_date(text), location.zone)
    moment: datetime | None = parse_datetime(text)
    return moment
