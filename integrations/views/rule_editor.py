"""Writing a rule: one form, which the server draws anew with every button of it. Nothing is kept until it is saved."""

import json

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from contacts.models import SavedView
from integrations import tasks
from integrations.automations import actions, form, offered, offers, shape, triggers
from integrations.views.rules import mine

MOST_CHOICES = 60
MOST_AN_HOUR, MOST_STAGED = 10_000, 100


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit_rule(request, pk):
    """Posted with an `act`, only the form changes; otherwise the rule does."""
    rule = mine(request, pk)
    if request.method != "POST":
        problems = shape.problems(rule.current.spec, rule.business) if rule.current.spec != shape.EMPTY else []
        return drawn(request, rule, rule.current.spec, problems=problems)
    spec = form.spec_of(request.POST)
    if "act" in request.POST:
        focus = form.act_on(spec, request.POST["act"])
        if request.POST["act"] == "look":
            return render(request, "integrations/rules/_said.html", said(rule, spec))
        return drawn(request, rule, spec, part="integrations/rules/_redrawn.html", focus=focus)
    return saved(request, rule, spec)


def saved(request, rule, spec):
    """Even a rule that is not whole yet is kept; what it lacks is said beside the boxes."""
    with transaction.atomic():
        rule.name = " ".join(request.POST.get("name", "").split())[:120] or rule.name
        rule.most_an_hour = number(request.POST.get("most_an_hour"), rule.most_an_hour, 1, MOST_AN_HOUR)
        rule.staged_left = number(request.POST.get("staged_left"), rule.staged_left, 0, MOST_STAGED)
        rule.save(update_fields=["name", "most_an_hour", "staged_left"])
        rule.write(spec, request.user)
    problems = shape.problems(spec, rule.business)
    if problems:
        messages.warning(request, _("Saved. It cannot be tried yet: see what is missing."))
        return drawn(request, rule, spec, problems=problems)
    if "try" in request.POST:
        return redirect("integrations:try_rule", rule.pk)
    messages.success(request, _("Saved."))
    return redirect("integrations:rule", rule.pk)


def number(text, otherwise, least, most):
    text = (text or "").strip()
    return min(max(int(text), least), most) if text.isascii() and text.isdigit() and len(text) < 10 else otherwise


@require_safe
@login_required
def rule_triggers(request, pk):
    """What the rule can begin with, for the picker."""
    rule = mine(request, pk)
    found = triggers.find(rule.business, request.GET.get("find", "")[:200])
    return picker(request, rule, [(one, f"trigger {json.dumps(one.trigger)}") for one in found])


@require_safe
@login_required
def rule_actions(request, pk):
    """What the rule can do, our own actions first and then every operation of GHL's."""
    rule = mine(request, pk)
    found = actions.find(rule.business, request.GET.get("find", "")[:200])
    return picker(request, rule, [(one, f"do {json.dumps(one.action)}") for one in found])


@require_safe
@login_required
def rule_offered(request, pk, kind):
    """One box whose list has been asked for, as it stands now."""
    rule = mine(request, pk)
    name = request.GET.get("name", f"do.0.v.{kind}")[:60]
    box = form.offered_box(rule.business, kind, name, request.GET)
    if box is None:
        raise Http404
    return render(request, "integrations/rules/_offered.html", {"rule": rule, "box": box, "wait": 4})


def picker(request, rule, found):
    rows = [{**vars(one), "act": act} for one, act in found[:MOST_CHOICES]]
    more = max(len(found) - MOST_CHOICES, 0)
    context = {"rule": rule, "found": rows, "more": more, "find": request.GET.get("find", "")}
    return render(request, "integrations/rules/_picker.html", context)


def drawn(request, rule, spec, problems=(), part="", focus=""):
    lists = lists_of(request, rule)
    drawing = form.RuleForm(rule.business, spec, problems, lists, focus)
    if drawing.asks_ghl:
        for connection in offered.stale(rule.business):
            tasks.ring(tasks.read_offers, connection)
    context = {
        "rule": rule,
        "form": drawing,
        "name": request.POST.get("name", rule.name),
        "most_an_hour": request.POST.get("most_an_hour", rule.most_an_hour),
        "staged_left": request.POST.get("staged_left", rule.staged_left),
        **said(rule, spec),
    }
    if part and request.htmx:
        return render(request, part, context)
    return render(request, "integrations/rules/edit.html", context)


def said(rule, spec):
    """The rule read aloud, and what its texts may mention."""
    return {
        "rule": rule,
        "words": shape.in_words(spec, rule.business) if spec != shape.EMPTY else "",
        "offers": offers.offers(spec, rule.business) if triggers.of(spec["trigger"]) else [],
    }


def lists_of(request, rule):
    """The lists of contacts that a rule by the clock can go through: everybody, and those shared in this business."""
    shared = SavedView.objects.present().filter(business=rule.business, is_shared=True).order_by("name")
    return [("sort=name", _("All contacts")), *((view.params, view.name) for view in shared[:100])]
