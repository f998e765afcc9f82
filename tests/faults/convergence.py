"""Whatever was lost, doubled, shuffled or lied about on the way: after one reconciliation both sides are the same."""

from contacts.models import Contact
from integrations import tasks
from integrations.models import InboundEvent, Incident, SyncRun
from integrations.reading import sync
from tests.faults import mirror
from tests.faults.verdict import Verdict, case


@case("12", "webhooks shuffled, doubled, dropped")
def news_in_any_order(rig):
    """GHL lists notes contact by contact, so a nightly pass reads those of whoever moved. A note whose webhook was
    dropped is found when its contact's turn comes (NOTES_AUDIT_DAYS), or by a full pass, which reads everybody's."""
    contacts, edits = rig.size(quick=25, usual=1000, full=2000), rig.size(quick=100, usual=3000, full=10_000)
    sandbox, connection = synced(rig, contacts, web=True)
    tricks = {"drop": 0.1, "duplicate": 0.2, "reorder": 20}
    sandbox.settings(webhook_url=f"{rig.processes.url}/webhooks/ghl", webhook_retry_s=1, webhook_tricks=tricks)
    AtWork(rig, connection).go_on(edits)
    rig.waited(lambda: not sandbox.webhooks(wait=10, limit=0)["pending"], 120)
    rig.waited(lambda: not InboundEvent.objects.filter(finished_at=None).exists(), rig.size(quick=4, usual=300))
    rig.waited(quiet, rig.size(quick=60, usual=300))
    residual = mirror.apart(sandbox, connection.location)
    nightly = reconciled(rig, connection)
    after_nightly = mirror.apart(sandbox, connection.location)
    but_notes = mirror.without("notes", after_nightly)
    full = reconciled(rig, connection, SyncRun.Kind.FULL)
    found = mirror.apart(sandbox, connection.location)
    return Verdict(
        "12",
        "0/0/0 after one nightly pass, notes nobody told of after one that reads all notes",
        {
            "missing/extra/stale after a nightly pass, notes apart": mirror.counted(but_notes),
            "of notes": mirror.counted(mirror.only("notes", after_nightly)),
            "after a full pass, all": mirror.counted(found),
            "before any pass": mirror.counted(residual),
            "nightly": summary(nightly),
            "full": summary(full),
            "fates": sandbox.webhooks(limit=0)["fates"],
        },
        ok=not any((*but_notes.values(), *found.values())) and nightly.outcome == full.outcome == "complete",
        repeats=f"{edits} edits of {contacts} contacts",
        findings=mirror.told(but_notes) + mirror.told(found),
    )


@case("36", "records move between pages")
def records_that_move_while_paging(rig):
    contacts = rig.size(quick=80, usual=3000, full=10_000)
    sandbox = rig.start_sandbox(contacts=contacts)
    rule = {"match": {"path": "/contacts/search", "times": 0}, "action": {"move": 20}}
    sandbox.faults(rule)
    from_the_start = {row["id"] for row in sandbox.records("contacts")["records"]}
    connection = started(rig)
    begun = rig.now()
    rig.waited(lambda: whole(connection), rig.size(quick=90, usual=900))
    took = rig.now() - begun
    sandbox.no_faults()
    there = {row["id"] for row in sandbox.records("contacts", location_id=connection.location.remote_id)["records"]}
    skipped = (there & from_the_start) - set(rig.people(connection).values_list("remote_id", flat=True))
    reconciled(rig, connection)
    found = mirror.apart(sandbox, connection.location)
    return Verdict(
        "36",
        "none skipped, all equal after the next reconciliation",
        {"skipped": len(skipped), "missing/extra/stale afterwards": mirror.counted(found), "seconds": round(took)},
        ok=not skipped and not any(found.values()),
        repeats=f"{contacts} contacts",
        findings=mirror.told(found),
    )


# From which request of a list on it lies, and how.
LIES = {
    "an empty page": (2, {"lie": "empty"}),
    "another location's rows": (2, {"lie": "foreign"}),
    "only 3 % of everything": (1, {"lie": "truncated", "share": 0.03}),
    "3 % of a page": (2, {"lie": "truncated", "share": 0.03}),
    "a wrong total": (1, {"lie": "wrong_total", "total": 3}),
    "the page before once more": (2, {"lie": "repeat"}),
    "500": (2, {"status": 500}),
    "a proxy's page": (2, {"junk": "html"}),
}


@case("37", "a partial or lying pass")
def lists_that_lie(rig):
    contacts = rig.size(quick=40, usual=1000)
    sandbox, connection = synced(rig, contacts, environment={"GHL_PAGE": str(rig.size(quick=10, usual=100))})
    before = set(rig.people(connection).values_list("remote_id", flat=True))
    wrongly, foreign, outcomes, findings = 0, 0, {}, []
    for name, (nth, action) in list(LIES.items())[: rig.size(quick=2, usual=len(LIES))]:
        match = {"path": "/(contacts|locations/[^/]+/tasks)/search", "nth": nth, "times": 0}
        sandbox.faults({"match": match, "action": action})
        run = reconciled(rig, connection, seconds=rig.size(quick=3, usual=15))
        sandbox.no_faults()
        alarm = ", alarm" if Incident.objects.open().filter(kind="guard").exists() else ""
        outcomes[name] = (run.outcome or "unfinished") + alarm
        gone = before - set(rig.people(connection).values_list("remote_id", flat=True))
        strangers = Contact.objects.filter(location=connection.location).exclude(remote_id__in=before).count()
        wrongly, foreign = wrongly + len(gone), foreign + strangers
        if gone or strangers:
            findings.append(f"{name}: {len(gone)} removed, {strangers} strangers stored, run {run.outcome}")
        reconciled(rig, connection)
    found = mirror.apart(sandbox, connection.location)
    return Verdict(
        "37",
        "nothing deleted, nobody else's rows stored, equal again after an honest pass",
        {
            "wrongly deleted": wrongly,
            "other location's rows stored": foreign,
            "missing/extra/stale at the end": mirror.counted(found),
            "runs": outcomes,
        },
        ok=not (wrongly or foreign or any(found.values())),
        repeats=f"{len(outcomes)} lies, {contacts} contacts",
        findings=findings + mirror.told(found),
    )


# --- running ----------------------------------------------------------------------------------------------------------


def synced(rig, contacts, web=False, environment=None):
    """A sandbox, workers, and a location that was read whole."""
    sandbox = rig.start_sandbox(contacts=contacts)
    connection = started(rig, web, environment)
    rig.waited(lambda: whole(connection), 600)
    return sandbox, connection


def started(rig, web=False, environment=None):
    processes = rig.start_processes(GHL_TIMEOUT_S="5", WORK_LEASE_S="10", **environment or {})
    processes.start_worker(beat=False)
    processes.start_beat()
    if web:
        processes.start_web()
    return rig.connect()


def whole(connection):
    return connection.sync_runs.filter(kind=SyncRun.Kind.FULL, outcome="complete").exists()


def quiet():
    return not SyncRun.objects.filter(finished_at=None).exists()


def reconciled(rig, connection, kind=SyncRun.Kind.NIGHTLY, seconds=600):
    """One such pass, as far as it comes in the time."""
    rig.waited(quiet, 120)
    run = sync.start(connection, kind)
    tasks.ring_run(run)
    rig.waited(lambda: SyncRun.objects.get(pk=run.pk).finished_at, seconds)
    run.refresh_from_db()
    return run


def summary(run):
    took = f" in {(run.finished_at - run.started_at).total_seconds():.0f} s" if run.finished_at else ""
    return f"{run.outcome or 'unfinished'}{took}, {run.requests} requests"


class AtWork:
    """Somebody in GHL who makes, edits and deletes, and sometimes what was just made."""

    SHARES = {
        "edit_contact": 50, "make_contact": 10, "delete_contact": 5, "make_note": 10, "delete_note": 5,
        "make_task": 5, "edit_task": 5, "make_appointment": 4, "edit_appointment": 4, "delete_appointment": 2,
    }  # fmt: skip

    def __init__(self, rig, connection):
        self.sandbox, self.chance = rig.sandbox, rig.chance
        self.location = connection.location.remote_id
        self.people = self._ids("contacts")
        self.held = {kind: self._owners(kind) for kind in ("notes", "tasks", "appointments")}

    def go_on(self, count):
        for number in range(count):
            act = self.chance.choices(list(self.SHARES), list(self.SHARES.values()))[0]
            getattr(self, act)(number)

    def edit_contact(self, number):
        values = {"city": f"City {number}", "tags": [f"tag {number % 7}"]}
        self._edit("contact", "update", self.chance.choice(self.people), values)

    def make_contact(self, number):
        values = {"firstName": f"New {number}", "email": f"new{number}@example.com"}
        self.people.append(self._edit("contact", "create", None, values))

    def delete_contact(self, number):
        if len(self.people) > 10:
            gone = self.people.pop(self.chance.randrange(len(self.people)))
            self._edit("contact", "delete", gone)
            for owners in self.held.values():  # what hangs on them goes with them
                for one in [one for one, owner in owners.items() if owner == gone]:
                    del owners[one]

    def make_note(self, number):
        self._make("notes", {"body": f"Hand note {number}"})

    def make_task(self, number):
        self._make("tasks", {"title": f"Hand task {number}"})

    def make_appointment(self, number):
        self._make("appointments", {"title": f"Hand appointment {number}"})

    def edit_task(self, number):
        self._change("tasks", "update", {"completed": number % 2 == 0})

    def edit_appointment(self, number):
        self._change("appointments", "update", {"title": f"Moved {number}"})

    def delete_note(self, number):
        self._change("notes", "delete")

    def delete_appointment(self, number):
        self._change("appointments", "delete")

    def _make(self, kind, values):
        person = self.chance.choice(self.people)
        self.held[kind][self._edit(kind[:-1], "create", None, {"contactId": person, **values})] = person

    def _change(self, kind, action, values=None):
        if self.held[kind]:
            one = self.chance.choice(list(self.held[kind]))
            self._edit(kind[:-1], action, one, values)
            if action == "delete":
                del self.held[kind][one]

    def _edit(self, kind, action, record, values=None):
        edit = {"kind": kind, "action": action, "id": record, "values": values or {}, "location_id": self.location}
        return self.sandbox.edits(edit)[0]["id"]

    def _ids(self, kind):
        return [row["id"] for row in self.sandbox.records(kind, location_id=self.location)["records"]]

    def _owners(self, kind):
        rows = self.sandbox.records(kind, location_id=self.location)["records"]
        return {row["id"]: row["contactId"] for row in rows}
