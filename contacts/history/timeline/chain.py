"""What led to what: the events of a contact that are linked by their cause, and an edit's way to GHL and back."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from contacts import wording
from contacts.details.field_words import safe_link
from contacts.models import ActorKind, Change, HistoryEvent

ATTACHED_WITHIN = timedelta(minutes=10)  # what follows later is news of its own, and a line of its own
MOST = 400  # events that one page's chains may have together
OF = ("user", "task", "note", "appointment", "change")


@dataclass
class Step:
    words: str
    at: datetime
    detail: str = ""
    state: str = ""  # done or bad; empty on the way
    link: str = ""


def apart():
    """The events that stand in the list by themselves: nothing caused them, or only some time later."""
    return Q(cause=None) | Q(happened_at__gt=F("cause__happened_at") + ATTACHED_WITHIN)


def without_attached(events):
    """The same for a list that holds both: an effect stands in the line of its cause."""
    known = {event.pk: event for event in events}
    return [event for event in events if not _is_attached(event, known)]


def _is_attached(event, known):
    cause = known.get(event.cause_id) if event.cause_id else None
    return cause is not None and event.happened_at - cause.happened_at <= ATTACHED_WITHIN


LINKED = """
WITH RECURSIVE up(id, cause_id, contact_id, start) AS (
    SELECT id, cause_id, contact_id, id FROM contacts_historyevent WHERE id = ANY(%s)
    UNION SELECT above.id, above.cause_id, above.contact_id, up.start FROM contacts_historyevent above
    JOIN up ON above.id = up.cause_id AND above.contact_id = up.contact_id
), down(id, contact_id, start) AS (
    SELECT id, contact_id, start FROM up
    UNION SELECT below.id, below.contact_id, down.start FROM contacts_historyevent below
    JOIN down ON below.cause_id = down.id AND below.contact_id = down.contact_id
) SELECT id, start FROM down ORDER BY start DESC, id LIMIT %s
"""


def chains_of(events):
    """{event: everything it is linked with, oldest first}, for those that are linked. Two queries at most."""
    linked = {}
    with connection.cursor() as cursor:
        cursor.execute(LINKED, [[event.pk for event in events], MOST])
        for pk, start in cursor.fetchall():
            linked.setdefault(start, set()).add(pk)
    linked = {start: pks for start, pks in linked.items() if len(pks) > 1}
    if not linked:
        return {}
    rows = HistoryEvent.objects.filter(pk__in=set().union(*linked.values())).select_related(*OF)
    rows = sorted(rows, key=lambda event: (event.happened_at, event.pk))
    return {start: [row for row in rows if row.pk in pks] for start, pks in linked.items()}


def steps_of(events, line_of):
    """The chain as steps, oldest first; an edit among them goes on to GHL and back."""
    steps = []
    for event in events:
        line = line_of(event)
        step = _step(event, line)
        step.link = safe_link(event.link)
        change = event.change
        sent = change.sent_at if change else None
        if sent:
            step.at = sent
            if event.kind == "task_added":
                step.words = _("Task “%(title)s” sent to GHL") % {"title": line.subject}
        steps.append(step)
        if change and change.is_settled:
            steps.append(_settled([change]))
    return sorted(steps, key=lambda step: step.at)


def _step(event, line):
    if event.kind == "erp_event":
        words = ", ".join(part for part in (event.title, event.detail) if part)
        detail = "ERP" + (f", {event.actor_name}" if event.actor_name not in ("", "ERP") else "")
        return Step(words, event.happened_at, detail)
    if event.kind == "rule_run":
        words = _("Rule “%(name)s” matched") % {"name": event.title or event.actor_name}
        return Step(words, event.happened_at, event.detail)
    if event.kind == "task_added":
        return Step(_("Task “%(title)s” added") % {"title": line.subject}, event.happened_at, line.detail)
    by = f"{line.lead} {line.actor}".strip()
    words = " ".join(part for part in (by, line.words, line.subject, line.tail) if part)
    labels = ", ".join(label for label, _, _ in line.changes[:3])
    return Step(words, event.happened_at, line.detail or labels)


def steps_of_edits(events):
    """Made here, sent, confirmed: the times that are stored. Nothing for what GHL told us."""
    changes = list({event.change_id: event.change for event in events if event.change}.values())
    if not changes or any(event.change is None for event in events):
        return []
    by = events[-1].user
    count = ngettext("%(count)s edit", "%(count)s edits", len(changes)) % {"count": len(changes)}
    by = _("by %(who)s") % {"who": by} if by else ""
    steps = [Step(_("Made here"), min(change.created_at for change in changes), by)]
    if sent := [change.sent_at for change in changes if change.sent_at]:
        steps.append(Step(_("Sent to GHL"), max(sent), count if len(changes) > 1 else ""))
    waiting = [change for change in changes if not change.is_settled]
    if not waiting:
        steps.append(_settled(changes))
    return steps


SETTLED = {
    Change.State.CONFIRMED: (gettext_noop("GHL confirmed it"), "done"),
    Change.State.DIFFERS: (gettext_noop("GHL kept something else"), "bad"),
    Change.State.CONFLICT: (gettext_noop("Changed in GHL meanwhile"), "bad"),
    Change.State.REFUSED: (gettext_noop("GHL refused it"), "bad"),
    Change.State.CANCELLED: (gettext_noop("Taken back"), ""),
}


def _settled(changes):
    """How it ended; of several edits the one that went worst."""
    worst = min(changes, key=lambda change: ORDER.index(change.state))
    words, state = SETTLED[worst.state]
    words = _(words)
    if worst.state == Change.State.CANCELLED and worst.sent_at is None:
        words = _("Taken back before it was sent")
    elif worst.kind == Change.Kind.TASK and worst.state == Change.State.CONFIRMED:
        words = _("GHL confirmed the task")
    return Step(words, max(change.settled_at for change in changes), _(worst.sentence), state)


ORDER = [
    Change.State.REFUSED, Change.State.CONFLICT, Change.State.DIFFERS, Change.State.CANCELLED, Change.State.CONFIRMED,
]  # fmt: skip

EFFECTS = {
    "task": gettext_noop("a task"),
    "note": gettext_noop("a note"),
    "appointment": gettext_noop("an appointment"),
    "contact": gettext_noop("changed fields"),
    "tags": gettext_noop("changed tags"),
}


def led_to(events):
    """led to a task and changed tags"""
    found = list(dict.fromkeys(EFFECTS[event.group] for event in events[1:] if event.group in EFFECTS))
    if not found:
        return ""
    return _("led to %(what)s") % {"what": wording.all_of(_(one) for one in found)}


def because_of(first):
    name = first.title or {ActorKind.ERP: _("an ERP event"), ActorKind.RULE: _("a rule")}.get(first.actor_kind, "")
    return _("because of %(what)s") % {"what": name} if name else ""
