"""Edits that GHL has not confirmed, and what is decided about them: one, or all that failed alike."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from contacts import access
from contacts.models import Change, NotEditable
from contacts.paging import Order, page_of
from contacts.rows import spans_businesses
from contacts.views.acts import edits
from contacts.wording import failure_words, place_to_edit, what_of
from rankr_dash.htmx import answer

PAGE = 50
NEWEST = Order("created_at", gettext_lazy("Newest first"), descending=True, is_time=True)
ALIKE = ("location_id", "kind", "verb", "failure", "state")
AT_ONCE = 200  # decided about one by one, so that each leaves its line of history
STATES = {
    "undecided": (gettext_lazy("Need a decision"), Change.UNDECIDED),
    "unsettled": (gettext_lazy("On their way to GHL"), Change.UNSETTLED),
}


@require_safe
@login_required
def outbox(request):
    """Mine; managers and admins may look at everyone's of their businesses."""
    now = timezone.now()
    decides = access.decides(request)
    is_everyone = decides and request.GET.get("who") == "everyone"
    changes = mine_to_decide(request) if is_everyone else mine(request)
    only = request.GET.get("only", "")
    sections = [
        section(changes, name, request.GET.get("after", "") if only == name else "", now)
        for name in STATES
        if only not in STATES or only == name
    ]
    who = {"who": "everyone"} if is_everyone else {}
    for part in sections:
        part["more"] = (
            urlencode({**who, "only": part["name"], "after": part["page"].after}) if part["page"].after else ""
        )
    context = {
        "sections": [part for part in sections if part["groups"]],
        "is_everyone": is_everyone,
        "may_see_everyone": decides,
        "is_part": only in STATES,
        "several": spans_businesses(request),
        **again(request, request.GET.get("again", "")),
    }
    return answer(request, "contacts/outbox.html", context, "contacts/_outbox.html")


@require_safe
@login_required
def progress(request, pk):
    """How far those have come that were sent again together with this one."""
    get_object_or_404(mine_to_decide(request), pk=pk)
    return render(request, "contacts/_outbox_progress.html", again(request, str(pk)))


@edits
def retry_all(request, pk):
    change = change_to_decide(request, pk)
    if not change.location.is_editable:
        raise NotEditable(_(change.location.not_editable_because))
    count = alike(request, change).retry_all(timezone.now())
    if not count:
        messages.info(request, _("Somebody has decided about these meanwhile."))
    who = {"who": "everyone"} if request.POST.get("who") == "everyone" else {}
    return redirect(f"{reverse('contacts:outbox')}?{urlencode({**who, 'again': change.pk})}")


@edits
def ignore_all(request, pk):
    change = change_to_decide(request, pk)
    because = request.POST.get("because", "").strip()
    rows = for_rows(alike(request, change)).order_by("pk")[:AT_ONCE]
    count = sum(one.keep_theirs(request.user, because) for one in rows)
    words = ngettext("%(count)s edit is as GHL has it.", "%(count)s edits are as GHL has them.", count)
    messages.success(request, words % {"count": count})
    who = "?who=everyone" if request.POST.get("who") == "everyone" else ""
    return redirect(f"{reverse('contacts:outbox')}{who}")


# --- whose ------------------------------------------------------------------------------------------------------------


def mine(request):
    return access.in_scope(request, Change.objects, "business").filter(made_by=request.user)


def mine_to_decide(request):
    """My edits, and everyone's where I am a manager or an admin."""
    changes = access.in_scope(request, Change.objects, "business")
    return changes.filter(Q(made_by=request.user) | Q(business__in=access.decided_by(request.user)))


def change_to_decide(request, pk):
    return get_object_or_404(mine_to_decide(request).select_related("location"), pk=pk)


def alike(request, change):
    return mine_to_decide(request).like(change)


# --- what is shown ----------------------------------------------------------------------------------------------------


def for_rows(changes):
    return changes.select_related("contact", "task", "note", "appointment", "location__business", "business", "made_by")


def section(changes, name, after, now):
    label, states = STATES[name]
    changes = changes.filter(state__in=states)
    page = page_of(changes, NEWEST, after, PAGE, now, for_rows)
    for change in page.rows:
        change.what = what_of(change)
        change.edit_url = place_to_edit(change)
    groups = grouped(changes, page.rows) if name == "undecided" else [group_of(None, page.rows, 0)]
    return {"name": name, "label": label, "groups": groups if page.rows else [], "page": page}


def grouped(changes, rows):
    """The rows of a page sorted to those that failed alike, the newest first; each with how many there are in all."""
    found = {}
    for change in rows:
        found.setdefault(tuple(getattr(change, name) for name in ALIKE), []).append(change)
    counts = {tuple(row[:-1]): row[-1] for row in changes.order_by().values_list(*ALIKE).annotate(Count("pk"))}
    return [group_of(members[0], members, counts.get(key, 0)) for key, members in found.items()]


def group_of(first, changes, count):
    is_group = first is not None and count > 1 and bool(first.failure)
    return {
        "changes": changes,
        "count": count,
        "first": first if is_group else None,
        "words": failure_words(first) if is_group else "",
        "may_retry": is_group and first.state != Change.State.CONFLICT,
    }


def again(request, pk):
    """The progress of what was sent again together; nothing when there is none."""
    if not pk.isascii() or not pk.isdigit() or len(pk) > 18:
        return {}
    first = mine_to_decide(request).filter(pk=pk).first()
    if first is None:
        return {}
    alike = {name: getattr(first, name) for name in ("location_id", "kind", "verb", "not_before")}
    together = mine_to_decide(request).filter(**alike)
    states = dict(together.order_by().values_list("state").annotate(Count("pk")))
    waiting = sum(count for state, count in states.items() if state in Change.UNSETTLED)
    failed = sum(count for state, count in states.items() if state in Change.UNDECIDED)
    total = sum(states.values())
    return {"again": first, "again_total": total, "again_done": total - waiting, "again_failed": failed}
