"""A record's other half in GHL: how each kind is created, changed, deleted, read back and looked for."""

from abc import ABC, abstractmethod

from contacts.models import Change, Contact, Note, Task
from integrations.ghl import bodies, compare, moments, payloads


class Counterpart(ABC):
    """Speaks for one record. `send` and `read` raise a GhlError; values go in and come out under our names."""

    model: type[Contact] | type[Task] | type[Note]

    def __init__(self, client, record):
        self.client, self.record = client, record

    def send(self, verb, values):
        """One change on its way. What GHL answered about the record, {} where it says nothing."""
        act = {
            Change.Verb.CREATE: self.create,
            Change.Verb.UPDATE: self.update,
            Change.Verb.TAGS: self.tag,
            Change.Verb.DELETE: self.delete,
        }[verb]
        return act(self.record.typed(values)) or {}

    @abstractmethod
    def create(self, values): ...

    @abstractmethod
    def update(self, values): ...

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

    def known_ids(self):
        """The siblings we know: a row among them is not the one that a creation has just made."""
        return set()

    @property
    def person(self):
        return self.record.person.remote_id


class ContactCounterpart(Counterpart):
    model = Contact

    def create(self, values):
        mine = {key: value for key, value in values.items() if key not in bodies.UNWRITABLE_ON_CREATE}
        body = bodies.contact_body(mine, create=True, location_id=self.client.location_id)
        return payloads.contact_values(self.client.create_contact(body))

    def update(self, values):
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
        if values.get("email"):
            found = self.client.find_duplicate(email=values["email"])
            return [payloads.contact_values(found)] if found else []
        if values.get("phone"):
            found = self.client.find_duplicate(number=values["phone"])
            return [payloads.contact_values(found)] if found else []
        filters = [{"field": "dateAdded", "operator": "range", "value": {"gte": moments.iso(since)}}]
        page = self.client.search_contacts(filters=filters, sort=[{"field": "dateAdded", "direction": "desc"}])
        return [payloads.contact_values(row) for row in page.rows]


class TaskCounterpart(Counterpart):
    model = Task

    def create(self, values):
        return payloads.task_values(self.client.create_task(self.person, bodies.task_body(values, create=True)))

    def update(self, values):
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

    def known_ids(self):
        return _ids(self.record.person.tasks)


class NoteCounterpart(Counterpart):
    model = Note

    def create(self, values):
        return payloads.note_values(self.client.create_note(self.person, bodies.note_body(values, create=True)))

    def update(self, values):
        # GHL wants the whole note: what is not sent may be lost.
        whole = {key: self.record.value(key) for key in Note.VALUES if self.record.value(key) not in ("", None)}
        self.client.update_note(self.person, self.record.remote_id, bodies.note_body({**whole, **values}))

    def delete(self, values):
        self.client.delete_note(self.person, self.record.remote_id)

    def read(self):
        return payloads.note_values(self.client.get_note(self.person, self.record.remote_id))

    def alike(self, values, since):
        return [payloads.note_values(row) for row in self.client.list_notes(self.person)]

    def known_ids(self):
        return _ids(self.record.person.notes)


COUNTERPARTS: dict[str, type[Counterpart]] = {
    "contact": ContactCounterpart,
    "task": TaskCounterpart,
    "note": NoteCounterpart,
}
IDENTIFYING = {
    "contact": ("email", "phone", "first_name", "last_name"),
    "task": ("title", "body", "due_at"),
    "note": ("title", "body"),
}


def looks_like(kind, ours, theirs):
    """Whether a remote row is the one our creation asked for: same words, same time."""
    return all(compare.same(kind, key, ours.get(key, ""), theirs.get(key, "")) for key in IDENTIFYING[kind])


def differences(change, theirs):
    """{key: what GHL kept} where it is not what the change asked for."""
    if change.verb == Change.Verb.DELETE:
        return {} if theirs.get("deleted") else {"deleted": False}
    if change.verb == Change.Verb.TAGS:
        tags = {tag.lower() for tag in theirs.get("tags", [])}
        fits = set(change.values["add"]) <= tags and not set(change.values["remove"]) & tags
        return {} if fits else {"tags": theirs.get("tags", [])}
    apart = {}
    for key, ours in change.values.items():
        if key == "custom_values":
            kept = theirs.get(key) or {}
            other = {
                pk: kept.get(pk) for pk in ours if not compare.same(change.kind, f"{key}.{pk}", ours[pk], kept.get(pk))
            }
            if other:
                apart[key] = other
        elif key in theirs and not compare.same(change.kind, key, ours, theirs[key]):
            apart[key] = theirs[key]
    return apart


def _ids(rows):
    return set(rows.filter(remote_id__isnull=False).values_list("remote_id", flat=True))
