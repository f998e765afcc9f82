"""An agency that gave access as a whole: choose which of its locations to connect."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from contacts import access
from integrations import tasks
from integrations.access import agencies, connect
from integrations.models import Agency
from integrations.reading import sync
from rankr_dash.htmx import answer

MANY = 20  # from here on a search box helps


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def agency(request, pk):
    agency = _mine(request, pk)
    if request.method == "POST":
        return _connect(request, agency)
    places, trouble = [], ""
    try:
        places = agencies.places(agency)
    except connect.CannotConnect as refusal:
        trouble = str(refusal)
    words = request.GET.get("find", "").strip()
    chosen = set(request.GET.getlist("location"))  # a search keeps what was ticked before
    shown = [place for place in places if place.remote_id in chosen or place.matches(words)]
    context = {
        "agency": agency,
        "places": shown,
        "chosen": chosen or {place.remote_id for place in places if len(places) == 1},
        "total": len(places),
        "free": sum(place.state == agencies.FREE for place in places),
        "is_long": len(places) > MANY,
        "words": words,
        "trouble": trouble,
    }
    return answer(request, "integrations/agency.html", context, part="integrations/_agency_places.html")


@require_POST
@login_required
def forget_agency(request, pk):
    """Its locations stay connected; each has a pair of its own."""
    _mine(request, pk).delete()
    messages.success(request, _("The agency's access is forgotten here. Its connected locations stay connected."))
    return redirect("integrations:connections")


def _connect(request, agency):
    chosen = request.POST.getlist("location")
    if not chosen:
        messages.error(request, _("Choose at least one location."))
        return redirect("integrations:agency", agency.pk)
    try:
        connected, refusals = agencies.connect_places(agency, request.user, chosen)
    except connect.CannotConnect as refusal:
        connected, refusals = [], [str(refusal)]
    for connection in connected:
        tasks.ring_run(sync.start(connection))
    for sentence in refusals:
        messages.error(request, sentence)
    if connected:
        names = ", ".join(str(connection.location) for connection in connected)
        words = _("Connected: %(names)s. Contacts appear within seconds, notes follow.")
        messages.success(request, words % {"names": names})
    elif refusals:
        return redirect("integrations:agency", agency.pk)
    return redirect("integrations:connections")


def _mine(request, pk):
    return access.administered_or_404(request.user, Agency.objects.select_related("business"), pk=pk)
