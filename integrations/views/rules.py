"""Rules that act by themselves: admins set them up, managers read them, for others they do not exist."""

from datetime import timedelta
from difflib import ndiff

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import connection as database
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contacts import access
from contacts.models import Business
from integrations.automations import backtest, recipes, shape
from integrations.models import Automations, Rule, RuleRun
from integrations.models.not_ready import NotReady

NEWEST, VERSIONS = 8, 20
WEEK = timedelta(days=7)
MOST = 1000  # runs that are counted of one rule; more is "1,000+"
CASES = 50
ORDER = (Rule.State.PAUSED, Rule.State.ON, Rule.State.DRAFT)


@require_safe
@login_required
def rules(request):
    businesses = access.managed_or_404(request)
    rows = Rule.objects.filter(business__in=businesses).present().select_related("business", "current", "live")
    rows = sorted(rows, key=lambda rule: (ORDER.index(rule.state), rule.name.casefold(), rule.pk))
    mine = administered(request)
    kept = Automations.objects.select_related("paused_by").in_bulk([one.pk for one in businesses])
    context = {
        "rules": told(rows),
        "several": len(businesses) > 1,
        "mine": mine,
        "switches": [(one, kept.get(one.pk), one in mine) for one in businesses],
        "waiting": RuleRun.objects.filter(business__in=businesses).staged()[:1].exists(),
    }
    return render(request, "integrations/rules/rules.html", context)


@require_safe
@login_required
def recipe_list(request):
    businesses = access.managed_or_404(request)
    kept = Rule.objects.filter(business__in=businesses).present().exclude(recipe="")
    taken = set(kept.values_list("recipe", flat=True))
    rows = [(one, shape.in_words(one.spec, businesses[0]), one.slug in taken) for one in recipes.RECIPES]
    return render(request, "integrations/rules/recipes.html", {"rows": rows, "mine": administered(request)})


@require_POST
@login_required
def new_rule(request):
    """Empty, or from a recipe: a draft that does nothing until it has been tried and switched on."""
    mine = administered(request)
    business = next((one for one in mine if str(one.pk) == request.POST.get("business", "")), None)
    if business is None:
        if request.POST.get("business") or not mine:
            raise Http404
        business = mine[0]
    recipe = recipes.recipe(request.POST.get("recipe", ""))
    if recipe is None:
        rule = Rule.objects.make(business, _("New rule"), shape.EMPTY, request.user)
        return redirect("integrations:edit_rule", rule.pk)
    rule = Rule.objects.make(business, str(recipe.name)[:120], recipe.spec, request.user, recipe=recipe.slug)
    return redirect("integrations:edit_rule" if recipe.fill_in else "integrations:try_rule", rule.pk)


@require_safe
@login_required
def rule(request, pk):
    one = read(request, pk)
    of_rule = RuleRun.objects.filter(rule=one).select_related("contact").order_by("-pk")
    versions = list(one.versions.select_related("made_by")[: VERSIONS + 1])
    context = {
        "rule": one,
        "may_edit": access.is_admin(request.user, one.business),
        "words": shape.in_words(one.current.spec, one.business) if one.current.spec != shape.EMPTY else "",
        "running": shape.in_words(one.live.spec, one.business) if one.is_changed else "",
        "problems": shape.problems(one.current.spec, one.business),
        "runs": of_rule[:NEWEST],
        "staged": list(of_rule.staged()[:NEWEST]),
        "has_failed": of_rule.failed()[:1].exists(),
        "versions": apart(versions, one),
        "switch": Automations.of(one.business),
    }
    return render(request, "integrations/rules/rule.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def try_rule(request, pk):
    """The rule over what has really happened. Asking for it counts as having seen it, so it is asked for by itself."""
    one = mine(request, pk)
    context = {"rule": one, "words": shape.in_words(one.current.spec, one.business)}
    if request.method != "POST":
        return render(request, "integrations/rules/try.html", context)
    context["report"] = backtest.try_out(one.current, most=CASES)
    one.refresh_from_db()
    template = "_report" if request.htmx else "try"
    return render(request, f"integrations/rules/{template}.html", context)


@require_POST
@login_required
def switch_on(request, pk):
    one = mine(request, pk)
    try:
        one.switch_on()
    except NotReady as reason:
        messages.error(request, str(reason))
        return redirect("integrations:try_rule", pk)
    if Automations.of(one.business).is_paused:
        messages.warning(request, _("It is on, but all automations are paused: it runs when they go on."))
    else:
        messages.success(request, _("“%(rule)s” is on.") % {"rule": one})
    return redirect("integrations:rule", pk)


@require_POST
@login_required
def pause_rule(request, pk):
    one = mine(request, pk)
    if one.pause(_("Paused by %(who)s.") % {"who": request.user}):
        messages.success(request, _("“%(rule)s” is paused. What is queued waits.") % {"rule": one})
    return redirect("integrations:rule", pk)


@require_POST
@login_required
def delete_rule(request, pk):
    one = mine(request, pk)
    one.delete_here()
    messages.success(request, _("“%(rule)s” is deleted. Its runs stay in the log.") % {"rule": one})
    return redirect("integrations:rules")


@require_POST
@login_required
def rule_back(request, pk, number):
    """What version `number` said is said again, as a version of its own."""
    one = mine(request, pk)
    get_object_or_404(one.versions, number=number)
    new = one.go_back(number, request.user)
    words = _("Version %(new)d says what version %(old)d said.") % {"new": new.number, "old": number}
    if one.is_on:
        words += " " + _("It runs once you switch it on.")
    messages.success(request, words)
    return redirect("integrations:rule", pk)


@require_POST
@login_required
def pause_all(request, pk):
    business = get_object_or_404(Business.objects.administered_by(request.user), pk=pk)
    Automations.pause(business, request.user)
    messages.success(request, _("All automations are paused. What happens meanwhile is kept."))
    return redirect("integrations:rules")


@require_POST
@login_required
def resume_all(request, pk):
    business = get_object_or_404(Business.objects.administered_by(request.user), pk=pk)
    Automations.resume(business)
    messages.success(request, _("The automations go on, with what has waited first."))
    return redirect("integrations:rules")


# --- who may ----------------------------------------------------------------------------------------------------------


def administered(request):
    """The businesses in view that the user may set up rules for."""
    chosen = access.current_business(request)
    every = list(Business.objects.administered_by(request.user).order_by("name", "pk"))
    return [chosen] if chosen in every else every if chosen is None else []


def read(request, pk):
    rows = Rule.objects.read_by(request.user).present().select_related("business", "current", "live", "made_by")
    return get_object_or_404(rows, pk=pk)


def mine(request, pk):
    rows = Rule.objects.present().select_related("business", "current", "live")
    return access.administered_or_404(request.user, rows, pk=pk)


# --- what is told -----------------------------------------------------------------------------------------------------


def told(rules):
    """[(rule, words, figures)] with how it went within the last seven days."""
    figures = week_of([rule.pk for rule in rules])
    specs = [(rule.live if rule.is_on and rule.live else rule.current).spec for rule in rules]
    words = [shape.in_words(spec) if spec != shape.EMPTY else "" for spec in specs]
    return [(rule, said, figures.get(rule.pk, {})) for rule, said in zip(rules, words, strict=True)]


def week_of(pks):
    """{rule: figures}: of each, as many rows of an index are read as are counted, and never more than MOST."""
    asked = {"rules": pks, "since": timezone.now() - WEEK, "most": MOST}
    with database.cursor() as cursor:
        cursor.execute(_WEEK, asked)
        names = [column.name for column in cursor.description]
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {row["rule"]: row for row in found}


_WEEK = """
SELECT rule, runs, failed, staged, last_at, last_state
FROM unnest(%(rules)s::bigint[]) AS rule
LEFT JOIN LATERAL (
    SELECT count(*) AS runs, count(*) FILTER (WHERE state = 'failed') AS failed FROM (
        SELECT state FROM integrations_rulerun WHERE rule_id = rule AND started_at >= %(since)s
        ORDER BY started_at DESC LIMIT %(most)s) week) counted ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS staged FROM (
        SELECT 1 FROM integrations_rulerun WHERE rule_id = rule AND state = 'staged' LIMIT %(most)s) one) waits ON true
LEFT JOIN LATERAL (
    SELECT coalesce(started_at, made_at) AS last_at, state AS last_state FROM integrations_rulerun
    WHERE rule_id = rule ORDER BY id DESC LIMIT 1) newest ON true
"""


def apart(versions, rule):
    """[(version, lines that came or went since the version before)]; the one before the last is only compared with."""
    lines = [shape.lines(version.spec, rule.business) for version in versions]
    pairs = zip(versions, lines, [*lines[1:], []], strict=True)
    return [(version, changes_between(before, now)) for version, now, before in list(pairs)[:VERSIONS]]


def changes_between(before, now):
    """[("+" or "-", line)] of what differs."""
    return [(line[0], line[2:]) for line in ndiff(before, now) if line[0] in "+-"] if before else []
