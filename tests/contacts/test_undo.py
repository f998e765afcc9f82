"""Taking back what was done, before and after it has been sent."""

from datetime import timedelta

import pytest
from django.utils import timezone

from contacts.models import Change, Note, NotUndoable, Task

HTMX = {"HX-Request": "true"}


@pytest.fixture
def city(contact, ana):
    """Ana has changed the city, in some state."""
    contact.city = "Gary"
    contact.save()

    def change(state="confirmed"):
        change = contact.edit(by=ana, city="Chicago")
        arrived(change, state)
        return change

    return change


def arrived(change, state="confirmed"):
    settled = None if state in Change.UNSETTLED else timezone.now()
    Change.objects.filter(pk=change.pk).update(state=state, settled_at=settled)
    change.refresh_from_db()


def test_before_it_is_sent_it_is_withdrawn(city, contact, ana):
    change = city("queued")
    back = change.undo(ana)
    change.refresh_from_db(), contact.refresh_from_db()
    assert (change.state, back.state, contact.city) == ("cancelled", "cancelled", "Gary")
    assert not Change.objects.unsettled().exists()


@pytest.mark.parametrize("state", ["sending", "sent", "unknown", "confirmed"])
def test_afterwards_the_opposite_is_sent(state, city, contact, ana):
    change = city(state)
    back = change.undo(ana)
    contact.refresh_from_db()
    assert (back.values, back.before, back.undoes, back.state) == (
        {"city": "Gary"},
        {"city": "Chicago"},
        change,
        "queued",
    )
    assert contact.city == "Gary"


def test_it_can_be_done_again(city, contact, ana):
    change = city()
    back = change.undo(ana)
    arrived(back)
    again = back.undo(ana)
    contact.refresh_from_db()
    assert (contact.city, again.undoes) == ("Chicago", back)


def test_what_never_left_can_be_done_again_too(city, contact, ana):
    back = city("queued").undo(ana)
    again = back.undo(ana)
    contact.refresh_from_db()
    assert (contact.city, again.state) == ("Chicago", "queued")


def test_somebody_elses_work_is_not_undone_with_it(city, contact, ana, max_):
    change = city()
    contact.edit(by=max_, city="Hammond")
    with pytest.raises(NotUndoable, match="Max changed it since"):
        change.undo(ana)
    contact.refresh_from_db()
    assert contact.city == "Hammond"


def test_other_fields_changed_since_do_not_matter(city, contact, ana, max_):
    change = city()
    contact.edit(by=max_, state="IL")
    assert change.undo(ana)


def test_of_custom_fields_only_the_own_ones_are_put_back(contact, ana, max_):
    contact.custom_values = {"a": 1, "b": 1}
    contact.save()
    change = contact.edit(by=ana, custom_values={"a": 2, "b": 1, "c": 3})
    arrived(change)
    arrived(contact.edit(by=max_, custom_values={"a": 2, "b": 9, "c": 3}))
    assert change.undo(ana).values == {"custom_values": {"a": 1, "c": None}}
    contact.refresh_from_db()
    assert contact.custom_values == {"a": 1, "b": 9}


def test_tags_are_put_back_as_they_were(contact, ana):
    change = contact.add_tags(["vip"], by=ana)
    arrived(change)
    assert change.undo(ana).values == {"add": [], "remove": ["vip"]}
    contact.refresh_from_db()
    assert contact.tags == ["insurance"]


def test_what_was_made_is_deleted(contact, location, ana):
    change = Note(contact=contact, location=location, body="x", remote_id="n1").create(by=ana)
    arrived(change)
    back = change.undo(ana)
    assert (back.verb, back.undoes) == ("delete", change)
    change.note.refresh_from_db()
    assert change.note.deleted_at


def test_what_was_deleted_is_made_anew(contact, location, ana):
    note = Note.objects.create(contact=contact, location=location, body="x", remote_id="n1")
    change = note.delete_here(by=ana, undo_s=0)
    arrived(change)
    back = change.undo(ana)
    note.refresh_from_db()
    assert (back.verb, note.remote_id, note.deleted_at) == ("create", None, None)


def test_a_deleted_contact_comes_back_with_its_notes_and_tasks(contact, location, ana, add_task):
    note = Note.objects.create(contact=contact, location=location, body="x", remote_id="n1")
    gone = Note.objects.create(contact=contact, location=location, body="y", remote_id="n2", deleted_at=timezone.now())
    add_task(contact, "Call", timezone.now(), remote_id="t1")
    change = contact.delete_here(by=ana, undo_s=0)
    arrived(change)
    change.undo(ana)
    assert set(Change.objects.unsettled().values_list("kind", "verb")) == {
        ("contact", "create"), ("note", "create"), ("task", "create")
    }  # fmt: skip
    note.refresh_from_db(), gone.refresh_from_db()
    assert (note.remote_id, gone.remote_id) == (None, "n2")


def test_a_contact_that_others_have_worked_with_is_not_unmade(contact, ana, max_):
    change = contact.create(by=ana)
    arrived(change)
    contact.edit(by=max_, city="Gary")
    with pytest.raises(NotUndoable):
        change.undo(ana)


def test_a_task_taken_back_from_done_is_open(contact, ana, add_task):
    task = add_task(contact, "Call", timezone.now(), remote_id="t1")
    change = task.complete(by=ana)
    arrived(change)
    change.undo(ana)
    task = Task.objects.get()
    assert (task.completed, task.completed_at) == (False, None)


# --- on the page ------------------------------------------------------------------------------------------------------


def test_the_history_offers_it_and_says_that_it_was_done(as_user, city, contact, ana):
    change = city()
    page = as_user(ana)
    assert f"/changes/{change.pk}/undo/" in page.get(f"/contacts/{contact.pk}/history/", headers=HTMX).content.decode()
    response = page.post(f"/changes/{change.pk}/undo/", headers=HTMX)
    assert response["HX-Retarget"] == "#field-city" and "Gary" in response.content.decode()
    shown = page.get(f"/contacts/{contact.pk}/history/", headers=HTMX).content.decode()
    assert "undid: changed City" in shown
    assert f"/changes/{change.pk}/undo/" not in shown


def test_it_says_who_went_on_instead(as_user, city, contact, ana, max_):
    change = city()
    contact.edit(by=max_, city="Hammond")
    response = as_user(ana).post(f"/changes/{change.pk}/undo/", follow=True)
    assert "Max changed it since" in response.content.decode()


def test_a_colleagues_edit_is_the_managers_to_undo(as_user, city, contact, northgate, max_):
    from tests.conftest import member

    change = city()
    bea = as_user(member(northgate, "Bea", "staff"))
    assert f"/changes/{change.pk}/undo/" not in bea.get(contact.get_absolute_url()).content.decode()
    assert bea.post(f"/changes/{change.pk}/undo/", headers=HTMX).status_code == 403
    assert as_user(max_).post(f"/changes/{change.pk}/undo/", headers=HTMX).status_code == 200


def test_ones_own_can_be_undone_for_a_day(as_user, city, contact, ana):
    change = city()
    Change.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert as_user(ana).post(f"/changes/{change.pk}/undo/", headers=HTMX).status_code == 403


def test_nothing_is_undone_where_nothing_may_be_sent(as_user, city, location, ana):
    change = city()
    location.is_editable = False
    location.save()
    assert as_user(ana).post(f"/changes/{change.pk}/undo/", headers=HTMX).status_code == 403


# --- one form counts once ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "what, words, other",
    [
        ("notes", {"body": "Called back"}, {"body": "Something else"}),
        ("tasks", {"title": "Call", "due": "2031-05-05T10:00"}, {"title": "Write", "due": "2031-05-05T10:00"}),
    ],
)
def test_a_form_sent_twice_counts_once(as_user, ana, contact, what, words, other):
    page = as_user(ana)
    form = {"submission": "6a6f1c4e-0000-4000-8000-000000000001"}
    for _ in range(3):
        assert page.post(f"/contacts/{contact.pk}/{what}/add/", form | words, headers=HTMX).status_code == 200
    assert getattr(contact, what).count() == Change.objects.count() == 1
    page.post(f"/contacts/{contact.pk}/{what}/add/", form | other, headers=HTMX)  # Back was pressed, and written anew
    assert getattr(contact, what).count() == 2


def test_two_forms_with_the_same_words_are_two_notes(as_user, ana, contact):
    page = as_user(ana)
    for number in (1, 2):
        form = {"submission": f"6a6f1c4e-0000-4000-8000-00000000000{number}", "body": "Called back"}
        page.post(f"/contacts/{contact.pk}/notes/add/", form, headers=HTMX)
    assert contact.notes.count() == 2


def test_when_the_commit_fails_nothing_is_left_and_nothing_sent(as_user, ana, contact, monkeypatch):
    monkeypatch.setattr(Change, "announce", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        as_user(ana).post(f"/contacts/{contact.pk}/notes/add/", {"body": "Called back"})
    assert not contact.notes.exists() and not Change.objects.exists()
