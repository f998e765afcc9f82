"""What is said of one event: its verb, its actor, and its ids turned into names."""

import re

from django.utils.html import strip_tags
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from contacts import wording
from contacts.details import disturb
from contacts.details.field_words import in_words
from contacts.details.fields import CONTROLS, control_of
from contacts.models import ActorKind, Calendar, Company
from contacts.templatetags.ui import when

# kind → (icon, what was done). The thing it was done to follows, where there is one.
DONE = {
    "contact_added": ("user-plus", gettext_noop("added this contact")),
    "contact_changed": ("pencil", gettext_noop("changed")),
    "contact_deleted": ("trash-2", gettext_noop("deleted this contact")),
    "contact_restored": ("undo-2", gettext_noop("brought this contact back")),
    "tags_changed": ("tag", gettext_noop("changed tags")),
    "note_added": ("file-text", gettext_noop("wrote a note")),
    "note_changed": ("file-pen", gettext_noop("changed a note")),
    "note_deleted": ("file-x", gettext_noop("deleted a note")),
    "note_restored": ("undo-2", gettext_noop("brought a note back")),
    "task_added": ("square-plus", gettext_noop("added task")),
    "task_changed": ("square-pen", gettext_noop("changed task")),
    "task_done": ("square-check", gettext_noop("completed")),
    "task_reopened": ("square", gettext_noop("reopened")),
    "task_deleted": ("trash-2", gettext_noop("deleted task")),
    "task_restored": ("undo-2", gettext_noop("brought back task")),
    "appointment_booked": ("calendar-plus", gettext_noop("booked")),
    "appointment_moved": ("calendar-clock", gettext_noop("moved")),
    "appointment_changed": ("calendar", gettext_noop("changed appointment")),
    "appointment_deleted": ("calendar-x", gettext_noop("deleted appointment")),
    "appointment_restored": ("calendar", gettext_noop("restored appointment")),
    "erp_event": ("receipt", ""),
    "rule_run": ("zap", gettext_noop("matched")),
}
STATUS = {
    "new": gettext_noop("Not confirmed"),
    "confirmed": gettext_noop("Confirmed"),
    "showed": gettext_noop("Kept"),
    "noshow": gettext_noop("No-show"),
    "no-show": gettext_noop("No-show"),
    "cancelled": gettext_noop("Cancelled"),
    "canceled": gettext_noop("Cancelled"),
    "invalid": gettext_noop("Invalid"),
}
LABELS = {
    "email": gettext_noop("E-mail"),
    "company_remote_id": gettext_noop("Company"),
    "company_name": gettext_noop("Company"),
    "owner_remote_id": gettext_noop("Owner"),
    "address": gettext_noop("Street"),
    "custom_values": gettext_noop("Custom fields"),
    "dnd": gettext_noop("Do not disturb"),
    "dnd_settings": gettext_noop("Do not disturb"),
    "due_at": gettext_noop("Due"),
    "assignee_remote_id": gettext_noop("Assignee"),
    "author_remote_id": gettext_noop("Author"),
    "body": gettext_noop("Text"),
    "starts_at": gettext_noop("Start"),
    "ends_at": gettext_noop("End"),
    "calendar_remote_id": gettext_noop("Calendar"),
}
MOMENTS = {"due_at", "starts_at", "ends_at"}
PEOPLE = {"owner_remote_id", "assignee_remote_id", "author_remote_id"}
LONG = 400  # letters of an old or new value
CALL = re.compile(r"Call(?:, (?P<minutes>\d{1,4}) min)?(?:, (?P<outcome>.{1,80}))?")


def status_words(appointment):
    known = STATUS.get(appointment.status.lower())
    return _(known) if known else appointment.status.capitalize()


def actor_of(event):
    if event.actor_kind == ActorKind.PERSON:
        return str(event.user) if event.user else event.actor_name or _("Somebody")
    name = event.actor_name.strip()
    if event.actor_kind == ActorKind.GHL:
        return name or "GHL"
    return name or {ActorKind.RULE: _("A rule"), ActorKind.ERP: "ERP"}.get(event.actor_kind, "Rankr")


def call_of(title):
    """(words, outcome) of a note whose title says that it is about a call, as the composer writes it; else None."""
    found = CALL.fullmatch(title.strip())
    if not found:
        return None
    minutes = found["minutes"]
    words = _("logged a call, %(minutes)s min") % {"minutes": minutes} if minutes else _("logged a call")
    return words, found["outcome"] or ""


def call_title(minutes, outcome):
    """The other way round: what `call_of` reads, and people in GHL too. Kept, so never in another language."""
    parts = ["Call", f"{minutes} min" if minutes else "", outcome[:1].lower() + outcome[1:]]
    return ", ".join(part for part in parts if part)


def tag_words(old, new, most=5):
    """added tags b, c and removed tag a; of many only the first, unless `most` is None."""
    old, new = set(old or []), set(new or [])
    added, removed = sorted(new - old), sorted(old - new)
    parts = []
    if added:
        parts.append(ngettext("added tag %(tags)s", "added tags %(tags)s", len(added)) % {"tags": _few(added, most)})
    if removed:
        words = ngettext("removed tag %(tags)s", "removed tags %(tags)s", len(removed))
        parts.append(words % {"tags": _few(removed, most)})
    return wording.all_of(parts) or _("changed tags")


def _few(tags, most):
    return ", ".join(tags[:most]) + (" …" if most and len(tags) > most else "")


class Names:
    """Ids in a history turned into names, read once for all its lines."""

    def __init__(self, location, events):
        self.zone = location.zone
        keys = {key for event in events for key in event.changes}
        self.custom = {}
        self.people, self.companies, self.calendars = {}, {}, {}
        if "custom_values" in keys:
            self.custom = {one.remote_id: one for one in location.custom_fields.all()}
        if keys & PEOPLE:
            self.people = {one.remote_id: one.name for one in location.remote_users.all()}
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
            label = known.name if known else _("A field that GHL no longer has")
            yield label, _short(in_words(old.get(part), control)), _short(in_words(new.get(part), control))

    def label(self, key):
        return _(LABELS[key]) if key in LABELS else wording.field_name(key).capitalize()

    def words_of(self, key, value):
        """As `words`, custom fields included."""
        if key != "custom_values":
            return self.words(key, value)
        return ", ".join(new or _("nothing") for __, __, new in self._custom(dict.fromkeys(value, ...), value))

    def words(self, key, value):
        if value in (None, "", [], {}):
            return ""
        if key in PEOPLE:
            return self.people.get(value) or _("Unknown GHL user")
        if key == "company_remote_id":
            return self.companies.get(value) or _("Unknown company")
        if key == "calendar_remote_id":
            return self.calendars.get(value) or _("Unknown calendar")
        if key in MOMENTS:
            return strip_tags(str(when(value, self.zone))) or str(value)
        if key in CONTROLS:
            return _short(in_words(value, CONTROLS[key]))
        if key == "status":
            return _(STATUS.get(str(value).lower(), str(value)))
        if key == "dnd_settings":
            return disturb.settings_words(value)
        return _short(strip_tags(in_words(value)) if key == "body" else in_words(value))


def _short(text):
    return Truncator(text).chars(LONG)
