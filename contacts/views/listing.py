from dataclasses import dataclass
from functools import partial

from django.contrib.auth.decorators import login_required
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from contacts import access
from contacts.listing import bulk, columns, list_views, search
from contacts.listing.conditions import AddedWithin, EmailKnown, NoNextStep, Overdue, PhoneKnown, Quiet, Upcoming
from contacts.listing.filters import MAX_GROUPS, ORDERS, ContactFilter, custom_fields, number, people, prefix
from contacts.models import Company, Location, Tag
from contacts.paging import MANY, about, count_up_to, page_of
from contacts.rows import among, contacts_of, for_rows, rows_of, spans_businesses
from rankr_dash.htmx import answer

PAGE = 30
SIMILAR = 10  # shown where a search finds nobody
MANY_TAGS = 300  # the browser suggests from these; any other word can still be typed
MANY_COMPANIES = 300
ONE_CLICK = (
    Overdue(), Upcoming(), NoNextStep(), Quiet(14), AddedWithin(7), EmailKnown(False), PhoneKnown(False),
)  # fmt: skip

# (parameter, words, whether it replaces one that is there already)
BY_FORM = (
    ("owner", gettext_lazy("Owner is"), False),
    ("tag", gettext_lazy("Tag is"), False),
    ("not_tag", gettext_lazy("Tag is not"), False),
    ("company", gettext_lazy("Company is"), True),
    ("quiet", gettext_lazy("Nothing happened for"), True),
    ("added", gettext_lazy("Added within the last"), True),
    ("email", gettext_lazy("E-mail is"), True),
    ("phone", gettext_lazy("Phone is"), True),
    ("source", gettext_lazy("Source is"), True),
    ("type", gettext_lazy("Type is"), True),
    ("field", gettext_lazy("A custom field is"), False),
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
    return show(request, request.GET)


def show(request, params, part="contacts/_list.html"):
    """The list these parameters ask for, whole or as the part that htmx swaps."""
    now = timezone.now()
    asked = list_views.shown(request, params)
    chosen = asked.chosen
    contacts = chosen.apply(contacts_of(request), now)
    context = table(request, asked, contacts, params.get("after", ""), now)
    if not context["page"].is_first and request.headers.get("HX-Target") == "list-more":
        return answer(request, "contacts/_list_rows.html", context, "contacts/_list_rows.html")
    context |= around(request, asked, context["page"], contacts)
    response = answer(request, "contacts/list.html", context, part)
    # The address bar gets the list's own address, without the empty fields of a form.
    response["HX-Push-Url"] = f"{reverse('contacts:list')}?{chosen.params()}".rstrip("?")
    return response


def table(request, asked, contacts, after, now):
    """The rows, and what they show."""
    shown_columns = columns_of(request, asked.view)
    load = for_rows_with_fields if any(column.field for column in shown_columns) else for_rows
    scope = among(request, is_all=asked.chosen.is_empty)
    page = page_of(contacts, asked.chosen.order, after, PAGE, now, load, scope)
    rows = rows_of(page.rows, now)
    columns.fill(rows, shown_columns)
    several = spans_businesses(request)
    return {
        "filter": asked.chosen,
        "page": page,
        "rows": rows,
        "columns": shown_columns,
        "several": several,
        "has_company": any(column.key == "company" for column in shown_columns),
        "width": len(shown_columns) + several,
        "is_selectable": True,
        "more": more(asked.chosen, page),
        "walk": urlencode({"list": asked.chosen.params()}),
    }


def columns_of(request, view):
    """A person's own choice for this view, else the view's."""
    keys = list_views.habits_of(request).columns.get(view.key) or view.columns
    return columns.chosen(keys, custom_fields(request) if columns.needs_fields(keys) else ())


def for_rows_with_fields(contacts):
    return columns.with_fields(for_rows(contacts))


def more(chosen, page):
    """The query string of the next page, empty at the end."""
    query = chosen.params()
    return f"{query}{'&' if query else ''}{urlencode({'after': page.after})}" if page.after else ""


def around(request, asked, page, contacts):
    """What stands around the rows: how many, the views, the ways to sort, what runs, and why there are none."""
    chosen = asked.chosen
    is_whole = page.is_first and not page.after
    count = len(page.rows) if is_whole else count_up_to(contacts)
    return {
        "count": about(count, is_whole) if count else "",
        "all_of_it": all_of(count) if count > len(page.rows) else "",
        **tabs(request, asked),
        "sentence": list(enumerate(chosen.sentence(), 1)),
        "next_group": len(chosen.groups) + 1 if 0 < len(chosen.groups) < MAX_GROUPS else 0,
        "orders": [
            Link(order.words, chosen.with_(sort=key).params(), key == chosen.sort) for key, order in ORDERS.items()
        ],
        "clear": ContactFilter(sort=chosen.sort, view=chosen.view).params(),
        "clear_q": chosen.with_(q="").params(),
        "bulk_actions": partial(bulk.shown_above_the_list, request.user),  # read only by the whole page
        "may_export": access.decides(request),
        **(why_empty(request, chosen) if page.is_first and not page.rows else {}),
        **(similar(request, chosen) if page.is_first and not page.rows and chosen.q else {}),
    }


def all_of(count):
    """What stands behind "Select all"."""
    return _("of them") if count == MANY else about(count, is_whole=True)


def tabs(request, asked):
    views = list_views.views_of(request)
    view = asked.view
    saved = None if view.key in list_views.BUILT_IN else view
    return {
        "views": views.values(),
        "view": view,
        "is_first_view": view.key == next(iter(views)),
        "is_last_view": view.key == next(reversed(views)),
        "saved": saved,
        "is_changed": asked.is_changed,
        "may_change": bool(saved and saved.may_be_changed_by(request.user)),
        "opens_with": list_views.habits_of(request).opens_with or list_views.EVERYTHING.key,
        "teams": [access.current_business(request)]
        if access.current_business(request)
        else access.businesses_of(request),
    }


@require_safe
@login_required
def add_condition(request):
    """The menu with which one more condition joins a group; `group` past the last begins a new one."""
    chosen = ContactFilter.from_params(request.GET, request)
    group = min(number(request.GET.get("group", "")) or 1, len(chosen.groups) + 1, MAX_GROUPS)
    there = chosen.groups[group - 1] if group <= len(chosen.groups) else ()
    kinds = {type(condition) for condition in there}
    context = {
        "filter": chosen,
        "prefix": prefix(group),
        "one_click": [
            Link(" ".join(one.words()), chosen.adding(one, group).params())
            for one in ONE_CLICK
            if type(one) not in kinds
        ],
        "kinds": [
            (name, words, prefix(group) + name if is_single else "")
            for name, words, is_single in BY_FORM
            if name != "field" or custom_fields(request)
        ],
        "people": people(request),
        "tags": tag_words(request),
        "companies": company_names(request),
        "fields": custom_fields(request),
    }
    return answer(request, "contacts/_list_add.html", context)


def tag_words(request):
    names = access.in_scope(request, Tag.objects).order_by("name").values_list("name", flat=True)
    return names.distinct()[:MANY_TAGS]


def company_names(request):
    names = access.in_scope(request, Company.objects).exclude(name="").order_by("name").values_list("name", flat=True)
    return names.distinct()[:MANY_COMPANIES]


def similar(request, chosen):
    """The first contacts for what was probably meant by a search that found nobody."""
    now = timezone.now()
    others = chosen.with_(q="").apply(contacts_of(request), now)
    found = search.similar(others, chosen.q, access.businesses_in_scope(request))
    if found is None:
        return {}
    page = page_of(found.contacts, ORDERS["name"], "", SIMILAR, now, for_rows, among(request))
    rows = rows_of(page.rows, now)
    columns.fill(rows, columns.USUAL)
    return {"similar": rows, "similar_words": found.words, "similar_columns": columns.USUAL}


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
