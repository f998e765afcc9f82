"""What events are about. Events about the same are read together: one look at GHL answers them all."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from contacts.models import Appointment, Contact, Note, Task
from contacts.models.leased import LeaseLost
from integrations.access import installs
from integrations.gateway import client_for
from integrations.ghl import announcement, payloads
from integrations.models import Connection, InboundEvent
from integrations.news import storm
from integrations.reading import reference, reread, sync
from integrations.reading.merge import merge, remove

# What to read again, by the first word of the event's kind.
PARTS = {"Contact": "record", "Note": "notes", "Task": "tasks", "Appointment": "appointments"}
SETTINGS = {"User": "users.readonly", "Location": "locations.readonly"}
MODELS: dict[str, Any] = {"Contact": Contact, "Note": Note, "Task": Task, "Appointment": Appointment}
APP = ("INSTALL", "UNINSTALL")
# GHL's reads may lag behind its own news: what contradicts the news is looked at once more after this long.
SETTLING = timedelta(seconds=20)
TASK_PAGES = 10


@dataclass(frozen=True)
class Topic:
    """`look(connection, events)` reads, brings in and finishes the events; it answers the sync runs to ring for."""

    name: str  # among all topics: of those who name the same one, one is at work
    events: Any  # all unfinished events about it
    look: Callable[..., list]
    busy: Any = None  # of these none may be in work; else none of `events`
    needs_connection: bool = True

    def claim(self):
        return self.events.claim_together(self.name, busy=self.busy)


def knows(kind):
    return kind in APP or _word(kind) in PARTS or _word(kind) in SETTINGS


def of(event):
    """The topic of an event, None for a kind we do not use."""
    word, location_id = _word(event.kind), event.remote_location_id
    of_location = InboundEvent.objects.filter(remote_location_id=location_id, finished_at=None)
    if event.kind in APP:
        same = of_location.filter(kind__in=APP, record_id=event.record_id)
        return Topic(f"app {event.record_id}", same, _app, needs_connection=False)
    if word in SETTINGS:
        if not location_id:  # an agency's user: the event lists the locations
            return Topic(f"event {event.pk}", InboundEvent.objects.filter(pk=event.pk), _users_of_agency,
                         needs_connection=False)  # fmt: skip
        return Topic(f"{word} {location_id}", of_location.filter(kind__startswith=word), _settings)
    if word not in PARTS:
        return None
    if not event.remote_contact_id:
        _fill_in_contact(event)
    if not event.remote_contact_id:
        thin = of_location.filter(kind__startswith=word, remote_contact_id="")
        return Topic(f"thin {word} {location_id}", thin, _thin_tasks if word == "Task" else _nothing)
    if storm.belongs(event) and storm.is_on(location_id):
        return Topic(f"storm {location_id}", storm.events_of(location_id), storm.calm,
                     busy=storm.being_calmed(location_id))  # fmt: skip
    same = of_location.filter(remote_contact_id=event.remote_contact_id)
    return Topic(f"contact {location_id} {event.remote_contact_id}", same, _contact,
                 busy=same.exclude(reason=storm.TOGETHER))  # fmt: skip


def finish(events, outcome, reason=""):
    InboundEvent.objects.release_together(events, finished_at=timezone.now(), outcome=outcome, reason=reason)


def again(events, after, reason=""):
    InboundEvent.objects.release_together(events, next_at=timezone.now() + after, reason=reason)


# --- a contact --------------------------------------------------------------------------------------------------------


def _contact(connection, events):
    """One person, as far as the events are about them. What GHL denies by id is removed."""
    began, location, remote_id = timezone.now(), connection.location, events[0].remote_contact_id
    person = location.contacts.filter(remote_id=remote_id).first()
    wanted = {PARTS[_word(event.kind)] for event in events} | (set() if person else {"record"})
    with client_for(connection, "webhook") as client:
        answer = reread.parts_of(client, location, remote_id, [part for part in reread.PARTS if part in wanted])
        if answer is None and _is_too_early(events):
            again(events, SETTLING, "GHL does not show it yet.")
            return []
        gone = _gone(client, person, answer, {event.record_id for event in events if event.kind.endswith("Delete")})
    with transaction.atomic():
        _hold(events)
        if answer is None:
            remove(location, Contact, [person] if person else [])
        else:
            _take(location, remote_id, person, answer, gone, began)
    early = _contradicted(location, events)
    again(early, SETTLING, "GHL shows something else; looked at once more.")
    finish([event for event in events if event not in early], "handled")
    return []


def _gone(client, person, answer, told):
    """Our rows that GHL's list lacks and that it denies by id; at once if it has told us that they were deleted."""
    if person is None or answer is None:
        return []
    return [
        row for row in reread.absentees({person: answer}) if reread.denied(client, row, was_told=row.remote_id in told)
    ]


def _take(location, remote_id, person, answer, gone, began):
    if person is None:
        merge(location, Contact, answer["record"])
        person = location.contacts.filter(remote_id=remote_id).first()
    if person is not None:
        reread.take_parts(location, {person: answer}, gone)
        reread.mark_read(location, [person], list(answer), began)


def _is_too_early(events):
    """GHL denies somebody whom it has just told us about, and nobody says that they were deleted."""
    deleted = any(event.kind == "ContactDelete" for event in events)
    return not deleted and all(_is_young(event) for event in events)


def _contradicted(location, events):
    """The events of which what we read says the opposite, as long as they are young."""
    young = [event for event in events if event.record_id and _is_young(event)]
    early = []
    for word, model in MODELS.items():
        mine = [event for event in young if _word(event.kind) == word]
        if mine:
            ids = [event.record_id for event in mine]
            there = set(
                model.objects.present().filter(location=location, remote_id__in=ids).values_list("remote_id", flat=True)
            )
            early += [event for event in mine if (event.record_id in there) == event.kind.endswith("Delete")]
    return early


def _is_young(event):
    return event.received_at > timezone.now() - SETTLING


def _hold(events):
    """Inside the transaction that writes: nobody has taken this over, nor can until it ends."""
    if not events[0].renew():
        raise LeaseLost


# --- tasks whose contact GHL does not tell ----------------------------------------------------------------------------


def _fill_in_contact(event):
    model = MODELS[_word(event.kind)]
    if model is Contact or not event.record_id:
        return
    known = model.objects.filter(location__remote_id=event.remote_location_id, remote_id=event.record_id)
    remote_id = known.values_list("contact__remote_id", flat=True).first()
    if remote_id:
        InboundEvent.objects.filter(pk=event.pk).update(remote_contact_id=remote_id)
        event.remote_contact_id = remote_id


def _thin_tasks(connection, events):
    """Looked for in the location's tasks: the contact stands there."""
    location = connection.location
    if not connection.has_scope("locations/tasks.readonly"):
        finish(events, "handled", "read with the location's recent changes")
        return [sync.start(connection)]
    wanted = {event.record_id for event in events} - {""}
    found: dict[str, Any] = {}
    with client_for(connection, "webhook") as client:
        for number, page in enumerate(client.task_pages()):
            rows = [payloads.task_values(row) for row in page.rows]
            found |= {row["remote_id"]: row for row in rows if row["remote_id"] in wanted}
            if wanted <= found.keys() or number + 1 >= TASK_PAGES:
                break
    with transaction.atomic():
        _hold(events)
        merge(location, Task, list(found.values()))
    here = set(location.tasks.filter(remote_id__in=found).values_list("remote_id", flat=True))
    for event in events:
        row = found.get(event.record_id)
        if event.record_id in here:
            finish([event], "handled")
        elif row:  # of somebody we do not know yet
            InboundEvent.objects.filter(pk=event.pk).update(remote_contact_id=row["contact_remote_id"])
            again([event], timedelta(0))
        elif event.record_id and not event.kind.endswith("Delete") and _is_young(event):
            again([event], SETTLING, "GHL does not show it yet.")
        else:
            finish([event], "handled", "GHL lists no such task.")
    return []


def _nothing(connection, events):
    finish(events, "kept", "It names no contact.")
    return []


# --- settings and the app itself --------------------------------------------------------------------------------------


def _settings(connection, events):
    with client_for(connection, "webhook") as client:
        reference.read(client, connection, connection.location, only=[SETTINGS[_word(events[0].kind)]])
    finish(events, "handled")
    return []


def _users_of_agency(connection, events):
    """An agency's user may belong to several of our locations."""
    for event in events:
        named = announcement.location_ids(announcement.said(bytes(event.body)))
        ours = list(Connection.objects.working().filter(location__remote_id__in=named).select_related("location"))
        for one in ours:
            with client_for(one, "webhook") as client:
                reference.read(client, one, one.location, only=[SETTINGS["User"]])
        finish([event], "handled" if ours else "not_ours")
    return []


def _app(connection, events):
    """In the order they came: the last word about an installation counts."""
    for event in events:
        act = installs.installed if event.kind == "INSTALL" else installs.uninstalled
        outcome, reason = act(event)
        finish([event], outcome, reason)
    return []


def _word(kind):
    """The first word of a kind: Contact of ContactTagUpdate."""
    return next((word for word in (*PARTS, *SETTINGS) if kind.startswith(word)), "")
