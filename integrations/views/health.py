"""How the connections do, for those who look after them; for everyone else these pages do not exist."""

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from contacts import access
from contacts.models import Business, Change
from contacts.wording import what_of
from integrations.models import Connection, OutgoingHook
from integrations.monitoring import checkup
from integrations.monitoring.backlog import backlog
from integrations.news.replay import replay
from integrations.reading import absence
from rankr_dash.htmx import answer

LATEST, LOG_LINES, FAILED, REFUSED = 6, 40, 20, 6
PERIODS = {
    "1": gettext_lazy("the last hour"),
    "24": gettext_lazy("the last 24 hours"),
    "168": gettext_lazy("the last 7 days"),
}


@login_required
@require_safe
def health(request):
    if not Business.objects.administered_by(request.user).exists():
        raise Http404
    connections = _administered(request)
    rows = checkup.of(connections)
    mine = [row.connection.pk for row in rows]
    context = {
        "rows": rows,
        "troubled": sum(row.needs_someone for row in rows),
        "backlog": backlog(),
        "server_incidents": checkup.server_incidents(),
        "quarantined": checkup.quarantined(),
        "troubles": checkup.troubles(mine, LATEST),
        "undecided": sum(row.edits_undecided for row in rows),
        "waiting": sum(row.edits_waiting for row in rows),
        "deaf_hooks": OutgoingHook.objects.administered_by(request.user).deaf(),
        "now": timezone.now(),
    }
    return answer(request, "integrations/health.html", context, part="integrations/_health.html")


@login_required
@require_safe
def connection_health(request, pk):
    connection = _mine(request, pk)
    (row,) = checkup.of(Connection.objects.filter(pk=connection.pk))
    context = {
        "row": row,
        "connection": row.connection,
        "backlog": backlog(),
        "budget": checkup.budget(row.connection, row.health.used_today),
        "troubles": checkup.troubles([pk], LOG_LINES),
        "failed_events": checkup.failed_events(connection, FAILED),
        "refused": _refused(connection),
        "periods": PERIODS,
        "now": timezone.now(),
    }
    template = "integrations/connection_health.html"
    return answer(request, template, context, part="integrations/_connection_health.html")


@login_required
@require_POST
def replay_events(request, pk):
    """All failed webhooks of a period once more."""
    connection = _mine(request, pk)
    hours = request.POST.get("hours", "168")
    if hours not in PERIODS:
        raise Http404
    again = replay(connection, request.user, since=timezone.now() - timedelta(hours=int(hours)))
    return _replayed(request, connection, again)


@login_required
@require_POST
def replay_event(request, pk, event_pk):
    connection = _mine(request, pk)
    return _replayed(request, connection, replay(connection, request.user, pk=event_pk))


@login_required
@require_POST
def accept_losses(request, pk):
    """What GHL no longer lists is really gone there."""
    connection = _mine(request, pk)
    if absence.accept(connection, request.user):
        messages.success(request, _("The next nightly check asks GHL about each of them, and removes what it denies."))
    return redirect("integrations:connection_health", connection.pk)


def _replayed(request, connection, again):
    if again:
        words = ngettext("%(n)s webhook is looked at again.", "%(n)s webhooks are looked at again.", again)
        messages.success(request, words % {"n": again})
    else:
        messages.info(request, _("None has failed any more: they are being looked at, or are done."))
    return redirect("integrations:connection_health", connection.pk)


def _administered(request):
    return access.in_scope(request, Connection.objects, "location__business").administered_by(request.user)


def _mine(request, pk):
    return access.administered_or_404(request.user, Connection.objects.select_related("location__business"), pk=pk)


def _refused(connection):
    """The newest edits that wait for a decision."""
    changes = Change.objects.undecided().filter(location=connection.location)
    changes = changes.select_related("contact", "task", "note", "location__business", "made_by")
    changes = list(changes.order_by("-settled_at", "-pk")[:REFUSED])
    for change in changes:
        change.what = what_of(change)
    return changes
