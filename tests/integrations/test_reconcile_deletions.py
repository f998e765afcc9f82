"""What is gone in GHL goes here too; a list that lies removes nothing."""

import pytest
from django.utils import timezone

from contacts.models import Appointment, Contact, HistoryEvent, Note, Task
from integrations.management.commands.sync import wait_for
from integrations.models import Incident, SyncRun
from integrations.reading import absence, sync

pytestmark = pytest.mark.django_db(transaction=True)

MODELS = (Contact, Task, Note, Appointment)


@pytest.fixture
def known(synced, settings):
    """In small pages, and what was read first counts as long known."""
    settings.GHL_PAGE, settings.GHL_SETTLE_S = 10, 0.0
    return synced


def nightly(connection, outcome="complete"):
    """Without the pauses between its tries."""
    run = sync.start(connection, "nightly")
    while run.finished_at is None:
        SyncRun.objects.filter(pk=run.pk).update(next_at=timezone.now())
        sync.work(run.pk)
        run.refresh_from_db()
    assert run.outcome == outcome, run.stop_reason
    return run


def present():
    return [model.objects.present().count() for model in MODELS]


def lie(sandbox, word, path="/contacts/search$", nth=2, times=1, **more):
    sandbox.faults({"match": {"path": path, "nth": nth, "times": times}, "action": {"lie": word, **more}})


def test_a_contact_that_is_gone_takes_along_what_hangs_on_it(known, sandbox):
    task = Task.objects.present().filter(completed=False).first()
    sandbox.edit("contact", "delete", task.contact.remote_id)
    run = nightly(known)
    task.contact.refresh_from_db()
    assert task.contact.deleted_at is not None
    assert not Task.objects.present().filter(contact=task.contact).exists()
    assert not Task.objects.open().filter(pk=task.pk).exists()
    assert run.found["contacts"]["extra"] == 1
    assert list(task.contact.history.filter(kind__endswith="_deleted").values_list("kind", flat=True)) == [
        "contact_deleted"
    ]


def test_what_the_list_lacked_but_ghl_still_has_stays(known, sandbox):
    before = present()
    lie(sandbox, "truncated", share=0.5, nth=4, times=20)
    nightly(known)
    assert present() == before


@pytest.mark.parametrize("word", ["empty", "truncated", "repeat", "wrong_total"])
@pytest.mark.parametrize("path", ["/contacts/search$", "/tasks/search$", "/calendars/events$", "/notes$"])
def test_one_lie_in_the_middle_of_a_pass_removes_nothing(known, sandbox, word, path):
    before = present()
    lie(sandbox, word, path)
    nightly(known)
    assert present() == before
    assert not HistoryEvent.objects.filter(kind__endswith="_deleted").exists()


def test_a_failure_in_the_middle_of_a_pass_removes_nothing(known, sandbox, settings):
    before = present()
    sandbox.faults({"match": {"path": "/contacts/search$", "nth": 3, "times": 6}, "action": {"status": 500}})
    run = sync.start(known, "nightly")
    sync.work(run.pk)
    assert present() == before
    sandbox.no_faults()


def test_rows_of_another_location_are_never_stored(known, sandbox):
    sandbox.edit("location", "create", name="Elsewhere", contacts=30)
    before = present()
    for path in ("/contacts/search$", "/tasks/search$", "/calendars/events$", "/notes$", "/users/$", "/tags$"):
        lie(sandbox, "foreign", path, nth=1)
    nightly(known)
    assert present() == before
    assert not Contact.objects.exclude(location=known.location).exists()
    users = {one["id"] for one in sandbox.records("users", location_id=known.location.remote_id)["records"]}
    assert set(known.location.remote_users.exclude(name="").values_list("remote_id", flat=True)) <= users


def test_too_many_missing_ones_are_refused_until_somebody_says_they_are_gone(known, sandbox, ada):
    for contact in Contact.objects.order_by("pk")[:25]:
        sandbox.edit("contact", "delete", contact.remote_id)
    run = nightly(known)
    assert run.found["contacts"]["refused"] == 25
    assert Contact.objects.present().count() == 40
    incident = Incident.objects.get(kind="guard", closed_at=None)
    assert "25 contacts" in incident.reason
    assert absence.accept(known, ada)
    assert not absence.accept(known, ada)
    nightly(known)
    assert Contact.objects.present().count() == 15
    incident.refresh_from_db()
    assert incident.closed_by == ada
    assert not Incident.objects.open().filter(kind="guard").exists()


def test_a_clean_pass_closes_the_guards_incident_by_itself(known, sandbox):
    lie(sandbox, "truncated", nth=1, times=30, share=0.03)
    sandbox.faults({"match": {"path": "/contacts/search$", "times": 0}, "action": {"lie": "empty"}})
    run = wait_for_end(sync.start(known, "nightly"))
    assert Contact.objects.present().count() == 40
    assert run.found.get("contacts", {}).get("refused") or "contacts" not in run.found
    sandbox.no_faults()
    absence.refuse(_Holder(run), "contacts", Contact, 30)
    nightly(known)
    assert not Incident.objects.open().exists()


class _Holder:
    def __init__(self, run):
        self.run, self.location = run, run.connection.location

    def save(self, **values):
        SyncRun.objects.filter(pk=self.run.pk).update(**values)


def wait_for_end(run):
    for _ in range(40):
        SyncRun.objects.filter(pk=run.pk).update(next_at=timezone.now())
        sync.work(run.pk)
        run.refresh_from_db()
        if run.finished_at:
            return run
    raise AssertionError(run.stop_reason)


def test_a_note_that_its_contacts_list_lacks_is_asked_about_by_id(known, sandbox):
    note = Note.objects.present().first()
    lie(sandbox, "empty", f"/contacts/{note.contact.remote_id}/notes$", nth=1)
    wait_for(sync.start_contact(note.contact))
    note.refresh_from_db()
    assert note.deleted_at is None
    sandbox.edit("note", "delete", note.remote_id)
    wait_for(sync.start_contact(note.contact))
    note.refresh_from_db()
    assert note.deleted_at is not None


def test_a_tombstone_is_not_lifted_by_a_search_that_lags(known, sandbox):
    contact = Contact.objects.first()
    sandbox.settings(lag=1000)
    sandbox.edit("contact", "delete", contact.remote_id)
    wait_for(sync.start_contact(contact))
    contact.refresh_from_db()
    assert contact.deleted_at is not None
    nightly(known)
    contact.refresh_from_db()
    assert contact.deleted_at is not None
    assert not contact.history.filter(kind="contact_restored").exists()


def test_what_moves_while_the_pages_are_read_is_neither_skipped_nor_doubled(known, sandbox):
    sandbox.faults({"match": {"path": "/contacts/search$", "times": 0}, "action": {"move": 4}})
    nightly(known)
    sandbox.no_faults()
    nightly(known)
    there = {one["id"] for one in sandbox.records("contacts", location_id=known.location.remote_id)["records"]}
    assert set(Contact.objects.present().values_list("remote_id", flat=True)) == there


def test_tasks_and_notes_follow_when_ghl_merges_two_contacts(known, sandbox):
    task = Task.objects.present().first()
    note = Note.objects.present().filter(contact=task.contact).first()
    loser, winner = task.contact, Contact.objects.exclude(pk=task.contact_id).first()
    sandbox.post("edit", {"kind": "contact", "action": "merge", "id": loser.remote_id, "into": winner.remote_id})
    nightly(known)
    for row in filter(None, (task, note)):
        row.refresh_from_db()
        assert (row.contact, row.deleted_at) == (winner, None)
    loser.refresh_from_db()
    assert loser.deleted_at is not None
    line = winner.history.filter(task=task, kind="task_changed").latest("pk")
    assert line.changes == {"contact": [loser.name, winner.name]}
    assert not HistoryEvent.objects.filter(kind__in=["task_deleted", "task_restored", "note_deleted"]).exists()
