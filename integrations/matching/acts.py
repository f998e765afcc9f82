"""What an ERP event does to the contact it is about: by the same verbs that people's edits go through."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F
from django.db.models.functions import Greatest
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from contacts.day import due
from contacts.details.fields import fields_of, values_to_save
from contacts.forms.field import FieldForm
from contacts.models import (
    ActorKind,
    Change,
    Contact,
    ExternalId,
    HistoryEvent,
    Location,
    Machine,
    Note,
    RemoteUser,
    Task,
)
from contacts.open_pages import live
from integrations.erp import payloads
from integrations.matching import who

OWN = ("first_name", "last_name", "email", "phone", "company")


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
    return Done(line)


def in_words(event_type):
    """invoice.paid → Invoice paid"""
    words = " ".join(event_type.replace(".", " ").replace("_", " ").replace("-", " ").split())
    return words[:1].upper() + words[1:]


# --- customers --------------------------------------------------------------------------------------------------------


def create_customer(event):
    """(finding, done): a contact of its own for a customer that is nobody's yet. Two callers at once make one."""
    location = _location(event)
    held = Location.objects.select_for_update(no_key=True).select_related("business").get(pk=location.pk)
    finding = who.find(event)
    if finding.contact or not finding.is_nobody:
        return finding, apply(event, finding.contact) if finding.contact else Done()
    contact = Contact(location=held)
    values, troubles = _values(event, contact)
    for name, value in values.items():
        setattr(contact, name, value)
    if not (contact.first_name or contact.last_name or contact.email or contact.phone or contact.company_name):
        raise CannotApply(_("A new contact needs a name, an e-mail address, a phone number or a company."))
    change = contact.create(by=sender(event))
    ExternalId.give(contact, event.system, event.reference)
    return who.Finding(contact), Done.by(change, _taken_but(troubles))


def _location(event):
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
    contact = Contact.objects.select_for_update(no_key=True, of=["self"]).select_related("location").get(pk=contact.pk)
    values, troubles = _values(event, contact)
    change = contact.edit(by=sender(event), **values) if values else None
    return Done.by(change, _taken_but(troubles))


def _values(event, contact):
    """({name: value} for the contact's verbs, sentences about what cannot be taken)."""
    told = {name: event.body[name] for name in OWN if event.body.get(name) is not None}
    told |= event.body.get("fields", {})
    known = _known_fields(contact)
    values: dict[str, Any] = {}
    troubles = []
    for name, value in told.items():
        field = known.get(name.casefold())
        if name == "company" and contact.pk is None:
            values["company_name"] = str(value)
        elif field is None:
            troubles.append(_("%(field)s: no field is called that.") % {"field": name})
        elif field.is_fixed or field.control in ("channels", "texts"):
            if field.words != value:
                troubles.append(f"{name}: " + (field.reason or _("Can be changed only in GHL.")))
        else:
            form = FieldForm(field, _typed(value))
            if not form.is_valid():
                troubles.append(f"{name}: {form.errors['value'][0]}")
                continue
            taken = values_to_save(contact, field, form.cleaned_data["value"])
            if field.is_custom:  # each brings all custom values: only its own counts
                kept = values.setdefault("custom_values", dict(contact.custom_values))
                kept.pop(field.key, None)
                kept |= {key: one for key, one in taken["custom_values"].items() if key == field.key}
            else:
                values |= taken
    return values, troubles


def _known_fields(contact):
    """{what a field may be called: field}; custom ones by their key, with and without "contact.", or their name."""
    known: dict[str, Any] = {}
    custom = {f"custom-{one.pk}": one for one in contact.location.custom_fields.all()}
    for field in fields_of(contact):
        one = custom.get(field.slug)
        names = [one.key, one.key.removeprefix("contact."), one.remote_id, one.name] if one else [field.key]
        for name in names:
            known.setdefault(name.casefold(), field)
    known["company"] = known["company_name"]
    return known


def _typed(value):
    """As a form would bring it."""
    data = QueryDict(mutable=True)
    if isinstance(value, list):
        data.setlist("value", value)
    elif isinstance(value, bool):
        data["value"] = "true" if value else "false"
    else:
        data["value"] = "" if value is None else str(value)
    return data


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
