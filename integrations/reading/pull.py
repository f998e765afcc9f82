"""One pull from GHL, phase by phase.

Each page's rows, the cursor behind it and the lease are saved together, so that a killed worker's run goes on at the
next page. The order is by what people need: settings, all contacts, tasks, appointments, and notes at last, since GHL
gives those per contact only.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from contacts.models import Appointment, Contact, ContactFreshness, Task
from integrations.ghl import errors, moments, payloads
from integrations.models import SyncPage, SyncRun
from integrations.reading import absence, drift, reference, reread
from integrations.reading.lists import Walk, of_location
from integrations.reading.merge import hide_what_hangs_on_nobody, merge, remove
from integrations.writing.verdict import CLOCKS_APART

OVERLAP = timedelta(minutes=2)  # GHL's search lags behind its records by seconds; look back further than that
PAST, FUTURE = timedelta(days=5 * 365), timedelta(days=5 * 365)
RECENT_PAST, RECENT_FUTURE = timedelta(days=30), timedelta(days=180)
REFERENCE_EVERY = timedelta(hours=1)
READERS = 8  # reads by id go side by side, so that GHL's answer time does not slow a sync below the allowed rate
BATCH = 40
MOST_TOUCHED = 1000  # contacts whose notes one recent run reads because they moved; the others wait for their turn
MOST_DOUBTS = 100  # of a page, asked about by id
AGAIN_AFTER = timedelta(seconds=15)
BULK_SCOPES = {
    "tasks": ["locations/tasks.readonly"],
    "appointments": ["calendars.readonly", "calendars/events.readonly"],
}


class MakeRoom(Exception):
    """This run has had its slice of time; it goes on after the others."""


class Pull:
    def __init__(self, run, client):
        self.run, self.client = run, client
        self.connection, self.location = run.connection, run.connection.location
        self.requests_before = run.requests
        self.began = time.monotonic()

    def go(self):
        # Each reader keeps its connection to GHL, so one set of them serves the whole slice.
        with ThreadPoolExecutor(READERS, thread_name_prefix="reader") as self.readers:
            try:
                self._go()
            finally:
                self.readers.shutdown(wait=False, cancel_futures=True)

    def _go(self):
        if self.run.kind == SyncRun.Kind.CONTACT:
            return self.contact()
        if self.run.mark is None:
            self.begin()
        phases = list(SyncRun.Phase)[:-1]
        for phase in phases[phases.index(self.run.phase) :]:
            if self.run.phase != phase:
                self.save(phase=phase, cursor=self._kept_cursor())
                self.breathe()
            self.phase(phase)
            SyncPage.objects.filter(run=self.run, phase=phase).delete()
        with transaction.atomic():
            if self.run.is_whole:
                hide_what_hangs_on_nobody(self.location)
            absence.calm_down(self.run)
            self.finish()
        if self.run.kind != SyncRun.Kind.FULL:
            drift.watch_for_gap(self.connection)

    def phase(self, name):
        """One phase. A scope that was taken from us meanwhile costs its bulk reads, not the sync."""
        try:
            getattr(self, name)()
        except errors.ScopeMissing:
            if name not in BULK_SCOPES:
                raise
            self.connection.lose_scopes(*BULK_SCOPES[name])

    def begin(self):
        """GHL stamps by its own clock: what is newest here tells how far behind ours that may be."""
        newest = self.location.contacts.aggregate(newest=Max("remote_updated_at"))["newest"]
        started = self.run.started_at
        mark = min(started, max(newest or started, started - CLOCKS_APART))
        if self.run.kind != SyncRun.Kind.FULL:
            drift.judge(self.run)
        self.save(mark=mark, found=self.run.found)

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
        values |= {"strikes": 0, "attempts": 0}  # what gets on is not poison
        self.run.keep(**values)

    def breathe(self):
        """Between two pages: others' turn, if this run has worked long enough."""
        if self.has_worked_enough:
            raise MakeRoom

    @property
    def has_worked_enough(self):
        return time.monotonic() - self.began > settings.SLICE_S

    def count(self, done, total=None):
        phase = self.run.counts.get(self.run.phase, {"done": 0, "total": 0})
        phase = {"done": phase["done"] + done, "total": phase["total"] if total is None else total}
        return {**self.run.counts, self.run.phase: phase}

    def counted(self, phase):
        return self.run.counts.get(phase, {}).get("done", 0)

    def can(self, part):
        """Whether this part can be read for the whole location at once."""
        return all(self.connection.has_scope(scope) for scope in BULK_SCOPES[part])

    def side_by_side(self, read, items):
        """[read(item)], several at a time, none of which may keep a database connection."""
        return list(self.begun(read, items))

    def begun(self, read, items):
        """The same as an iterator that waits for each answer; the reading itself begins at once."""

        def aside(item):
            try:
                return read(item)
            finally:
                database.close()

        return self.readers.map(aside, items)

    def _kept_cursor(self):
        return {key: self.run.cursor[key] for key in ("touched",) if key in self.run.cursor}

    def _done(self, **stamps):
        for field, value in stamps.items():
            setattr(self.location, field, value)
        self.location.save(update_fields=list(stamps))

    # --- phases ---------------------------------------------------------------------------------------------------

    def reference(self):
        if self.run.kind == SyncRun.Kind.RECENT and self._reference_is_fresh():
            return
        done = reference.read(self.client, self.connection, self.location)
        self.save(counts=self.count(done, done))

    def _reference_is_fresh(self):
        since = self.run.started_at - REFERENCE_EVERY
        return self.connection.sync_runs.filter(started_at__gt=since, counts__has_key="reference").exists()

    def contacts(self):
        """A whole pass goes newest first, by a cursor that stays put while rows change; a recent one by change."""
        filters, sort = None, [{"field": "dateAdded", "direction": "desc"}]
        if not self.run.is_whole:
            filters = [{"field": "dateUpdated", "operator": "range", "value": {"gte": moments.iso(self._since())}}]
            sort = [{"field": "dateUpdated", "direction": "asc"}]

        def read(after):
            return self.client.search_contacts(
                page_limit=settings.GHL_PAGE, search_after=after, filters=filters, sort=sort
            )

        walk = Walk(read, self.run.cursor.get("after"), self.counted("contacts"))
        while not walk.is_over:
            self._take_page("contacts", Contact, walk, payloads.contact_values)
        if self.run.is_whole:
            if walk.fell_short:
                self._read_newest(read, walk)
            if not walk.fell_short:
                absence.settle(self, "contacts", Contact, self.location.contacts)
        self._done(contacts_checked_at=self.run.started_at)

    def _since(self):
        """From when on changes may be new to us: the start of the last run that was completed, by GHL's clock."""
        last = self.connection.sync_runs.filter(outcome=SyncRun.Outcome.COMPLETE).exclude(kind=SyncRun.Kind.CONTACT)
        last = last.order_by("-started_at").first()
        return ((last.mark or last.started_at) if last else self.run.started_at) - OVERLAP

    def _read_newest(self, read, walk):
        """The list was shorter than GHL's count. Contacts made since we began stand before our first page; if they do
        not explain it, ask for the end again, and at last believe neither the end nor any absence."""
        known, top = set(SyncPage.ids(self.run, "contacts").values_list("one", flat=True)), Walk(read)
        while not top.is_over:
            rows = top.next()
            new = [row for row in rows if payloads.remote_id(row) not in known]
            self._store("contacts", Contact, [payloads.contact_values(row) for row in of_location(new, self.location)])
            walk.seen += len(new)
            if len(new) < len(rows):
                break
        tries = self.run.cursor.get("short", 0) + 1
        if walk.fell_short and tries < Walk.TRIES:
            self.save(cursor={**self.run.cursor, "short": tries})
            raise errors.BadAnswer("the list ended before GHL's own count of it")

    def tasks(self):
        if not self.can("tasks"):
            return
        walk = Walk(
            lambda after: self.client.search_tasks(limit=settings.GHL_PAGE, search_after=after),
            self.run.cursor.get("after"), self.counted("tasks"),
        )  # fmt: skip
        while not walk.is_over:
            self._take_page("tasks", Task, walk, payloads.task_values)
            if walk.is_over and absence.missing(self.run, "tasks", self.location.tasks).exists():
                walk.doubt_the_end()
        absence.settle(self, "tasks", Task, self.location.tasks)
        self._done(tasks_checked_at=self.run.started_at)

    def appointments(self):
        if not self.can("appointments"):
            return
        past, future = (PAST, FUTURE) if self.run.is_whole else (RECENT_PAST, RECENT_FUTURE)
        start, end = self.run.started_at - past, self.run.started_at + future
        listed = list(self.run.cursor.get("calendars", []))
        for calendar in self.location.calendars.exclude(pk__in=[abs(pk) for pk in listed]).order_by("pk"):
            try:
                rows = of_location(self.client.calendar_events(calendar.remote_id, start, end), self.location)
            except errors.NotFound:  # a calendar that was deleted: its appointments can only be asked about by id
                rows, kept = [], -calendar.pk
            else:
                kept = calendar.pk
            listed.append(kept)
            cursor = {**self.run.cursor, "calendars": listed}
            values = [payloads.appointment_values(row, self.location.zone) for row in rows]
            done = self.counted("appointments") + len(rows)
            self._store("appointments", Appointment, values, cursor=cursor, counts=self.count(len(rows), done))
            self.breathe()
        window = self.location.appointments.filter(
            calendar__in=[pk for pk in listed if pk > 0],
            starts_at__gte=start + timedelta(days=1), ends_at__lte=end - timedelta(days=1),
        )  # fmt: skip
        absence.settle(self, "appointments", Appointment, window)
        self._done(appointments_checked_at=self.run.started_at)

    def notes(self):
        """Notes per contact, most recently active people first; also what the granted scopes do not give in bulk."""
        parts = ["notes", *(part for part in BULK_SCOPES if not self.can(part))]
        if self.run.kind != SyncRun.Kind.FULL and "people" not in self.run.cursor:
            self.save(cursor={"people": self._whose_notes(all_of_them=len(parts) > 1)})
        waiting = self.location.contacts.present().filter(remote_id__isnull=False)
        if self.run.kind != SyncRun.Kind.FULL:
            waiting = waiting.filter(pk__in=self.run.cursor["people"])
        waiting = waiting.exclude(freshness__notes_at__gte=self.run.started_at)
        self.save(counts=self.count(0, self.counted("notes") + waiting.count()))
        self._read_people(waiting, parts)
        if self.run.kind == SyncRun.Kind.FULL:
            self._done(notes_checked_at=self.run.started_at)

    def _whose_notes(self, all_of_them):
        """Contacts that moved, and of the others those whose turn it is, as many as the day's requests allow.

        Tasks and appointments that cannot be read in bulk have no other way to us: then everybody's are read nightly.
        """
        if all_of_them and self.run.is_whole:
            return list(self.location.contacts.present().values_list("pk", flat=True))
        due = ContactFreshness.objects.filter(location=self.location, notes_due_at__lte=timezone.now())
        longest_waiting = due.order_by("notes_due_at").values_list("pk", flat=True)
        share = settings.GHL_DAILY_LIMIT * settings.NOTES_AUDIT_PERCENT / 100
        turn = list(longest_waiting[: max(1, int(share * settings.SYNC_EVERY_S / 86_400))])
        return sorted({*self.run.cursor.get("touched", []), *turn})

    def contact(self):
        """One person, whole: the record itself and everything GHL lists for them."""
        parts = self.run.cursor.get("parts") or list(reread.PARTS)
        reread.take(self.client, self.location, self.run.contact, parts)
        self.save()
        self.finish()

    # --- pages ----------------------------------------------------------------------------------------------------

    def _take_page(self, phase, model, walk, values_of):
        rows = [values_of(row) for row in of_location(walk.next(), self.location)]
        total = walk.total if walk.total is not None else walk.seen
        self._store(
            phase, model, rows, cursor={**self.run.cursor, "after": walk.after}, counts=self.count(len(rows), total)
        )
        if not walk.is_over:
            self.breathe()

    def _store(self, phase, model, rows, **progress):
        """One page and how far it brings us, all or nothing; then what the search may show as it was."""
        with transaction.atomic():
            merged = merge(self.location, model, rows, listed=True)
            drift.book(self.run, phase, merged)
            if self.run.is_whole or phase != "contacts":
                ids = [row["remote_id"] for row in rows]
                SyncPage.objects.create(run=self.run, phase=phase, remote_ids=ids)
            if phase == "contacts" and self.run.kind != SyncRun.Kind.FULL:
                moved = self._moved(rows, merged)
                reread.want_notes(self.location, moved)
                cursor = progress.get("cursor", self.run.cursor)
                touched = [*cursor.get("touched", []), *moved][:MOST_TOUCHED]
                progress["cursor"] = {**cursor, "touched": sorted(set(touched))}
            self.save(found=self.run.found, **progress)
        self._ask_again(phase, model, merged.doubted)

    def _moved(self, rows, merged):
        """Contacts of this page that have moved since their notes were read."""
        stamps = {row["remote_id"]: row["remote_updated_at"] for row in rows}
        known = self.location.contacts.present().filter(remote_id__in=stamps)
        moved = set(merged.added) | {row.pk for row, _ in merged.doubted}
        for pk, remote_id, notes_at in known.values_list("pk", "remote_id", "freshness__notes_at"):
            if notes_at is None or (stamps[remote_id] and stamps[remote_id] > notes_at):
                moved.add(pk)
        return sorted(moved | set(merged.changed))

    def _ask_again(self, phase, model, doubted):
        """A search may show what was before we wrote, or bring back the dead: the record itself knows."""
        doubted = doubted[:MOST_DOUBTS]
        if not doubted:
            return
        told = {row.pk: values.get("contact_remote_id", "") for row, values in doubted}
        rows = model.objects.filter(pk__in=told).select_related("location")
        rows = list(rows if model is Contact else rows.select_related("contact"))
        answers = self.side_by_side(lambda row: self._by_id(row, told[row.pk]), rows)
        with transaction.atomic():
            merged = merge(self.location, model, [values for values in answers if values])
            drift.book(self.run, phase, merged)
            self.save(found=self.run.found)

    def _by_id(self, row, contact_id):
        try:
            return reread.by_id(self.client, row, contact_id)
        except errors.NotFound:
            return None

    def _read_people(self, waiting, parts):
        """Batch after batch. While one is stored the next is being read: a slot of the rate limit comes only once."""
        batch = self._begin_people(waiting, parts)
        while batch:
            people, began_at, answers = batch
            answers = list(answers)
            others = waiting.exclude(pk__in=[person.pk for person in people])
            batch = None if self.has_worked_enough else self._begin_people(others, parts)
            self._take_people(people, parts, answers, began_at)
            if not batch:
                self.breathe()

    def _begin_people(self, waiting, parts):
        """(people, when their reading began, its answers to come), None when nobody is waiting."""
        people = list(waiting.order_by("-last_activity_at", "-pk")[:BATCH])
        if not people:
            return None
        now = timezone.now()
        read = self.begun(lambda person: reread.parts_of(self.client, self.location, person.remote_id, parts), people)
        return people, now, read

    def _take_people(self, people, parts, read, read_at):
        there = {person: answer for person, answer in zip(people, read, strict=True) if answer is not None}
        denied = [person for person, answer in zip(people, read, strict=True) if answer is None]
        lost = reread.absentees(there) if there else []
        gone = [
            row
            for row, is_gone in zip(
                lost, self.side_by_side(lambda row: reread.denied(self.client, row), lost), strict=True
            )
            if is_gone
        ]
        with transaction.atomic():
            gone = self._within_reason("notes", gone, self.location.notes)
            for model, merged in reread.take_parts(self.location, there, gone).items() if there else ():
                drift.book(self.run, f"{model.KIND}s", merged)
            for person in self._within_reason("contacts", denied, self.location.contacts):
                drift.book(self.run, "contacts", remove(self.location, Contact, [person]))
            reread.mark_read(self.location, people, parts, read_at)
            reread.want_notes(self.location, {row.contact_id for row in lost if reread.is_young(row)})
            self.save(counts=self.count(len(people)), cursor=self.run.cursor, found=self.run.found)

    def _within_reason(self, phase, gone, rows):
        """The rows that may go, unless with those this run has removed already they are suspiciously many."""
        if not gone:
            return gone
        count = self.run.cursor.get("gone", {}).get(phase, 0) + len(gone)
        self.run.cursor = {**self.run.cursor, "gone": {**self.run.cursor.get("gone", {}), phase: count}}
        if count > absence.tolerable(rows) and not absence.is_accepted(self.connection):
            absence.refuse(self, phase, rows.model, count)
            return []
        return gone
