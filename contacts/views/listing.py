from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from contacts import access
from contacts.filters import ME, ORDERS, ContactFilter, people
from contacts.models import Location, Tag
from contacts.paging import about, count_up_to, page_of
from contacts.rows import contacts_of, for_rows, rows_of, spans_businesses
from rankr_dash.htmx import answer

PAGE = 50
MANY_TAGS = 300  # the browser suggests from these; any other word can still be typed

VIEWS = {
    "All contacts": ContactFilter(),
    "Mine": ContactFilter(owners=(ME,)),
    "Overdue follow-ups": ContactFilter(overdue=True, sort="overdue"),
    "No next step": ContactFilter(no_next_step=True, sort="quietest"),
    "Gone quiet": ContactFilter(quiet=30, sort="quietest"),
}
ONE_CLICK = (
    ("A task is overdue", "overdue", True),
    ("An appointment is coming up", "upcoming", True),
    ("No next step", "no_next_step", True),
    ("Nothing happened for 14 days", "quiet", 14),
)


@dataclass(frozen=True)
class Link:
    """A word and the query string it leads to."""

    name: str
    query: str
    is_current: bool = False


@require_safe
@login_required
def contact_list(request):
    now = timezone.now()
    chosen = ContactFilter.from_params(request.GET, request)
    contacts = chosen.apply(contacts_of(request), now)
    page = page_of(contacts, chosen.order, request.GET.get("after", ""), PAGE, now, for_rows)
    context = {"rows": rows_of(page.rows, now), "several": spans_businesses(request), "more": more(chosen, page)}
    if not page.is_first and request.headers.get("HX-Target") == "list-more":
        return answer(request, "contacts/_list_rows.html", context, "contacts/_list_rows.html")
    context |= {"filter": chosen, "page": page, **around(request, chosen, page, contacts)}
    response = answer(request, "contacts/list.html", context, "contacts/_list.html")
    # The address bar gets the list's own address, without the empty fields of a form.
    response["HX-Push-Url"] = f"{request.path}?{chosen.params()}".rstrip("?")
    return response


def more(chosen, page):
    """The query string of the next page, empty at the end."""
    query = chosen.params()
    return f"{query}{'&' if query else ''}{urlencode({'after': page.after})}" if page.after else ""


def around(request, chosen, page, contacts):
    """What stands around the rows: how many, the ways to narrow and sort, and why there are none."""
    is_whole = page.is_first and not page.after
    count = len(page.rows) if is_whole else count_up_to(contacts)
    here = chosen.params()
    return {
        "count": about(count, is_whole) if count else "",
        "views": [
            Link(name, view.params(), view.with_(sort=chosen.sort).params() == here) for name, view in VIEWS.items()
        ],
        "orders": [
            Link(order.words, chosen.with_(sort=key).params(), key == chosen.sort) for key, order in ORDERS.items()
        ],
        "one_click": [
            Link(words, chosen.with_(**{name: value}).params())
            for words, name, value in ONE_CLICK
            if not getattr(chosen, name)
        ],
        "people": people(request),
        "tags": tag_words(request),  # read only by the whole page
        "clear": ContactFilter(sort=chosen.sort).params(),
        **(why_empty(request, chosen) if page.is_first and not page.rows else {}),
    }


def tag_words(request):
    names = access.in_scope(request, Tag.objects).order_by("name").values_list("name", flat=True)
    return names.distinct()[:MANY_TAGS]


def why_empty(request, chosen):
    """An empty list has one of five reasons, and each has its own words."""
    if not access.businesses_of(request):
        return {"why_empty": "no_business"}
    hidden = 0 if chosen.is_empty else count_up_to(contacts_of(request).present())
    if hidden:
        return {"why_empty": "filtered", "hidden": about(hidden, is_whole=True)}
    checked = list(access.in_scope(request, Location.objects, "business").values_list("contacts_checked_at", flat=True))
    if not checked:
        return {"why_empty": "no_location"}
    return {"why_empty": "none" if all(checked) else "not_fetched"}
