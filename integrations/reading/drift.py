"""How far our copy had drifted from GHL when it was compared, and whether GHL's webhooks had told us.

Every reconciling run books what it had to put right. What a webhook might still announce is judged by the next run: a
record is unannounced when no webhook named it, or its contact, since the run before began.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from integrations.access import incidents
from integrations.models import Connection, InboundEvent, Incident, SyncRun

USUAL_DELAY = timedelta(minutes=2)  # so long a webhook may be on its way without anybody calling it late
LONGEST_LIST = 500
DAY = timedelta(days=1)
# A gap: so many changes of a day were found by reconciliation only, by more than one run, and they are so large a part.
GAP_FROM, GAP_RUNS, GAP_PERCENT = 3, 2, 20
CALM = timedelta(hours=6)
# GHL sends nothing when only these move.
SILENT = {"company_remote_id", "type", "time_zone", "dnd_settings", "contact"}
KINDS = ("Contact", "Note", "Task", "Appointment")


def book(run, phase, merged):
    """Add what one page put right to the run's figures. The caller saves `run.found` with the page."""
    if run.kind not in (SyncRun.Kind.RECENT, SyncRun.Kind.NIGHTLY) or not merged.surprises:
        return
    found = dict(run.found.get(phase, {}))
    waiting = list(found.get("waiting", []))
    late = timezone.now() - USUAL_DELAY
    for surprise in merged.surprises:
        is_fresh = surprise.at is not None and surprise.at > late
        if not is_fresh:
            found[surprise.fate] = found.get(surprise.fate, 0) + 1
        if _is_announced_by_ghl(phase, surprise) and len(waiting) < LONGEST_LIST:
            waiting.append([surprise.remote_id, surprise.contact_remote_id, surprise.fate if is_fresh else ""])
    if waiting:
        found["waiting"] = waiting
    run.found = {**run.found, phase: found}


def _is_announced_by_ghl(phase, surprise):
    if surprise.fate != "stale":
        return True
    if phase == "tasks":  # there is no TaskUpdate; a task that is done is told
        return surprise.keys == {"completed"}
    return bool(surprise.keys - SILENT)


def judge(run):
    """Look again at what the run before had found: has a webhook come meanwhile? The figures go into this run."""
    before = _finished(run.connection).exclude(pk=run.pk).order_by("-started_at").first()
    if before is None or not gets_webhooks(run.connection):
        return
    since = _finished(run.connection).filter(started_at__lt=before.started_at).order_by("-started_at").first()
    told = _told(run.connection, (since.started_at if since else before.started_at - DAY) - USUAL_DELAY)
    for phase, figures in before.found.items():
        waiting = figures.get("waiting", [])
        ids = {pk for entry in waiting for pk in entry[:2]}
        named = set(told.filter(record_id__in=ids).values_list("record_id", flat=True))
        found = dict(run.found.get(phase, {}))
        for remote_id, contact_remote_id, fate in waiting:
            if remote_id not in named and contact_remote_id not in named:
                found["unannounced"] = found.get("unannounced", 0) + 1
                if fate:
                    found[fate] = found.get(fate, 0) + 1
        if found:
            run.found = {**run.found, phase: found}


def watch_for_gap(connection):
    """Open or close the incident about missing webhooks, by the figures of the last day."""
    if not gets_webhooks(connection):
        return
    seen = announcements(connection)
    if seen.is_gap:
        incidents.open_incident(
            connection,
            Incident.Kind.GAP,
            f"{seen.unannounced} changes of the last 24 hours were found by reconciliation only: GHL's webhooks about"
            " them did not reach us. Nothing is lost, but changes arrive minutes late.",
        )
    elif not seen.last_gap or (
        seen.last_gap < timezone.now() - CALM and seen.last_webhook and seen.last_webhook > seen.last_gap
    ):
        incidents.close_incident(connection, Incident.Kind.GAP)


@dataclass(frozen=True)
class Announcements:
    """What webhooks told of a connection's last day, and what only reconciliation found."""

    last_webhook: datetime | None
    announced: int
    unannounced: int
    runs: int
    last_gap: datetime | None

    @property
    def is_gap(self):
        moved = self.announced + self.unannounced
        many = self.unannounced >= GAP_FROM and self.runs >= GAP_RUNS
        return many and self.unannounced * 100 >= GAP_PERCENT * moved


def announcements(connection):
    since = timezone.now() - DAY
    runs = _finished(connection).filter(started_at__gt=since).order_by("-started_at")
    gaps = []
    for started_at, found in runs.exclude(found={}).values_list("started_at", "found"):
        if number := sum(figures.get("unannounced", 0) for figures in found.values()):
            gaps.append((started_at, number))
    events = InboundEvent.objects.filter(remote_location_id=connection.location.remote_id)
    announced = _told(connection, since).values("record_id").distinct().count() if gaps else 0
    return Announcements(
        events.order_by("-received_at").values_list("received_at", flat=True).first(),
        announced,
        sum(number for _, number in gaps),
        len(gaps),
        gaps[0][0] if gaps else None,
    )


def gets_webhooks(connection):
    """A Private Integration Token gets none, and an app only where somebody has entered our address."""
    location = connection.location.remote_id
    return (
        connection.kind == Connection.Kind.OAUTH and InboundEvent.objects.filter(remote_location_id=location).exists()
    )


def _told(connection, since):
    events = InboundEvent.objects.filter(remote_location_id=connection.location.remote_id, received_at__gte=since)
    return events.filter(kind__regex=f"^({'|'.join(KINDS)})")


def _finished(connection):
    return connection.sync_runs.exclude(kind=SyncRun.Kind.CONTACT).exclude(finished_at=None)
