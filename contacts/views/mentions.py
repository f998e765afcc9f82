from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from contacts.models import Mention
from contacts.people import mentions
from contacts.views.acts import contact_or_404, edits
from rankr_dash.htmx import wants_part


@require_safe
@login_required
def mentionable(request, pk):
    """The list that unfolds behind an @."""
    contact = contact_or_404(request, pk)
    people = [one for one in mentions.people_of(contact) if one.user_id != request.user.pk]
    return render(request, "contacts/_mentionable.html", {"people": people})


@edits
def see(request, pk):
    """The person who was named has seen it."""
    get_object_or_404(Mention.objects.visible_to(request.user), pk=pk)
    Mention.objects.filter(pk=pk).see()
    if not wants_part(request):
        return redirect("contacts:today")
    return render(request, "contacts/_today_mentions.html", {"mentions": mentions.waiting_for(request)})
