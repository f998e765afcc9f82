"""What the rules have done: the log, each run with its steps, and what to do about those that wait or have failed."""

import json

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from contacts import access
from contacts.models import Change, Contact
from integrations import tasks
from integrations.automations import actions, backtest
from integrations.models import OperationRun, Rule, RuleRun
from integrations.views.rules import administered
from integrations.views.unmatched import number

PAGE = 50
AT_ONCE = 1000
SHOWN_FIRST = ("staged", "failed", "stopped", "queued", "done", "skipped")


@require_safe
@login_required
def runs(request):
    """Newest first. Narrowed by state, rule and contact."""
    businesses = access.managed_or_404(request)
    state, rule, contact = asked(request, request.GET, businesses)
    rows = narrowed(businesses, state, rule, contact)
    if after := number(request.GET.get("after")):
        rows = rows.filter(pk__lt=after)
    found = list(rows.select_related("rule", "contact", "business", "version").order_by("-pk")[: PAGE + 1])
    kept = {"state": state, "rule": rule and rule.pk, "contact": contact and contact.pk}
    kept = {name: value for name, value in kept.items() if value}
    context = {
        "runs": found[:PAGE], "state": state, "rule": rule, "contact": contact,
        "more": urlencode({**kept, "after": found[PAGE - 1].pk}) if len(found) > PAGE else "",
        "several": len(businesses) > 1,
    }  # fmt: skip
    if after and request.headers.get("HX-Target") == "list-more":
        return render(request, "integrations/rules/_run_rows.html", context)
    context |= {
        "kept": urlencode({name: value for name, value in kept.items() if name != "state"}),
        "states": [(one, RuleRun.State(one).label) for one in SHOWN_FIRST],
        "rules": Rule.objects.filter(business__in=businesses).present().order_by("name", "pk"),
        "may_decide": bool(administered(request)),
    }
    return render(request, "integrations/rules/runs.html", context)


@require_safe
@login_required
def run(request, pk):
    """Every step with what went in and what came out; it looks again while it goes on."""
    rows = RuleRun.objects.read_by(request.user)
    one = get_object_or_404(rows.select_related("rule", "version", "contact", "business", "trigger_line"), pk=pk)
    context = {
        "run": one,
        "steps": steps_of(one),
        "told": backtest.foretell(one) if one.state == RuleRun.State.STAGED else None,
        "seen": written(one.scope),
        "may_decide": access.is_admin(request.user, one.business),
    }
    template = "_run" if request.headers.get("HX-Target") == "rule-run" else "run"
    return render(request, f"integrations/rules/{template}.html", context)


@require_POST
@login_required
def approve_run(request, pk):
    one = mine(request, pk)
    if one.approve():
        tasks.ring(tasks.run_rule, one.pk)
        messages.success(request, _("Approved. It is being done now."))
    return back(request, one)


@require_POST
@login_required
def decline_run(request, pk):
    one = mine(request, pk)
    if one.decline(request.user):
        messages.success(request, _("Declined. Nothing was done."))
    return back(request, one)


@require_POST
@login_required
def replay_run(request, pk):
    one = mine(request, pk)
    if one.replay():
        tasks.ring(tasks.run_rule, one.pk)
        messages.success(request, _("It goes on where it stopped."))
    return back(request, one)


@require_POST
@login_required
def approve_runs(request):
    """All that wait within what is shown."""
    return decide_all(request, "staged", RuleRun.approve, lambda done: ngettext(
        "%(n)d run is approved.", "%(n)d runs are approved.", done))  # fmt: skip


@require_POST
@login_required
def decline_runs(request):
    return decide_all(request, "staged", lambda one: one.decline(request.user), lambda done: ngettext(
        "%(n)d run is declined.", "%(n)d runs are declined.", done), rings=False)  # fmt: skip


@require_POST
@login_required
def replay_runs(request):
    return decide_all(request, "failed", RuleRun.replay, lambda done: ngettext(
        "%(n)d run goes on where it failed.", "%(n)d runs go on where they failed.", done))  # fmt: skip


def decide_all(request, state, decide, words, rings=True):
    businesses = administered(request)
    if not businesses:
        raise Http404
    _state, rule, contact = asked(request, request.POST, businesses)
    done = 0
    for one in narrowed(businesses, state, rule, contact).order_by("pk")[:AT_ONCE]:
        if decide(one):
            done += 1
            if rings:
                tasks.ring(tasks.run_rule, one.pk)
    messages.success(request, words(done) % {"n": done})
    if done == AT_ONCE:
        messages.info(request, _("There may be more: do it once again for the rest."))
    return redirect(request.POST["next"] if is_ours(request.POST.get("next", "")) else "integrations:rule_runs")


def back(request, run):
    """To where the button stood."""
    asked_from = request.POST.get("next", "")
    return redirect(asked_from) if is_ours(asked_from) else redirect("integrations:run", run.pk)


def is_ours(address):
    return address.startswith("/automations/")


def mine(request, pk):
    return access.administered_or_404(request.user, RuleRun.objects.select_related("business"), pk=pk)


def asked(request, params, businesses):
    """(state, rule, contact) that the log is narrowed to; what is not known, or of others, narrows nothing."""
    state = params.get("state", "")
    rules = Rule.objects.filter(business__in=businesses)
    contacts = Contact.objects.visible_to(request.user).filter(business__in=businesses)
    rule, contact = number(params.get("rule")), number(params.get("contact"))
    return (
        state if state in RuleRun.State.values else "",
        rules.filter(pk=rule).first() if rule else None,
        contacts.filter(pk=contact).first() if contact else None,
    )


def narrowed(businesses, state, rule, contact):
    rows = RuleRun.objects.filter(business__in=businesses)
    if state:
        rows = rows.filter(state=state)
    if rule:
        rows = rows.filter(rule=rule)
    return rows.filter(contact=contact) if contact else rows


def steps_of(run):
    """What was done, and what of the version is still to come."""
    changes = Change.objects.in_bulk([step["change"] for step in run.steps if step.get("change")])
    operations = OperationRun.objects.in_bulk([step["operation"] for step in run.steps if step.get("operation")])
    found = []
    for number_, action in enumerate(run.version.spec.get("actions") or []):
        step = run.steps[number_] if number_ < len(run.steps) else {}
        known = actions.of(action)
        operation = operations.get(step.get("operation"))
        found.append({
            "says": step.get("says") or (known.say(action.get("values") or {}, run.business) if known else "…"),
            "state": step.get("state", ""),
            "sentence": step.get("sentence", ""),
            "at": step.get("at", ""),
            "change": changes.get(step.get("change")),
            "operation": operation,
            "input": written(step.get("values")),
            "output": written(operation and operation.answer),
        })  # fmt: skip
    return found


def written(value):
    return json.dumps(value, indent=2, ensure_ascii=False) if value else ""
