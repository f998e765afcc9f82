"""A Business and its GHL account in one process, to which anything may happen, and then quiet."""

import json
import random
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection as database
from django.utils import timezone

from contacts.models import (
    Appointment,
    Business,
    Change,
    Contact,
    ContactFreshness,
    HistoryEvent,
    Membership,
    Note,
    Role,
    Task,
    User,
)
from contacts.models.mirrored import plain
from integrations.ghl import payloads
from integrations.models import Delivery, InboundEvent, SyncRun
from integrations.news import events
from integrations.reading import sync
from integrations.writing import writeback
from rankr_dash.shared_redis import shared_redis
from tests.convergence.crash import killed_at
from tests.sandbox_control import consent

PEOPLE = 5
TABLES = ("contacts_business", "contacts_user", "integrations_inboundevent", "integrations_quarantinedevent")
WORDS = ("Ash", "Birch", "Cedar", "Elm", "Fir", "Hazel", "Larch", "Maple", "Oak", "Pine")
PAGES = (1, 2, 3, 5, 7, 20, 100)
FAULTS = (
    ({}, {"status": 500}),
    ({}, {"status": 429, "retry_after": 1}),
    ({}, {"drop_before": True}),
    ({}, {"drop_after_commit": True}),
    ({}, {"junk": "html"}),
    ({}, {"junk": "half"}),
    ({"method": "POST", "path": "/(notes|tasks)$"}, {"status_but_created": 422}),
    ({"method": "POST", "path": "/(notes|tasks)$"}, {"drop_after_commit": True}),
    ({"method": "POST", "path": "^/contacts/$"}, {"drop_after_commit": True}),
    ({"method": "PUT"}, {"status": 500}),
    ({"path": "/search$"}, {"lie": "truncated", "share": 0.5}),
    ({"path": "/search$"}, {"lie": "empty"}),
    ({"path": "/search$"}, {"lie": "repeat"}),
    ({"path": "/contacts/search$"}, {"lie": "wrong_total"}),
    ({"path": "/(notes|tasks|events|appointments)$"}, {"lie": "empty"}),
    ({"path": "/(notes|tasks|search|events)$"}, {"lie": "foreign"}),
)
LISTS = {"contact": "contacts", "note": "notes", "task": "tasks", "appointment": "appointments"}
MODELS = {"contact": Contact, "note": Note, "task": Task, "appointment": Appointment}


class World:
    """`acts` may be called in any order with any numbers; `trace` says what was done; `settle` is the quiet."""

    def __init__(self, sandbox, clock):
        self.sandbox, self.clock = sandbox, clock
        self.trace, self.number, self.skew, self.dies_at = [], 0, 0, 0
        self.names = {kind: {} for kind in LISTS}  # remote id → a name that is the same in every telling
        self.news, self.created, self.lies = [], [], []
        self._begin()

    def _begin(self):
        with database.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(TABLES)} RESTART IDENTITY CASCADE")
        self.sandbox.reset(contacts=PEOPLE, rate=0, lag=0, same_ids=True)
        self.clock.ahead = timedelta()
        shared_redis().flushdb()
        settings.GHL_CLIENT_ID = self.sandbox.credentials["client_id"]
        settings.GHL_CLIENT_SECRETS = [self.sandbox.credentials["client_secret"]]
        settings.GHL_PAGE = 3
        business = Business.objects.create(name="Northgate Roofing")
        self.ada = User.objects.create(email="ada@example.com", name="Ada")
        Membership.objects.create(user=self.ada, business=business, role=Role.ADMIN)
        self.connection = consent(self.ada, business, self.sandbox)
        self.location = self.connection.location
        self._finish(sync.start(self.connection))
        self._name_all()

    # --- what may happen ------------------------------------------------------------------------------------------

    def they_edit(self, kind, which, what):
        if remote_id := self._theirs(kind, which):
            self.sandbox.edit(kind, "update", remote_id, **self._values(kind, what), **self._stamp(kind, what))
            self._tell(kind, "TaskComplete" if kind == "task" and what % 4 == 3 else f"{kind.title()}Update", remote_id)

    def they_create(self, kind, which, what):
        person = self._theirs("contact", which)
        if kind != "contact" and person is None:
            return
        values = self._values(kind, what, new=True) | self._stamp(kind, what)
        values |= {} if kind == "contact" else {"contactId": person}
        made = self.sandbox.edit(kind, "create", **values)
        remote_id = (made.get("record") or made["results"][0])["id"]
        self._name(kind, remote_id)
        self._tell(kind, f"{kind.title()}Create", remote_id)

    def they_delete(self, kind, which, what):
        if (remote_id := self._theirs(kind, which)) and (kind != "contact" or len(self._alive("contact")) > 2):
            self._tell(kind, f"{kind.title()}Delete", remote_id)
            self.sandbox.edit(kind, "delete", remote_id)

    def they_merge(self, kind, which, what):
        loser, winner = self._theirs("contact", which), self._theirs("contact", what)
        if loser and winner and loser != winner and len(self._alive("contact")) > 2:
            body = {"kind": "contact", "action": "merge", "id": loser, "into": winner}
            self.sandbox.post("edit", body)
            self._tell("contact", "ContactDelete", loser)

    def we_edit(self, kind, which, what):
        row = self._ours(kind, which)
        if row is None or row.location.is_editable is False:
            return
        word = self._word()
        if kind == "contact" and what % 3 == 0:
            row.add_tags([word.lower()], by=self.ada)
        elif kind == "contact":
            row.edit(by=self.ada, **{("city", "first_name")[what % 2]: word})
        elif kind == "task" and what % 3 == 0:
            row.complete(self.ada) if not row.completed else row.reopen(self.ada)
        elif kind == "task":
            row.edit(by=self.ada, title=word)
        elif kind == "note":
            row.edit(by=self.ada, body=word)

    def we_create(self, kind, which, what):
        word = self._word()
        if kind == "contact":
            row = Contact(location=self.location, first_name=word, email=f"{word.lower()}@example.com")
        else:
            person = self._ours("contact", which)
            if person is None:
                return
            if kind == "task":
                row = Task(location=self.location, contact=person, title=word, due_at=datetime(2027, 1, 4, tzinfo=UTC))
            elif kind == "note":
                row = Note(location=self.location, contact=person, body=word)
            else:
                return
        self.created.append((kind, word, row.create(self.ada).pk))

    def we_delete(self, kind, which, what):
        row = self._ours(kind, which)
        if row is not None and kind in ("task", "note"):
            row.delete_here(self.ada, undo_s=0)

    def news_arrive(self, kind, which, what):
        """Webhooks: some in another order, some twice, some never."""
        dice = random.Random(which * 100 + what)
        dice.shuffle(self.news)
        for event in self.news:
            for _ in range(dice.choices([0, 1, 2], [1, 6, 2])[0]):
                events.store(json.dumps(event).encode())
        self.news.clear()

    def all_work(self, kind, which, what):
        self.pump()

    def we_reconcile(self, kind, which, what):
        run = sync.start(self.connection, ("recent", "nightly")[what % 2])
        with killed_at(self._death()):
            sync.work(run.pk)

    def we_look_at(self, kind, which, what):
        if (person := self._ours("contact", which)) and (run := sync.start_contact(person)):
            with killed_at(self._death()):
                sync.work(run.pk)

    def time_passes(self, kind, which, what):
        self._pass((1, 5, 20, 61, 200, 4000)[what % 6])

    def pages_are(self, kind, which, what):
        settings.GHL_PAGE = PAGES[what % len(PAGES)]

    def ghl_fails(self, kind, which, what):
        match, action = FAULTS[what % len(FAULTS)]
        self.sandbox.faults({"match": {**match, "nth": which % 4 + 1, "times": 1}, "action": action})

    def worker_dies(self, kind, which, what):
        """The next work is killed at one of its statements."""
        self.dies_at = which * 3 + what % 3 + 1

    def search_stands_still(self, kind, which, what):
        self.sandbox.settings(lag=1000 if what % 2 else 0)

    def clocks_differ(self, kind, which, what):
        self.skew = (-600, -30, 0, 30, 600)[what % 5]
        self._set_their_clock()

    # --- work -----------------------------------------------------------------------------------------------------

    def pump(self, rounds=3):
        """What workers do with everything that is due, one after another."""
        for _ in range(rounds):
            rung = [
                *((writeback.push, pk) for pk in writeback.waiting_deliveries()),
                *((self._handle, pk) for pk in events.waiting_events()),
                *((sync.work, run.pk) for run in sync.waiting_runs()),
            ]
            if not rung:
                return
            for act, pk in rung:
                with killed_at(self._death()):
                    act(pk)

    def _handle(self, pk):
        for run in events.handle(pk) or []:
            sync.work(run.pk)

    def _death(self):
        statement, self.dies_at = self.dies_at, 0
        return statement

    def _finish(self, run):
        for _ in range(60):
            sync.work(run.pk)
            run.refresh_from_db()
            if run.finished_at:
                assert run.outcome == "complete", run.stop_reason
                return run
            self._pass(61)
        raise AssertionError(f"{run} does not end: {run.stop_reason}")

    def _pass(self, seconds):
        self.clock.pass_(seconds)
        shared_redis().flushdb()
        self._set_their_clock()

    def _set_their_clock(self):
        self.sandbox.settings(clock_skew_s=self.skew + self.clock.ahead.total_seconds())

    # --- the quiet ------------------------------------------------------------------------------------------------

    def settle(self):
        """Nothing goes wrong any more. Everything on its way arrives, undecided edits give way, then one nightly check
        and everybody's notes."""
        self.sandbox.no_faults()
        self.sandbox.settings(lag=0)
        self.dies_at = 0
        for _ in range(80):
            self._pass(61)
            self.pump()
            if not self._is_busy():
                break
        else:
            raise AssertionError(f"never quiet: {self._is_busy()}")
        self.lies += self._refused_though_there()
        for change in Change.objects.undecided().order_by("-pk"):
            change.refresh_from_db()
            if change.is_undecided:
                change.keep_theirs()
        self._pass(61)
        self.pump(20)
        self.reconcile()

    def reconcile(self):
        ContactFreshness.objects.update(notes_due_at=timezone.now())
        self._pass(61)
        return self._finish(sync.start(self.connection, "nightly"))

    def _is_busy(self):
        return {
            name: rows
            for name, rows in {
                "changes": list(Change.objects.unsettled().values_list("pk", "kind", "verb", "state", "sentence")),
                "deliveries": list(Delivery.objects.filter(finished_at=None).values_list("pk", "next_at")),
                "events": list(InboundEvent.objects.filter(finished_at=None).values_list("kind", "reason")),
                "runs": list(SyncRun.objects.filter(finished_at=None).values_list("kind", "phase", "stop_reason")),
            }.items()
            if rows
        }

    def said(self):
        """What changes when anything is put right."""
        rows = [list(model.objects.order_by("pk").values("pk", "snapshot", "deleted_at")) for model in MODELS.values()]
        return rows, HistoryEvent.objects.count()

    def written(self):
        """What changes when anything is written at all."""
        return [list(model.objects.order_by("pk").values_list("pk", "updated_at")) for model in MODELS.values()]

    def differences(self):
        """What is not the same here, there and in the snapshots; and edits that do not tell the truth. [] is right."""
        wrong = []
        for kind in LISTS:
            there, here = self._remote(kind), {}
            for row in MODELS[kind].objects.present().filter(location=self.location):
                if kind != "contact" and row.contact.deleted_at:
                    wrong.append(f"{kind} {row.pk} hangs on a contact that is gone")
                elif row.remote_id is None:
                    wrong.append(f"{kind} {row.pk} was never created there")
                here[row.remote_id] = row
            wrong += [f"{kind} {self._called(kind, pk)} is missing here" for pk in there.keys() - here.keys()]
            wrong += [f"{kind} {self._called(kind, pk)} is gone there" for pk in here.keys() - there.keys() if pk]
            for remote_id in sorted(there.keys() & here.keys()):
                wrong += self._compared(kind, here[remote_id], there[remote_id])
        return sorted(wrong + self._lies())

    def _compared(self, kind, row, theirs):
        wrong = []
        if kind != "contact" and row.contact.remote_id != theirs["contact_remote_id"]:
            wrong.append(f"{kind} {self._called(kind, row.remote_id)} hangs on another contact")
        for key in row.VALUES:
            ours, base, there = row.value(key), row.snapshot.get(key), plain(theirs[key])
            if key == "company_name":
                ours, base, there = ours.casefold(), (base or "").casefold(), there.casefold()
            if not ours == base == there and (ours or base or there):
                wrong.append(f"{kind} {self._called(kind, row.remote_id)}.{key}: {ours!r}, {base!r}, {there!r}")
        return wrong

    def _lies(self):
        wrong = list(self.lies)
        for kind, word, _ in self.created:
            if (count := len(self._alike(kind, word))) > 1:
                wrong.append(f"{kind} {word} was created {count} times")
        wrong += [f"change {pk} is {state}" for pk, state in Change.objects.unsettled().values_list("pk", "state")]
        return wrong

    def _refused_though_there(self):
        """Every word is used once: what bears it there is what we have made."""
        refused = set(Change.objects.filter(state=Change.State.REFUSED).values_list("pk", flat=True))
        made = [(kind, word) for kind, word, pk in self.created if pk in refused and self._alike(kind, word)]
        return [f"{kind} {word} is said to be refused though it is there" for kind, word in made]

    def _alike(self, kind, word):
        title = {"contact": "first_name", "task": "title", "note": "body"}[kind]
        return [one for one in self._remote(kind).values() if one[title] == word]

    def _remote(self, kind):
        found = {}
        for record in self.sandbox.records(LISTS[kind], location_id=self.location.remote_id)["records"]:
            if kind == "contact":
                values = payloads.contact_values(record)
            elif kind == "note":
                values = payloads.note_values(record)
            elif kind == "task":
                values = payloads.task_values(record)
            else:
                values = payloads.appointment_values(record, self.location.zone)
            if not values.get("deleted"):
                found[values["remote_id"]] = values
        return found

    # --- names, words, news ---------------------------------------------------------------------------------------

    def act(self, name, kind, which, what):
        self.trace.append(f"{name} {kind} {which} {what}")
        getattr(self, name)(kind, which, what)

    def digest(self):
        """The end of the story in words that are the same in every telling."""
        told = []
        for kind in LISTS:
            for row in MODELS[kind].objects.filter(location=self.location).order_by("pk"):
                values = {key: row.value(key) for key in row.VALUES if not key.endswith("_remote_id")}
                told.append(f"{self._called(kind, row.remote_id)} {row.deleted_at is None} {json.dumps(values)}")
        told += [f"change {change.verb} {change.kind} {change.state}" for change in Change.objects.order_by("pk")]
        return sorted(told)

    def _name(self, kind, remote_id):
        names = self.names[kind]
        return names.setdefault(remote_id, f"{kind}-{len(names)}")

    def _called(self, kind, remote_id):
        return self.names[kind].get(remote_id, "one of ours")

    def _name_all(self):
        for kind in LISTS:
            for record in self.sandbox.records(LISTS[kind], location_id=self.location.remote_id)["records"]:
                self._name(kind, payloads.remote_id(record))

    def _alive(self, kind):
        alive = self._remote(kind)
        return [remote_id for remote_id in alive if remote_id in self.names[kind]]

    def _theirs(self, kind, which):
        alive = self._alive(kind)
        return alive[which % len(alive)] if alive else None

    def _ours(self, kind, which):
        rows = list(MODELS[kind].objects.present().filter(location=self.location).order_by("pk"))
        if kind != "contact":
            rows = [row for row in rows if row.contact.deleted_at is None]
        return rows[which % len(rows)] if rows else None

    def _word(self):
        self.number += 1
        return f"{WORDS[self.number % len(WORDS)]}{self.number}"

    def _values(self, kind, what, new=False):
        word = self._word()
        if kind == "contact":
            new_one = {"firstName": word, "email": f"{word.lower()}@example.com"}
            return new_one if new else ({"city": word}, {"firstName": word}, {"tags": [word.lower()]})[what % 3]
        if kind == "note":
            return {"body": word}
        if kind == "task":
            if new:
                return {"title": word, "dueDate": "2027-01-04T15:00:00Z"}
            return {"title": word} if what % 4 != 3 else {"completed": True}
        starts = 1_800_000_000_000 + self.number * 3_600_000
        return {"title": word, "startTime": starts, "endTime": starts + 1_800_000}

    def _stamp(self, kind, what):
        """Now and then two changes within one second, or one without a time."""
        if kind not in ("contact", "task") or what % 10 < 7:
            return {}
        return {"dateUpdated": None if what % 10 == 9 else 1_790_000_000_000}

    def _tell(self, kind, type_, remote_id):
        if type_ == "TaskUpdate":  # there is no such webhook
            return
        person = remote_id if kind == "contact" else self._remote(kind)[remote_id]["contact_remote_id"]
        about = {"type": type_, "locationId": self.location.remote_id, "webhookId": f"{type_} {self._word()}"}
        if kind == "appointment":
            about["appointment"] = {"id": remote_id, "contactId": person}
        else:
            about |= {"id": remote_id, "contactId": person} if kind != "contact" else {"id": remote_id}
        self.news.append(about)


ACTS = {
    "they_edit": 6, "they_create": 4, "they_delete": 2, "they_merge": 1, "we_edit": 6, "we_create": 4, "we_delete": 2,
    "news_arrive": 4, "all_work": 6, "we_reconcile": 4, "we_look_at": 1, "time_passes": 4, "pages_are": 1,
    "ghl_fails": 3, "worker_dies": 3, "search_stands_still": 1, "clocks_differ": 1,
}  # fmt: skip
