from django.contrib.auth.decorators import login_required
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from contacts.day.dates import Days, day_named
from contacts.history import printed
from contacts.views.acts import contact_or_404


@require_safe
@login_required
def print_history(request, pk):
    """The whole history of a contact, or that of some days, made to be printed or kept as a PDF."""
    contact = contact_or_404(request, pk)
    first, last = (day_named(request.GET.get(name, "")) for name in ("from", "to"))
    if first and last and first > last:
        first, last = last, first
    entries, is_cut = printed.entries_of(contact, Days(first, last))
    context = {
        "contact": contact,
        "entries": entries,
        "is_cut": is_cut,
        "most": printed.MOST,
        "first": first,
        "last": last,
        "stamp_now": printed.stamp(timezone.now(), contact.location.zone),
    }
    return render(request, "contacts/printed.html", context)
