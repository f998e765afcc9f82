"""How a connection has been doing: what came in, what had to be put right, what it costs, what failed.

Each figure is asked for all connections at once, so that a page costs the same queries whatever their number.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from django.db import connection as database
from django.db.models import Count, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.models import Change
from integrations import gateway
from integrations.access import standing
from integrations.ghl.forecast import Forecast, forecast
from integrations.models import InboundEvent, Incident, QuarantinedEvent, SyncRun, Trouble
from integrations.monitoring import health

DAY, WEEK = timedelta(days=1), timedelta(days=7)
DAY_S = DAY.total_seconds()
OBJECTS = ("contacts", "notes", "tasks", "appointments")
APART = ("missing", "stale", "extra")  # what a check had to put right; see SyncRun.found


@dataclass
class Drift:
    """What checks found apart from GHL, by kind of record and in which way."""

    found: dict = field(default_factory=dict)  # {object: {"missing": 1, …}}

    @property
    def put_right(self):
        return sum(self.found.get(what, {}).get(way, 0) for what in self.found for way in APART)

    @property
    def unannounced(self):
        return sum(ways.get("unannounced", 0) for ways in self.found.values())

    @property
    def rows(self):
        known = [*OBJECTS, *(what for what in self.found if what not in OBJECTS)]
        return [(what.capitalize(), self.found[what]) for what in known if any(self.found.get(what, {}).values())]


@dataclass
class Checkup:
    health: health.Health
    words: standing.Words
    incidents: list
    day: Drift
    week: Drift
    events: dict  # of the last 24 hours, by outcome; "" for those not handled yet
    edits_waiting: int
    edits_undecided: int
    failures: int  # failed requests of the last 24 hours

    @property
    def connection(self):
        return self.health.connection

    @property
    def received(self):
        return sum(self.events.values())

    @property
    def events_waiting(self):
        return self.events.get("", 0)

    @property
    def events_failed(self):
        return self.events.get(InboundEvent.Outcome.FAILED, 0)

    @property
    def state(self):
        return "attention" if self.incidents and self.health.state in ("healthy", "delayed") else self.health.state

    @property
    def text(self):
        """Status in words; empty for the plain word."""
        if self.state != self.health.state:
            return ""
        return self.health.text or (self.words.title if self.words.is_notice else "")

    @property
    def needs_someone(self):
        return self.state in ("disconnected", "attention")

    @property
    def notices(self):
        """(kind, words) of what a person should know and may do something about."""
        found = [(Incident.Kind.ACCESS, self.words)] if self.words.is_notice else []
        for incident in self.incidents:
            if incident.kind != Incident.Kind.ACCESS or not self.words.is_notice:
                found.append((incident.kind, standing.of_incident(incident)))
        return found

    @property
    def last_found(self):
        return Drift(self.health.last.found) if self.health.last else None


def of(connections):
    """The checkup of each connection, worst first."""
    rows = health.of(connections)
    pks = [row.connection.pk for row in rows]
    locations = {row.connection.location_id: row.connection for row in rows}
    by_remote = [row.connection.location.remote_id for row in rows]
    day, week = _drift(pks, DAY), _drift(pks, WEEK)
    events = _events(by_remote)
    edits = _edits(list(locations))
    failures = dict(
        Trouble.objects.filter(connection__in=pks, last_at__gt=timezone.now() - DAY)
        .values_list("connection")
        .annotate(Sum("times"))
    )
    incidents: dict = {}
    for incident in _open_incidents().filter(connection__in=pks):
        incidents.setdefault(incident.connection_id, []).append(incident)
    found = [
        Checkup(
            row,
            standing.of(row.connection),
            incidents.get(row.connection.pk, []),
            day.get(row.connection.pk, Drift()),
            week.get(row.connection.pk, Drift()),
            events.get(row.connection.location.remote_id, {}),
            edits.get((row.connection.location_id, True), 0),
            edits.get((row.connection.location_id, False), 0),
            failures.get(row.connection.pk, 0),
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: health.ORDER.index(one.state))


def server_incidents():
    return [standing.of_incident(incident) for incident in _open_incidents().filter(connection=None)]


def quarantined():
    """Webhooks of the last 24 hours whose signature no key of ours fits. Nobody knows whose they are."""
    return QuarantinedEvent.objects.filter(received_at__gt=timezone.now() - DAY).count()


def troubles(connections, most):
    """The newest lines of the error log."""
    rows = Trouble.objects.filter(connection__in=connections).select_related("connection__location")
    return rows.order_by("-last_at")[:most]


def failed_events(connection, most):
    failed = InboundEvent.objects.filter(
        remote_location_id=connection.location.remote_id, outcome=InboundEvent.Outcome.FAILED
    )
    return failed.defer("body").order_by("-received_at")[:most]


@dataclass(frozen=True)
class Budget:
    """What may be sent now and today. `paused_s` says for how long nothing is sent, and `why` says why."""

    window_used: int
    window_limit: int
    window_s: float
    used_today: int
    daily_limit: int
    resets_in_s: float
    forecast: Forecast
    paused_s: float
    why: str
    is_shared: bool

    @property
    def resets_at(self):
        return timezone.now() + timedelta(seconds=self.resets_in_s)

    @property
    def runs_out_at(self):
        soon = self.forecast.runs_out_in_s
        return None if soon is None else timezone.now() + timedelta(seconds=soon)

    @property
    def paused_until(self):
        return timezone.now() + timedelta(seconds=self.paused_s) if self.paused_s else None


def budget(connection, booked_today):
    """As all processes see it; while Redis is away, what was booked is all that is known of today."""
    now = gateway.budget_of(connection).snapshot()
    peace = gateway.breaker_of(connection).state()
    used = max(now.used_today, booked_today)
    resets_in = now.day_resets_in or _until_midnight()
    held, why = now.held_for, _("GHL asked us to slow down.")
    if peace.state != "closed" and peace.opens_again_in >= held:
        held, why = peace.opens_again_in, _("GHL does not answer for this account.")
    return Budget(
        now.used_in_window, now.believed_limit, now.window, used, now.daily_limit, resets_in,
        forecast(used, DAY_S - resets_in, None, now.daily_limit, resets_in), held, why if held else "", now.shared,
    )  # fmt: skip


def _open_incidents():
    return Incident.objects.open().select_related("connection__location").order_by("opened_at")


def _drift(pks, period):
    """{connection: Drift}. What was found is summed by Postgres: a week holds thousands of runs."""
    with database.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT run.connection_id, what.key, way.key, sum((way.value #>> '{{}}')::numeric)::int
            FROM {SyncRun._meta.db_table} run,
                 jsonb_each(run.found) what,
                 jsonb_each(CASE jsonb_typeof(what.value) WHEN 'object' THEN what.value ELSE '{{}}' END) way
            WHERE run.connection_id = ANY(%s) AND run.started_at > %s AND run.found <> '{{}}'
                  AND jsonb_typeof(way.value) = 'number'
            GROUP BY 1, 2, 3
            """,  # noqa: S608, the table's name is our own
            [pks, timezone.now() - period],
        )
        rows = cursor.fetchall()
    found: dict = {}
    for connection_id, what, way, count in rows:
        found.setdefault(connection_id, Drift()).found.setdefault(what, {})[way] = count
    return found


def _events(locations):
    counted = (
        InboundEvent.objects.filter(remote_location_id__in=locations, received_at__gt=timezone.now() - DAY)
        .values_list("remote_location_id", "outcome")
        .annotate(Count("pk"))
    )
    found: dict = {}
    for location, outcome, count in counted:
        found.setdefault(location, {})[outcome] = count
    return found


def _edits(locations):
    """{(location, is it on its way): how many}; the others wait for a person's decision."""
    counted = (
        Change.objects.filter(location__in=locations, state__in=[*Change.UNSETTLED, *Change.UNDECIDED])
        .values_list("location", "state")
        .annotate(Count("pk"))
    )
    found: dict = {}
    for location, state, count in counted:
        key = (location, state in Change.UNSETTLED)
        found[key] = found.get(key, 0) + count
    return found


def _until_midnight():
    now = timezone.now()
    return (now.replace(hour=0, minute=0, second=0, microsecond=0) + DAY - now).total_seconds()
