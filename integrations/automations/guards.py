"""What keeps rules from running in circles, from running wild and from failing on and on."""

import logging
from datetime import timedelta

from django.db import connection as database
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.day import reminders
from contacts.models import Role, User
from integrations.models import Rule, RuleRun

log = logging.getLogger(__name__)

DEEPEST = 5  # runs that may have led to one another
MOST_ON_ONE = 5  # times an hour that a rule may run on one contact
LAST, TOO_MANY = 10, 5  # of so many runs, so many failed
HOUR = timedelta(hours=1)

CHAIN = """
WITH RECURSIVE up(id, cause_id, depth) AS (
    SELECT id, cause_id, 0 FROM contacts_historyevent WHERE id = %s
    UNION ALL SELECT above.id, above.cause_id, up.depth + 1 FROM contacts_historyevent above
    JOIN up ON above.id = up.cause_id WHERE up.depth < 200
) SELECT id FROM up
"""


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
    with database.cursor() as cursor:
        cursor.execute(CHAIN, [run.trigger_line_id])
        lines = [pk for (pk,) in cursor.fetchall()]
    return list(RuleRun.objects.filter(line__in=lines).select_related("rule").order_by("pk"))


def is_wild(run: RuleRun) -> bool:
    """Whether this rule has run on this contact so often that something must be going round outside of us."""
    if run.contact_id is None or run.cause.startswith("button "):
        return False
    lately = RuleRun.objects.filter(rule=run.rule_id, contact=run.contact_id, started_at__gt=timezone.now() - HOUR)
    return lately.exclude(cause__startswith="button ").count() >= MOST_ON_ONE


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
