"""Pulling from GHL.

A SyncRun is a row before it is work. Each page's rows, the cursor behind it and the lease are saved together, so that a
killed worker's run goes on at the next page. The order is by what people need: settings, all contacts, tasks,
appointments, and notes at last, since GHL gives those per contact only.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db import connection as database
from django.db.models import F, Q
from django.utils import timezone

from contacts.models import Appointment, Contact, ContactFreshness, Note, Task
from integrations import reference
from integrations.gateway import client_for
from integrations.ghl import errors, moments, payloads
from integrations.merge import merge, merge_whole, remove
from integrations.models import Connection, SyncRun
from integrations.models.leased import LeaseLost
from integrations.tokens import ConnectionParked

log = logging.getLogger(__name__)

PAGE = 500
OVERLAP = timedelta(minutes=2)  # GHL's search lags behind its records by seconds; look back further than that
PAST, FUTURE = timedelta(days=5 * 365), timedelta(days=5 * 365)
RECENT_PAST, RECENT_FUTURE = timedelta(days=30), timedelta(days=180)
READERS = 8  # notes are read side by side, so that GHL's answer time does not slow a sync below the allowed rate
BATCH = 40
STALE_AFTER = timedelta(seconds=60)
RETRY_S = (5, 15, 30, 60)
OUR_FAULT = "Something went wrong on our side while reading. The log knows more."
BULK_SCOPES = {
    "tasks": ["locations/tasks.readonly"],
    "appointments": ["calendars.readonly", "calendars/events.readonly"],
}
LANES = {"full": "backfill", "recent": "reconcile", "contact": "interactive"}


# --- starting -----------------------------------------------------------------------------------------------------


def start(connection, kind=None):
    """An unfinished run of this connection, made now unless there is one. Full until a full one was completed."""
    if kind is None:
        whole = connection.sync_runs.filter(kind=SyncRun.Kind.FULL, outcome=SyncRun.Outcome.COMPLETE).exists()
        kind = SyncRun.Kind.RECENT if whole else SyncRun.Kind.FULL
    try:
        with transaction.atomic():
            return SyncRun.objects.create(connection=connection, kind=kind)
    except IntegrityError:
        running = connection.sync_runs.unfinished().exclude(kind=SyncRun.Kind.CONTACT).first()
        return running or start(connection, kind)


def start_contact(contact, only=None):
    """A run that reads one contact again, whole or only some parts, made now unless one is under way."""
    connection = Connection.objects.working().filter(location_id=contact.location_id).first()
    if connection is None or contact.remote_id is None:
        return None
    cursor = {"parts": list(only)} if only else {}
    try:
        with transaction.atomic():
            return SyncRun.objects.create(connection=connection, kind="contact", contact=contact, cursor=cursor)
    except IntegrityError:
        return SyncRun.objects.unfinished().filter(contact=contact).first()


def is_stale(contact):
    """Nobody has looked at this contact in GHL for a minute."""
    freshness = ContactFreshness.objects.filter(contact=contact).first()
    return not (freshness and freshness.record_at and freshness.record_at > timezone.now() - STALE_AFTER)


def due_connections():
    """Working connections whose last run began long enough ago."""
    since = timezone.now() - timedelta(seconds=settings.SYNC_EVERY_S)
    busy = SyncRun.objects.exclude(kind="contact").filter(Q(finished_at=None) | Q(started_at__gt=since))
    return Connection.objects.working().exclude(pk__in=busy.values("connection"))


# --- working ------------------------------------------------------------------------------------------------------


def work(run_id):
    """Take up a run and bring it as far as possible. The run, or None when it was not ours to do."""
    if (run := SyncRun.objects.claim(run_id)) is None:
        return None
    run.work(partial(_pull, run), give_up=partial(_fail, run, OUR_FAULT))
    run.refresh_from_db()
    return run


def _pull(run):
    try:
        with client_for(run.connection, LANES[run.kind]) as client:
            _Pull(run, client).go()
    except ConnectionParked as parked:
        _fail(run, str(parked) or parked.plain)
    except (errors.ScopeMissing, errors.LocationDenied) as refused:
        run.connection.park(Connection.Status.NEEDS_REAUTH, refused.plain)
        _fail(run, refused.plain)
    except errors.GhlError as trouble:
        wait = trouble.retry_after or RETRY_S[min(run.attempts, len(RETRY_S)) - 1]
        log.warning("sync %s: stopped for %s s: %s", run.pk, wait, type(trouble).__name__)
        run.release(next_at=timezone.now() + timedelta(seconds=wait), stop_reason=trouble.plain)


def _fail(run, reason):
    run.release(finished_at=timezone.now(), outcome=SyncRun.Outcome.FAILED, stop_reason=reason)


class _Pull:
    def __init__(self, run, client):
        self.run, self.client = run, client
        self.connection, self.location = run.connection, run.connection.location
        self.requests_before = run.requests

    def go(self):
        if self.run.kind == SyncRun.Kind.CONTACT:
            self.contact()
            return self.finish()
        phases = list(SyncRun.Phase)[:-1]
        for phase in phases[phases.index(self.run.phase) :]:
            if self.run.phase != phase:
                self.save(phase=phase, cursor=self._kept_cursor())
            self.phase(phase)
        self.finish()

    def phase(self, name):
        """One phase. A scope that was taken from us meanwhile costs its bulk reads, not the sync."""
        try:
            getattr(self, name)()
        except errors.ScopeMissing:
            if name not in BULK_SCOPES:
                raise
            self.connection.lose_scopes(*BULK_SCOPES[name])

    def finish(self):
        self.save(
            phase=SyncRun.Phase.DONE, outcome=SyncRun.Outcome.COMPLETE, finished_at=timezone.now(),
            lease_until=None, stop_reason="",
        )  # fmt: skip

    def save(self, **values):
        """Write the run's progress; inside a page's transaction it stands or falls with the page."""
        if "lease_until" not in values:
            values["lease_until"] = timezone.now() + timedelta(seconds=settings.WORK_LEASE_S)
        values["requests"] = self.requests_before + self.client.transport.requests_sent
        values["strikes"] = 0  # what gets on is not poison
        if not self.run.mine().update(**values):
            raise LeaseLost
        for name, value in values.items():
            setattr(self.run, name, value)

    def count(self, done, total=None):
        phase = self.run.counts.get(self.run.phase, {"done": 0, "total": 0})
        phase = {"done": phase["done"] + done, "total": phase["total"] if total is None else total}
        return {**self.run.counts, self.run.phase: phase}

    def can(self, part):
        """Whether this part can be read for the whole location at once."""
        return all(self.connection.has_scope(scope) for scope in BULK_SCOPES[part])

    @property
    def is_full(self):
        return self.run.kind == SyncRun.Kind.FULL

    def _kept_cursor(self):
        return {key: self.run.cursor[key] for key in ("touched", "walks") if key in self.run.cursor}

    def _done(self, **stamps):
        for field, value in stamps.items():
            setattr(self.location, field, value)
        self.location.save(update_fields=list(stamps))

    # --- phases ---------------------------------------------------------------------------------------------------

    def reference(self):
        done = reference.read(self.client, self.connection, self.location)
        self.save(counts=self.count(done, done))

    def contacts(self):
        """Newest first, by a cursor that stays put while rows change; later changes are the next run's."""
        filters, sort = None, [{"field": "dateAdded", "direction": "desc"}]
        if not self.is_full:
            since = self._last_start() - OVERLAP
            filters = [{"field": "dateUpdated", "operator": "range", "value": {"gte": moments.iso(since)}}]
            sort = [{"field": "dateUpdated", "direction": "asc"}]
        seen, unbroken = set(), "after" not in self.run.cursor
        total = None
        while True:
            page = self.client.search_contacts(
                page_limit=PAGE, search_after=self.run.cursor.get("after"), filters=filters, sort=sort
            )
            total = page.total if total is None else total
            rows = [payloads.contact_values(row) for row in page.rows]
            seen |= {row["remote_id"] for row in rows}
            with transaction.atomic():
                merged = merge(self.location, Contact, rows)
                cursor = {**self.run.cursor, "after": page.search_after}
                if not self.is_full:
                    touched = self.run.cursor.get("touched", [])
                    cursor["touched"] = sorted({*touched, *merged.added, *merged.changed})
                self.save(cursor=cursor, counts=self.count(len(rows), total))
            if not page.rows or len(page.rows) < PAGE or self.run.counts["contacts"]["done"] >= total:
                break
        if self.is_full and unbroken and total == len(seen):
            self._confirm_gone(Contact, self.location.contacts, seen, self._record)
        self._done(contacts_checked_at=self.run.started_at)

    def tasks(self):
        if not self.can("tasks"):
            return
        seen, unbroken = set(), "after" not in self.run.cursor
        while True:
            page = self.client.search_tasks(limit=PAGE, search_after=self.run.cursor.get("after"))
            rows = [payloads.task_values(row) for row in page.rows]
            seen |= {row["remote_id"] for row in rows}
            with transaction.atomic():
                merge(self.location, Task, rows)
                done = self.run.counts.get("tasks", {}).get("done", 0) + len(rows)
                cursor = {**self.run.cursor, "after": page.search_after}
                self.save(cursor=cursor, counts=self.count(len(rows), done))
            if len(page.rows) < PAGE:
                break
        if unbroken:
            self._confirm_gone(Task, self.location.tasks, seen, self._task)
        self._done(tasks_checked_at=self.run.started_at)

    def appointments(self):
        if not self.can("appointments"):
            return
        past, future = (PAST, FUTURE) if self.is_full else (RECENT_PAST, RECENT_FUTURE)
        start, end = self.run.started_at - past, self.run.started_at + future
        calendars = list(self.location.calendars.order_by("pk"))
        for calendar in calendars[self.run.cursor.get("calendars", 0) :]:
            events = self.client.calendar_events(calendar.remote_id, start, end)
            rows = [payloads.appointment_values(row, self.location.zone) for row in events]
            with transaction.atomic():
                merge(self.location, Appointment, rows)
                done = self.run.counts.get("appointments", {}).get("done", 0) + len(rows)
                cursor = {**self.run.cursor, "calendars": self.run.cursor.get("calendars", 0) + 1}
                self.save(cursor=cursor, counts=self.count(len(rows), done))
            mine = self.location.appointments.filter(
                calendar=calendar, starts_at__gte=start + timedelta(days=1), ends_at__lte=end - timedelta(days=1)
            )
            seen = {row["remote_id"] for row in rows}
            self._confirm_gone(Appointment, mine, seen, lambda row: self.client.get_appointment(row.remote_id))
        self._done(appointments_checked_at=self.run.started_at)

    def notes(self):
        """Notes per contact, most recently active people first; also what the granted scopes do not give in bulk."""
        parts = ["notes", *(part for part in BULK_SCOPES if not self.can(part))]
        waiting = self._unread_people()
        left = waiting.count()
        done = self.run.counts.get("notes", {}).get("done", 0)
        self.save(counts=self.count(0, done + left))
        with ThreadPoolExecutor(READERS, thread_name_prefix="notes") as readers:
            while people := list(waiting.order_by("-last_activity_at", "-pk")[:BATCH]):
                answers = list(readers.map(lambda person: self._read_aside(person, parts), people))
                with transaction.atomic():
                    read = dict(zip(people, answers, strict=True))
                    self._take_parts({person: answer for person, answer in read.items() if answer is not None})
                    self._take_absence([person for person, answer in read.items() if answer is None])
                    self._mark_read(people, parts)
                    self.save(counts=self.count(len(people)), cursor=self.run.cursor)
        if self.is_full:
            self._done(notes_checked_at=self.run.started_at)

    def contact(self):
        """One person, whole: the record itself and everything GHL lists for them."""
        person = self.run.contact
        parts = self.run.cursor.get("parts") or ["record", "notes", "tasks", "appointments"]
        answer = self._parts_of(person, parts)
        with transaction.atomic():
            if answer is None:
                remove(self.location, Contact, [person])
            else:
                self._take_parts({person: answer})
            self._mark_read([person], parts)
            self.save()

    def _read_aside(self, person, parts):
        """`_parts_of` in a thread of its own, which must not keep a database connection."""
        try:
            return self._parts_of(person, parts)
        finally:
            database.close()

    # --- one person -----------------------------------------------------------------------------------------------

    def _parts_of(self, person, parts):
        """{part: rows} as GHL lists them now; None for a person GHL no longer has."""
        read = {
            "record": lambda pk: [payloads.contact_values(self.client.get_contact(pk))],
            "notes": lambda pk: [payloads.note_values(row) for row in self.client.list_notes(pk)],
            "tasks": lambda pk: [payloads.task_values(row) for row in self.client.list_tasks(pk)],
            "appointments": lambda pk: [
                payloads.appointment_values(row, self.location.zone) for row in self.client.contact_appointments(pk)
            ],
        }
        try:
            return {part: read[part](person.remote_id) for part in parts}
        except errors.NotFound:
            return None

    def _take_parts(self, read):
        """Bring {person: {part: rows}} in; what GHL lists for one person is complete, so what it lacks is gone."""
        parts: dict = next(iter(read.values()), {})
        if "record" in parts:
            merge(self.location, Contact, [row for answer in read.values() for row in answer["record"]])
        for part, model in (("notes", Note), ("tasks", Task), ("appointments", Appointment)):
            if part in parts:
                rows = [
                    {**row, "contact_remote_id": person.remote_id}
                    for person, answer in read.items()
                    for row in answer[part]
                ]
                merge_whole(self.location, model, rows, of=model.objects.filter(contact__in=list(read)))

    def _unread_people(self):
        people = self.location.contacts.present().filter(remote_id__isnull=False)
        if not self.is_full:
            people = people.filter(pk__in=self.run.cursor.get("touched", []))
        return people.exclude(freshness__notes_at__gte=self.run.started_at)

    def _mark_read(self, people, parts):
        now = timezone.now()
        fields = [f"{part}_at" for part in parts]
        ContactFreshness.objects.bulk_create(
            [ContactFreshness(contact=person, **dict.fromkeys(fields, now)) for person in people],
            update_conflicts=True, unique_fields=["contact"], update_fields=fields,
        )  # fmt: skip

    # --- deletions ------------------------------------------------------------------------------------------------

    def _record(self, row):
        return self.client.get_contact(row.remote_id)

    def _take_absence(self, people):
        """People GHL denied by id while we read their parts: removed, unless they are suspiciously many."""
        gone = self.run.cursor.get("gone", 0) + len(people)
        self.run.cursor = {**self.run.cursor, "gone": gone}
        if gone <= self._tolerable(self.location.contacts):
            remove(self.location, Contact, people)
        elif people:
            log.warning("sync %s: GHL denies %s contacts by now, not removed", self.run.pk, gone)

    def _tolerable(self, rows):
        """More missing rows than this in one run look like a fault of the listing, not like people at work."""
        return max(20, rows.present().count() // 20)

    def _task(self, row):
        return self.client.get_task(row.contact.remote_id, row.remote_id)

    def _confirm_gone(self, model, rows, seen, read):
        """Ask GHL by id for what a complete listing lacked; remove only what it confirms, and never many at once."""
        missing = [
            row
            for row in rows.present().filter(remote_id__isnull=False, created_at__lt=self.run.started_at)
            if row.remote_id not in seen
        ]
        if len(missing) > self._tolerable(rows):
            log.warning("sync %s: %s %ss missing from a listing, none removed", self.run.pk, len(missing), model.KIND)
            return
        gone = []
        for row in missing:
            try:
                answer = read(row)
            except errors.NotFound:
                gone.append(row)
            else:
                if answer.get("deleted"):
                    gone.append(row)
        with transaction.atomic():
            remove(self.location, model, gone)
            self.save()

    def _last_start(self):
        last = self.connection.sync_runs.filter(outcome=SyncRun.Outcome.COMPLETE).exclude(kind="contact")
        return last.order_by("-started_at").values_list("started_at", flat=True).first() or self.run.started_at


def waiting_runs():
    """Runs that nobody works on and that are due."""
    return SyncRun.objects.due().order_by(F("contact").asc(nulls_last=True), "pk")[:500]
