"""A record's other half in GHL: how each kind is created, changed, deleted, read back and looked for."""

from abc import ABC, abstractmethod

from contacts.models import Appointment, Change, Contact, Note, Task
from integrations.ghl import bodies, errors, moments, payloads


class Counterpart(ABC):
    """Speaks for one record. `send` and `read` raise a GhlError; values go in and come out under our names."""

    model: type[Contact] | type[Task] | type[Note] | type[Appointment]

    def __init__(self, client, record):
        self.client, self.record = client, record

    def send(self, verb, values, fresh=None):
        """One change on its way; `fresh` is the record as GHL had it just now. What GHL answered about it, or {}."""
        act = {
            Change.Verb.CREATE: self.create,
            Change.Verb.UPDATE: lambda values: self.update(values, fresh or {}),
            Change.Verb.TAGS: self.tag,
            Change.Verb.DELETE: self.delete,
        }[verb]
        return act(self.record.typed(values)) or {}

    @abstractmethod
    def create(self, values): ...

    @abstractmethod
    def update(self, values, fresh): ...

    @abstractmethod
    def delete(self, values): ...

    @abstractmethod
    def read(self):
        """The record as GHL has it now."""

    @abstractmethod
    def alike(self, values, since):
        """Rows among which a creation of ours sent after `since` must be, if GHL took it."""

    def tag(self, values):
        raise ValueError("only contacts carry tags")

    @property
    def person(self):
        return self.record.person.remote_id


class ContactCounterpart(Counterpart):
    model = Contact

    def create(self, values):
        mine = {key: value for key, value in values.items() if key not in bodies.UNWRITABLE_ON_CREATE}
        body = bodies.contact_body(mine, create=True, location_id=self.client.location_id)
        return payloads.contact_values(self.client.create_contact(body))

    def update(self, values, fresh):
        mine = {key: value for key, value in values.items() if key != "company_remote_id"}
        if mine:
            self.client.update_contact(self.record.remote_id, bodies.contact_body(mine))
        if "company_remote_id" in values:  # GHL moves people between companies by a call of its own
            self.client.set_company([self.record.remote_id], values["company_remote_id"] or None)

    def tag(self, values):
        if values["add"]:
            self.client.add_tags(self.record.remote_id, values["add"])
        if values["remove"]:
            self.client.remove_tags(self.record.remote_id, values["remove"])

    def delete(self, values):
        self.client.delete_contact(self.record.remote_id)

    def read(self):
        return payloads.contact_values(self.client.get_contact(self.record.remote_id))

    def alike(self, values, since):
        """GHL's own duplicate lookup names one contact, perhaps an older one; the search names all, seconds late."""
        found = []
        if values.get("email"):
            found.append(self.client.find_duplicate(email=values["email"]))
        if values.get("phone"):
            found.append(self.client.find_duplicate(number=values["phone"]))
        filters = [{"field": "dateAdded", "operator": "range", "value": {"gte": moments.iso(since)}}]
        page = self.client.search_contacts(filters=filters, sort=[{"field": "dateAdded", "direction": "desc"}])
        return [payloads.contact_values(row) for row in [*found, *page.rows] if row]


class TaskCounterpart(Counterpart):
    model = Task

    def create(self, values):
        return payloads.task_values(self.client.create_task(self.person, bodies.task_body(values, create=True)))

    def update(self, values, fresh):
        if set(values) == {"completed"}:
            self.client.complete_task(self.person, self.record.remote_id, values["completed"])
        else:
            self.client.update_task(self.person, self.record.remote_id, bodies.task_body(values))

    def delete(self, values):
        self.client.delete_task(self.person, self.record.remote_id)

    def read(self):
        return payloads.task_values(self.client.get_task(self.person, self.record.remote_id))

    def alike(self, values, since):
        return [payloads.task_values(row) for row in self.client.list_tasks(self.person)]


class NoteCounterpart(Counterpart):
    model = Note

    def create(self, values):
        return payloads.note_values(self.client.create_note(self.person, bodies.note_body(values, create=True)))

    def update(self, values, fresh):
        # GHL wants the whole note: what is not sent may be lost, and ours of it may be older than theirs.
        whole = {key: fresh.get(key, self.record.value(key)) for key in Note.VALUES}
        whole = {key: value for key, value in whole.items() if value not in ("", None)}
        self.client.update_note(self.person, self.record.remote_id, bodies.note_body({**whole, **values}))

    def delete(self, values):
        self.client.delete_note(self.person, self.record.remote_id)

    def read(self):
        return payloads.note_values(self.client.get_note(self.person, self.record.remote_id))

    def alike(self, values, since):
        return [payloads.note_values(row) for row in self.client.list_notes(self.person)]


class AppointmentCounterpart(Counterpart):
    model = Appointment

    def create(self, values):
        values = {**values, "contact_remote_id": self.person}
        body = bodies.appointment_body(values, create=True, location_id=self.client.location_id, zone=self.zone)
        return payloads.appointment_values(self.client.create_appointment(body), self.zone)

    def update(self, values, fresh):
        if {"starts_at", "ends_at"} & set(values):  # GHL moves by both, or keeps the calendar's usual length
            values = {**self._times(fresh), **values}
        self.client.update_appointment(self.record.remote_id, bodies.appointment_body(values, zone=self.zone))

    def delete(self, values):
        self.client.delete_event(self.record.remote_id)

    def read(self):
        """GHL shows a deleted appointment for ever; that is gone all the same."""
        row = payloads.appointment_values(self.client.get_appointment(self.record.remote_id), self.zone)
        if row["deleted"]:
            raise errors.NotFound("the appointment was deleted")
        return row

    def alike(self, values, since):
        rows = self.client.contact_appointments(self.person)
        return [payloads.appointment_values(row, self.zone) for row in rows]

    def _times(self, fresh):
        times = {key: fresh.get(key) or getattr(self.record, key) for key in ("starts_at", "ends_at")}
        return {key: moment for key, moment in times.items() if moment}

    @property
    def zone(self):
        return self.record.location.zone


COUNTERPARTS: dict[str, type[Counterpart]] = {
    "contact": ContactCounterpart,
    "task": TaskCounterpart,
    "note": NoteCounterpart,
    "appointment": AppointmentCounterpart,
}
