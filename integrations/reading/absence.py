"""What GHL no longer has. A list that lacks a record proves nothing: GHL is asked by id, and never about too many."""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from contacts.models import Change
from integrations.access import incidents
from integrations.ghl import errors
from integrations.models import Incident, SyncPage, SyncRun
from integrations.reading import drift, reread
from integrations.reading.merge import merge, remove

log = logging.getLogger(__name__)

FEW, SHARE = 20, 20  # so many may go in one pass, or one in so many: more looks like a fault of GHL's, not like work
BATCH = 40


def tolerable(rows):
    return max(FEW, rows.present().count() // SHARE)


def missing(run, phase, rows):
    """Ids of ours that the complete list of this phase lacked. What GHL may not know everywhere yet is left out."""
    since = reread.settling_since()
    ours = rows.present().filter(remote_id__isnull=False, created_at__lt=min(run.started_at, since))
    lately = Change.objects.filter(**{rows.model.KIND: OuterRef("pk")}, kind=rows.model.KIND, settled_at__gt=since)
    ours = ours.exclude(Exists(lately))
    return ours.order_by().values_list("remote_id").difference(SyncPage.ids(run, phase))


def settle(pull, phase, model, rows):
    """Ask by id for what the list lacked and remove what GHL denies; refuse when that would be too much at once."""
    run = pull.run
    lacking = missing(run, phase, rows)
    count = lacking.count()
    if not count:
        return
    if "settling" not in run.cursor:
        if count > tolerable(rows) and not is_accepted(run.connection):
            return refuse(pull, phase, model, count)
        pull.save(cursor={**run.cursor, "settling": count})
    while remote_ids := [pk for (pk,) in lacking.order_by("remote_id")[:BATCH]]:
        asked = list(rows.filter(remote_id__in=remote_ids).select_related("location", *_contact(model)))
        answers = pull.side_by_side(lambda row: _ask(pull.client, row), asked)
        with transaction.atomic():
            # Each is asked once, whatever became of it.
            SyncPage.objects.create(run=run, phase=phase, remote_ids=remote_ids)
            there = merge(pull.location, model, [values for values in answers if values])
            gone = remove(pull.location, model, [row for row, values in zip(asked, answers, strict=True) if not values])
            drift.book(run, phase, gone)
            drift.book(run, phase, there)
            pull.save(found=run.found)
        pull.breathe()


def _ask(client, row):
    """What GHL says by id, None when it denies the record."""
    try:
        values = reread.by_id(client, row)
    except errors.NotFound:
        return None
    return None if values.get("deleted") else values


def _contact(model):
    return () if model.KIND == "contact" else ("contact",)


def refuse(pull, phase, model, count):
    """Remove nothing, say so in the run, and call a person."""
    run, held = pull.run, pull.location
    log.warning("sync %s: %s %ss missing from a list, none removed", run.pk, count, model.KIND)
    run.found = {**run.found, phase: {**run.found.get(phase, {}), "refused": count}}
    pull.save(found=run.found)
    incidents.open_incident(
        run.connection,
        Incident.Kind.GUARD,
        f"GHL no longer lists {count:,} {phase} of {held} that are still here. That is more than a day's work usually"
        " removes, so nothing was deleted. If they are really gone, say so on the Health page.",
    )


def accept(connection, by):
    """A person says that they are really gone: the next nightly check asks GHL about each and removes what it denies.

    True for the one caller that closed the incident.
    """
    return incidents.close_incident(connection, Incident.Kind.GUARD, by=by)


def is_accepted(connection):
    """Somebody has agreed since the last nightly check that was finished began."""
    last = connection.sync_runs.filter(kind=SyncRun.Kind.NIGHTLY, outcome=SyncRun.Outcome.COMPLETE)
    began = last.order_by("-started_at").values_list("started_at", flat=True).first()
    agreed = connection.incidents.filter(kind=Incident.Kind.GUARD, closed_by__isnull=False)
    return agreed.filter(closed_at__gt=began or timezone.now() - timedelta(days=7)).exists()


def calm_down(run):
    """A whole pass in which nothing was refused closes the incident by itself."""
    if run.is_whole and not any(found.get("refused") for found in run.found.values()):
        incidents.close_incident(run.connection, Incident.Kind.GUARD)
