"""Many events at once cost few requests, lose nothing when a worker dies, and keep no other location waiting."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from contacts.models import Contact
from integrations.models import InboundEvent
from integrations.news import events, storm, topics
from tests.integrations.posting import about, let_time_pass, our_key, ring_for_what_is_due  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


def announce(connection, kind, ids, **values):
    for pk in ids:
        event = about(connection, kind, id=pk, **values)
        events.store(json.dumps(event).encode())


def requests(sandbox):
    return [(each["method"], each["path"]) for each in sandbox.log()["entries"]]


def spent(sandbox, since):
    return requests(sandbox)[len(since) :]


@pytest.fixture
def import_(synced, sandbox):
    """A thousand contacts are imported in GHL, which tells us a thousand times."""
    ids, began = [], timezone.now().isoformat()
    for start in range(0, 1000, 250):
        made = sandbox.edits(*[
            {"kind": "contact", "action": "create", "values": {"firstName": "New", "email": f"n{n}@example.com"}}
            for n in range(start, start + 250)
        ])  # fmt: skip
        ids += [each["id"] for each in made]
    announce(synced, "ContactCreate", ids, timestamp=began)
    return ids


def test_a_thousand_changed_contacts_cost_a_few_requests(synced, sandbox, import_):
    before = requests(sandbox)
    ring_for_what_is_due()
    assert len(spent(sandbox, before)) <= 5
    assert Contact.objects.filter(remote_id__in=import_).count() == 1000
    assert not InboundEvent.objects.filter(finished_at=None).exists()
    assert set(InboundEvent.objects.values_list("outcome", "reason")) == {("handled", storm.DONE)}


def test_a_worker_that_dies_in_the_middle_loses_nothing(synced, sandbox, import_, monkeypatch):
    class Killed(BaseException):
        pass

    merges = []

    def dies_at_the_second_page(location, rows, began):
        merges.append(rows)
        if len(merges) == 2:
            raise Killed
        return take(location, rows, began)

    take = storm._take
    monkeypatch.setattr(storm, "_take", dies_at_the_second_page)
    with pytest.raises(Killed):
        ring_for_what_is_due()
    left = InboundEvent.objects.filter(finished_at=None).count()
    assert 0 < left < 1000
    ring_for_what_is_due()
    assert Contact.objects.filter(remote_id__in=import_).count() == 1000
    assert not InboundEvent.objects.filter(finished_at=None).exists()


def test_a_dead_workers_lease_runs_out(synced, sandbox, import_):
    assert len(topics.of(InboundEvent.objects.first()).claim()) == 1000
    ring_for_what_is_due()
    assert InboundEvent.objects.filter(finished_at=None).count() == 1000
    InboundEvent.objects.update(lease_until=timezone.now() - timedelta(seconds=1), strikes=0)
    ring_for_what_is_due()
    assert not InboundEvent.objects.filter(finished_at=None).exists()


def test_what_the_search_does_not_show_yet_waits_for_the_next_one(synced, sandbox):
    people = list(Contact.objects.values_list("remote_id", flat=True))
    sandbox.settings(lag_s=600)
    for pk in people:
        sandbox.edit("contact", "update", pk, firstName="Later")
    announce(synced, "ContactUpdate", people)
    announce(synced, "ContactTagUpdate", people)
    ring_for_what_is_due()
    assert InboundEvent.objects.filter(finished_at=None).count() == 80
    assert not InboundEvent.objects.due().exists()
    sandbox.settings(lag_s=0)
    for pk in people:
        sandbox.edit("contact", "update", pk, lastName="Now")
    let_time_pass(11)
    ring_for_what_is_due()
    assert Contact.objects.filter(first_name="Later").count() == len(people)


def test_what_no_search_shows_is_read_by_its_id(synced, sandbox):
    """GHL does not move the time of change for everything that it announces."""
    people = list(Contact.objects.values_list("remote_id", flat=True)[:30])
    announce(synced, "ContactDndUpdate", people)
    announce(synced, "ContactUpdate", people)
    let_time_pass(11)
    before = requests(sandbox)
    ring_for_what_is_due()
    assert not InboundEvent.objects.filter(finished_at=None).exists()
    assert len(spent(sandbox, before)) == 1 + 30, "both events about a person cost one read"


def test_deletions_within_a_storm_are_confirmed_one_by_one(synced, sandbox):
    people = list(Contact.objects.values_list("remote_id", flat=True))
    for pk in people[:3]:
        sandbox.edit("contact", "delete", pk)
    for pk in people[3:]:
        sandbox.edit("contact", "update", pk, firstName="Stays")
    announce(synced, "ContactUpdate", people)
    announce(synced, "ContactTagUpdate", people)
    announce(synced, "ContactDelete", people[:4])  # the fourth is a lie
    for _ in range(3):
        ring_for_what_is_due()
        let_time_pass(21)
    assert not InboundEvent.objects.filter(finished_at=None).exists()
    assert set(Contact.objects.exclude(deleted_at=None).values_list("remote_id", flat=True)) == set(people[:3])


def test_events_about_one_person_cost_one_read_of_each_part(synced, sandbox):
    person = Contact.objects.first()
    sandbox.edit("note", "create", contactId=person.remote_id, body="Hello")
    for number in range(20):
        events.store(json.dumps(about(synced, "NoteUpdate", id=f"n{number}", contactId=person.remote_id)).encode())
        events.store(json.dumps(about(synced, "TaskComplete", id=f"t{number}", contactId=person.remote_id)).encode())
    let_time_pass(21)
    before = requests(sandbox)
    ring_for_what_is_due()
    assert len(spent(sandbox, before)) == 2
    assert not InboundEvent.objects.filter(finished_at=None).exists()


def test_a_location_in_a_storm_does_not_keep_another_waiting(db):
    def stored(location, number):
        body = {"type": "ContactUpdate", "locationId": location, "id": f"c{number}", "webhookId": f"{location}{number}"}
        return events.store(json.dumps(body).encode())

    for number in range(700):
        stored("stormy", number)
    calm = [stored("calm", number) for number in range(3)]
    waiting = events.waiting_events()
    assert len(waiting) == 500
    assert set(calm) <= set(waiting[:6])


def test_one_reads_a_storm_while_the_others_leave_it_alone(synced, sandbox, import_, monkeypatch):
    pks = list(InboundEvent.objects.values_list("pk", flat=True))
    searches = []

    def meanwhile(location, rows, began):
        before = requests(sandbox)
        for pk in pks[:20]:
            assert events.handle(pk) == []
        searches.append(spent(sandbox, before))
        return take(location, rows, began)

    take = storm._take
    monkeypatch.setattr(storm, "_take", meanwhile)
    events.handle(pks[0])
    assert searches
    assert not any(searches)
    assert not InboundEvent.objects.filter(finished_at=None).exists()
