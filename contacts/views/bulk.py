"""One thing done to many contacts: asking what it would change, doing it, watching it, stopping it, taking it back."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from contacts import access
from contacts.listing import bulk, export, list_views
from contacts.listing.bulk_acts import ACTS, Unclear, many
from contacts.listing.filters import number, people
from contacts.models import BulkAction
from contacts.views import listing
from contacts.views.acts import tell
from contacts.views.submissions import submission_of
from rankr_dash.htmx import answer, wants_part

MOST_PICKED = 5000
EXPORT = "export"


@require_POST
@login_required
def form(request):
    """The popover of one act, with what it would change as far as that is clear already."""
    kind = kind_of(request)
    return render(request, "contacts/_bulk_form.html", {
        "kind": kind,
        "selection": selection_of(request),
        "list_query": request.POST.get("list", ""),
        "submission": uuid.uuid4(),
        "people": [person for person in people(request) if person.pks] if kind in ("owner", "task") else [],
        "tags": listing.tag_words(request) if kind in ("add_tags", "remove_tags") else [],
        "tomorrow": timezone.localdate() + timezone.timedelta(days=1),
        **effect_on(request, kind),
    })  # fmt: skip


@require_POST
@login_required
def preview(request):
    return render(request, "contacts/_bulk_effect.html", {**effect_on(request, kind_of(request)), "is_asked": True})


@require_POST
@login_required
def start(request):
    selection, kind = selection_of(request), kind_of(request)
    try:
        if kind not in ACTS:
            raise Unclear(_("This is nothing that can be done to many contacts."))
        act = ACTS[kind].read(request.POST, request)
        business = access.current_business(request)
        action = bulk.start(request, business, act, selection, submission_of(request))
    except Unclear as reason:
        if wants_part(request):
            response = render(request, "contacts/_bulk_effect.html", {"problem": str(reason)}, status=422)
            response["HX-Retarget"], response["HX-Reswap"] = ".bulk-menu[open] .bulk-effect", "outerHTML"
            return response
        messages.error(request, str(reason))
        return redirect("contacts:list")
    if not wants_part(request):
        return redirect("contacts:bulk_action", action.pk)
    return tell(shown(request, action), ["selection-done"])


@require_safe
@login_required
def action(request, pk):
    """A page of its own, which stays when the line above the list has been put away; or that line."""
    action = action_or_404(request, pk)
    was_running = "running" in request.GET
    response = shown(request, action)
    if was_running and not action.is_running and wants_part(request):
        tell(response, ["list-stale"])
    return response


@require_POST
@login_required
def stop(request, pk):
    action = action_or_404(request, pk)
    if action.stop():
        bulk.ring(action)
    action.refresh_from_db()
    return shown_or_back(request, action)


@require_POST
@login_required
def undo(request, pk):
    action = action_or_404(request, pk)
    if not access.may_undo_bulk(request.user, action):
        messages.error(request, _("Only a manager can take back what a colleague did, or what is older than a day."))
        return shown_or_back(request, action)
    back = bulk.start_undo(action, request.user)
    if back is None:
        messages.info(request, _("This is being taken back already."))
    return shown_or_back(request, back or action)


@require_POST
@login_required
def put_away(request, pk):
    """The line above the list has been read."""
    action = action_or_404(request, pk)
    BulkAction.objects.filter(pk=action.pk).exclude(finished_at=None).update(put_away_at=timezone.now())
    return HttpResponse() if wants_part(request) else redirect("contacts:list")


@require_POST
@login_required
def export_contacts(request):
    """A CSV file of the columns that are shown, of the businesses whose manager one is."""
    selection = selection_of(request)
    view = list_views.shown(request, request_query(request)).view
    try:
        found = selection.contacts(request, timezone.now()).filter(business__in=access.decided_by(request.user))
    except Unclear as reason:
        messages.error(request, str(reason))
        return redirect("contacts:list")
    return export.csv_of(found, listing.columns_of(request, view))


# --- what is asked for ------------------------------------------------------------------------------------------------


def kind_of(request):
    return request.POST.get("kind", "")


def request_query(request):
    return QueryDict(request.POST.get("list", ""))


def selection_of(request):
    """All that the list finds, or the contacts that were ticked; what is no number is nobody."""
    if request.POST.get("all") == "1":
        return bulk.Selection(params=request.POST.get("list", ""))
    ticked = [*request.POST.getlist("contact"), *request.POST.get("picked", "").split(",")]
    return bulk.Selection(picked=tuple({pk for one in ticked[:MOST_PICKED] if (pk := number(one.strip()))}))


def effect_on(request, kind):
    """What would change, or the sentence why that is not clear yet."""
    selection = selection_of(request)
    context = {"kind": kind, "problem": "", "act": None, "button": ""}
    try:
        found = selection.contacts(request, timezone.now())
        if kind == EXPORT:
            return {**context, **export_effect(request, found)}
        if kind not in ACTS:
            raise Unclear(_("This is nothing that can be done to many contacts."))
        act = None
        try:
            act = ACTS[kind].read(request.POST, request)
        except Unclear as reason:
            context["problem"] = str(reason)
        context |= {"act": act, "effect": bulk.effect_of(act, found)}
    except Unclear as reason:
        return {**context, "problem": str(reason)}
    if act and context["effect"].changed:
        effect = context["effect"]
        context["button"] = act.button(_("all of them") if effect.is_capped else many(effect.changed))
    return context


def export_effect(request, found):
    may = Q(business__in=access.decided_by(request.user))
    total, allowed = bulk.counted(found), bulk.counted(found.filter(may))
    return {"effect": None, "export_count": allowed, "export_left": total - allowed}


# --- what is shown ----------------------------------------------------------------------------------------------------


def action_or_404(request, pk):
    actions = BulkAction.objects.visible_to(request.user).select_related("undoes", "made_by", "business")
    return get_object_or_404(actions, pk=pk)


def shown(request, action):
    context = {"action": bulk.dress(action, request.user)}
    return answer(request, "contacts/bulk_action.html", context, "contacts/_bulk_action.html")


def shown_or_back(request, action):
    return shown(request, action) if wants_part(request) else redirect("contacts:bulk_action", action.pk)
