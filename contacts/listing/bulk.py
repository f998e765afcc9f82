"""One thing done to many contacts: what it would change, doing it contact by contact, and taking all of it back.

A BulkAction is a row before it is work, like everything here. A worker claims it for a slice of time and does one
contact a transaction, in which the place it has reached is written too.
"""

import logging
import time
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Count, Q
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contacts import signals
from contacts.access import SESSION_KEY, may_undo_bulk
from contacts.listing.bulk_acts import ACTS, Unclear, many
from contacts.listing.filters import ContactFilter
from contacts.models import BulkAction, Change, Contact, Location, NotEditable, NotUndoable
from contacts.models.leased import LeaseLost
from contacts.rows import contacts_of

log = logging.getLogger(__name__)

SLICE_S = 5.0  # a person waits, and so do others: nobody gets the worker for longer at once
BATCH = 100
SHOWN = 3
SETTLING_FOR = timedelta(hours=24)
COUNTED = 50_000  # a preview that counts further would keep its reader waiting
OUR_SIDE = gettext_noop("Something went wrong on our side.")
GONE = gettext_noop("It is not there any more.")
UNKNOWN_PART = gettext_noop(
    "A part of this list's filter is not known any more. Remove that part, and look before you go on."
)


class Standing:
    """What the doors and filters ask of a request, where a worker has none."""

    def __init__(self, user, business_id):
        self.user = user
        self.session = {SESSION_KEY: business_id}


@dataclass(frozen=True)
class Selection:
    """Which contacts: those that were ticked, or all that a list finds."""

    params: str = ""
    picked: tuple[int, ...] | None = None

    def contacts(self, request, now, business_id=None):
        """Unclear when a part of the filter is unknown: without it far more contacts would be meant."""
        contacts = contacts_of(request)
        if business_id:
            contacts = contacts.filter(business=business_id)
        if self.picked is not None:
            return contacts.present().filter(pk__in=self.picked)
        chosen = ContactFilter.from_params(QueryDict(self.params), request)
        if chosen.problems:
            raise Unclear(UNKNOWN_PART)
        return chosen.apply(contacts, now)


@dataclass
class Effect:
    """What an act would do to a selection. `cannot` is [(how many, why)]."""

    total: int = 0
    changed: int = 0
    already: int = 0
    cannot: list = field(default_factory=list)
    requests: int = 0
    seconds: float = 0.0

    @property
    def is_capped(self):
        return self.total > COUNTED


def effect_of(act, contacts):
    """Counted in one question, of which each location is a line."""
    some = contacts.order_by().values("pk")[: COUNTED + 1]
    lines = Contact.objects.filter(pk__in=some).order_by().values("location")
    counted = lines.annotate(all=Count("pk"), already=Count("pk", filter=act.already() if act else Q(pk__in=[])))
    effect, reasons, counted = Effect(), {}, list(counted)
    locations = Location.objects.in_bulk([line["location"] for line in counted])
    for line in counted:
        location = locations[line["location"]]
        effect.total += line["all"]
        reason = _not_editable(location) or (act.obstacle(location) if act else "")
        if reason:
            reasons[reason] = reasons.get(reason, 0) + line["all"]
        elif act:
            changed = line["all"] - line["already"]
            effect.changed += changed
            effect.already += line["already"]
            effect.requests += changed * act.REQUESTS
            pace = settings.GHL_RATE_WINDOW_S / settings.GHL_RATE_LIMIT
            effect.seconds = max(effect.seconds, changed * act.REQUESTS * pace)  # each location has its own allowance
    effect.cannot = [(count, reason) for reason, count in reasons.items()]
    return effect


def counted(contacts):
    """How many, as far as it is counted."""
    return contacts.order_by().values("pk")[: COUNTED + 1].count()


def _not_editable(location):
    return "" if location.is_editable else _(location.not_editable_because) or _("This connection is read-only.")


def words_of(action):
    """(what it does, what it has done) in words."""
    act = act_of(action)
    if action.kind == BulkAction.Kind.UNDO:
        done = _("Taken back for %(contacts)s") % {"contacts": many(action.changed)}
        return _("Taking back: %(what)s") % {"what": _lower(act.doing)} if act else _("Taking it back"), done
    if not act:
        kind = action.get_kind_display()
        return kind, _("%(what)s: %(contacts)s") % {"what": kind, "contacts": many(action.changed)}
    return act.doing, act.done(many(action.changed))


def act_of(action):
    """None when it cannot be done any more, because somebody has left."""
    kind = action.undoes.kind if action.kind == BulkAction.Kind.UNDO else action.kind
    try:
        return ACTS[kind].of(action.values, Standing(action.made_by, action.business_id))
    except Unclear:
        return None


def shown_above_the_list(user):
    """What this person has running, and what has ended and was not put away."""
    # Nearly always there are none, so what belongs to them is not joined.
    actions = BulkAction.objects.of_interest_to(user).prefetch_related("undoes", "made_by", "business").order_by("-pk")
    return [dress(action, user) for action in actions[:SHOWN]]


def dress(action, user):
    """Give an action what its line shows."""
    action.title, action.sentence = words_of(action)
    failed = [BulkAction.Outcome.STOPPED, BulkAction.Outcome.FAILED]
    action.may_be_undone = (
        action.kind != BulkAction.Kind.UNDO
        and action.changed > 0
        and may_undo_bulk(user, action)
        and not action.undone_by.exclude(outcome__in=failed).exists()
    )
    action.unsettled = action.refused = 0
    if action.changed and not action.is_running and action.created_at > timezone.now() - SETTLING_FOR:
        action.unsettled = action.changes.unsettled().count()
        action.refused = action.changes.undecided().count()
    return action


def _lower(words):
    return words[:1].lower() + words[1:]


# --- beginning --------------------------------------------------------------------------------------------------------


def start(request, business, act, selection, submission=None):
    """The row that stands for it; the same form sent twice is the same row."""
    now = timezone.now()
    effect = effect_of(act, selection.contacts(request, now))
    until = Contact.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    values = {
        "business": business, "kind": act.KIND, "values": act.values, "params": selection.params, "until": until,
        "picked": None if selection.picked is None else sorted(selection.picked),
        "total": 0 if effect.is_capped else effect.total, "created_at": now,
    }  # fmt: skip
    if submission:
        action, __ = BulkAction.objects.get_or_create(made_by=request.user, submission=submission, defaults=values)
    else:
        action = BulkAction.objects.create(made_by=request.user, **values)
    return ring(action)


def start_undo(action, by):
    """Takes back what the action did; one that still runs is stopped first. None if somebody does that already."""
    if action.kind == BulkAction.Kind.UNDO:
        return None
    action.stop()
    with transaction.atomic():
        BulkAction.objects.select_for_update().get(pk=action.pk)
        tried = action.undone_by.exclude(outcome__in=[BulkAction.Outcome.STOPPED, BulkAction.Outcome.FAILED])
        if tried.exists():
            return None
        back = BulkAction.objects.create(
            made_by=by, business=action.business, kind=BulkAction.Kind.UNDO, undoes=action, values=action.values,
            total=action.changes.count(),
        )  # fmt: skip
        BulkAction.objects.filter(pk=action.pk).update(put_away_at=timezone.now())
    return ring(back)


def ring(action):
    """Ask for a worker once the row is there; if nobody hears it, the sweeper finds the row."""
    transaction.on_commit(partial(signals.bulk_waiting.send, sender=BulkAction, action=action))
    return action


def waiting():
    """Primary keys of what is due."""
    return list(BulkAction.objects.due().order_by("next_at").values_list("pk", flat=True)[:BATCH])


# --- working ----------------------------------------------------------------------------------------------------------


def work(pk):
    """Go on with this action for a slice of time. Nothing happens while somebody else is at it."""
    action = BulkAction.objects.claim(pk)
    if action is None:
        return
    action.work(partial(_slice, action), give_up=partial(_finish, action, BulkAction.Outcome.FAILED))
    action.refresh_from_db()
    if action.is_running and action.lease_until is None and action.next_at <= timezone.now():
        ring(action)


def _slice(action):
    end = time.monotonic() + SLICE_S
    try:
        rows = _Undoing(action) if action.kind == BulkAction.Kind.UNDO else _Doing(action)
    except Unclear as reason:
        action.mine().update(reasons={str(reason): max(1, action.total - action.done)})
        return _finish(action, BulkAction.Outcome.FAILED)
    while True:
        if BulkAction.objects.filter(pk=action.pk, stop_asked_at__isnull=False).exists():
            return _finish(action, BulkAction.Outcome.STOPPED)
        keys = rows.after(action.cursor)
        if keys is None:  # what it undoes has not ended yet
            return action.release(next_at=timezone.now() + timedelta(seconds=1))
        if not keys:
            return _finish(action, BulkAction.Outcome.COMPLETE)
        for key in keys:
            _do_one(action, rows, key)
            if time.monotonic() > end:
                return action.release(next_at=timezone.now())


def _finish(action, outcome):
    return action.release(finished_at=timezone.now(), outcome=outcome)


def _do_one(action, rows, key):
    """One contact, all of it or nothing: the change, its reference to the action, and the place reached."""
    with transaction.atomic():
        outcome, reason = _outcome_of(action, rows, key)
        if not action.count(outcome, key, reason):
            raise LeaseLost
    action.cursor = key


def _outcome_of(action, rows, key):
    try:
        with transaction.atomic():
            change = rows.do(key)
    except (NotEditable, NotUndoable) as reason:
        return "left_alone", str(reason)
    except (OperationalError, InterfaceError):  # the database is away: that is not about this contact
        raise
    except Exception:
        log.exception("bulk action %s: one was left alone, at %s", action.pk, key)
        return "left_alone", OUR_SIDE
    if change is None:
        return "unchanged", ""
    if isinstance(change, Change):
        # The very row that is announced after the commit, so that whoever hears of it knows.
        change.bulk = action
        Change.objects.filter(pk=change.pk).update(bulk=action)
    return "changed", ""


class _Doing:
    """Contacts in the order of their keys."""

    def __init__(self, action):
        self.by = action.made_by
        request = Standing(self.by, action.business_id)
        self.act = ACTS[action.kind].of(action.values, request)
        selection = Selection(action.params, None if action.picked is None else tuple(action.picked))
        self.contacts = selection.contacts(request, action.created_at, action.business_id).filter(pk__lte=action.until)

    def after(self, cursor):
        keys = self.contacts.filter(pk__gt=cursor).order_by("pk").values_list("pk", flat=True)
        return list(keys[:BATCH])

    def do(self, key):
        contacts = Contact.objects.visible_to(self.by).select_related("location", "business", "company", "owner")
        contact = contacts.select_for_update(of=("self",), no_key=True).filter(pk=key).first()
        if contact is None or contact.deleted_at:
            raise NotEditable(GONE)
        contact.check_editable()
        return self.act.do(contact, self.by)


class _Undoing:
    """The changes of another action."""

    def __init__(self, action):
        self.by, self.undone = action.made_by, action.undoes

    def after(self, cursor):
        self.undone.refresh_from_db()
        if self.undone.is_running:
            return None
        changes = self.undone.changes.filter(pk__gt=cursor).order_by("pk")
        return list(changes.values_list("pk", flat=True)[:BATCH])

    def do(self, key):
        rows = Change.objects.visible_to(self.by).select_related("contact__location", "task__location", "location")
        change = rows.filter(pk=key).first()
        if change is None:
            raise NotEditable(GONE)
        return change.undo(self.by) or True
