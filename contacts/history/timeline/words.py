"""What is said of one event: its verb, its actor, and its ids turned into names."""

import re

from django.utils.html import strip_tags
from django.utils.text import Truncator

from contacts import wording
from contacts.details import disturb
from contacts.details.field_words import in_words
from contacts.details.fields import CONTROLS, control_of
from contacts.models import ActorKind, Calendar, Company, CustomField, RemoteUser
from contacts.templatetags.ui import when

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
    "erp_event": ("receipt", ""),
    "rule_run": ("zap", "matched"),
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
PEOPLE = {"owner_remote_id", "assignee_remote_id", "author_remote_id"}
LONG = 400  # letters of an old or new value
CALL = re.compile(r"Call(?:, (?P<minutes>\d{1,4}) min)?(?:, (?P<outcome>.{1,80}))?")


def status_words(appointment):
    return STATUS.get(appointment.status.lower(), appointment.status.capitalize())


def actor_of(event):
    if event.actor_kind == ActorKind.PERSON:
        return str(event.user) if event.user else event.actor_name or "Somebody"
    name = event.actor_name.strip()
    if event.actor_kind == ActorKind.GHL:
        return name or "GHL"
    return name or {ActorKind.RULE: "A rule", ActorKind.ERP: "ERP"}.get(event.actor_kind, "Rankr")


def call_of(title):
    """(words, outcome) of a note whose title says that it is about a call, as the composer writes it; else None."""
    found = CALL.fullmatch(title.strip())
    if not found:
        return None
    minutes = found["minutes"]
    return f"logged a call, {minutes} min" if minutes else "logged a call", found["outcome"] or ""


def call_title(minutes, outcome):
    """The other way round: what `call_of` reads, and people in GHL too."""
    parts = ["Call", f"{minutes} min" if minutes else "", outcome[:1].lower() + outcome[1:]]
    return ", ".join(part for part in parts if part)


def tag_words(old, new):
    old, new = set(old or []), set(new or [])
    parts = [
        f"{verb} {'tag' if len(tags) == 1 else 'tags'} {', '.join(tags[:5])}{' …' if len(tags) > 5 else ''}"
        for verb, tags in (("added", sorted(new - old)), ("removed", sorted(old - new)))
        if tags
    ]
    return " and ".join(parts) or "changed tags"


class Names:
    """Ids in a history turned into names, read once for all its lines."""

    def __init__(self, location, events):
        self.zone = location.zone
        keys = {key for event in events for key in event.changes}
        self.custom = {}
        self.people, self.companies, self.calendars = {}, {}, {}
        if "custom_values" in keys:
            self.custom = {one.remote_id: one for one in CustomField.objects.filter(location=location)}
        if keys & PEOPLE:
            self.people = dict(RemoteUser.objects.filter(location=location).values_list("remote_id", "name"))
        if "company_remote_id" in keys:
            self.companies = dict(Company.objects.filter(location=location).values_list("remote_id", "name"))
        if "calendar_remote_id" in keys:
            self.calendars = dict(Calendar.objects.filter(location=location).values_list("remote_id", "name"))

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
            control = control_of(known)
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
        if key in PEOPLE:
            return self.people.get(value) or "Unknown GHL user"
        if key == "company_remote_id":
            return self.companies.get(value) or "Unknown company"
        if key == "calendar_remote_id":
            return self.calendars.get(value) or "Unknown calendar"
        if key in MOMENTS:
            return strip_tags(str(when(value, self.zone))) or str(value)
        if key in CONTROLS:
            return _short(in_words(value, CONTROLS[key]))
        if key == "status":
            return STATUS.get(str(value).lower(), str(value))
        if key == "dnd_settings":
            return disturb.settings_words(value)
        return _short(strip_tags(in_words(value)) if key == "body" else in_words(value))


def _short(text):
    return Truncator(text).chars(LONG)
