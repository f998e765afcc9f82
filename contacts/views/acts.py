"""What the acts on the contact page have in common: how they find, what they refuse, how they answer."""

import json
from functools import wraps

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponseForbidden
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contacts.models import Appointment, Contact, Note, NotEditable, Task
from rankr_dash.htmx import wants_part


def edits(view):
    """A POST of somebody signed in, all of it or nothing. What the location does not allow is a 403 that says why."""

    @wraps(view)
    @require_POST
    @login_required
    def act(request, *args, **kwargs):
        try:
            with transaction.atomic():
                return view(request, *args, **kwargs)
        except NotEditable as reason:
            return refusal(request, str(reason))

    return act


def refusal(request, sentence):
    if wants_part(request):
        return HttpResponseForbidden(sentence, content_type="text/plain; charset=utf-8")
    return render(request, "contacts/not_editable.html", {"sentence": sentence}, status=403)


# --- find -------------------------------------------------------------------------------------------------------------


def contact_or_404(request, pk):
    contacts = Contact.objects.visible_to(request.user).select_related("location", "business", "company", "owner")
    return get_object_or_404(contacts, pk=pk)


def contact_to_edit(request, pk):
    """The contact, held until the edit is written, so that two edits at once cannot undo one another."""
    contacts = Contact.objects.visible_to(request.user).select_related("location", "business", "company", "owner")
    contact = get_object_or_404(held(contacts), pk=pk)
    check_editable(contact)
    return contact


def task_to_edit(request, pk):
    return _of_contact_to_edit(Task.objects.select_related("assignee"), request, pk)


def appointment_to_edit(request, pk):
    return _of_contact_to_edit(Appointment.objects.select_related("assignee", "calendar"), request, pk)


def note_to_edit(request, pk):
    return _of_contact_to_edit(Note.objects.select_related("author"), request, pk)


def _of_contact_to_edit(rows, request, pk):
    row = get_object_or_404(held(rows.visible_to(request.user).select_related("location", "contact__location")), pk=pk)
    check_editable(row.contact)
    if row.deleted_at:
        raise NotEditable(_("It has been deleted meanwhile, so it cannot be changed."))
    return row


def held(rows):
    return rows.select_for_update(of=("self",), no_key=True)


def check_editable(contact):
    if not contact.location.is_editable:
        raise NotEditable(_(contact.location.not_editable_because) or _("This connection is read-only."))
    if contact.deleted_at:
        raise NotEditable(_("This contact was deleted, so nothing about it can be changed."))


# --- answer -----------------------------------------------------------------------------------------------------------


def done(request, contact, template, context, events=("contact-changed",)):
    """The part as it is now, and a word to the other parts; a browser without htmx goes back to the page."""
    if not wants_part(request):
        return back(request, contact)
    response = render(request, template, context)
    return tell(response, events)


def tell(response, events):
    response["HX-Trigger"] = json.dumps(dict.fromkeys(events, ""))
    return response


def back(request, contact):
    """To the page the act was done on, if that is one of ours; else to the contact."""
    target = request.POST.get("next", "")
    if target and url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        return redirect(target)
    return redirect(contact)
