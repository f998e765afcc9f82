"""Follows the history, and writes down what of it each ERP is to be told."""

import time
from collections import defaultdict
from functools import partial

from django.db.models import Min

from contacts.history import causes
from contacts.models import ActorKind, Appointment, Contact, HistoryEvent, Note, Task
from integrations.api import answers
from integrations.api.dressing import dressed_appointments, dressed_contacts, dressed_notes, dressed_tasks
from integrations.mapping import applying
from integrations.mapping.lines import read_all
from integrations.models import Feed, FieldMapping, OutgoingDelivery, OutgoingHook, SyncRun
from integrations.outgoing import kinds
from integrations.outgoing.posting import TooLarge, message

AT_ONCE = 500
IN_A_ROW_S = 15
FARTHEST = 20  # lines of a chain of causes that are looked at
_RECORDS = {
    "task": (Task, dressed_tasks, answers.TaskOut),
    "note": (Note, dressed_notes, answers.NoteOut),
    "appointment": (Appointment, dressed_appointments, answers.AppointmentOut),
}


def follow():
    """Write down what is to be told of what has happened since the last call."""
    until = time.monotonic() + IN_A_ROW_S
    while time.monotonic() < until:
        hooks = list(OutgoingHook.objects.told())
        if not Feed.read("outgoing", told_lines({hook.business_id for hook in hooks}), partial(_take, hooks), AT_ONCE):
            break


def told_lines(businesses):
    """The lines that may be told to the ERPs of these businesses: not what an ERP did itself."""
    lines = HistoryEvent.objects.filter(location__business__in=businesses, kind__in=kinds.OF_LINE)
    return lines.exclude(actor_kind=ActorKind.ERP)


def _take(hooks, pks):
    lines = HistoryEvent.objects.filter(pk__in=pks).select_related("location", "user").order_by("pk")
    by_business = defaultdict(list)
    for hook in hooks:
        by_business[hook.business_id].append(hook)
    wanted = [
        (line, hook)
        for line in lines
        for hook in by_business[line.location.business_id]
        if line.happened_at >= hook.on_since and hook.wants(kinds.of(line))
    ]
    tell(wanted)


def tell(wanted):
    """One message for each (line, hook), unless it had one already, or is better not told."""
    lines = {line.pk: line for line, _hook in wanted}
    own = _led_to_by_erp(lines.values())
    old = _found_by_first_read(lines.values())
    wanted = [(line, hook) for line, hook in wanted if line.pk not in old]
    wanted = [(line, hook) for line, hook in wanted if hook.hears_own_effects or line.pk not in own]
    bodies = _bodies({line.pk: line for line, _hook in wanted}.values())
    OutgoingDelivery.objects.bulk_create(
        [
            OutgoingDelivery(hook=hook, cause=f"line {line.pk}", type=kinds.of(line), body=bodies[line.pk])
            for line, hook in wanted
        ],
        ignore_conflicts=True,
        batch_size=200,
    )


def _led_to_by_erp(lines):
    """Those of the lines that something an ERP told led to, by whatever way."""
    caused = [line.pk for line in lines if line.cause_id]
    above = causes.above(caused, FARTHEST) if caused else []
    return {line for line, _cause, actor in above if actor == ActorKind.ERP}


def _found_by_first_read(lines):
    """Those that only say that GHL had the record when we read the location for the first time."""
    added = [line for line in lines if line.actor_kind == ActorKind.GHL and line.kind in kinds.ADDED]
    if not added:
        return set()
    locations = {line.location_id for line in added}
    complete = SyncRun.objects.exclude(kind=SyncRun.Kind.CONTACT).filter(outcome=SyncRun.Outcome.COMPLETE)
    of_these = complete.filter(connection__location__in=locations).values_list("connection__location")
    read = dict(of_these.annotate(first=Min("finished_at")).order_by())
    return {line.pk for line in added if line.location_id not in read or line.created_at <= read[line.location_id]}


def _bodies(lines):
    """{primary key of a line: the message that tells of it}"""
    lines = list(lines)
    people = {line.contact_id for line in lines}
    contacts = dressed_contacts(Contact.objects.filter(pk__in=people))
    told = {("contact", row.pk): answers.ContactOut(**row.told).model_dump(mode="json") for row in contacts}
    told |= {("mapped", pk): values for pk, values in _mapped(people)}
    for name, (model, dress, shape) in _RECORDS.items():
        pks = {pk for line in lines if (pk := getattr(line, f"{name}_id"))}
        rows = dress(model.objects.filter(pk__in=pks)) if pks else []
        told |= {(name, row.pk): shape(**row.told).model_dump(mode="json") for row in rows}
    return {line.pk: _body(line, told) for line in lines}


def _mapped(people):
    """(primary key of a contact, what its business's field mapping says goes out), by the ERP's own names."""
    businesses = Contact.objects.filter(pk__in=people).values("location__business")
    active = FieldMapping.objects.filter(state=FieldMapping.State.ACTIVE, business__in=businesses)
    outward = {one.business_id: read_all(one.lines) for one in active}
    outward = {pk: lines for pk, lines in outward.items() if any(line.goes_out for line in lines)}
    contacts = Contact.objects.filter(pk__in=people, location__business__in=outward)
    contacts = contacts.select_related("location", "owner", "company").prefetch_related("location__custom_fields")
    for contact in contacts:
        yield contact.pk, applying.outward_of(contact, outward[contact.location.business_id])


def _body(line, told):
    data = {
        "contact": told[("contact", line.contact_id)],
        **({"mapped": told[("mapped", line.contact_id)]} if ("mapped", line.contact_id) in told else {}),
        **{name: told[(name, pk)] for name in _RECORDS if (pk := getattr(line, f"{name}_id"))},
        "changes": line.changes,
        "by": {"kind": line.actor_kind, "name": str(line.user) if line.user else line.actor_name},
        "line": line.pk,
        "caused_by": line.cause_id,
    }
    try:
        return message(kinds.of(line), data, line.happened_at)
    except TooLarge:  # the ERP reads it instead
        short = {name: {"id": data[name]["id"]} for name in ("contact", *_RECORDS) if name in data}
        return message(kinds.of(line), {**data, **short, "changes": {}, "is_short": True}, line.happened_at)
