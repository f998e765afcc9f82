from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from contacts.badges import Badges
from contacts.details.note_text import fingerprint, plain_text
from contacts.forms.contact import CallForm, NoteForm
from contacts.models import Note, RemoteUser
from contacts.open_pages import drafts
from contacts.open_pages.drafts import Drafts
from contacts.people import mentions
from contacts.views import history_parts, page
from contacts.views.acts import back, contact_or_404, contact_to_edit, done, edits, note_to_edit, tell
from contacts.views.submissions import free, submission_of, was_saved
from rankr_dash.htmx import wants_part

PART, COMPOSER = "contacts/_contact_note.html", "contacts/_composer.html"


@edits
def add_note(request, pk):
    contact = contact_to_edit(request, pk)
    return written(request, contact, "note", NoteForm(request.POST))


@edits
def add_call(request, pk):
    """A call is a note with a title that says how it went."""
    contact = contact_to_edit(request, pk)
    return written(request, contact, "call", CallForm(request.POST))


def written(request, contact, kind, form):
    """A new note of what the form holds, and the composer empty again. Undo gives the text back as a draft."""
    composer = {"contact": contact, **history_parts.composer(request, contact, kind)}
    if not form.is_valid():
        return page.refused(request, contact, COMPOSER, composer | {f"{kind}_form": form})
    saved = composer | {"said": _("Note saved") if kind == "note" else _("Call logged"), "is_saved": True}
    body, title, form_id = form.text(), form.title(), submission_of(request)
    drafts.clear(request.user, contact, kind)
    if was_saved(request.user, contact, "note", form_id, body=body, title=title):
        return done(request, contact, COMPOSER, saved)
    author = RemoteUser.objects.filter(location=contact.location, user=request.user).first()
    note = Note(contact=contact, location=contact.location, title=title, body=body, author=author)
    change = note.create(by=request.user, submission=free(form_id, request.user))
    mentions.keep_names(note, by=request.user)
    response = done(request, contact, COMPOSER, saved)
    if wants_part(request):
        response.content += page.toast(request, saved["said"], change, "note")
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit_note(request, pk):
    if request.method == "POST":
        return save_note(request, pk=pk)
    note = note_or_404(request, pk)
    if not wants_part(request):
        return redirect(f"{note.contact.get_absolute_url()}?note={note.pk}#note-{note.pk}")
    editing = "" if "cancel" in request.GET else str(note.pk)
    return render(request, PART, note_context(request, note, editing))


@edits
def save_note(request, pk):
    note = note_to_edit(request, pk)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return refused(request, note, {"note_edit_form": form})
    body = form.cleaned_data["body"].replace("\r\n", "\n")
    # Opened and saved again without a change, a note keeps its formatting.
    if body != plain_text(note.body).strip():
        if request.POST.get("base", fingerprint(note.body)) != fingerprint(note.body):
            return refused(request, note, {"note_edit_form": form, "is_behind": True}, status=409)
        note.edit(by=request.user, body=body)
        mentions.keep_names(note, by=request.user)
    drafts.clear_edit(request.user, note)
    return done(request, note.contact, PART, note_context(request, note) | {"said": _("Note saved")}, ["notes-changed"])


def refused(request, note, more, status=422):
    """The editor with what was typed, and why it is not saved."""
    context = note_context(request, note, str(note.pk)) | more
    if not wants_part(request):
        context |= history_parts.whole_history(note.contact, params={"note": str(note.pk)}, viewer=request.user)
    response = page.refused(request, note.contact, PART, context)
    response.status_code = status
    return response


@edits
def pin_note(request, pk):
    note = note_to_edit(request, pk)
    is_pinned = request.POST.get("pinned") == "true"
    note.edit(by=request.user, pinned=is_pinned)
    said = _("Note pinned") if is_pinned else _("Note is no longer pinned")
    return done(request, note.contact, PART, note_context(request, note) | {"said": said}, ["notes-changed"])


@edits
def delete_note(request, pk):
    """Gone at once; GHL hears of it when the time for Undo is over."""
    note = note_to_edit(request, pk)
    change = note.delete_here(by=request.user, undo_s=settings.UNDO_S)
    if not wants_part(request):
        return back(request, note.contact)
    response = render(request, PART, note_context(request, note))
    response.content += page.toast(request, _("Note deleted"), change, "note")
    return tell(response, ["notes-changed"])


@require_safe
@login_required
def pinned(request, pk):
    contact = contact_or_404(request, pk)
    return render(request, "contacts/_contact_pinned.html", {"contact": contact, **history_parts.pinned(contact)})


def note_or_404(request, pk):
    notes = Note.objects.visible_to(request.user).select_related("author", "contact__location", "location")
    return get_object_or_404(notes, pk=pk)


def note_context(request, note, editing=""):
    history_parts.dress(note, Badges(note.contact), editing, Drafts(request.user, note.contact))
    history_parts.set_off_names(note.contact, [note])
    return {"contact": note.contact, "note": note}
