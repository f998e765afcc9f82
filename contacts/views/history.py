from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from contacts.views import history_parts
from contacts.views.acts import contact_or_404
from rankr_dash.htmx import wants_part

# What htmx is about to swap → the part of the history that goes there.
PARTS = {"history-more": "contacts/_contact_lines.html", "history-lines": "contacts/_contact_told.html"}


@require_safe
@login_required
def history(request, pk):
    """The lines asked for; with `after` the earlier ones, with `until` all down to where the reader had come."""
    contact = contact_or_404(request, pk)
    if not wants_part(request):
        query = request.GET.urlencode()
        return redirect(f"{contact.get_absolute_url()}?{query}" if query else contact)
    part = PARTS.get(request.headers.get("HX-Target"))
    read = history_parts.history if part else history_parts.whole_history
    context = {"contact": contact, **read(contact, params=request.GET, viewer=request.user)}
    return render(request, part or "contacts/_contact_history.html", context)
