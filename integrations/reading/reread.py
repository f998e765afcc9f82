"""One person as GHL has them now: the record itself and what GHL lists for them, part by part."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from contacts.models import Appointment, Contact, ContactFreshness, Note, Task
from integrations.ghl import errors, payloads
from integrations.reading.merge import Merged, merge, remove

PARTS = ("record", "notes", "tasks", "appointments")
MODELS: dict[str, Any] = {"notes": Note, "tasks": Task, "appointments": Appointment}


def take(client, location, person, parts):
    """Read these parts of one person and bring them in. False when GHL has the person no more."""
    began_at = timezone.now()
    answer = parts_of(client, location, person.remote_id, parts)
    if answer is None:
        remove(location, Contact, [person])
        return False
    lost = absentees({person: answer})
    gone = [row for row in lost if denied(client, row)]
    with transaction.atomic():
        take_parts(location, {person: answer}, gone)
        mark_read(location, [person], parts, began_at)
        want_notes(location, {row.contact_id for row in lost if is_young(row)})
    return True


def parts_of(client, location, remote_id, parts):
    """{part: rows} as GHL lists them now; None for a person GHL no longer has."""
    read = {
        "record": lambda: [payloads.contact_values(client.get_contact(remote_id))],
        "notes": lambda: [payloads.note_values(row) for row in client.list_notes(remote_id)],
        "tasks": lambda: [payloads.task_values(row) for row in client.list_tasks(remote_id)],
        "appointments": lambda: [
            payloads.appointment_values(row, location.zone) for row in client.contact_appointments(remote_id)
        ],
    }
    try:
        answer = {part: read[part]() for part in parts}
    except errors.NotFound:
        try:
            client.get_contact(remote_id)
        except errors.NotFound:
            return None
        raise errors.BadAnswer("the contact is there, what hangs on it is not") from None
    for part, rows in answer.items():
        if part != "record" and any(row["contact_remote_id"] not in ("", remote_id) for row in rows):
            raise errors.BadAnswer(f"the list of {part} is somebody else's")
        if part == "record" and rows[0]["remote_id"] != remote_id:
            raise errors.BadAnswer("the contact is somebody else")
    return answer


def absentees(read):
    """Our rows that {person: {part: rows}} lacks. What we wrote a moment ago GHL may not list yet."""
    missing = []
    for part, model in MODELS.items():
        if part not in next(iter(read.values()), {}):
            continue
        listed = {row["remote_id"] for answer in read.values() for row in answer[part]}
        ours = model.objects.present().filter(contact__in=list(read), remote_id__isnull=False)
        missing += ours.exclude(remote_id__in=listed).select_related("contact")
    return missing


def denied(client, row, was_told=False):
    """GHL says by id that the row is gone; of a row that is young only if it has told us so before."""
    if is_young(row) and not was_told:
        return False
    try:
        return bool(by_id(client, row).get("deleted"))
    except errors.NotFound:
        return True


def is_young(row):
    """It came into being, or we wrote it to GHL, so lately that GHL may not know it everywhere."""
    since = settling_since()
    return row.created_at > since or row.changes.filter(kind=row.KIND, settled_at__gt=since).exists()


def settling_since():
    """What happened after this moment GHL's reads may not show yet."""
    return timezone.now() - timedelta(seconds=settings.GHL_SETTLE_S)


def by_id(client, row, contact_id=""):
    """The record as GHL has it, under our names. With `contact_id`, where it is said to hang on another contact now."""
    contact_id = contact_id or (row.remote_id if row.KIND == "contact" else row.contact.remote_id)
    if row.KIND == "contact":
        return payloads.contact_values(client.get_contact(row.remote_id))
    if row.KIND == "appointment":
        return payloads.appointment_values(client.get_appointment(row.remote_id), row.location.zone)
    if row.KIND == "task":
        values = payloads.task_values(client.get_task(contact_id, row.remote_id))
    else:
        values = payloads.note_values(client.get_note(contact_id, row.remote_id))
    return {**values, "contact_remote_id": contact_id}


def take_parts(location, read, gone=()):
    """Bring {person: {part: rows}} in, and remove `gone`. {model: what it did}."""
    done: dict[Any, Merged] = {}
    parts: dict = next(iter(read.values()), {})
    if "record" in parts:
        done[Contact] = merge(location, Contact, [row for answer in read.values() for row in answer["record"]])
    for part, model in MODELS.items():
        if part in parts:
            rows = [
                {**row, "contact_remote_id": person.remote_id}
                for person, answer in read.items()
                for row in answer[part]
            ]
            done[model] = merge(location, model, rows)
            lost = remove(location, model, [row for row in gone if isinstance(row, model)])
            done[model].surprises += lost.surprises
            done[model].removed += lost.removed
    return done


def mark_read(location, people, parts, at):
    """Remember that these parts are as they were in GHL `at` that moment, and when its notes are due again."""
    stamps = {f"{part}_at": at for part in parts}
    rows = [ContactFreshness(contact=person, location=location, **stamps) for person in people]
    fields = list(stamps)
    if "notes" in parts:
        fields.append("notes_due_at")
        for row in rows:
            row.notes_due_at = at + timedelta(days=settings.NOTES_AUDIT_DAYS * _spread(row.contact_id))
    ContactFreshness.objects.bulk_create(rows, update_conflicts=True, unique_fields=["contact"], update_fields=fields)


def want_notes(location, people_ids):
    """These contacts have moved: their notes are the next to be read."""
    now = timezone.now()
    rows = [ContactFreshness(contact_id=pk, location=location, notes_due_at=now) for pk in people_ids]
    ContactFreshness.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["contact"], update_fields=["notes_due_at"]
    )


def _spread(pk):
    """Between a half and one, evenly: contacts read together do not all come again together."""
    return 0.5 + (pk * 2_654_435_761 % 2**32) / 2**33
