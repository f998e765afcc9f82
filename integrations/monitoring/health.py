"""How a connection is doing, in the words of the one status vocabulary."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations.access import standing
from integrations.ghl import scopes
from integrations.models import Connection, InboundEvent, SyncRun, Usage
from integrations.monitoring.backlog import in_words

ORDER = ["disconnected", "attention", "delayed", "catching_up", "paused", "healthy"]
DAILY_LIMIT = 200_000
LATE_AFTER = 3  # missed turns of the schedule before we call a connection delayed


@dataclass
class Health:
    """One connection as the pages show it. `state` is a word of templates/ui/_status.html."""

    connection: Connection
    run: SyncRun | None
    last: SyncRun | None
    used_today: int
    retries_today: int
    last_webhook_at: datetime | None

    @property
    def state(self):
        access = standing.of(self.connection).state
        if access == "disconnected" or not self.connection.is_active:
            return access
        if self.run and (self.run.kind == "full" or self.last is None):
            return "catching_up"
        return "delayed" if self.is_late and access == "healthy" else access

    @property
    def is_late(self):
        if self.last is None:
            return False
        return self.last.started_at < timezone.now() - timedelta(seconds=settings.SYNC_EVERY_S * LATE_AFTER)

    @property
    def text(self):
        """Status in words; empty for the plain word."""
        if self.state == "catching_up" and self.run and self.run.total:
            left = max(0, self.run.total - self.run.done)
            words = _("Catching up, %(left)s left, ~%(minutes)s min") if left else _("Catching up, %(left)s left")
            return words % {"left": f"{left:,}", "minutes": self.seconds_left // 60 + 1}
        if self.state == "delayed" and self.last:
            seconds = int((timezone.now() - self.last.started_at).total_seconds())
            return _("Delayed, %(time)s behind") % {"time": in_words(seconds)}
        return ""

    @property
    def seconds_left(self):
        """What the rest of this phase takes at the rate GHL allows."""
        if not self.run or not self.run.total:
            return 0
        per_second = settings.GHL_RATE_LIMIT / settings.GHL_RATE_WINDOW_S
        requests = self.run.total - self.run.done if self.run.phase == SyncRun.Phase.NOTES else 1
        return int(requests / per_second)

    @property
    def progress_end(self):
        """What the run has spent, and how long the rest of its phase takes at the rate GHL allows."""
        if self.run is None:
            return ""
        if self.seconds_left:
            words = _("%(requests)s requests so far, %(left)s left today, about %(minutes)s min to go")
        else:
            words = _("%(requests)s requests so far, %(left)s left today")
        minutes = self.seconds_left // 60 + 1
        return words % {"requests": f"{self.run.requests:,}", "left": f"{self.left_today:,}", "minutes": minutes}

    @property
    def phase_number(self):
        phases = [phase.value for phase in SyncRun.Phase][:-1]
        if self.run is None or self.run.phase not in phases:
            return ""
        return _("phase %(number)s of %(total)s") % {
            "number": phases.index(self.run.phase) + 1,
            "total": len(phases),
        }

    @property
    def missing_scopes(self):
        return scopes.missing(self.connection.scopes)

    @property
    def wanted_scopes(self):
        return len(scopes.WANTED)

    @property
    def granted_scopes(self):
        return self.wanted_scopes - len(self.missing_scopes)

    @property
    def access(self):
        """How we get in and for how long, in a few words."""
        connection = self.connection
        if connection.kind == Connection.Kind.PIT:
            days = (timezone.now() - connection.token_obtained_at).days
            return ngettext("Token, %(count)s day old", "Token, %(count)s days old", days) % {"count": days}
        ends = connection.is_losing_access
        at = connection.expires_at if ends else connection.renew_at
        if not connection.is_active or at is None:
            return connection.get_status_display()
        hours = max(0, int((at - timezone.now()).total_seconds() // 3600))
        if not hours:
            return _("Ends within the hour") if ends else _("Renews within the hour")
        return (_("Ends in %(hours)s h") if ends else _("Renews in %(hours)s h")) % {"hours": hours}

    @property
    def left_today(self):
        return max(0, DAILY_LIMIT - self.used_today)

    @property
    def needs_someone(self):
        return self.state in ("disconnected", "attention")


def of(connections):
    """The health of each connection, worst first."""
    heard = InboundEvent.objects.filter(remote_location_id=OuterRef("location__remote_id")).order_by("-received_at")
    newest = Subquery(heard.values("received_at")[:1])  # the index's first entry, whatever has come in so far
    connections = list(connections.select_related("location__business").annotate(last_webhook_at=newest))
    today = {usage.connection_id: usage for usage in Usage.objects.filter(connection__in=connections, day=_today())}
    running = {run.connection_id: run for run in _runs(connections).filter(finished_at=None)}
    finished = _runs(connections).filter(outcome=SyncRun.Outcome.COMPLETE).order_by("connection", "-started_at")
    last = {run.connection_id: run for run in finished.distinct("connection")}
    rows = [
        Health(
            connection,
            running.get(connection.pk),
            last.get(connection.pk),
            today[connection.pk].requests if connection.pk in today else 0,
            today[connection.pk].retries if connection.pk in today else 0,
            connection.last_webhook_at,
        )
        for connection in connections
    ]
    return sorted(rows, key=lambda health: (ORDER.index(health.state), str(health.connection.location)))


def _runs(connections):
    return SyncRun.objects.filter(connection__in=connections).exclude(kind=SyncRun.Kind.CONTACT)


def _today():
    return timezone.now().date()
