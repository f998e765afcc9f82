"""A contact's history as lines to read: who did what, what it was and what it is now."""

from dataclasses import dataclass, field
from datetime import timedelta

from django.utils.html import format_html, strip_tags
from django.utils.text import Truncator

from contacts import wording
from contacts.fields import date_words, in_words
from contacts.models import ActorKind, Change, Company, CustomField, HistoryEvent, RemoteUser
from contacts.paging import Order, page_of
from contacts.templatetags.ui import when

PAGE = 40
MOST = 400  # lines shown again when the list is read anew
FOLD_WITHIN = timedelta(minutes=10)
UNDONE_WITHIN = timedelta(minutes=2)
TAKES_BACK = {
    "task_reopened": "task_done",
    "task_restored": "task_deleted",
    "note_restored": "note_deleted",
    "contact_restored": "contact_deleted",
}
NEWEST = Order("happened_at", "Newest first", descending=True, is_time=True)

FILTERS = {
    "": ("All", ()),
    "notes": ("Notes", ("note_",)),
    "tasks": ("Tasks", ("task_",)),
    "appointments": ("Appointments", ("appointment_",)),
    "changes": ("Changes", ("contact_", "tags_")),
}

# kind → (icon, what was done). The thing it was done to follows, where there is one.
DONE = {
    "contact_added": ("user-plus", "added this contact"),
    "contact_changed": ("pencil", "changed"),
    "contact_deleted": ("trash-2", "deleted this contact"),
    "contact_restored": ("undo-2", "brought this contact back"),
    "tags_changed": ("tag", "changed tags"),
    "note_added": ("file-text", "wrote a note"),
    "note_changed": ("file-pen", "changed a note"),
    "note_deleted": ("file-x", "deleted a note"),
    "note_restored": ("undo-2", "brought a note back"),
    "task_added": ("square-plus", "added task"),
    "task_changed": ("square-pen", "changed task"),
    "task_done": ("square-check", "completed"),
    "task_reopened": ("square", "reopened"),
    "task_deleted": ("trash-2", "deleted task"),
    "task_restored": ("undo-2", "brought back task"),
    "appointment_booked": ("calendar-plus", "booked"),
    "appointment_moved": ("calendar-clock", "moved"),
    "appointment_changed": ("calendar", "changed appointment"),
    "appointment_deleted": ("calendar-x", "cancelled"),
    "appointment_restored": ("calendar", "restored appointment"),
}
STATUS = {
    "new": "Not confirmed", "confirmed": "Confirmed", "showed": "Kept", "noshow": "No-show", "no-show": "No-show",
    "cancelled": "Cancelled", "canceled": "Cancelled", "invalid": "Invalid",
}  # fmt: skip
LABELS = {
    "email": "E-mail", "company_remote_id": "Company", "company_name": "Company", "owner_remote_id": "Owner",
    "address": "Street", "custom_values": "Custom fields", "dnd": "Do not disturb", "dnd_settings": "Do not disturb",
    "due_at": "Due", "assignee_remote_id": "Assignee", "author_remote_id": "Author", "body": "Text",
    "starts_at": "Start", "ends_at": "End", "calendar_remote_id": "Calendar",
}  # fmt: skip
MOMENTS = {"due_at", "starts_at", "ends_at"}
WIDE = 60  # letters that still stand in the line
LONG = 400  # letters of an old or new value


@dataclass
class Line:
    event: HistoryEvent
    icon: str
    actor: str
    words: str
    subject: str = ""
    detail: str = ""
    changes: list = field(default_factory=list)  # (label, old, new)
    note: object = None  # shown with its text
    is_folded: bool = False  # stands for several edits
    undo: Change | None = None  # what can be taken back from here

    @property
    def folds(self):
        """Whether the old and new values need more room than the line has."""
        return len(self.changes) > 1 or any(len(words) > WIDE for _, *pair in self.changes for words in pair)

    @property
    def is_machine(self):
        return self.event.actor_kind != ActorKind.PERSON


def status_words(appointment):
    return STATUS.get(appointment.status.lower(), appointment.status.capitalize())


def page(contact, kind="", after="", until=""):
    """(lines, cursor of the next page, cursor of the last event). With `until` everything down to that place again."""
    events = HistoryEvent.objects.filter(contact=contact).select_related("user", "task", "note__author", "appointment")
    events = events.select_related("change__business", "note", "note__location")
    prefixes = FILTERS.get(kind, FILTERS[""])[1]
    if prefixes:
        kinds = [one for one in HistoryEvent.Kind.values if one.startswith(prefixes)]
        events = events.filter(kind__in=kinds)
    size = PAGE
    place = NEWEST.parse(until) if until else None
    if place:
        shown = events.exclude(NEWEST.beyond(*place)).order_by().values("pk")[:MOST].count()
        size = max(PAGE, shown)
    found = page_of(events, NEWEST, after, size, None)
    last = NEWEST.cursor(found.rows[-1]) if found.rows else ""
    return lines_of(found.rows, contact.location), found.after, last


def days_of(lines, zone, after=""):
    """[(day, its lines)]. A day that the page before ended in comes without its date: its head is there already."""
    place = NEWEST.parse(after) if after else None
    last = place[0].astimezone(zone).date() if place else None
    days = []
    for line in lines:
        date = line.event.happened_at.astimezone(zone).date()
        if not days or days[-1][0] != date:
            days.append((date, []))
        days[-1][1].append(line)
    return [(None if date == last else date, lines) for date, lines in days]


def lines_of(events, location):
    names = Names(location, events)
    lines = []
    for event in without_undone(events):
        if lines and _continues(lines[-1].event, event):
            _fold(lines[-1], event, names)
        else:
            lines.append(_line(event, names))
    taken_back = Change.objects.filter(undoes__in={event.change_id for event in events if event.change_id})
    taken_back = set(taken_back.values_list("undoes", flat=True))
    for line in lines:
        _say_what_changed(line)
        _say_why(line, taken_back)
    return lines


def _say_why(line, taken_back):
    """An edit that takes another back, and one that a person gave up."""
    event, change = line.event, line.event.change
    if change is None:
        return
    if is_decision := bool(change.decided_by_id and change.settled_at and event.created_at >= change.settled_at):
        line.words = f"let GHL’s stand: {line.words}"
        line.detail = f"{line.detail} ({event.reason})" if event.reason else line.detail
    elif change.undoes_id:
        line.words = f"undid: {line.words}"
    if not is_decision and change.pk not in taken_back and not line.is_folded and line.note is None:
        line.undo = change


def without_undone(events):
    """Done and taken back within a moment is not worth two lines."""
    kept = []
    for event in events:
        newer = kept[-1] if kept else None
        if newer and TAKES_BACK.get(newer.kind) == event.kind and _same_record(newer, event):
            kept.pop()
        else:
            kept.append(event)
    return kept


def _same_record(newer, older):
    return (
        (newer.task_id, newer.note_id, newer.user_id) == (older.task_id, older.note_id, older.user_id)
        and newer.user_id is not None
        and newer.happened_at - older.happened_at < UNDONE_WITHIN
    )


def _continues(newer, older):
    """Small edits of the same person shortly after one another read as one."""
    return (
        newer.kind == older.kind == "contact_changed"
        and (newer.actor_kind, newer.user_id, newer.actor_name) == (older.actor_kind, older.user_id, older.actor_name)
        and newer.happened_at - older.happened_at < FOLD_WITHIN
        and not _is_special(newer)
        and not _is_special(older)
    )


def _is_special(event):
    """Lines that say more than that something changed."""
    return bool(event.reason or (event.change and (event.change.undoes_id or event.change.decided_by_id)))


def _fold(line, older, names):
    """The older edit comes first, and an edit of the same field again keeps the oldest old value."""
    line.is_folded = True
    merged = {label: (old, new) for label, old, new in names.changes(older)}
    for label, old, new in line.changes:
        merged[label] = (merged[label][0] if label in merged else old, new)
    line.changes = [(label, old, new) for label, (old, new) in merged.items()]


def _line(event, names):
    icon, words = DONE.get(event.kind, ("circle", event.get_kind_display().lower()))
    line = Line(event, icon, actor_of(event), words, subject=_subject(event))
    if event.kind == "note_added" and event.note:
        line.note = event.note
        line.detail = event.note.title
    elif event.kind == "tags_changed":
        line.words = _tag_words(event)
    elif event.kind == "appointment_booked" and event.appointment and event.appointment.starts_at:
        line.detail = format_html("for {}", when(event.appointment.starts_at, names.zone))
    else:
        line.changes = names.changes(event)
    return line


def _say_what_changed(line):
    if line.event.kind != "contact_changed":
        return
    labels = [label for label, _, _ in line.changes]
    if len(labels) == 1:
        line.words = f"changed {labels[0]}"
    elif labels:
        line.words = f"changed {len(labels)} fields"
        more = len(labels) - 3
        line.detail = ", ".join(labels[:3]) + (f" and {more} more" if more > 0 else "")
    else:
        line.words = "changed this contact"


def actor_of(event):
    if event.actor_kind == ActorKind.PERSON:
        return str(event.user) if event.user else event.actor_name or "Somebody"
    name = event.actor_name.strip()
    if event.actor_kind == ActorKind.GHL:
        return name or "GHL"
    return name or {ActorKind.RULE: "A rule", ActorKind.ERP: "ERP"}.get(event.actor_kind, "Rankr")


def _subject(event):
    if event.task:
        return event.task.title
    if event.appointment:
        return str(event.appointment)
    return ""


def _tag_words(event):
    old, new = event.changes.get("tags") or ([], [])
    old, new = set(old or []), set(new or [])
    added, gone = sorted(new - old), sorted(old - new)
    parts = [
        f"{verb} {'tag' if len(tags) == 1 else 'tags'} {', '.join(tags[:5])}{' …' if len(tags) > 5 else ''}"
        for verb, tags in (("added", added), ("removed", gone))
        if tags
    ]
    return " and ".join(parts) or "changed tags"


class Names:
    """Ids in a history turned into names, read once for all its lines."""

    def __init__(self, location, events):
        self.zone = location.zone
        keys = {key for event in events for key in event.changes}
        self.custom = {}
        self.people, self.companies = {}, {}
        if "custom_values" in keys:
            self.custom = {one.remote_id: one for one in CustomField.objects.filter(location=location)}
        if keys & {"owner_remote_id", "assignee_remote_id", "author_remote_id"}:
            self.people = dict(RemoteUser.objects.filter(location=location).values_list("remote_id", "name"))
        if "company_remote_id" in keys:
            self.companies = dict(Company.objects.filter(location=location).values_list("remote_id", "name"))

    def changes(self, event):
        """[(label, old, new)] in words."""
        found = []
        for key, pair in event.changes.items():
            old, new = pair if isinstance(pair, list) and len(pair) == 2 else (None, pair)
            if key == "custom_values":
                found += self._custom(old or {}, new or {})
            elif event.kind in ("task_done", "task_reopened") and key == "completed":
                continue
            else:
                found.append((self.label(key), self.words(key, old), self.words(key, new)))
        return found

    def _custom(self, old, new):
        for part in [part for part in {**old, **new} if old.get(part) != new.get(part)]:
            known = self.custom.get(part)
            control = "date" if known and known.data_type.upper() == "DATE" else "text"
            label = known.name if known else "A field that GHL no longer has"
            yield label, _short(in_words(old.get(part), control)), _short(in_words(new.get(part), control))

    def label(self, key):
        return LABELS.get(key) or wording.FIELDS.get(key, key.replace("_", " ")).capitalize()

    def words_of(self, key, value):
        """As `words`, custom fields included."""
        if key != "custom_values":
            return self.words(key, value)
        return ", ".join(new or "nothing" for _, _, new in self._custom(dict.fromkeys(value, ...), value))

    def words(self, key, value):
        if value in (None, "", [], {}):
            return ""
        if key in ("owner_remote_id", "assignee_remote_id", "author_remote_id"):
            return self.people.get(value) or "Unknown GHL user"
        if key == "company_remote_id":
            return self.companies.get(value) or "Unknown company"
        if key in MOMENTS:
            return strip_tags(str(when(value, self.zone))) or str(value)
        if key == "date_of_birth":
            return date_words(value)
        if key == "phone":
            return in_words(value, "tel")
        if key == "status":
            return STATUS.get(str(value).lower(), str(value))
        if key == "dnd_settings":
            return ", ".join(
                f"no {channel}"
                for channel, setting in value.items()
                if isinstance(setting, dict) and setting.get("status") in ("active", "permanent")
            )
        return _short(strip_tags(in_words(value)) if key == "body" else in_words(value))


def _short(text):
    return Truncator(text).chars(LONG)
