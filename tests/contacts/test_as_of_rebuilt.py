"""Whatever happens to a contact, how it stood at any moment before can be rebuilt from its history."""

from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.history.as_of import Past, stored
from contacts.models import Appointment, Change, Contact, Note, NotEditable, NotUndoable, RemoteUser, Task
from integrations.reading.merge import merge, remove

pytestmark = pytest.mark.django_db

WORDS = st.sampled_from(["", "Anna", "Bela", "Chloe"])
FIELDS = st.fixed_dictionaries({}, optional={
    "first_name": WORDS,
    "city": WORDS,
    "dnd": st.booleans(),
    "date_of_birth": st.sampled_from([None, datetime(1980, 5, 5).date(), datetime(1990, 1, 1).date()]),
    "custom_values": st.dictionaries(st.sampled_from(["cfRoof", "cfCrew"]), st.sampled_from(["Tile", "Metal", ["a"]])),
})  # fmt: skip
TAGS = st.lists(st.sampled_from(["vip", "insurance", "west"]), max_size=2)
DUE = st.sampled_from([None, *(datetime(2026, 12, day, 9, tzinfo=timezone.get_default_timezone()) for day in (1, 2))])
WHICH = st.integers(0, 5)

ACTS = st.one_of(
    st.tuples(st.just("edit"), FIELDS),
    st.tuples(st.just("add_tags"), TAGS),
    st.tuples(st.just("remove_tags"), TAGS),
    st.tuples(st.just("own"), st.booleans()),
    st.tuples(st.just("new_task"), WORDS, DUE),
    st.tuples(st.just("edit_task"), WHICH, WORDS, DUE),
    st.tuples(st.just("tick_task"), WHICH),
    st.tuples(st.just("new_note"), WORDS),
    st.tuples(st.just("edit_note"), WHICH, WORDS),
    st.tuples(st.just("pin_note"), WHICH),
    st.tuples(st.just("book"), WORDS, DUE),
    st.tuples(st.just("move"), WHICH, DUE, WORDS),
    st.tuples(st.just("delete"), WHICH),
    st.tuples(st.just("undo_delete"), WHICH),
    st.tuples(st.just("undo"), WHICH),
    st.tuples(st.just("confirm"), WHICH),
    st.tuples(st.just("refuse"), WHICH, WORDS),
    st.tuples(st.just("conflict"), WHICH, WORDS),
    st.tuples(st.just("decide"), WHICH, st.sampled_from(["keep_mine", "keep_theirs", "keep_original", "make_anew"])),
    st.tuples(st.just("ghl_contact"), FIELDS, TAGS),
    st.tuples(st.just("ghl_task"), WHICH, WORDS, DUE, st.booleans()),
    st.tuples(st.just("ghl_note"), WHICH, WORDS),
    st.tuples(st.just("ghl_appointment"), WHICH, WORDS, DUE),
    st.tuples(st.just("ghl_removes"), WHICH),
    st.tuples(st.just("delete_contact"),),
    st.tuples(st.just("ghl_removes_contact"),),
    st.tuples(st.just("bring_back_contact"),),
)  # fmt: skip


class Life:
    """One contact and what happens to it. Each act fetches anew, as each request does."""

    def __init__(self, contact, ana, dana):
        self.pk, self.ana, self.dana, self.location = contact.pk, ana, dana, contact.location

    @property
    def contact(self):
        return Contact.objects.select_related("location").get(pk=self.pk)

    def rows(self, *models, present=True):
        rows = [row for model in models for row in model.objects.filter(contact=self.pk).order_by("pk")]
        return [row for row in rows if (row.deleted_at is None) == present]

    def pick(self, which, rows):
        return rows[which % len(rows)] if rows else None

    def do(self, act, *with_what):
        with transaction.atomic():
            getattr(self, act)(*with_what)

    # --- people here --------------------------------------------------------------------------------------------------

    def edit(self, fields):
        self.contact.edit(by=self.ana, **fields)

    def add_tags(self, tags):
        self.contact.add_tags(tags, by=self.ana)

    def remove_tags(self, tags):
        self.contact.remove_tags(tags, by=self.ana)

    def own(self, somebody):
        self.contact.edit(by=self.ana, owner=self.dana if somebody else None)

    def new_task(self, title, due):
        Task(location=self.location, contact=self.contact, title=title or "Call", due_at=due).create(by=self.ana)

    def edit_task(self, which, title, due):
        if task := self.pick(which, self.rows(Task)):
            task.edit(by=self.ana, title=title or "Call", due_at=due)

    def tick_task(self, which):
        if task := self.pick(which, self.rows(Task)):
            task.reopen(by=self.ana) if task.completed else task.complete(by=self.ana)

    def new_note(self, body):
        Note(location=self.location, contact=self.contact, body=body or "A note").create(by=self.ana)

    def edit_note(self, which, body):
        if note := self.pick(which, self.rows(Note)):
            note.edit(by=self.ana, body=body)

    def pin_note(self, which):
        if note := self.pick(which, self.rows(Note)):
            note.edit(by=self.ana, pinned=not note.pinned)

    def book(self, title, start):
        Appointment(location=self.location, contact=self.contact, title=title, starts_at=start).create(by=self.ana)

    def move(self, which, start, status):
        if appointment := self.pick(which, self.rows(Appointment)):
            appointment.edit(by=self.ana, starts_at=start, ends_at=start, status=status)

    def delete(self, which):
        if row := self.pick(which, self.rows(Task, Note, Appointment)):
            row.delete_here(by=self.ana, undo_s=60)

    def delete_contact(self):
        if self.contact.deleted_at is None:
            self.contact.delete_here(by=self.ana, undo_s=60)

    def bring_back_contact(self):
        contact = self.contact
        if contact.deleted_at and contact.changes.filter(kind="contact", verb="delete").exists():
            contact.undo(contact.changes.filter(kind="contact", verb="delete").latest("pk"), by=self.ana)

    # --- taking back and deciding -------------------------------------------------------------------------------------

    def changes(self, *states):
        found = Change.objects.filter(contact=self.pk).order_by("-pk")
        return list(found.filter(state__in=states) if states else found)

    def undo_delete(self, which):
        if change := self.pick(which, [one for one in self.changes("queued") if one.verb == "delete"]):
            change.record.undo_delete(change, by=self.ana)

    def undo(self, which):
        if change := self.pick(which, self.changes()):
            change.undo(by=self.ana)

    def confirm(self, which):
        if change := self.pick(which, self.changes("queued")):
            self._settle(change, state="confirmed")
            record = change.record
            if record.remote_id is None and change.verb == "create":
                record.remote_id = f"new{change.pk}"
                record.snapshot = {key: record.value(key) for key in record.VALUES}
                record.save(update_fields=["remote_id", "snapshot"])

    def refuse(self, which, word):
        if change := self.pick(which, self.changes("queued")):
            self._settle(change, state="refused", failure="NotFound" if word else "")

    def conflict(self, which, word):
        updates = [one for one in self.changes("queued") if one.verb == "update"]
        if change := self.pick(which, updates):
            theirs = {key: word for key in change.values if key in ("first_name", "city", "title", "body")}
            if "custom_values" in change.values:
                theirs["custom_values"] = dict.fromkeys(change.values["custom_values"], word or None)
            self._settle(change, state="conflict", theirs=theirs)

    def decide(self, which, how):
        if change := self.pick(which, self.changes("refused", "conflict", "differs")):
            getattr(change, how)(*() if how in ("keep_mine", "keep_original") else (self.ana,))

    def _settle(self, change, **values):
        Change.objects.filter(pk=change.pk).update(settled_at=timezone.now() - timedelta(hours=1), **values)

    # --- GHL ----------------------------------------------------------------------------------------------------------

    def ghl_contact(self, fields, tags):
        contact = self.contact
        if contact.remote_id:
            whole = {key: contact.snapshot.get(key) for key in Contact.VALUES if key in contact.snapshot}
            row = {**whole, **fields, "tags": sorted(set(tags)), "remote_id": contact.remote_id}
            merge(self.location, Contact, [{**row, "remote_updated_at": timezone.now() - timedelta(minutes=5)}])

    def ghl_task(self, which, title, due, completed):
        self._from_ghl(Task, which, title=title or "Call", due_at=due, completed=completed)

    def ghl_note(self, which, body):
        self._from_ghl(Note, which, body=body, title="")

    def ghl_appointment(self, which, title, start):
        self._from_ghl(Appointment, which, title=title, starts_at=start, status="confirmed")

    def _from_ghl(self, model, which, **values):
        if self.contact.remote_id:
            remote_id = f"{model.KIND}{which}"
            merge(self.location, model, [
                {"remote_id": remote_id, "contact_remote_id": self.contact.remote_id, **values},
            ])  # fmt: skip

    def ghl_removes(self, which):
        rows = [row for row in self.rows(Task, Note, Appointment) if row.remote_id]
        if row := self.pick(which, rows):
            remove(self.location, type(row), [row])

    def ghl_removes_contact(self):
        remove(self.location, Contact, [self.contact])


@pytest.fixture
def life(contact, ana):
    contact.snapshot = {key: contact.value(key) for key in contact.VALUES}
    contact.save()
    dana = RemoteUser.objects.create(location=contact.location, remote_id="userDana", name="Dana")
    return Life(contact, ana, dana)


def shown(state):
    """What can be compared of a state: a deleted contact has nothing else any more."""
    if state.is_deleted:
        return "deleted"
    return state.values, {kind: {row.pk: values for row, values in of.items()} for kind, of in state.records.items()}


@settings(
    max_examples=40, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(acts=st.lists(ACTS, max_size=16))
def test_every_moment_is_rebuilt_as_it_was(life, acts):
    before = transaction.savepoint()
    try:
        moments = [(timezone.now(), "the beginning", shown(stored(life.contact)))]
        for act in acts:
            with suppress(NotEditable, NotUndoable):
                life.do(*act)
            moments.append((timezone.now(), act, shown(stored(life.contact))))
        past = Past(life.contact)
        for moment, act, was in moments:
            assert shown(past.at(moment)) == was, f"after {act}"
    finally:
        transaction.savepoint_rollback(before)


def test_keeping_the_original_of_a_conflict_is_told(contact, ana):
    contact.edit(by=ana, city="Gary")
    change = contact.edit(by=ana, city="Joliet")
    Change.objects.filter(pk=change.pk).update(
        state="conflict", theirs={"city": "Peoria"}, settled_at=timezone.now()
    )  # fmt: skip
    change.refresh_from_db()
    assert change.keep_original(by=ana)
    event = contact.history.latest("pk")
    assert (event.kind, event.user, event.changes) == ("contact_changed", ana, {"city": ["Joliet", "Gary"]})


def test_a_custom_field_that_ghl_fills_for_the_first_time_is_told(contact):
    first, second = {"cfRoof": "Tile"}, {"cfRoof": "Tile", "cfCrew": "North"}
    for values in (first, second):
        merge(contact.location, Contact, [{"remote_id": contact.remote_id, "custom_values": values}])
    assert contact.history.get().changes == {"custom_values": [first, second]}
