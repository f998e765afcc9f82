"""How far an edit has come, and what can be done about one that GHL did not take."""

import pytest
from django.utils import timezone

from contacts.models import Change

HTMX = {"HX-Request": "true"}


@pytest.fixture
def page(as_user, ana, contact):
    return as_user(ana)


@pytest.fixture
def edit(contact, ana):
    """Ana's edit of the city, in some state."""
    contact.snapshot = {"city": "Gary"}
    contact.city = "Gary"
    contact.save()

    def make(state, **values):
        change = contact.edit(by=ana, city="Chicago")
        settled = None if state in Change.UNSETTLED else timezone.now()
        Change.objects.filter(pk=change.pk).update(state=state, settled_at=settled, **values)
        change.refresh_from_db()
        return change

    return make


def text(response):
    return response.content.decode()


@pytest.mark.parametrize(
    "state, word", [("queued", "Queued"), ("sending", "Sending"), ("sent", "Sent"), ("unknown", "Checking")]
)
def test_an_edit_on_its_way_asks_again(page, edit, state, word):
    change = edit(state)
    badge = text(page.get(f"/changes/{change.pk}/", headers=HTMX))
    assert word in badge and "every 2s" in badge and "field-city" not in badge


def test_a_confirmed_edit_shows_its_field_and_asks_no_more(page, edit):
    change = edit("confirmed")
    response = page.get(f"/changes/{change.pk}/", headers=HTMX)
    assert response["HX-Retarget"] == "#field-city"
    assert "Confirmed" in text(response) and "every 2s" not in text(response)


def test_a_refused_edit_says_what_happened_and_what_can_be_done(page, contact, edit):
    change = edit("refused", sentence="GHL does not know this city.", technical="PUT /contacts/1 422")
    shown = text(page.get(contact.get_absolute_url()))
    for words in ("Refused", "GHL does not know this city.", "GHL has “Gary”", "Retry", "PUT /contacts/1 422"):
        assert words in shown
    assert f"/changes/{change.pk}/keep-theirs/" in shown


def test_a_differing_edit_says_what_ghl_kept(page, contact, edit):
    edit("differs", theirs={"city": "Hammond"}, sentence="GHL kept another value.")
    shown = text(page.get(contact.get_absolute_url()))
    assert "Differs" in shown and "GHL has “Hammond”" in shown


def test_retry_queues_it_again(page, edit):
    change = edit("refused", sentence="No.")
    response = page.post(f"/changes/{change.pk}/retry/", headers=HTMX)
    change.refresh_from_db()
    assert change.state == "queued" and change.settled_at is None
    assert response["HX-Retarget"] == "#field-city" and "Queued" in text(response)


def test_keep_theirs_takes_what_ghl_has(page, contact, edit):
    change = edit("refused")
    response = page.post(f"/changes/{change.pk}/keep-theirs/", headers=HTMX)
    contact.refresh_from_db()
    assert contact.city == "Gary"
    assert Change.objects.get().state == "cancelled" and "Gary" in text(response)


def test_keep_theirs_of_a_custom_field_leaves_the_others(page, contact, ana, location):
    roof = location.custom_fields.create(remote_id="cfRoof", name="Roof", data_type="TEXT")
    contact.snapshot = {"custom_values": {"cfRoof": "Tile", "cfB": 1}}
    contact.custom_values = {"cfRoof": "Tile", "cfB": 2, "cfC": 3}
    contact.save()
    change = contact.edit(by=ana, custom_values={"cfRoof": "Metal", "cfB": 2, "cfC": 3})
    Change.objects.filter(pk=change.pk).update(state="refused", settled_at=timezone.now())
    response = page.post(f"/changes/{change.pk}/keep-theirs/", headers=HTMX)
    contact.refresh_from_db()
    assert contact.custom_values == {"cfRoof": "Tile", "cfB": 2, "cfC": 3}
    assert response["HX-Retarget"] == f"#field-custom-{roof.pk}"


def test_only_one_person_decides(page, edit):
    change = edit("refused")
    page.post(f"/changes/{change.pk}/retry/", headers=HTMX)
    response = page.post(f"/changes/{change.pk}/keep-theirs/", headers=HTMX)
    change.refresh_from_db()
    assert change.state == "queued" and "meanwhile" in text(response)


def test_without_scripts_deciding_leads_back(page, contact, edit):
    change = edit("refused")
    assert page.get(f"/changes/{change.pk}/")["Location"] == contact.get_absolute_url()
    response = page.post(f"/changes/{change.pk}/retry/", {"next": "/outbox/"})
    assert response["Location"] == "/outbox/"


def test_a_refused_deletion_stays_in_sight_until_somebody_decides(page, contact, ana, add_task):
    task = add_task(contact, "Send it", timezone.now(), remote_id="t1")
    change = task.delete_here(by=ana, undo_s=0)
    Change.objects.filter(pk=change.pk).update(state="refused", settled_at=timezone.now(), sentence="Not allowed.")
    panel = text(page.get(f"/contacts/{contact.pk}/tasks/", headers=HTMX))
    assert "Send it" in panel and "Not allowed." in panel and "GHL still has it." in panel and "Keep it" in panel
    page.post(f"/changes/{change.pk}/keep-theirs/", headers=HTMX)
    task.refresh_from_db()
    assert task.deleted_at is None


def test_a_refused_task_can_be_discarded(page, contact, ana, location):
    task = contact.tasks.model(contact=contact, location=location, title="New", due_at=timezone.now())
    change = task.create(by=ana)
    Change.objects.filter(pk=change.pk).update(state="refused", settled_at=timezone.now())
    panel = text(page.get(f"/contacts/{contact.pk}/tasks/", headers=HTMX))
    assert "It exists only here." in panel and "Discard" in panel
    response = page.post(f"/changes/{change.pk}/keep-theirs/", headers=HTMX)
    assert response["HX-Retarget"] == "#panel-tasks" and "New" not in text(response)


@pytest.mark.parametrize("kind", ["task", "note", "tags", "owner", "contact"])
def test_every_kind_of_edit_finds_its_place(page, contact, ana, dana, add_task, kind):
    if kind == "task":
        change = add_task(contact, "X", timezone.now()).edit(by=ana, title="Y")
    elif kind == "note":
        change = contact.notes.model(contact=contact, location=contact.location, body="x").create(by=ana)
    elif kind == "tags":
        change = contact.add_tags(["vip"], by=ana)
    elif kind == "owner":
        change = contact.edit(by=ana, owner=dana)
    else:
        change = contact.edit(by=ana, first_name="A", last_name="B")
    Change.objects.filter(pk=change.pk).update(state="confirmed", settled_at=timezone.now())
    place = {
        "task": f"#task-{change.task_id}", "note": f"#note-{change.note_id}", "tags": "#contact-tags",
        "owner": "#contact-owner", "contact": "#panel-fields",
    }[kind]  # fmt: skip
    response = page.get(f"/changes/{change.pk}/", headers=HTMX)
    assert response["HX-Retarget"] == place and f'id="{place[1:]}"' in text(response) and "Confirmed" in text(response)


def test_a_stranger_finds_no_change(as_user, cy, edit):
    change = edit("refused")
    stranger = as_user(cy)
    assert stranger.get(f"/changes/{change.pk}/").status_code == 404
    for act in ("retry", "keep-theirs", "undo"):
        assert stranger.post(f"/changes/{change.pk}/{act}/").status_code == 404
    change.refresh_from_db()
    assert change.state == "refused"


def test_nothing_is_sent_again_where_nothing_may_be_sent(page, location, edit):
    change = edit("refused")
    location.is_editable, location.not_editable_because = False, "The token may only read."
    location.save()
    assert page.post(f"/changes/{change.pk}/retry/", headers=HTMX).status_code == 403
    assert page.post(f"/changes/{change.pk}/keep-theirs/", headers=HTMX).status_code == 200


# --- conflicts --------------------------------------------------------------------------------------------------------


@pytest.fixture
def conflict(edit):
    return edit("conflict", theirs={"city": "Hammond"}, sentence="It was changed in GHL meanwhile.")


def test_a_conflict_shows_the_three_values_side_by_side(page, contact, conflict):
    shown = text(page.get(contact.get_absolute_url()))
    for words in ("Conflict", "changed in GHL meanwhile", "Mine", "Chicago", "Theirs", "Hammond", "Original", "Gary"):
        assert words in shown, words
    for verb in ("keep-mine", "keep-theirs", "keep-original"):
        assert f"/changes/{conflict.pk}/{verb}/" in shown


@pytest.mark.parametrize(
    "verb, state, city",
    [("keep-mine", "queued", "Chicago"), ("keep-original", "queued", "Gary"), ("keep-theirs", "cancelled", "Hammond")],
)
def test_choosing_a_side_decides(verb, state, city, page, contact, conflict):
    response = page.post(f"/changes/{conflict.pk}/{verb}/", headers=HTMX)
    conflict.refresh_from_db(), contact.refresh_from_db()
    assert (conflict.state, contact.city) == (state, city)
    assert response["HX-Retarget"] == "#field-city"
    assert conflict.before == ({"city": "Hammond"} if state == "queued" else {"city": "Gary"})


def test_a_newer_edit_takes_the_place_of_an_undecided_one(page, contact, ana, conflict):
    newer = contact.edit(by=ana, city="Joliet")
    conflict.refresh_from_db()
    assert (conflict.state, conflict.decided_by) == ("cancelled", ana)
    assert newer.before == {"city": "Hammond"}  # what Ana was shown of GHL


def test_an_edit_waiting_for_a_connection_says_so(page, contact, edit):
    edit("queued", sentence="This account is not connected to GHL at the moment.")
    assert "Waiting" in text(page.get(contact.get_absolute_url()))


def test_what_was_deleted_in_ghl_can_be_made_anew_or_discarded(page, contact, ana, add_task):
    task = add_task(contact, "Send it", timezone.now(), remote_id="t1")
    change = task.edit(by=ana, title="Send it now")
    Change.objects.filter(pk=change.pk).update(state="refused", settled_at=timezone.now(), failure="NotFound")
    panel = text(page.get(f"/contacts/{contact.pk}/tasks/", headers=HTMX))
    assert "Make it anew" in panel and "Discard" in panel
    page.post(f"/changes/{change.pk}/make-anew/", headers=HTMX)
    task.refresh_from_db()
    assert task.remote_id is None and task.changes.get(verb="create").state == "queued"
