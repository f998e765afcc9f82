"""Notes: written, edited in place, pinned, deleted with a way back."""

import pytest
from django.utils import timezone

from contacts.models import Note

HTMX = {"HX-Request": "true"}


@pytest.fixture
def page(as_user, ana, contact):
    return as_user(ana)


@pytest.fixture
def note(contact, location):
    return Note.objects.create(contact=contact, location=location, remote_id="noteGate", body="Gate code 4471#")


def text(response):
    return response.content.decode()


def write(page, contact, body, headers=HTMX):
    return page.post(f"/contacts/{contact.pk}/notes/add/", {"body": body}, headers=headers)


def test_a_note_is_written_and_stands_in_the_history(page, contact, ana_in_ghl):
    response = write(page, contact, "Called back")
    note = contact.notes.get()
    assert note.body == "Called back" and note.author == ana_in_ghl
    assert contact.changes.get().verb == "create"
    assert "Called back" not in text(response)  # the composer is empty again
    history = text(page.get(f"/contacts/{contact.pk}/history/", headers=HTMX))
    assert "Called back" in history and "wrote a note" in history and "Queued" in history


def test_an_empty_note_is_not_saved(page, contact):
    response = write(page, contact, "   ")
    assert response.status_code == 422 and "nothing to save yet" in text(response)
    assert not contact.notes.exists()


def test_a_note_that_is_too_long_stays_in_the_box(page, contact):
    response = write(page, contact, "x" * 20_001)
    assert response.status_code == 422 and "too long" in text(response) and "x" * 20_001 in text(response)


def test_without_scripts_it_works_too(page, contact):
    assert write(page, contact, "Called", headers={})["Location"] == contact.get_absolute_url()
    assert "nothing to save yet" in text(write(page, contact, "", headers={}))


def test_hostile_html_is_harmless(page, contact):
    write(page, contact, "<script>alert(1)</script><b>bold</b><img src=x onerror=alert(1)>")
    history = text(page.get(f"/contacts/{contact.pk}/history/", headers=HTMX))
    assert "<b>bold</b>" in history and "alert(1)" not in history and "onerror" not in history


def test_a_long_note_is_shown_in_part(page, contact):
    write(page, contact, "word " * 400)
    assert "note__text--long" in text(page.get(f"/contacts/{contact.pk}/history/", headers=HTMX))


def test_a_note_is_edited_in_place(page, note):
    editor = text(page.get(f"/notes/{note.pk}/edit/", headers=HTMX))
    assert "<textarea" in editor and "Gate code 4471#" in editor
    response = page.post(f"/notes/{note.pk}/edit/", {"body": "Gate code 9"}, headers=HTMX)
    note.refresh_from_db()
    assert note.body == "Gate code 9"
    assert note.changes.get().values == {"body": "Gate code 9"}
    assert "Gate code 9" in text(response) and "<textarea" not in text(response)


def test_html_is_edited_as_text_and_says_what_is_lost(page, note):
    note.body = "<p>Wants <b>copper</b></p><p>Call Tuesday</p>"
    note.save()
    editor = text(page.get(f"/notes/{note.pk}/edit/", headers=HTMX))
    assert "Wants copper\nCall Tuesday</textarea>" in editor and "not the formatting" in editor
    page.post(f"/notes/{note.pk}/edit/", {"body": "Wants copper\r\nCall Tuesday"}, headers=HTMX)
    note.refresh_from_db()
    assert "<b>" in note.body and not note.changes.exists()


def test_an_emptied_note_is_not_saved(page, note):
    response = page.post(f"/notes/{note.pk}/edit/", {"body": " "}, headers=HTMX)
    assert response.status_code == 422
    note.refresh_from_db()
    assert note.body == "Gate code 4471#"


def test_without_scripts_the_editor_stands_on_the_page(page, contact):
    write(page, contact, "Called")
    note = contact.notes.get()
    address = page.get(f"/notes/{note.pk}/edit/")["Location"]
    assert f'id="note-text-{note.pk}"' in text(page.get(address))
    refused = page.post(f"/notes/{note.pk}/edit/", {"body": ""})
    assert refused.status_code == 422 and f'id="note-error-{note.pk}"' in text(refused)


def test_a_pinned_note_stands_beside_the_tasks(page, contact, note):
    page.post(f"/notes/{note.pk}/pin/", {"pinned": "true"}, headers=HTMX)
    assert "Gate code" in text(page.get(f"/contacts/{contact.pk}/pinned/", headers=HTMX))
    page.post(f"/notes/{note.pk}/pin/", {"pinned": "false"}, headers=HTMX)
    assert "Gate code" not in text(page.get(f"/contacts/{contact.pk}/pinned/", headers=HTMX))


def test_a_deleted_note_can_be_taken_back(page, note):
    response = page.post(f"/notes/{note.pk}/delete/", headers=HTMX)
    note.refresh_from_db()
    change = note.changes.get()
    assert note.deleted_at and change.not_before > timezone.now()
    assert f"/changes/{change.pk}/undo/" in text(response)
    page.post(f"/changes/{change.pk}/undo/", headers=HTMX)
    note.refresh_from_db()
    assert note.deleted_at is None


def test_without_scripts_undo_stands_on_the_page(page, contact, note):
    shown = text(page.post(f"/notes/{note.pk}/delete/", follow=True))
    assert f"/changes/{note.changes.get().pk}/undo/" in shown


def test_a_note_that_is_gone_is_not_edited(page, note):
    note.deleted_at = timezone.now()
    note.save()
    assert page.post(f"/notes/{note.pk}/edit/", {"body": "x"}, headers=HTMX).status_code == 403


def test_a_stranger_finds_no_note(as_user, cy, note):
    stranger = as_user(cy)
    assert stranger.get(f"/notes/{note.pk}/edit/").status_code == 404
    for act in ("edit", "pin", "delete"):
        assert stranger.post(f"/notes/{note.pk}/{act}/", {"body": "x"}).status_code == 404
