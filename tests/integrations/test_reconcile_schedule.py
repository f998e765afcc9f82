"""Which connection reads when, in what order, and for how long at a time."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from contacts.models import Business, Contact, ContactFreshness, Location
from integrations.management.commands.sync import wait_for
from integrations.models import Connection, SyncRun
from integrations.reading import sync

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def idle(location):
    """A connection without any GHL behind it."""
    return pretend(location)


def pretend(location):
    return Connection.objects.create(location=location, kind="pit", sealed_access_token="x")


def done(connection, kind, started_at, outcome="complete"):
    return SyncRun.objects.create(
        connection=connection, kind=kind, started_at=started_at, finished_at=started_at, outcome=outcome, phase="done"
    )


def test_until_everything_was_read_once_the_first_read_is_due(idle):
    assert sync.due(idle) == "full"
    done(idle, "full", timezone.now(), outcome="failed")
    assert sync.due(idle) == "full"


def test_the_nightly_check_comes_once_in_the_locations_own_night(idle):
    noon = datetime(2026, 7, 1, 17, tzinfo=UTC)  # in Chicago
    done(idle, "full", noon)
    assert sync.due(idle, noon + timedelta(hours=9)) == "recent"
    late_at_night = noon + timedelta(hours=17, minutes=1)  # five in the morning there
    assert sync.due(idle, late_at_night) == "nightly"
    done(idle, "nightly", late_at_night)
    assert sync.due(idle, late_at_night + timedelta(minutes=5)) == "recent"
    assert sync.due(idle, late_at_night + timedelta(hours=24)) == "nightly"


def test_a_missed_night_is_caught_up_by_day(idle):
    noon = datetime(2026, 7, 1, 17, tzinfo=UTC)
    done(idle, "full", noon - timedelta(days=3))
    assert sync.due(idle, noon) == "nightly"


def test_a_night_that_failed_is_tried_again_in_an_hour_and_recent_changes_go_on_meanwhile(idle):
    noon = datetime(2026, 7, 1, 17, tzinfo=UTC)
    done(idle, "full", noon - timedelta(days=3))
    done(idle, "nightly", noon, outcome="failed")
    assert sync.due(idle, noon + timedelta(minutes=10)) == "recent"
    assert sync.due(idle, noon + timedelta(minutes=61)) == "nightly"


def test_nights_are_spread_so_that_not_all_begin_together(idle, northgate):
    now = datetime(2026, 7, 1, 17, tzinfo=UTC)
    begins = set()
    for pk in range(1, 40):
        idle.pk = pk
        begins.add(sync.night_of(idle, now).replace(second=0, microsecond=0))
    assert len(begins) > 30
    assert max(begins) - min(begins) < sync.NIGHT_LASTS


def test_nothing_starts_while_a_run_is_under_way_or_just_was(idle):
    run = done(idle, "full", timezone.now())
    assert sync.start_due() == []
    SyncRun.objects.filter(pk=run.pk).update(started_at=timezone.now() - timedelta(hours=1))
    [started] = sync.start_due()
    assert started.kind in ("recent", "nightly")
    assert sync.start_due() == []


def test_a_long_read_makes_room_after_its_slice_and_goes_on(connection, settings):
    settings.SLICE_S = 0
    run = sync.start(connection)
    slices = 0
    while run.finished_at is None:
        run = sync.work(run.pk)
        slices += 1
        assert run.finished_at or run.is_ready
    assert run.outcome == "complete"
    assert slices > 3
    assert Contact.objects.present().count() == 40


def test_businesses_take_turns_and_single_contacts_come_first(location, contact):
    one = pretend(location)
    second = Location.objects.create(business=location.business, remote_id="locNorthgate0000002")
    another = Location.objects.create(business=Business.objects.create(name="Initech"), remote_id="locInitech")
    first, next_, theirs = (sync.start(each) for each in (one, pretend(second), pretend(another)))
    person = sync.start_contact(contact)
    assert [run.pk for run in sync.waiting_runs()] == [person.pk, first.pk, theirs.pk, next_.pk]


def test_a_run_for_one_contact_takes_in_what_else_is_wanted_before_it_begins(location, contact):
    pretend(location)
    run = sync.start_contact(contact, only=["notes"], lane="webhook")
    assert run.cursor == {"parts": ["notes"], "lane": "webhook"}
    assert sync.start_contact(contact, only=["tasks"], lane="webhook").cursor["parts"] == ["notes", "tasks"]
    assert sync.start_contact(contact).cursor == {}
    assert SyncRun.objects.get().cursor == {}


def test_a_run_that_never_gets_on_gives_way_to_the_next_but_a_first_read_never_does(synced, sandbox, settings):
    sandbox.faults({"match": {"path": "/tasks/search$", "times": 0}, "action": {"junk": "html"}})
    run = sync.start(synced, "recent")
    SyncRun.objects.filter(pk=run.pk).update(attempts=sync.MOST_TRIES, phase="tasks", mark=timezone.now())
    sync.work(run.pk)
    run.refresh_from_db()
    assert run.outcome == "failed"
    SyncRun.objects.filter(pk=run.pk).update(
        attempts=sync.MOST_TRIES, phase="tasks", kind="full", finished_at=None, outcome="", next_at=timezone.now()
    )
    sync.work(run.pk)
    run.refresh_from_db()
    assert run.finished_at is None
    assert run.next_at > timezone.now()


# --- notes ------------------------------------------------------------------------------------------------------------


def recent(connection):
    run = wait_for(sync.start(connection, "recent"))
    assert run.outcome == "complete", run.stop_reason
    return run


def test_after_a_first_read_nobodys_notes_are_due(synced):
    assert not ContactFreshness.objects.filter(notes_due_at__lte=timezone.now()).exists()
    weeks = ContactFreshness.objects.filter(notes_due_at__lte=timezone.now() + timedelta(days=7))
    assert weeks.count() == 40
    assert recent(synced).counts["notes"]["done"] == 0


def test_notes_whose_turn_it_is_are_read_again_the_longest_waiting_first_and_never_too_many(synced, sandbox, settings):
    settings.GHL_DAILY_LIMIT, settings.NOTES_AUDIT_PERCENT, settings.SYNC_EVERY_S = 86_400, 10, 30  # 3 in a run
    longest = list(ContactFreshness.objects.order_by("-pk").values_list("pk", flat=True)[:5])
    for days, pk in enumerate(reversed(longest)):
        ContactFreshness.objects.filter(pk=pk).update(notes_due_at=timezone.now() - timedelta(days=days))
    person = Contact.objects.get(pk=longest[0])
    sandbox.edit("note", "create", contactId=person.remote_id, body="Unannounced", silent=True)
    run = recent(synced)
    assert run.counts["notes"]["done"] == 3
    assert person.notes.filter(body="Unannounced").exists()
    assert set(ContactFreshness.objects.filter(notes_due_at__lte=timezone.now()).values_list("pk", flat=True)) == set(
        longest[3:]
    )


def test_the_notes_of_a_contact_that_moved_are_read_with_it(synced, sandbox):
    person = Contact.objects.last()
    sandbox.edit("note", "create", contactId=person.remote_id, body="Unannounced")
    sandbox.edit("contact", "update", person.remote_id, city="Elgin")
    assert recent(synced).counts["notes"]["done"] == 1
    assert person.notes.filter(body="Unannounced").exists()


def test_a_recent_run_reads_the_settings_hourly_only(synced):
    assert "reference" not in recent(synced).counts
    SyncRun.objects.update(started_at=timezone.now() - timedelta(hours=2))
    assert "reference" in recent(synced).counts


def test_a_change_is_found_though_ghls_clock_goes_ten_minutes_after_ours(synced, sandbox):
    sandbox.settings(clock_skew_s=-600)
    person, other = Contact.objects.order_by("pk")[:2]
    sandbox.edit("contact", "update", person.remote_id, city="Elgin")
    recent(synced)
    sandbox.edit("contact", "update", other.remote_id, city="Joliet")
    recent(synced)
    assert list(Contact.objects.order_by("pk").values_list("city", flat=True)[:2]) == ["Elgin", "Joliet"]
