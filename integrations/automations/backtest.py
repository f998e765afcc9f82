"""What a rule would have done with what has really happened: by the same code, whose last step is left out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.models import Business, Contact, HistoryEvent, Location, Task
from integrations.automations import actions, clock, conditions, feeding, lists, scope, shape, triggers
from integrations.automations.actions.base import CannotDo, filled
from integrations.merge_fields import BadText
from integrations.models import ErpEvent, InboundEvent, RuleRun, RuleVersion

MOST = 50
LOOKED_THROUGH = 5000  # of the newest events, for those of one type
RUN, SKIP, FAIL = "run", "skip", "fail"


@dataclass(frozen=True)
class Seen:
    """Something that has happened, as the rule would have seen it."""

    at: datetime
    title: str
    contact: Contact | None
    scope: dict[str, Any]


@dataclass(frozen=True)
class Case:
    """What would have come of it. `outcome` is run, skip or fail; `because` says why not."""

    contact: Contact | None
    at: datetime
    title: str
    outcome: str
    because: str = ""
    effects: list[str] = field(default_factory=list)
    calls: int = 0


@dataclass(frozen=True)
class Report:
    """With problems nothing was tried. `calls_each` is what one run costs at most, `calls` what these would have."""

    problems: list[shape.Problem] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    calls_each: int = 0

    @property
    def looked_at(self) -> int:
        return len(self.cases)

    @property
    def would_run(self) -> int:
        return self._count(RUN)

    @property
    def skipped(self) -> int:
        return self._count(SKIP)

    @property
    def failing(self) -> int:
        return self._count(FAIL)

    @property
    def calls(self) -> int:
        return sum(case.calls for case in self.cases)

    def _count(self, outcome):
        return sum(case.outcome == outcome for case in self.cases)


def try_out(version: RuleVersion, most: int = MOST) -> Report:
    """Try this version on the last things that have happened, newest first. From then on it may be switched on."""
    spec, business = version.spec, version.rule.business
    if problems := shape.problems(spec, business):
        return Report(problems=problems)
    cases = [_case(spec, business, seen) for seen in last_seen(spec["trigger"], business, most)]
    version.tried()
    return Report(cases=cases, calls_each=sum(_known(action).calls for action in spec["actions"]))


def foretell(run: RuleRun) -> Case:
    """What a run that waits for approval would do, as things are now."""
    contact = Contact.objects.select_related("location", "owner").filter(rule_runs=run).first()
    seen = Seen(run.made_at, run.cause, contact, run.scope)
    return _case(run.version.spec, run.business, seen)


def _known(action):
    known = actions.of(action)
    assert known is not None  # shape.problems has looked
    return known


def _case(spec, business, seen):
    about = {"contact": seen.contact, "at": seen.at, "title": seen.title}
    is_gone = seen.contact is not None and seen.contact.deleted_at is not None
    if is_gone and seen.scope.get("event", {}).get("kind") != HistoryEvent.Kind.CONTACT_DELETED:
        return Case(**about, outcome=SKIP, because=_("The contact has been deleted."))
    whole = scope.complete(seen.scope, business, seen.contact)
    effects: list[str] = []
    calls = 0
    try:
        if why := conditions.unmet(spec.get("conditions"), whole):
            return Case(**about, outcome=SKIP, because=why)
        for action in spec["actions"]:
            known = _known(action)
            values = filled(action.get("values") or {}, whole)
            plan = known.plan(values, actions.Scene(business, seen.contact, whole))
            effects.append(plan.says)
            calls += plan.calls
    except (CannotDo, BadText) as cannot:
        return Case(**about, outcome=FAIL, because=str(cannot), effects=effects, calls=calls)
    return Case(**about, outcome=RUN, effects=effects, calls=calls)


# --- what has happened ------------------------------------------------------------------------------------------------


def last_seen(trigger: dict[str, Any], business: Business, most: int = MOST) -> list[Seen]:
    """The last times that this trigger would have been met; by the clock and by hand: those whom it would meet now."""
    kind = triggers.of(trigger)
    if kind is None:
        return []
    lines = kind.lines(trigger)
    if lines is not None:
        return list(_of_lines(lines, business, most))
    found = {
        "erp": _of_erp, "webhook": _of_webhooks, "schedule": _of_list, "quiet": _of_quiet, "overdue": _of_tasks,
        "button": _of_anybody,
    }[kind.kind](trigger, business, most)  # fmt: skip
    return list(found)


def _of_lines(lines, business, most) -> Iterator[Seen]:
    rows: list[HistoryEvent] = []
    for location in business.locations.all():
        for kind in lines.kinds:
            newest = HistoryEvent.objects.filter(location=location, kind=kind).order_by("-happened_at", "-pk")
            newest = newest.select_related("contact__owner", "location", "user", *_RECORDS)
            fitting = (row for row in newest[:LOOKED_THROUGH].iterator(chunk_size=500) if lines.fits(row))
            rows += [row for row, _number in zip(fitting, range(most), strict=False)]
    for row in sorted(rows, key=lambda one: (one.happened_at, one.pk), reverse=True)[:most]:
        row.contact.location = row.location
        yield Seen(row.happened_at, str(row.get_kind_display()), row.contact, scope.of_line(row))


_RECORDS = [f"{name}__location" for name in scope.RECORDS]


def _of_erp(trigger, business, most) -> Iterator[Seen]:
    recent = ErpEvent.objects.of_business(business).order_by("-pk").values("pk")[:LOOKED_THROUGH]
    rows = ErpEvent.objects.filter(pk__in=recent, type=trigger["type"], contact__isnull=False).order_by("-pk")
    for event in rows.select_related("contact__location", "contact__owner")[:most]:
        seen = scope.of_erp(event)
        yield Seen(event.occurred_at, seen["event"]["title"], event.contact, seen)


def _of_webhooks(trigger, business, most) -> Iterator[Seen]:
    ours = {one.remote_id: one for one in Location.objects.filter(business=business)}
    rows = InboundEvent.objects.filter(kind=trigger["type"], remote_location_id__in=["", *ours]).order_by("-pk")
    found = 0
    for event in rows[:LOOKED_THROUGH].iterator(chunk_size=200):
        seen = scope.of_webhook(event)
        location = feeding.location_of(event, seen["event"])
        if location is not None and location.remote_id in ours and found < most:
            found += 1
            contact = feeding.contact_of(event, seen["event"], location)
            yield Seen(event.received_at, event.kind, contact, seen)


def _of_list(trigger, business, most) -> Iterator[Seen]:
    return _now(lists.contacts_of(business, trigger.get("list", "")).order_by("pk")[:most], {"type": "schedule"})


def _of_quiet(trigger, business, most) -> Iterator[Seen]:
    rows = Contact.objects.present().of_business(business)
    quiet = rows.filter(last_activity_at__lte=timezone.now() - timedelta(days=int(trigger["days"])))
    for contact in quiet.select_related("location", "owner").order_by("-last_activity_at", "-pk")[:most]:
        event = {"type": "quiet", "since": contact.last_activity_at.isoformat()}
        yield Seen(contact.last_activity_at, _("Quiet since then"), contact, {"event": event})


def _of_tasks(trigger, business, most) -> Iterator[Seen]:
    until = timezone.now() - timedelta(days=int(trigger["days"]))
    rows = Task.objects.open().filter(location__in=list(business.locations.all()), due_at__lte=until)
    for task in rows.select_related("contact__owner", "location", "assignee").order_by("-due_at", "-pk")[:most]:
        task.contact.location = task.location
        yield Seen(task.due_at, task.title, task.contact, clock.of_task(task))


def _of_anybody(trigger, business, most) -> Iterator[Seen]:
    rows = Contact.objects.present().of_business(business).order_by("-last_activity_at", "-pk")
    return _now(rows[: min(most, 10)], {"type": "button", "label": trigger.get("label", ""), "by": _("Somebody")})


def _now(contacts: Iterable[Contact], event: dict[str, Any]) -> Iterator[Seen]:
    for contact in contacts.select_related("location", "owner"):  # type: ignore[attr-defined]
        yield Seen(timezone.now(), contact.name, contact, {"event": event})
