"""The contact page as a whole: who sees it, what its head shows, deleting, and what a read-only location refuses."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from contacts import signals
from contacts.models import Change, Contact

HTMX = {"HX-Request": "true"}


@pytest.fixture
def page(as_user, ana, contact):
    """Ana's browser, and the address of Marisol."""
    client = as_user(ana)
    client.address = f"/contacts/{contact.pk}/"
    return client


def text(response):
    return response.content.decode()


def test_the_page_shows_who_it_is_and_what_is_due(page, contact, add_task, add_appointment, dana):
    contact.owner = dana
    contact.save()
    now = timezone.now()
    add_task(contact, "Get lien waiver signed", now - timedelta(days=3))
    add_appointment(contact, now + timedelta(days=2), "Site visit", status="confirmed")
    shown = text(page.get(page.address))
    for words in ("Marisol Okonkwo", "Northgate Roofing", "Dana Whitlock", "insurance", "1 overdue", "Site visit"):
        assert words in shown
    assert "https://app.gohighlevel.com/v2/location/locNorthgate0000001/contacts/detail/conMarisol0000000001" in shown
    assert 'href="tel:+13125550148"' in shown and 'href="mailto:marisol@example.com"' in shown


def test_a_contact_that_ghl_does_not_have_yet_has_no_link_to_it(page, contact):
    contact.remote_id = None
    contact.save()
    assert "app.gohighlevel.com" not in text(page.get(page.address))


def test_an_almost_empty_contact_has_a_page(page, location):
    bare = Contact.objects.create(location=location)
    assert "Unnamed contact" in text(page.get(bare.get_absolute_url()))


def test_opening_the_page_says_so(page, contact):
    opened = []
    signals.contact_opened.connect(listener := lambda contact, **_: opened.append(contact), weak=False)
    page.get(page.address)
    signals.contact_opened.disconnect(listener)
    assert opened == [contact]


def test_a_stranger_finds_nothing(as_user, cy, contact):
    stranger = as_user(cy)
    for part in ("", "title/", "state/", "fields/", "history/", "tasks/", "appointments/", "pinned/", "delete/"):
        assert stranger.get(f"/contacts/{contact.pk}/{part}").status_code == 404, part


def test_a_stranger_changes_nothing(as_user, cy, contact, add_task):
    task = add_task(contact, due_at=timezone.now())
    stranger = as_user(cy)
    for address in (
        f"/contacts/{contact.pk}/fields/city/", f"/contacts/{contact.pk}/owner/", f"/contacts/{contact.pk}/tags/add/",
        f"/contacts/{contact.pk}/tags/remove/", f"/contacts/{contact.pk}/notes/add/", f"/tasks/{task.pk}/delete/",
        f"/contacts/{contact.pk}/tasks/add/", f"/contacts/{contact.pk}/delete/", f"/tasks/{task.pk}/complete/",
        f"/tasks/{task.pk}/move/", f"/tasks/{task.pk}/edit/",
    ):  # fmt: skip
        assert stranger.post(address, {"value": "x"}).status_code == 404, address
    assert not Change.objects.exists()


def test_somebody_signed_out_is_asked_to_sign_in(client, contact):
    assert client.get(f"/contacts/{contact.pk}/")["Location"].startswith("/account/login/")


# --- owner ------------------------------------------------------------------------------------------------------------


def test_the_owner_is_changed_in_the_head(page, contact, dana):
    response = page.post(page.address + "owner/", {"assignee": dana.pk}, headers=HTMX)
    contact.refresh_from_db()
    assert contact.owner == dana
    assert contact.changes.get().values == {"owner_remote_id": dana.remote_id}
    assert "Queued" in text(response)


def test_nobody_from_elsewhere_becomes_the_owner(page, contact, second_location):
    stranger = second_location.remote_users.create(remote_id="userElsewhere", name="Elsewhere")
    response = page.post(page.address + "owner/", {"assignee": stranger.pk}, headers=HTMX)
    assert response.status_code == 422
    assert "does not work here any more" in text(response)
    assert not contact.changes.exists()


# --- delete -----------------------------------------------------------------------------------------------------------


def test_deleting_asks_first_and_can_be_undone(page, contact):
    assert "cannot give a deleted contact back" in text(page.get(page.address + "delete/"))
    response = page.post(page.address + "delete/", follow=True)
    contact.refresh_from_db()
    assert contact.deleted_at and response.status_code == 200
    assert "was deleted here" in text(response) and "Undo" in text(response)
    change = contact.changes.get()
    assert change.not_before > timezone.now()
    page.post(f"/changes/{change.pk}/undo/")
    contact.refresh_from_db()
    assert contact.deleted_at is None


def test_what_is_fetched_live_keeps_the_tab_and_the_banner_right(page, contact, add_task):
    add_task(contact, due_at=timezone.now() - timedelta(days=1))
    state = page.get(page.address + "state/").content.decode()
    assert re.search(r'id="tab-work" hx-swap-oob="true">Tasks 1 <span class="is-late">1 late', state)
    assert "contact-gone" not in state
    contact.deleted_at = timezone.now()
    contact.save()
    state = page.get(page.address + "state/").content.decode()
    assert 'id="contact-gone" hx-swap-oob="true"' in state and "This contact was deleted" in state
    whole = page.get(page.address).content.decode()
    assert whole.count('id="tab-work"') == whole.count('id="contact-gone"') == 1


def test_a_deleted_contact_is_told_not_hidden(page, contact):
    contact.deleted_at = timezone.now()
    contact.save()
    shown = text(page.get(page.address))
    assert "This contact was deleted" in shown
    assert "Save note" not in shown
    response = page.post(page.address + "fields/city/", {"value": "Berlin"}, headers=HTMX)
    assert response.status_code == 403 and "deleted" in text(response)


def test_undo_after_it_was_sent_makes_the_contact_anew(page, contact):
    page.post(page.address + "delete/")
    change = contact.changes.get()
    Change.objects.update(state="confirmed", settled_at=timezone.now())
    page.post(f"/changes/{change.pk}/undo/", follow=True)
    contact.refresh_from_db()
    assert contact.deleted_at is None
    assert contact.remote_id is None
    assert contact.changes.latest("pk").verb == "create"


# --- read-only --------------------------------------------------------------------------------------------------------


@pytest.fixture
def read_only(location):
    location.is_editable, location.not_editable_because = False, "The token may only read."
    location.save()


def test_a_read_only_location_says_why_and_offers_no_editors(page, contact, add_task, read_only):
    add_task(contact, "Call back", timezone.now())
    shown = text(page.get(page.address))
    assert "The token may only read." in shown
    for editor in ("Save note", "Add a task", "data-inline-edit", "Delete contact", "chip__remove", "Tomorrow"):
        assert editor not in shown


def test_a_read_only_location_refuses_every_act(page, contact, add_task, read_only):
    task = add_task(contact, due_at=timezone.now())
    for address in (
        "fields/city/", "owner/", "tags/add/", "tags/remove/", "notes/add/", "tasks/add/", "delete/",
        f"/tasks/{task.pk}/complete/", f"/tasks/{task.pk}/move/", f"/tasks/{task.pk}/edit/",
        f"/tasks/{task.pk}/delete/",
    ):  # fmt: skip
        address = address if address.startswith("/") else page.address + address
        for headers in ({}, HTMX):
            response = page.post(address, {"value": "x"}, headers=headers)
            assert response.status_code == 403, address
            assert "The token may only read." in text(response)
    assert not Change.objects.exists()


def test_the_same_person_elsewhere_is_linked(page, contact, second_location):
    other = Contact.objects.create(location=second_location, first_name="Marisol", email="MARISOL@example.com")
    shown = text(page.get(page.address))
    assert "Also in" in shown and other.get_absolute_url() in shown


def test_the_same_person_with_strangers_is_not(page, contact, cy):
    business = cy.businesses.get()
    location = business.locations.create(remote_id="locInitech")
    Contact.objects.create(location=location, first_name="Marisol", email="marisol@example.com")
    assert "Also in" not in text(page.get(page.address))
