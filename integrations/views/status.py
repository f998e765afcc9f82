"""Fragments that pages of contacts hold a place for: how the connection does, how fresh a panel is."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from contacts import access
from contacts.models import Contact, ContactFreshness
from integrations import tasks
from integrations.access import incidents
from integrations.models import Connection, SyncRun
from integrations.monitoring import health
from integrations.reading import sync

LATE_AFTER_S = 30 * 60
MOST_BANNERS = 3
PANELS = {
    "record": ("record_at", "contacts_checked_at"),
    "notes": ("notes_at", "notes_checked_at"),
    "tasks": ("tasks_at", "tasks_checked_at"),
    "appointments": ("appointments_at", "appointments_checked_at"),
}


@login_required
@require_safe
def status(request):
    """The worst state among the connections in view, for the top bar."""
    rows = health.of(access.in_scope(request, Connection.objects, "location__business"))
    return render(request, "integrations/_status.html", {"row": rows[0] if rows else None})


@login_required
@require_safe
def banner(request):
    """What is wrong with the connections in view, if anything: what happened, what it costs, one action."""
    notices = incidents.notices(access.in_scope(request, Connection.objects, "location__business"))
    administered = set(Connection.objects.administered_by(request.user).values_list("pk", flat=True))
    most = len(notices) if len(notices) <= MOST_BANNERS else MOST_BANNERS - 1
    context = {"notices": notices[:most], "more": len(notices) - most, "administered": administered}
    return render(request, "integrations/_banner.html", context)


@login_required
@require_safe
def contact_status(request, pk):
    """How the connection does that this person comes by."""
    contact = get_object_or_404(Contact.objects.visible_to(request.user), pk=pk)
    rows = health.of(Connection.objects.filter(location=contact.location_id))
    return render(request, "integrations/_status.html", {"row": rows[0] if rows else None})


@login_required
@require_safe
def contact_freshness(request, pk, panel):
    if panel not in PANELS:
        raise Http404
    contact = get_object_or_404(Contact.objects.visible_to(request.user).select_related("location"), pk=pk)
    return _freshness(request, contact, panel)


@login_required
@require_POST
def refresh_contact(request, pk):
    """Read this person from GHL again, now."""
    contact = get_object_or_404(Contact.objects.visible_to(request.user).select_related("location"), pk=pk)
    run = sync.start_contact(contact)
    if run:
        tasks.ring_run(run)
    if not request.htmx:
        return redirect(contact)
    return HttpResponse(status=204, headers={"HX-Trigger": "contact-refreshing"})


def _freshness(request, contact, panel):
    own, whole = PANELS[panel]
    freshness = ContactFreshness.objects.filter(contact=contact).first()
    stamps = [getattr(freshness, own, None), getattr(contact.location, whole)]
    checked_at = max((stamp for stamp in stamps if stamp), default=None)
    reading = SyncRun.objects.unfinished().filter(contact=contact).exists()
    late = checked_at is not None and (timezone.now() - checked_at).total_seconds() > LATE_AFTER_S
    context = {"contact": contact, "panel": panel, "checked_at": checked_at, "reading": reading, "late": late}
    response = render(request, "integrations/_freshness.html", context)
    if request.GET.get("was") == "reading" and not reading:
        response["HX-Trigger"] = "contact-refreshed"
    return response
