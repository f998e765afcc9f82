"""What a Change was about, in a few words: "phone and e-mail", "new task “Call back”", "tags"."""

from contacts.models import Change

FIELDS = {
    "first_name": "first name",
    "last_name": "last name",
    "email": "e-mail",
    "company_name": "company",
    "company_remote_id": "company",
    "owner_remote_id": "owner",
    "postal_code": "postal code",
    "time_zone": "time zone",
    "date_of_birth": "date of birth",
    "dnd": "do not disturb",
    "dnd_settings": "do not disturb",
    "custom_values": "custom fields",
    "due_at": "due date",
    "starts_at": "start",
    "ends_at": "end",
    "calendar_remote_id": "calendar",
    "body": "text",
    "assignee_remote_id": "assignee",
    "author_remote_id": "author",
}
MARKED = {"showed": "kept", "noshow": "missed"}
SHOWN_FIELDS = 3
SHOWN_LETTERS = 60


def what_of(change):
    named = _named(change)
    if change.verb == Change.Verb.TAGS:
        return _tags(change.values)
    if change.verb == Change.Verb.CREATE:
        return f"new {named}"
    if change.verb == Change.Verb.DELETE:
        return f"{named} deleted"
    if change.kind == Change.Kind.TASK and set(change.values) == {"completed"}:
        return f"{named} {'done' if change.values['completed'] else 'open again'}"
    if change.kind == Change.Kind.APPOINTMENT and set(change.values) <= {"starts_at", "ends_at"}:
        return f"{named} moved"
    if change.kind == Change.Kind.APPOINTMENT and set(change.values) == {"status"}:
        return f"{named} {MARKED.get(change.values['status'], change.values['status'])}"
    fields = _fields(change.values)
    return fields if change.kind == Change.Kind.CONTACT else f"{fields} of {named}"


def _named(change):
    if change.kind == Change.Kind.TASK:
        return f"task “{_short(change.task.title)}”"
    if change.kind == Change.Kind.APPOINTMENT and change.appointment.title:
        return f"appointment “{_short(change.appointment.title)}”"
    return change.get_kind_display().lower()


def _fields(values):
    words = list(dict.fromkeys(FIELDS.get(key, key.replace("_", " ")) for key in sorted(values)))
    more = len(words) - SHOWN_FIELDS
    return _joined(words if more < 1 else [*words[:SHOWN_FIELDS], f"{more} more"]) or "nothing"


def _tags(values):
    parts = [
        f"{verb} {_joined(_short(tag) for tag in tags[:SHOWN_FIELDS])}{' …' if len(tags) > SHOWN_FIELDS else ''}"
        for verb, tags in (("added", values.get("add", [])), ("removed", values.get("remove", [])))
        if tags
    ]
    return f"tags: {', '.join(parts)}"


def _joined(words):
    *first, last = list(words) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _short(text):
    return text if len(text) <= SHOWN_LETTERS else f"{text[: SHOWN_LETTERS - 1]}…"


FAILURES = {
    "ScopeMissing": "GHL has not given us permission",
    "LocationDenied": "GHL does not let us in",
    "NotFound": "deleted in GHL meanwhile",
    "Duplicate": "GHL has this person already",
    "conflict": "changed in GHL meanwhile",
    "kept another value": "GHL kept another value",
    "contact missing": "the contact was not created in GHL",
    "contact deleted": "the contact was deleted",
    "two alike": "GHL has two like it",
    "no answer for a day": "GHL has failed for a day",
    "our side": "something went wrong on our side",
}


def failure_words(change):
    """What alike failures have in common: "new notes: GHL has not given us permission"."""
    plural = {"contact": "contacts", "task": "tasks", "note": "notes", "appointment": "appointments"}[change.kind]
    what = {"create": f"new {plural}", "delete": f"deleted {plural}", "tags": "tags"}
    what = what.get(change.verb, f"edits of {plural}")
    if change.failure.startswith("Invalid "):
        field = change.failure.removeprefix("Invalid ")
        return f"{what}: GHL refuses the {FIELDS.get(field, field.replace('_', ' '))}"
    return f"{what}: {FAILURES.get(change.failure, 'GHL did not take them')}"


def place_to_edit(change):
    """Where what was typed can be put right, if there is one place for it."""
    if change.verb == Change.Verb.DELETE or change.record.deleted_at:
        return ""
    url = change.contact.get_absolute_url()
    if change.kind == Change.Kind.TASK:
        return f"{url}?pane=work&task={change.task_id}#task-{change.task_id}"
    if change.kind == Change.Kind.NOTE:
        return f"{url}?note={change.note_id}#note-{change.note_id}"
    if change.kind == Change.Kind.APPOINTMENT:
        return f"{url}?pane=work#appointment-{change.appointment_id}"
    keys = set(change.values) - {"custom_values", "owner_remote_id", "company_remote_id"}
    if change.kind == Change.Kind.CONTACT and change.verb == Change.Verb.UPDATE and len(keys) == 1:
        key = keys.pop()
        return f"{url}?pane=fields#{'field-dnd' if key.startswith('dnd') else f'value-{key}'}"
    return ""
