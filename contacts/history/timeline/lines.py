from dataclasses import dataclass, field
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contacts.details.field_words import safe_link
from contacts.history.timeline import chain
from contacts.history.timeline.words import DONE, STATUS, Names, actor_of, call_of, tag_words
from contacts.models import ActorKind, Change, HistoryEvent

FOLD_WITHIN = timedelta(minutes=10)  # edits of a person; those of a machine fold within a day
UNDONE_WITHIN = timedelta(minutes=2)
TAKES_BACK = {
    "task_reopened": "task_done",
    "task_restored": "task_deleted",
    "note_restored": "note_deleted",
    "contact_restored": "contact_deleted",
}
FOLDING = ("contact_changed", "tags_changed")
WIDE = 60  # letters that still stand in the line
MACHINES = (ActorKind.GHL, ActorKind.SYSTEM)
TOLD = ("_deleted", "_restored", "_added", "_booked")  # never only noise, whoever did it


@dataclass
class Line:
    """One line: `lead` actor `words` subject `tail`, then `detail` in a lower voice."""

    event: HistoryEvent
    icon: str
    actor: str
    words: str
    lead: str = ""
    subject: str = ""
    tail: str = ""
    detail: str = ""
    changes: list = field(default_factory=list)  # (label, old, new)
    note: object = None  # shown with its text
    steps: list = field(default_factory=list)  # what led to what, or how far an edit has come
    is_chain: bool = False  # the steps are events linked by their cause
    is_folded: bool = False  # stands for several edits
    is_noise: bool = False  # a machine talking to itself: shown on demand
    was_seen: bool = False  # the first line from before the last look
    undo: Change | None = None  # what can be taken back from here
    folded: list = field(default_factory=list)  # the older events in it

    @property
    def folds(self):
        """Whether the old and new values need more room than the line has."""
        return len(self.changes) > 1 or any(len(words) > WIDE for _, *pair in self.changes for words in pair)

    @property
    def link(self):
        return safe_link(self.event.link)

    @property
    def is_machine(self):
        return self.event.actor_kind != ActorKind.PERSON

    @property
    def oldest(self):
        return self.folded[-1] if self.folded else self.event


def lines_of(events, location, folds=True):
    """The lines of events of one location, newest first, each as a sentence; also for events of several contacts.

    Runs of small changes of one contact come as one line, what was undone at once as none, and what an event led to
    within minutes stands in its line. Not so with `folds=False`: then there is a line for each event.
    """
    chains = chain.chains_of(events)
    names = Names(location, [*events, *(event for linked in chains.values() for event in linked)])
    lines = []
    for event in without_undone(chain.without_attached(events)) if folds else events:
        line = _line(event, names)
        line.is_chain = event.pk in chains
        run = _run_to_join(lines, line, location.zone) if folds else None
        if run:
            _fold(run, line)
        else:
            lines.append(line)
    taken_back = Change.objects.filter(undoes__in={event.change_id for event in events if event.change_id})
    taken_back = set(taken_back.values_list("undoes", flat=True))
    for line in lines:
        _say_what_changed(line)
        _say_why(line, taken_back)
        _say_what_followed(line, chains.get(line.event.pk), names)
    return lines


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
        (newer.contact_id, newer.task_id, newer.note_id, newer.user_id)
        == (older.contact_id, older.task_id, older.note_id, older.user_id)
        and newer.user_id is not None
        and newer.happened_at - older.happened_at < UNDONE_WITHIN
    )


# --- runs of small changes --------------------------------------------------------------------------------------------


def _run_to_join(lines, line, zone):
    """The line this older change belongs to. Noise in between, which is not shown, parts nothing."""
    newer = next((one for one in reversed(lines) if one.is_noise == line.is_noise), None)
    return newer if newer and _continues(newer, line, zone) else None


def _continues(newer, older, zone):
    """Small edits of the same hand shortly after one another read as one."""
    run, event = newer.oldest, older.event
    return (
        run.kind == event.kind
        and event.kind in FOLDING
        and run.contact_id == event.contact_id
        and (run.actor_kind, run.user_id, run.actor_name) == (event.actor_kind, event.user_id, event.actor_name)
        and _is_near(run, event, zone)
        and not _is_special(newer)
        and not _is_special(older)
    )


def _is_near(newer, older, zone):
    if older.actor_kind in MACHINES:
        return newer.happened_at.astimezone(zone).date() == older.happened_at.astimezone(zone).date()
    return newer.happened_at - older.happened_at < FOLD_WITHIN


def _is_special(line):
    """Lines that say more than that something changed."""
    event, change = line.event, line.event.change
    return line.is_chain or bool(event.reason or (change and (change.undoes_id or change.decided_by_id)))


def _fold(line, older):
    """The older edit comes first, and an edit of the same field again keeps the oldest old value."""
    line.is_folded = True
    line.folded.append(older.event)
    if line.event.kind == "tags_changed":
        return
    merged = {label: (old, new) for label, old, new in older.changes}
    for label, old, new in line.changes:
        merged[label] = (merged[label][0] if label in merged else old, new)
    line.changes = [(label, old, new) for label, (old, new) in merged.items()]


# --- the sentence -----------------------------------------------------------------------------------------------------


def _line(event, names):
    icon, words = DONE.get(event.kind, ("circle", ""))
    words = _(words) if event.kind in DONE else event.get_kind_display().lower()
    line = Line(event, icon, actor_of(event), words, subject=_subject(event))
    if event.actor_kind == ActorKind.RULE and event.actor_name:
        line.lead = _("Rule")
    say = SAY.get(event.kind, _say_changes)
    say(line, names)
    line.is_noise = _is_noise(line)
    return line


def _say_changes(line, names):
    line.changes = names.changes(line.event)


def _say_note(line, names):
    note = line.note = line.event.note
    if note is None:
        return
    if call := call_of(note.title):
        line.icon = "phone"
        line.words, line.detail = call
    else:
        line.detail = note.title


def _say_note_change(line, names):
    if set(line.event.changes) == {"pinned"}:
        is_pinned = line.event.changes["pinned"][-1]
        line.icon, line.words = ("pin", _("pinned a note")) if is_pinned else ("pin-off", _("unpinned a note"))
    else:
        _say_changes(line, names)


def _say_tags(line, names):
    line.words = tag_words(*(line.event.changes.get("tags") or ([], [])))


def _say_new_task(line, names):
    """Whom for and when stand in the line; what was written into it unfolds."""
    new = {key: pair[1] for key, pair in line.event.changes.items() if isinstance(pair, list) and len(pair) == 2}
    assignee = names.words("assignee_remote_id", new.get("assignee_remote_id"))
    due = names.words("due_at", new.get("due_at"))
    assignee = _("for %(who)s") % {"who": assignee} if assignee else ""
    line.detail = _joined(assignee, _("due %(when)s") % {"when": due} if due else "")
    line.changes = [one for one in names.changes(line.event) if one[0] == names.label("body")]


def _say_booking(line, names):
    appointment = line.event.appointment
    if appointment and appointment.starts_at:
        line.detail = _("for %(when)s") % {"when": names.words("starts_at", appointment.starts_at)}


def _say_appointment(line, names):
    """ "marked Site visit as kept, was confirmed": a status is said, everything else is shown old and new."""
    changes = line.event.changes
    if set(changes) != {"status"}:
        return _say_changes(line, names)
    old, new = (_(STATUS.get(str(word or "").lower(), str(word or ""))).lower() for word in changes["status"])
    line.words, line.tail = _("marked"), _("as %(status)s") % {"status": new or _("without a status")}
    line.detail = _("was %(status)s") % {"status": old} if old else ""


def _say_outside(line, names):
    """An ERP event is its own subject; of a rule the title is its name."""
    event = line.event
    if event.kind == "rule_run":
        line.lead, line.actor, line.detail = _("Rule"), event.title or actor_of(event), event.detail
    else:
        line.lead, line.actor = "", event.title or _("An event")
        line.detail = _joined(event.detail, _("from ERP"))


SAY = {
    "note_added": _say_note,
    "note_changed": _say_note_change,
    "tags_changed": _say_tags,
    "task_added": _say_new_task,
    "appointment_booked": _say_booking,
    "appointment_changed": _say_appointment,
    "erp_event": _say_outside,
    "rule_run": _say_outside,
}


def _subject(event):
    if event.task:
        return event.task.title
    if event.appointment:
        return str(event.appointment)
    return ""


def _is_noise(line):
    """What Rankr keeps in order by itself, and what GHL says again in other signs."""
    event = line.event
    if event.kind.endswith(TOLD) or event.reason or event.cause_id:
        return False
    if event.actor_kind == ActorKind.SYSTEM:
        return True
    is_nameless = event.actor_kind == ActorKind.GHL and not event.actor_name
    return is_nameless and event.kind.endswith("_changed") and bool(event.changes) and not _says_something(line)


def _says_something(line):
    if line.event.kind == "tags_changed":
        old, new = line.event.changes.get("tags") or ([], [])
        return set(old or []) != set(new or [])
    return line.tail or not line.changes or any(old != new for _, old, new in line.changes)


def _say_what_changed(line):
    if line.event.kind == "tags_changed" and line.folded:
        line.words = tag_words(_tags(line.oldest)[0], _tags(line.event)[1])
    if line.event.kind != "contact_changed":
        return
    labels = [label for label, *__ in line.changes]
    if len(labels) == 1:
        line.words = _("changed %(field)s") % {"field": labels[0]}
    elif labels:
        line.words = ngettext("changed %(count)s field", "changed %(count)s fields", len(labels))
        line.words %= {"count": len(labels)}
        first, more = ", ".join(labels[:3]), len(labels) - 3
        line.detail = _("%(names)s and %(count)s more") % {"names": first, "count": more} if more > 0 else first
    else:
        line.words = _("changed this contact")


def _tags(event):
    return event.changes.get("tags") or ([], [])


def _say_why(line, taken_back):
    """An edit that takes another back, and one that a person gave up."""
    event, change = line.event, line.event.change
    if change is None:
        return
    if is_decision := bool(change.decided_by_id and change.settled_at and event.created_at >= change.settled_at):
        line.words = _("let GHL’s stand: %(what)s") % {"what": line.words}
        line.detail = f"{line.detail} ({event.reason})" if event.reason else line.detail
    elif change.undoes_id:
        line.words = _("undid: %(what)s") % {"what": line.words}
    if change.bulk:
        count = max(change.bulk.total, change.bulk.changed)
        many = ngettext("in a bulk change of %(count)s contact", "in a bulk change of %(count)s contacts", count)
        line.detail = _joined(line.detail, many % {"count": f"{count:,}"})
    if not is_decision and change.pk not in taken_back and not line.is_folded and line.note is None:
        line.undo = change


def _say_what_followed(line, linked, names):
    """Steps: of everything linked by its cause, or of one's own edit on its way to GHL."""
    if not linked:
        line.steps = chain.steps_of_edits([line.event, *line.folded])
        return
    line.steps = chain.steps_of(linked, lambda event: _line(event, names))
    led_to = chain.led_to(linked)
    if line.event.pk != linked[0].pk:
        line.detail = _joined(line.detail, chain.because_of(linked[0]))
    elif line.event.kind not in ("erp_event", "rule_run"):
        line.detail = _joined(line.detail, _("which %(led_to)s") % {"led_to": led_to} if led_to else "")
    elif led_to:
        line.icon, line.words = "git-branch", led_to
        line.detail = _("from ERP") if line.event.kind == "erp_event" else ""


def _joined(*parts):
    return ", ".join(part for part in parts if part)
