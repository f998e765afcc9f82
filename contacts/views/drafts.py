"""What is typed is kept on the server while it is typed, by and for one person alone."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from contacts.models import Draft
from contacts.open_pages import drafts
from contacts.views import history_parts
from contacts.views.acts import back, contact_or_404, edits
from contacts.views.notes import PART, note_context, note_or_404
from rankr_dash.htmx import wants_part

COMPOSER = "contacts/_composer.html"


@edits
def save_draft(request, pk, kind):
    """Says when it was saved; nothing where nothing is typed any more."""
    contact = contact_or_404(request, pk)
    return saved(drafts.save, request.user, contact, known(kind), request.POST)


@edits
def save_note_draft(request, pk):
    note = note_or_404(request, pk)
    return saved(drafts.save_edit, request.user, note, request.POST.get("body", ""), request.POST.get("base", ""))


@edits
def discard_draft(request, pk, kind):
    contact = contact_or_404(request, pk)
    drafts.clear(request.user, contact, known(kind))
    if not wants_part(request):
        return back(request, contact)
    context = {"contact": contact, **history_parts.composer(request, contact, kind)}
    return render(request, COMPOSER, context | {"said": _("Draft discarded"), "is_saved": True})


@edits
def discard_note_draft(request, pk):
    note = note_or_404(request, pk)
    drafts.clear_edit(request.user, note)
    if not wants_part(request):
        return back(request, note.contact)
    return render(request, PART, note_context(request, note) | {"said": _("Draft discarded")})


@require_safe
@login_required
def composer(request, pk):
    """The composer by itself, with the drafts as they are now."""
    contact = contact_or_404(request, pk)
    if not wants_part(request):
        return redirect(contact)
    return render(request, COMPOSER, {"contact": contact, **history_parts.composer(request, contact)})


def saved(save, *what):
    try:
        draft = save(*what)
    except drafts.TooLong as reason:
        return HttpResponseBadRequest(str(reason), content_type=PLAIN)
    return HttpResponse(drafts.said(draft), content_type=PLAIN)


PLAIN = "text/plain; charset=utf-8"


def known(kind):
    if kind not in Draft.Kind.values:
        raise Http404
    return kind
