"""Runs of rules: begun once, done step by step. Each step's effect and its record stand or fall together."""

import random
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.models import ActorKind, Contact, HistoryEvent, Machine, NotEditable
from contacts.open_pages import live
from integrations.automations import actions, bell, conditions, guards, scope
from integrations.automations.actions.base import CannotDo, filled
from integrations.automations.actions.ghl import NotInGhlYet
from integrations.merge_fields import BadText
from integrations.models import Automations, OperationRun, Rule, RuleRun

State = RuleRun.State
AT_ONCE = 1000
PAUSED_WAIT = timedelta(minutes=5)  # then it is looked at again whether they go on; switching on looks at once
LOOK_WAIT = timedelta(seconds=2)
SOON_S = 5.0  # what is due again so soon is rung for, the rest is left to the sweeper
NOT_THERE_YET = timedelta(minutes=15)  # so long a contact may take to come here, or to arrive in GHL
ON_ITS_WAY = timedelta(seconds=5)


def ready() -> Any:
    """What is due, and of nothing that is paused."""
    due = RuleRun.objects.due().filter(rule__state=Rule.State.ON)
    return due.exclude(business__automations__paused_at__isnull=False)


def waiting() -> list[int]:
    """Primary keys of what is ready, a few of each rule in turn."""
    turn = Window(RowNumber(), partition_by=F("rule"), order_by=F("next_at").asc())
    return list(ready().annotate(turn=turn).order_by("turn", "pk").values_list("pk", flat=True)[:AT_ONCE])


def work(pk: int) -> float | None:
    """As far as it goes now. Seconds after which to look again, where that is too soon for the sweeper."""
    run = RuleRun.objects.claim(pk)
    if run is None:
        return None
    errand = Errand(run)
    run.work(errand.go, give_up=errand.give_up)
    run.refresh_from_db(fields=["state", "next_at", "finished_at"])
    wait = (run.next_at - timezone.now()).total_seconds()
    return max(wait, 0.05) if run.finished_at is None and run.state == State.QUEUED and wait <= SOON_S else None


def woken_by(operation_run_pk: int) -> list[int]:
    """The run whose step has waited for this operation, when that has ended: it is due now."""
    over = OperationRun.objects.filter(pk=operation_run_pk, cause__startswith="rule run ", finished_at__isnull=False)
    cause = over.values_list("cause", flat=True).first()
    if cause is None:
        return []
    pk = int(cause.removeprefix("rule run ").partition(",")[0])
    moved = RuleRun.objects.queued().filter(pk=pk, lease_until=None).update(next_at=timezone.now())
    return [pk] if moved else []


class Errand:
    """One claim on one run."""

    def __init__(self, run: RuleRun) -> None:
        self.run = run
        self.rule = Rule.objects.select_related("business").get(pk=run.rule_id)

    def go(self) -> None:
        if not self.rule.is_on or Automations.of(self.rule.business).is_paused:
            return self.run.hand_in(next_at=timezone.now() + PAUSED_WAIT, sentence=_("Waits: it is paused."))
        if self.run.started_at is None and not self._begin():
            return None
        for number, action in enumerate(self.run.version.spec["actions"], 1):
            if not self._step(number, action):
                return None
        return self.run.end(State.DONE)

    def give_up(self) -> None:
        self.run.end(State.FAILED, _("Something went wrong on our side, and we have stopped trying."))
        self._look_after()

    # --- beginning ----------------------------------------------------------------------------------------------------

    def _begin(self) -> bool:
        """True when it is begun; else it has ended, waits, or is put off. One at a time of each rule."""
        with transaction.atomic():
            self.rule = Rule.objects.select_for_update(no_key=True, of=["self"]).select_related("business").get(
                pk=self.rule.pk
            )  # fmt: skip
            self.run.keep()
            contact = self._contact()
            if contact is None and self._is_to_come():
                self._put_off(ON_ITS_WAY, _("Waits until the contact is known here."))
                return False
            seen = scope.complete(self.run.scope, self.rule.business, contact)
            if why := self._why_not(seen, contact):
                self.run.end(State.SKIPPED, why, scope=seen)
                return False
            if why := self._why_stop():
                self.run.end(State.STOPPED, why, scope=seen)
                return False
            return self._may_begin() and self._begun(seen, contact)

    def _contact(self):
        if self.run.contact_id is None and (remote_id := self.run.scope.get("remote_contact_id")):
            places = {"location__remote_id": self.run.scope.get("location"), "location__business": self.rule.business}
            found = Contact.objects.present().filter(remote_id=remote_id, **places).first()
            if found:
                self.run.keep(contact=found)
        if self.run.contact_id is None:
            return None
        return Contact.objects.select_related("location__business", "owner", "company").get(pk=self.run.contact_id)

    def _is_to_come(self):
        return self.run.scope.get("remote_contact_id") and self.run.made_at > timezone.now() - NOT_THERE_YET

    def _why_not(self, seen, contact):
        if contact is not None and contact.deleted_at is not None and not self._is_about_the_deletion():
            return _("The contact has been deleted.")
        try:
            return conditions.unmet(self.run.version.spec.get("conditions"), seen)
        except BadText as bad:
            return str(bad)

    def _is_about_the_deletion(self):
        line = self.run.trigger_line
        return line is not None and line.kind == HistoryEvent.Kind.CONTACT_DELETED

    def _why_stop(self):
        """Not for what a person has looked at and let go."""
        if self.run.approved_at:
            return ""
        if why := guards.why_stop(self.run):
            return why
        often = guards.too_often(self.run)
        if not often:
            return ""
        words = _("“%(rule)s” ran more than %(n)d times in an hour on one contact: something may be going in circles.")
        because = words % {"rule": self.rule, "n": often}
        guards.pause(self.rule, because)
        return because

    def _may_begin(self):
        is_by_hand = self.run.cause.startswith("button ")
        if self.rule.staged_left and not self.run.approved_at and not is_by_hand:
            if not self.rule.runs.staged().exists():
                words = _("The rule “%(rule)s” would run for the first times: look at it, and approve it or decline.")
                guards.tell_admins(self.rule, words % {"rule": self.rule})
            Rule.objects.filter(pk=self.rule.pk).update(staged_left=F("staged_left") - 1)
            self.run.hand_in(state=State.STAGED, sentence=_("The first runs of a rule wait until somebody approves."))
            return False
        if wait := guards.wait_for_room(self.rule):
            self._put_off(wait + timedelta(seconds=random.random() * 30), _("Waits: enough for this hour."))
            return False
        return True

    def _begun(self, seen, contact):
        line = None
        if contact is not None:
            line = HistoryEvent.objects.create(
                location_id=contact.location_id, contact=contact, kind=HistoryEvent.Kind.RULE_RUN,
                actor_kind=ActorKind.RULE, actor_name=self.rule.name, title=self.rule.name,
                cause=self.run.trigger_line,
            )  # fmt: skip
            live.tell(contact.business_id, [contact.pk], ["contact"])
        self.run.keep(started_at=timezone.now(), line=line, scope=seen, sentence="")
        return True

    # --- steps --------------------------------------------------------------------------------------------------------

    def _step(self, number: int, action: dict[str, Any]) -> bool:
        """True when the step is done. Else the run waits, or has failed."""
        known = self.run.steps[number - 1] if number <= len(self.run.steps) else None
        if known and known["state"] == "done":
            return True
        if known and known["state"] == "waiting":
            return self._follow(number, known)
        tries = known.get("tries", 1) + 1 if known else 1
        told = {"do": action["do"], "values": action.get("values") or {}, "says": "", "tries": tries}
        try:
            with transaction.atomic():
                self.run.keep()
                return self._do(number, action, told)
        except NotInGhlYet as not_yet:
            if self.run.started_at and self.run.started_at > timezone.now() - NOT_THERE_YET:
                self._put_off(ON_ITS_WAY, str(not_yet))
                return False
            return self._failed(number, told, str(not_yet))
        except (CannotDo, NotEditable) as cannot:
            return self._failed(number, told, str(cannot))

    def _do(self, number, action, told):
        known = actions.of(action)
        if known is None:
            raise CannotDo(_("This action is not known any more."))
        contact = self._contact()
        told["values"] = filled(told["values"], self.run.scope)
        step = f"rule run {self.run.pk}, step {number}" + (f", try {told['tries']}" if told["tries"] > 1 else "")
        scene = actions.Scene(self.rule.business, contact, self.run.scope, step)
        plan = known.plan(told["values"], scene)
        done = plan.act(Machine(ActorKind.RULE, self.rule.name, cause=self.run.line))
        told |= {"says": plan.says, "sentence": done.sentence, "state": "done"}
        if done.change:
            told["change"] = done.change.pk
        if done.operation:
            told |= {"operation": done.operation.pk, "state": "waiting"}
            OperationRun.objects.filter(pk=done.operation.pk, line=None).update(line=self.run.line)
            bell.announce_operation(done.operation.pk)
        elif known.calls and done.change is None:
            told["sentence"] = done.sentence or _("It was so already.")
        self._record(number, told)
        if told["state"] == "waiting":
            self._put_off(LOOK_WAIT)
            return False
        return True

    def _follow(self, number, told):
        asked = OperationRun.objects.filter(pk=told["operation"]).first()
        if asked is None:
            return self._failed(number, told, _("What became of it is not known any more."))
        if not asked.is_finished:
            age = timezone.now() - asked.created_at
            self._put_off(max(LOOK_WAIT, age / 4), asked.sentence)
            return False
        if asked.state != OperationRun.State.DONE:
            return self._failed(number, told, asked.sentence)
        self._record(number, {**told, "state": "done", "sentence": asked.sentence})
        return True

    def _record(self, number, told, **values):
        told = {**told, "at": timezone.now().isoformat(timespec="milliseconds")}
        self.run.keep(steps=[*self.run.steps[: number - 1], told], **values)

    def _failed(self, number, told, sentence):
        """The rest of the run is not done; replayed, it begins with this step."""
        with transaction.atomic():
            self._record(number, {**told, "state": "failed", "sentence": sentence})
            self.run.end(State.FAILED, sentence)
        self._look_after()
        return False

    # --- the row ------------------------------------------------------------------------------------------------------

    def _put_off(self, wait, sentence=""):
        self.run.hand_in(next_at=timezone.now() + wait, sentence=sentence)

    def _look_after(self):
        """Of the last runs too many have failed: better none than those that follow."""
        self.rule.refresh_from_db()
        if self.rule.is_on and guards.is_failing(self.rule):
            words = _("%(n)d of its last %(last)d runs have failed.")
            guards.pause(self.rule, words % {"n": guards.TOO_MANY, "last": guards.LAST})
