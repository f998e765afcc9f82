"""What a Change was about, in a few words: "phone and e-mail", "new task “Call back”", "tags"."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contacts.models import Change

FIELDS = {
    "first_name": gettext_noop("first name"),
    "last_name": gettext_noop("last name"),
    "email": gettext_noop("e-mail"),
    "company_name": gettext_noop("company"),
    "company_remote_id": gettext_noop("company"),
    "owner_remote_id": gettext_noop("owner"),
    "postal_code": gettext_noop("postal code"),
    "time_zone": gettext_noop("time zone"),
    "date_of_birth": gettext_noop("date of birth"),
    "dnd": gettext_noop("do not disturb"),
    "dnd_settings": gettext_noop("do not disturb"),
    "custom_values": gettext_noop("custom fields"),
    "due_at": gettext_noop("due date"),
    "starts_at": gettext_noop("start"),
    "ends_at": gettext_noop("end"),
    "calendar_remote_id": gettext_noop("calendar"),
    "body": gettext_noop("text"),
    "assignee_remote_id": gettext_noop("assignee"),
    "author_remote_id": gettext_noop("author"),
}
# (kind, what was done) → the words. Of appointments without a title as of notes.
DONE = {
    ("contact", "create"): gettext_noop("new contact"),
    ("contact", "delete"): gettext_noop("contact deleted"),
    ("contact", "update"): "%(fields)s",
    ("note", "create"): gettext_noop("new note"),
    ("note", "delete"): gettext_noop("note deleted"),
    ("note", "update"): gettext_noop("%(fields)s of note"),
    ("task", "create"): gettext_noop("new task “%(title)s”"),
    ("task", "delete"): gettext_noop("task “%(title)s” deleted"),
    ("task", "update"): gettext_noop("%(fields)s of task “%(title)s”"),
    ("task", "done"): gettext_noop("task “%(title)s” done"),
    ("task", "open"): gettext_noop("task “%(title)s” open again"),
    ("appointment", "create"): gettext_noop("new appointment “%(title)s”"),
    ("appointment", "delete"): gettext_noop("appointment “%(title)s” deleted"),
    ("appointment", "update"): gettext_noop("%(fields)s of appointment “%(title)s”"),
    ("appointment", "moved"): gettext_noop("appointment “%(title)s” moved"),
    ("appointment", "showed"): gettext_noop("appointment “%(title)s” kept"),
    ("appointment", "noshow"): gettext_noop("appointment “%(title)s” missed"),
    ("appointment", "marked"): gettext_noop("appointment “%(title)s” %(status)s"),
    ("untitled", "create"): gettext_noop("new appointment"),
    ("untitled", "delete"): gettext_noop("appointment deleted"),
    ("untitled", "update"): gettext_noop("%(fields)s of appointment"),
    ("untitled", "moved"): gettext_noop("appointment moved"),
    ("untitled", "showed"): gettext_noop("appointment kept"),
    ("untitled", "noshow"): gettext_noop("appointment missed"),
    ("untitled", "marked"): gettext_noop("appointment %(status)s"),
}
SHOWN_FIELDS = 3
SHOWN_LETTERS = 60


def what_of(change):
    if change.verb == Change.Verb.TAGS:
        return _tags(change.values)
    kind, title = change.kind, ""
    if kind in (Change.Kind.TASK, Change.Kind.APPOINTMENT):
        title = change.record.title
    if kind == Change.Kind.APPOINTMENT and not title:
        kind = "untitled"
    words = _(DONE[kind, _done(change)])
    return words % {"title": _short(title), "fields": _fields(change.values), "status": change.values.get("status")}


def _done(change):
    keys = set(change.values)
    if change.verb != Change.Verb.UPDATE:
        return change.verb
    if change.kind == Change.Kind.TASK and keys == {"completed"}:
        return "done" if change.values["completed"] else "open"
    if change.kind == Change.Kind.APPOINTMENT and keys <= {"starts_at", "ends_at"}:
        return "moved"
    if change.kind == Change.Kind.APPOINTMENT and keys == {"status"}:
        return change.values["status"] if change.values["status"] in ("showed", "noshow") else "marked"
    return "update"


def field_name(key):
    return _(FIELDS[key]) if key in FIELDS else key.replace("_", " ")


def _fields(values):
    words = list(dict.fromkeys(field_name(key) for key in sorted(values)))
    more = len(words) - SHOWN_FIELDS
    if more < 1:
        return all_of(words) or _("nothing")
    return _("%(names)s and %(count)s more") % {"names": ", ".join(words[:SHOWN_FIELDS]), "count": more}


def _tags(values):
    told = {verb: _few(values[key]) for verb, key in (("added", "add"), ("removed", "remove")) if values.get(key)}
    if len(told) == 2:
        return _("tags: added %(added)s, removed %(removed)s") % told
    return (_("tags: added %(added)s") if "added" in told else _("tags: removed %(removed)s")) % told


def _few(tags):
    return all_of(_short(tag) for tag in tags[:SHOWN_FIELDS]) + (" …" if len(tags) > SHOWN_FIELDS else "")


def all_of(words):
    """Phone, e-mail and tags"""
    *first, last = list(words) or [""]
    return _("%(first)s and %(last)s") % {"first": ", ".join(first), "last": last} if first else last


def one_of(words):
    """Phone, e-mail or tags"""
    *first, last = list(words) or [""]
    return _("%(first)s or %(last)s") % {"first": ", ".join(first), "last": last} if first else last


def _short(text):
    return text if len(text) <= SHOWN_LETTERS else f"{text[: SHOWN_LETTERS - 1]}…"


FAILURES = {
    "ScopeMissing": gettext_noop("GHL has not given us permission"),
    "LocationDenied": gettext_noop("GHL does not let us in"),
    "NotFound": gettext_noop("deleted in GHL meanwhile"),
    "Duplicate": gettext_noop("GHL has this person already"),
    "conflict": gettext_noop("changed in GHL meanwhile"),
    "kept another value": gettext_noop("GHL kept another value"),
    "contact missing": gettext_noop("the contact was not created in GHL"),
    "contact deleted": gettext_noop("the contact was deleted"),
    "two alike": gettext_noop("GHL has two like it"),
    "no answer for a day": gettext_noop("GHL has failed for a day"),
    "our side": gettext_noop("something went wrong on our side"),
}


WHAT_FAILED = {
    ("contact", "create"): gettext_noop("new contacts"),
    ("contact", "update"): gettext_noop("edits of contacts"),
    ("contact", "delete"): gettext_noop("deleted contacts"),
    ("note", "create"): gettext_noop("new notes"),
    ("note", "update"): gettext_noop("edits of notes"),
    ("note", "delete"): gettext_noop("deleted notes"),
    ("task", "create"): gettext_noop("new tasks"),
    ("task", "update"): gettext_noop("edits of tasks"),
    ("task", "delete"): gettext_noop("deleted tasks"),
    ("appointment", "create"): gettext_noop("new appointments"),
    ("appointment", "update"): gettext_noop("edits of appointments"),
    ("appointment", "delete"): gettext_noop("deleted appointments"),
}


def failure_words(change):
    """What alike failures have in common: "new notes: GHL has not given us permission"."""
    what = _("tags") if change.verb == Change.Verb.TAGS else _(WHAT_FAILED[change.kind, change.verb])
    if change.failure.startswith("Invalid "):
        field = field_name(change.failure.removeprefix("Invalid "))
        return _("%(what)s: GHL refuses the %(field)s") % {"what": what, "field": field}
    why = _(FAILURES[change.failure]) if change.failure in FAILURES else _("GHL did not take them")
    return _("%(what)s: %(why)s") % {"what": what, "why": why}


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
