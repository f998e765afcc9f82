from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from contacts import access
from contacts.models import Change, Membership, Role
from contacts.paging import Order, page_of
from contacts.rows import spans_businesses
from contacts.wording import what_of
from rankr_dash.htmx import answer

PAGE = 50
NEWEST = Order("created_at", "Newest first", descending=True, is_time=True)
STATES = {
    "undecided": ("Need a decision", Change.UNDECIDED),
    "unsettled": ("On their way to GHL", Change.UNSETTLED),
}


@require_safe
@login_required
def outbox(request):
    """Edits that GHL has not confirmed. Mine; admins may look at everyone's of the businesses they administer."""
    now = timezone.now()
    administered = set(
        Membership.objects.filter(user=request.user, role=Role.ADMIN).values_list("business_id", flat=True)
    ) & {business.pk for business in access.businesses_of(request)}
    is_everyone = bool(administered) and request.GET.get("who") == "everyone"
    changes = access.in_scope(request, Change.objects, "business")
    mine = Q(made_by=request.user)
    changes = changes.filter(mine | Q(business__in=administered) if is_everyone else mine)
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
        "sections": [part for part in sections if part["changes"]],
        "is_everyone": is_everyone,
        "may_see_everyone": bool(administered),
        "is_part": only in STATES,
        "several": spans_businesses(request),
    }
    return answer(request, "contacts/outbox.html", context, "contacts/_outbox.html")


def for_rows(changes):
    return changes.select_related("contact", "task", "note", "location__business", "made_by")


def section(changes, name, after, now):
    label, states = STATES[name]
    page = page_of(changes.filter(state__in=states), NEWEST, after, PAGE, now, for_rows)
    for change in page.rows:
        change.what = what_of(change)
    return {"name": name, "label": label, "changes": page.rows, "page": page}
