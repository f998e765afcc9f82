"""How far the edits of one contact have come, sorted to the place where each is shown."""

from datetime import timedelta
from types import SimpleNamespace

from django.db.models import Q
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.translation import gettext as _

from contacts import wording
from contacts.details import disturb
from contacts.details.field_words import in_words
from contacts.details.fields import CONTROLS, control_of
from contacts.history.timeline import Names
from contacts.models import Change, CustomField, RemoteUser
from contacts.models.change import TWO_ALIKE
from contacts.templatetags.ui import when

JUST_NOW = timedelta(seconds=5)  # that long a confirmed edit still says so


class Badges:
    """The change to show at each field (by key, custom ones by remote id), task, note, the tags and the whole."""

    def __init__(self, contact):
        self.fields, self.custom, self.tasks, self.notes, self.appointments = {}, {}, {}, {}, {}
        self.tags = self.whole = None
        shown = Q(state__in=[*Change.UNSETTLED, *Change.UNDECIDED])
        shown |= Q(state=Change.State.CONFIRMED, settled_at__gt=timezone.now() - JUST_NOW)
        self.changes = list(contact.changes.filter(shown).select_related("made_by", "business").order_by("pk"))
        # The newest counts, but what was confirmed never hides what needs a decision.
        for change in sorted(self.changes, key=lambda change: change.state != Change.State.CONFIRMED):
            change.location = contact.location
            self._sort_in(change)

    def _sort_in(self, change):
        if change.kind == Change.Kind.TASK:
            self.tasks[change.task_id] = change
        elif change.kind == Change.Kind.NOTE:
            self.notes[change.note_id] = change
        elif change.kind == Change.Kind.APPOINTMENT:
            self.appointments[change.appointment_id] = change
        elif change.verb == Change.Verb.TAGS:
            self.tags = change
        elif change.verb == Change.Verb.UPDATE:
            for key, value in change.values.items():
                if key == "custom_values":
                    self.custom |= dict.fromkeys(value, change)
                else:
                    self.fields[key] = change
        else:
            self.whole = change

    def of_field(self, field):
        if field.key == "dnd":
            return self.fields.get("dnd_settings") or self.fields.get("dnd")
        return (self.custom if field.is_custom else self.fields).get(field.key)

    @property
    def owner(self):
        return self.fields.get("owner_remote_id")

    def undecided_deletions(self, kind):
        """Rows that are gone here while GHL still has them: they stay in sight until somebody decides."""
        changes = {"task": self.tasks, "note": self.notes}[kind]
        return [pk for pk, change in changes.items() if change.verb == Change.Verb.DELETE and change.is_undecided]


# --- what a refused or differing edit costs ---------------------------------------------------------------------------


def cost_of(change):
    """The state of things until somebody decides, in one sentence."""
    if change.state == Change.State.CONFLICT or change.failure == TWO_ALIKE:
        return ""
    if change.is_about_something_gone or change.verb == Change.Verb.CREATE:
        return _("It exists only here.")
    if change.verb == Change.Verb.DELETE:
        return _("GHL still has it.")
    if change.verb == Change.Verb.TAGS:
        return _("The tags here and in GHL are not the same.")
    theirs = change.theirs or change.before
    words = [_words(change, key, value) for key, value in _single(theirs)]
    words = [one for one in words if one]
    if not words:
        return _("GHL has nothing there.")
    return _("GHL has %(values)s.") % {"values": wording.all_of(words[:2])}


def sides_of(change):
    """[(name, address of the verb, words)] of a conflict: mine, theirs, and what stood there before both."""
    names = Names(change.location, [SimpleNamespace(changes=change.theirs)])
    mine, theirs, original, nothing = [], [], [], _("nothing")
    for key, there in change.theirs.items():
        ours, before = change.values.get(key), change.before.get(key)
        if key == "custom_values":
            ours, before = ({part: (side or {}).get(part) for part in there} for side in (ours, before))
        label = f"{names.label(key)}: " if len(change.theirs) > 1 else ""
        for side, value in ((mine, ours), (theirs, there), (original, before)):
            side.append(f"{label}{names.words_of(key, value) or nothing}")
    if change.verb == Change.Verb.DELETE:
        mine, original = [_("Delete it")], []
    sides = [
        (_("Mine"), "contacts:change_keep_mine", mine),
        (_("Theirs"), "contacts:change_keep_theirs", theirs),
        (_("Original"), "contacts:change_keep_original", original),
    ]
    return [(name, verb, ", ".join(words)) for name, verb, words in sides if words]


def exchange_words(change):
    """The last talk with GHL about it, for whoever has to find out why."""
    told = change.exchange
    if not told:
        return change.technical
    parts = [
        f"{told.get('method', '')} {told.get('path', '')}".strip(),
        f"answered {told['status']}" if told.get("status") else told.get("outcome", ""),
        f"trace {told['trace_id']}" if told.get("trace_id") else "",
        f"at {told['at']}" if told.get("at") else "",
        f"{told['tries']} tries" if told.get("tries", 0) > 1 else "",
    ]
    return "\n".join([", ".join(part for part in parts if part), *map(str, told.get("messages", []))])


def give_up_words(change):
    """What the button says that takes GHL's side."""
    if change.is_about_something_gone:
        return _("Discard")
    return {Change.Verb.CREATE: _("Discard"), Change.Verb.DELETE: _("Keep it")}.get(change.verb, _("Keep GHL’s"))


def _single(values):
    for key, value in values.items():
        if key == "custom_values":
            yield from (value or {}).items()
        else:
            yield key, value


def _words(change, key, value):
    if value in (None, "", [], {}):
        return ""
    if key.endswith("_remote_id"):
        person = RemoteUser.objects.filter(location_id=change.location_id, remote_id=value).first()
        return str(person) if person else ""
    if key == "completed":
        return _("it as done") if value else _("it as open")
    if key in ("due_at", "starts_at", "ends_at"):
        return strip_tags(when(value, change.location.zone))
    if key == "dnd_settings":
        return disturb.settings_words(value)
    if key == "dnd":
        return _("do not disturb") if value else _("no do not disturb")
    control = CONTROLS.get(key)
    if control is None:
        control = control_of(CustomField.objects.filter(location_id=change.location_id, remote_id=key).first())
    words = in_words(value, control)[:120]
    return words if words[:1] in "(+0123456789" else f"“{words}”"
