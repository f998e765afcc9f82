from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from contacts.badges import Badges
from contacts.forms_contact import NoteForm
from contacts.models import Note, RemoteUser
from contacts.note_text import plain_text
from contacts.views import page
from contacts.views.acts import back, contact_or_404, contact_to_edit, done, edits, note_to_edit, tell
from contacts.views.submissions import free, submission_of, was_saved
from rankr_dash.htmx import wants_part

PART = "contacts/_contact_note.html"


@edits
def add_note(request, pk):
    contact = contact_to_edit(request, pk)
    form = NoteForm(request.POST)
    composer = {"contact": contact, "composing": "note", **page.composer(request, contact)}
    if not form.is_valid():
        return page.refused(request, contact, "contacts/_composer.html", composer | {"note_form": form})
    body, form_id = form.cleaned_data["body"], submission_of(request)
    if was_saved(request.user, contact, "note", form_id, body=body):
        return done(request, contact, "contacts/_composer.html", composer | {"said": "Note saved", "is_saved": True})
    author = RemoteUser.objects.filter(location=contact.location, user=request.user).first()
    note = Note(contact=contact, location=contact.location, body=body, author=author)
    note.create(by=request.user, submission=free(form_id, request.user))
    return done(request, contact, "contacts/_composer.html", composer | {"said": "Note saved", "is_saved": True})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit_note(request, pk):
    if request.method == "POST":
        return save_note(request, pk=pk)
    note = note_or_404(request, pk)
    if not wants_part(request):
        return redirect(f"{note.contact.get_absolute_url()}?note={note.pk}#note-{note.pk}")
    editing = "" if "cancel" in request.GET else str(note.pk)
    return render(request, PART, note_context(note, editing))


@edits
def save_note(request, pk):
    note = note_to_edit(request, pk)
    form = NoteForm(request.POST)
    if not form.is_valid():
        context = note_context(note, str(note.pk)) | {"note_edit_form": form}
        if not wants_part(request):
            context |= page.history(note.contact, params={"note": str(note.pk)})
        return page.refused(request, note.contact, PART, context)
    body = form.cleaned_data["body"].replace("\r\n", "\n")
    # Opened and saved again without a change, a note keeps its formatting.
    if body != plain_text(note.body).strip():
        note.edit(by=request.user, body=body)
    return done(request, note.contact, PART, note_context(note) | {"said": "Note saved"}, ["notes-changed"])


@edits
def pin_note(request, pk):
    note = note_to_edit(request, pk)
    is_pinned = request.POST.get("pinned") == "true"
    note.edit(by=request.user, pinned=is_pinned)
    said = "Note pinned" if is_pinned else "Note is no longer pinned"
    return done(request, note.contact, PART, note_context(note) | {"said": said}, ["notes-changed"])


@edits
def delete_note(request, pk):
    """Gone at once; GHL hears of it when the time for Undo is over."""
    note = note_to_edit(request, pk)
    change = note.delete_here(by=request.user, undo_s=settings.UNDO_S)
    if not wants_part(request):
        return back(request, note.contact)
    response = render(request, PART, note_context(note))
    response.content += page.toast(request, "Note deleted", change, "note")
    return tell(response, ["notes-changed"])


@require_safe
@login_required
def pinned(request, pk):
    contact = contact_or_404(request, pk)
    return render(request, "contacts/_contact_pinned.html", {"contact": contact, **page.pinned(contact)})


def note_or_404(request, pk):
    notes = Note.objects.visible_to(request.user).select_related("author", "contact__location", "location")
    return get_object_or_404(notes, pk=pk)


def note_context(note, editing=""):
    return {"contact": note.contact, "note": page.dress(note, Badges(note.contact), editing)}
