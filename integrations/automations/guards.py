"""What keeps rules from running in circles, from running wild and from failing on and on."""

import logging
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.day import reminders
from contacts.history import causes
from contacts.models import ActorKind, Role, User
from integrations.automations import actions
from integrations.automations.actions.ghl import ByOperation
from integrations.models import Rule, RuleRun

log = logging.getLogger(__name__)

FARTHEST = 200  # lines of a chain of causes that are looked at
DEEPEST = 5  # runs that may have led to one another
MOST_ON_ONE = 5  # times an hour that a rule may run on one contact for the same thing
MOST_AT_ALL = 30  # and for whatever it is
WHEN = ("at", "occurred_at", "version", "timestamp", "webhookId", "dateUpdated")  # says when, not what
LAST, TOO_MANY = 10, 5  # of so many runs, so many failed
HOUR = timedelta(hours=1)


def why_stop(run: RuleRun) -> str:
    """Why this run is not to begin, or ""."""
    above = runs_above(run)
    if any(one.rule_id == run.rule_id for one in above):
        words = _("Stopped: “%(rule)s” itself has led to this, by way of %(others)s. It would go round in circles.")
        others = [str(one.rule) for one in above if one.rule_id != run.rule_id]
        return words % {"rule": run.rule, "others": ", ".join(others) or _("its own effect")}
    if len(above) >= DEEPEST:
        words = _("Stopped: %(n)d rules have led to one another before this.")
        return words % {"n": len(above)}
    return ""


def runs_above(run: RuleRun) -> list[RuleRun]:
    """The runs that led to this one, by the causes in the contact's history."""
    if run.trigger_line_id is None:
        return []
    led_to_it = [pk for _line, pk, _actor in causes.above([run.trigger_line_id], FARTHEST)]
    lines = [run.trigger_line_id, *led_to_it]
    return list(RuleRun.objects.filter(line__in=lines).select_related("rule").order_by("pk"))


def too_often(run: RuleRun) -> int:
    """How often the rule has run on this contact within an hour, where that is too often; else 0.

    A circle by way of GHL's workflows or the ERP carries no cause. What somebody does by hand is no turn of one. What
    the ERP tells, and what GHL tells of things that the rule does not write to, counts as a turn only where it says the
    same again, for six invoices are honest work; a circle that says something new each time ends at MOST_AT_ALL.
    """
    if run.contact_id is None or _is_by_hand(run):
        return 0
    begun = RuleRun.objects.filter(rule=run.rule_id, contact=run.contact_id, started_at__gt=timezone.now() - HOUR)
    by_machines = begun.exclude(cause__startswith="button ").exclude(trigger_line__actor_kind=ActorKind.PERSON)
    last = list(by_machines.only("scope").order_by("-started_at")[:MOST_AT_ALL])
    if len(last) >= MOST_AT_ALL:
        return MOST_AT_ALL
    turns = [one for one in last if _what(one) == _what(run)] if _may_be_many_things(run) else last
    return MOST_ON_ONE if len(turns) >= MOST_ON_ONE else 0


def _is_by_hand(run):
    return run.cause.startswith("button ") or _told_by(run) == ActorKind.PERSON


def _told_by(run):
    return run.trigger_line.actor_kind if run.trigger_line else ""


def _may_be_many_things(run):
    if run.cause.startswith("webhook "):
        listed = run.version.spec.get("actions", [])
        return not any(isinstance(actions.of(one), ByOperation) for one in listed)
    return run.cause.startswith("erp ") or _told_by(run) == ActorKind.ERP


def _what(run):
    """What was told, but for the time: the ERP's record where it names one."""
    event = run.scope.get("event") or {}
    if record := event.get("record"):
        return event.get("type"), record
    told = {name: value for name, value in event.items() if name not in WHEN}
    return told, {name: value for name, value in (run.scope.get("new") or {}).items() if name not in WHEN}


def wait_for_room(rule: Rule) -> timedelta | None:
    """How long until the rule may begin another run; None for at once."""
    now = timezone.now()
    begun = rule.runs.filter(started_at__gt=now - HOUR).order_by("-started_at")
    oldest = begun.values_list("started_at", flat=True)[rule.most_an_hour - 1 : rule.most_an_hour].first()
    if rule.most_an_hour == 0:
        return HOUR
    return oldest + HOUR - now if oldest else None


def is_failing(rule: Rule) -> bool:
    over = rule.runs.filter(state__in=(RuleRun.State.DONE, RuleRun.State.FAILED), finished_at__gt=rule.on_since)
    last = list(over.order_by("-pk").values_list("state", flat=True)[:LAST])
    return last.count(RuleRun.State.FAILED) >= TOO_MANY


def pause(rule: Rule, because: str) -> None:
    """Switch it off, and tell the admins once."""
    if rule.pause(because):
        log.warning("rule %s is paused: it fails, or runs wild", rule.pk)
        tell_admins(rule, _("The rule “%(rule)s” was paused: %(because)s") % {"rule": rule, "because": because})


def tell_admins(rule: Rule, words: str) -> None:
    reminders.say(_admins_of(rule), words, link=reverse("integrations:rule", args=[rule.pk]))


def _admins_of(rule: Rule) -> list[User]:
    admins = User.objects.filter(memberships__business=rule.business_id, memberships__role=Role.ADMIN)
    return list(admins.filter(is_active=True))
