from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from contacts.views import page
from contacts.views.acts import contact_or_404
from rankr_dash.htmx import wants_part


@require_safe
@login_required
def history(request, pk):
    """The lines of one kind; with `after` the earlier ones, with `until` all down to where the reader had come."""
    contact = contact_or_404(request, pk)
    if not wants_part(request):
        query = request.GET.urlencode()
        return redirect(f"{contact.get_absolute_url()}?{query}" if query else contact)
    context = {"contact": contact, **page.history(contact, params=request.GET)}
    is_page = request.headers.get("HX-Target") == "history-more"
    return render(request, "contacts/_contact_lines.html" if is_page else "contacts/_contact_history.html", context)
