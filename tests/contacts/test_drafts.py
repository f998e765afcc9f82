"""What is typed and not sent: kept for its writer alone, gone when it is sent, back when that is undone."""

import pytest
from django.utils import timezone

from contacts.models import Draft, Note
from contacts.models.draft import LONGEST

HTMX = {"HX-Request": "true"}


@pytest.fixture
def page(as_user, ana, contact):
    return as_user(ana)


@pytest.fixture
def note(contact, location):
    return Note.objects.create(contact=contact, location=location, remote_id="noteGate", body="Gate code 4471#")


def text(response):
    return response.content.decode()


def keep(page, contact, kind="note", **values):
    return page.post(f"/contacts/{contact.pk}/drafts/{kind}/", values, headers=HTMX)


def edit(page, note, body, **values):
    return page.post(f"/notes/{note.pk}/draft/", {"body": body, **values}, headers=HTMX)


def composer(page, contact):
    return text(page.get(f"/contacts/{contact.pk}/composer/", headers=HTMX))


def test_what_is_typed_is_kept_and_stands_there_again(page, contact):
    said = keep(page, contact, body="Lakeshore called")
    assert said["Content-Type"].startswith("text/plain") and text(said).startswith("Draft saved ")
    shown = text(page.get(contact.get_absolute_url()))
    assert "Lakeshore called</textarea>" in shown and "Draft saved " in shown


def test_it_survives_signing_out(page, contact, ana, as_user):
    keep(page, contact, body="Lakeshore called")
    page.logout()
    assert "Lakeshore called</textarea>" in composer(as_user(ana), contact)


def test_each_kind_has_its_own_and_the_last_one_is_in_front(page, contact):
    keep(page, contact, body="A note")
    keep(page, contact, "task", title="A task", body="", due="2031-05-05T10:00", assignee="")
    keep(page, contact, "call", body="A call", outcome="Busy", minutes="12")
    shown = composer(page, contact)
    for words in (
        "A note</textarea>",
        "A task</textarea>",
        "2031-05-05T10:00",
        "A call</textarea>",
        '<option value="Busy" selected>Busy',
    ):
        assert words in shown
    assert 'id="compose-call" autocomplete="off" checked' in shown


def test_typing_on_keeps_one_draft(page, contact):
    for words in ("L", "La", "Lakeshore"):
        keep(page, contact, body=words)
    assert Draft.objects.get().texts == {"body": "Lakeshore"}


def test_an_emptied_box_keeps_nothing(page, contact):
    keep(page, contact, body="Lakeshore")
    assert text(keep(page, contact, body="  ")) == "" and not Draft.objects.exists()


def test_a_task_form_that_nobody_touched_is_no_draft(page, contact):
    keep(page, contact, "task", title="", body="", due="2031-05-05T10:00", assignee="3")
    assert not Draft.objects.exists()


@pytest.mark.parametrize(
    "words", ["word " * 4000, "تم الاتصال 🏠", "a\x00b", "<script>alert(1)</script>", "x" * LONGEST]
)
def test_ugly_texts_are_kept(page, contact, words):
    assert keep(page, contact, body=words).status_code == 200
    assert Draft.objects.get().body == words.replace("\x00", "")
    assert "<script>alert(1)" not in composer(page, contact)


def test_what_no_hand_types_is_refused_with_a_sentence(page, contact):
    answer = keep(page, contact, body="x" * (LONGEST + 1))
    assert answer.status_code == 400 and "too long" in text(answer)


def test_a_kind_that_does_not_exist_is_not_found(page, contact):
    assert keep(page, contact, "letter", body="x").status_code == 404


def test_what_is_sent_is_no_draft_any_more(page, contact):
    keep(page, contact, body="Lakeshore called")
    keep(page, contact, "task", title="A task")
    answer = page.post(f"/contacts/{contact.pk}/notes/add/", {"body": "Lakeshore called"}, headers=HTMX)
    assert Draft.objects.get().kind == "task"
    assert "Lakeshore called</textarea>" not in text(answer) and "A task</textarea>" in text(answer)
    page.post(f"/contacts/{contact.pk}/tasks/add/", {"title": "A task", "due": "2031-05-05T10:00"}, headers=HTMX)
    assert not Draft.objects.exists()


def test_what_could_not_be_sent_stays_a_draft(page, contact):
    keep(page, contact, body="x" * 20_001)
    assert page.post(f"/contacts/{contact.pk}/notes/add/", {"body": "x" * 20_001}, headers=HTMX).status_code == 422
    assert Draft.objects.exists()


def test_undo_gives_the_text_back_above_what_was_typed_since(page, contact):
    answer = page.post(f"/contacts/{contact.pk}/notes/add/", {"body": "Lakeshore called"}, headers=HTMX)
    change = contact.changes.get()
    assert f"/changes/{change.pk}/undo/" in text(answer)
    keep(page, contact, body="And")
    undone = page.post(f"/changes/{change.pk}/undo/", headers=HTMX)
    assert "draft-changed" in undone["HX-Trigger"]
    assert "Lakeshore called\n\nAnd</textarea>" in composer(page, contact)
    assert not contact.notes.filter(deleted_at=None).exists()


def test_a_colleague_who_undoes_gets_no_draft(page, contact, max_, as_user):
    page.post(f"/contacts/{contact.pk}/notes/add/", {"body": "Lakeshore called"}, headers=HTMX)
    as_user(max_).post(f"/changes/{contact.changes.get().pk}/undo/", headers=HTMX)
    assert not Draft.objects.exists()


def test_discarding_empties_the_box(page, contact):
    keep(page, contact, body="Lakeshore called")
    shown = text(page.post(f"/contacts/{contact.pk}/drafts/note/discard/", {"body": "Lakeshore called"}, headers=HTMX))
    assert "Lakeshore" not in shown and not Draft.objects.exists()


def test_it_is_kept_where_nothing_can_be_sent(page, contact, location):
    location.is_editable = False
    location.save()
    assert keep(page, contact, body="Lakeshore called").status_code == 200


# --- who may not ------------------------------------------------------------------------------------------------------


def test_nobody_else_sees_it(page, contact, note, max_, ada, as_user):
    keep(page, contact, body="My secret")
    edit(page, note, "My other secret")
    for colleague in (max_, ada):
        client = as_user(colleague)
        for address in ("", "composer/", "history/"):
            assert "secret" not in text(client.get(f"/contacts/{contact.pk}/{address}", headers=HTMX)), address
        assert "secret" not in text(client.get(f"/notes/{note.pk}/edit/", headers=HTMX))
        client.post(f"/contacts/{contact.pk}/drafts/note/discard/", headers=HTMX)
        client.post(f"/notes/{note.pk}/draft/discard/", headers=HTMX)
    assert Draft.objects.count() == 2 and not contact.changes.exists()


def test_a_stranger_leaves_none(as_user, cy, contact, note):
    stranger = as_user(cy)
    assert keep(stranger, contact, body="x").status_code == edit(stranger, note, "x").status_code == 404
    assert not Draft.objects.exists()


def test_who_left_sees_their_own_no_more(page, contact, ana, northgate):
    keep(page, contact, body="Lakeshore")
    northgate.memberships.filter(user=ana).delete()
    assert page.get(f"/contacts/{contact.pk}/composer/", headers=HTMX).status_code == 404
    assert not Draft.objects.visible_to(ana).exists()


# --- of a note that exists --------------------------------------------------------------------------------------------


def test_an_edit_that_was_begun_says_so_and_goes_on(page, contact, note, add_event):
    add_event(contact, "note_added", note=note)
    edit(page, note, "Gate code 9")
    assert "You have begun to change this" in text(page.get(contact.get_absolute_url()))
    editor = text(page.get(f"/notes/{note.pk}/edit/", headers=HTMX))
    assert "Gate code 9</textarea>" in editor and "changed meanwhile" not in editor


def test_text_that_says_what_the_note_says_is_no_edit(page, note):
    edit(page, note, "Gate code 9")
    assert text(edit(page, note, "Gate code 4471# ")) == "" and not Draft.objects.exists()


def test_saving_the_note_ends_its_draft(page, note):
    edit(page, note, "Gate code 9")
    page.post(f"/notes/{note.pk}/edit/", {"body": "Gate code 9"}, headers=HTMX)
    assert not Draft.objects.exists()


def test_a_note_that_somebody_changed_meanwhile_is_not_overwritten_unseen(page, note):
    base = base_in(text(page.get(f"/notes/{note.pk}/edit/", headers=HTMX)))
    edit(page, note, "Gate code 9", base=base)
    Note.objects.filter(pk=note.pk).update(body="Gate code 5, says Priya")
    answer = page.post(f"/notes/{note.pk}/edit/", {"body": "Gate code 9", "base": base}, headers=HTMX)
    assert answer.status_code == 409
    assert "changed meanwhile" in text(answer) and "Gate code 5, says Priya" in text(answer)
    assert "Gate code 9</textarea>" in text(answer)
    note.refresh_from_db()
    assert note.body == "Gate code 5, says Priya"
    page.post(f"/notes/{note.pk}/edit/", {"body": "Gate code 9", "base": base_in(text(answer))}, headers=HTMX)
    note.refresh_from_db()
    assert note.body == "Gate code 9"


def test_a_draft_of_an_older_text_says_so(page, note):
    edit(page, note, "Gate code 9", base=base_in(text(page.get(f"/notes/{note.pk}/edit/", headers=HTMX))))
    Note.objects.filter(pk=note.pk).update(body="Gate code 5")
    editor = text(page.get(f"/notes/{note.pk}/edit/", headers=HTMX))
    assert "changed meanwhile" in editor and "Gate code 5" in editor and "Gate code 9</textarea>" in editor
    discarded = text(page.post(f"/notes/{note.pk}/draft/discard/", headers=HTMX))
    assert "Gate code 5" in discarded and "<textarea" not in discarded and not Draft.objects.exists()


def base_in(editor):
    return editor.split('name="base" value="')[1].split('"')[0]


# --- calls ------------------------------------------------------------------------------------------------------------


def call(page, contact, **values):
    return page.post(f"/contacts/{contact.pk}/calls/add/", {"outcome": "Left voicemail", **values}, headers=HTMX)


@pytest.mark.parametrize("values, title, body", [
    ({"body": "Hello", "minutes": "6"}, "Call, 6 min, left voicemail", "Hello"),
    ({"body": "", "minutes": "", "outcome": "No answer"}, "Call, no answer", "Call, no answer"),
    ({"body": "Hi", "minutes": "0"}, "Call, left voicemail", "Hi"),
])  # fmt: skip
def test_a_call_is_a_note_with_a_title(page, contact, values, title, body):
    assert call(page, contact, **values).status_code == 200
    note = contact.notes.get()
    assert (note.title, note.body) == (title, body)
    assert contact.changes.get().values == {"title": title, "body": body}
    assert "logged a call" in text(page.get(f"/contacts/{contact.pk}/history/", headers=HTMX))


@pytest.mark.parametrize("values, sentence", [
    ({"minutes": "soon"}, "whole number"), ({"minutes": "-1"}, "less than no time"),
    ({"minutes": "1441"}, "more than a day"), ({"outcome": "Married"}, "how the call ended"),
    ({"outcome": ""}, "how the call ended"), ({"body": "x" * 20_001}, "too long"),
])  # fmt: skip
def test_what_cannot_be_a_call_stays_in_the_box(page, contact, values, sentence):
    answer = call(page, contact, **values)
    assert answer.status_code == 422 and sentence in text(answer) and not contact.notes.exists()


def test_a_call_that_came_twice_counts_once(page, contact):
    form = {"body": "Hello", "submission": "6f1c2c9e-0a0e-4a49-9ac5-2d0f5a1f3a11"}
    call(page, contact, **form)
    call(page, contact, **form)
    assert contact.notes.count() == 1


def test_pins_say_who_and_when(page, contact, note):
    page.post(f"/notes/{note.pk}/pin/", {"pinned": "true"}, headers=HTMX)
    assert "Pinned by <bdi>Ana</bdi>" in text(page.get(f"/contacts/{contact.pk}/pinned/", headers=HTMX))
    unknown = Note.objects.create(contact=contact, location=contact.location, body="From GHL", pinned=True)
    assert unknown.body in text(page.get(f"/contacts/{contact.pk}/pinned/", headers=HTMX))
    assert timezone.now() >= unknown.created_at
