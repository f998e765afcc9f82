import time
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from contacts import access
from contacts.csv_file import csv_response
from contacts.day import agenda
from contacts.managers import reports, stats, tables
from contacts.managers.reports import SPANS, Scope
from contacts.paging import Order, about, count_up_to, page_of
from rankr_dash.htmx import answer, wants_part

PAGE = 50
PATIENCE_S = 0.5  # that long a page waits for its figures
PARTS = {
    "work": reports.work,
    "ageing": reports.ageing,
    "touch": reports.first_touch,
    "appointments": reports.appointments,
    "quiet": reports.quiet,
}
TABLES = {
    "work": tables.work,
    "ageing": tables.ageing,
    "touch": tables.first_touch,
    "appointments": tables.appointments,
    "quiet": tables.quiet,
}
ORDERS = {
    "overdue": Order("due_at", gettext_lazy("Oldest first"), is_time=True),
    "first-touch": Order("added_at", gettext_lazy("Newest first"), descending=True, is_time=True),
    "appointments": Order("starts_at", gettext_lazy("Newest first"), descending=True, is_time=True),
    "quiet": Order("last_activity_at", gettext_lazy("Longest first"), is_time=True),
}
COLUMNS = {"overdue": 4, "first-touch": 5, "appointments": 5, "quiet": 3}


@dataclass(frozen=True)
class Link:
    name: str
    query: str
    is_current: bool


@require_safe
@login_required
def reports_page(request):
    """Pictures of what was done and what waits; every bar opens the list behind it.

    What would keep the page waiting comes after it, one by one: with `part` the answer is that part alone.
    """
    scope = Scope.from_params(request.GET, access.managed_or_404(request))
    part = request.GET.get("part", "")
    if part in PARTS and wants_part(request):
        return render(request, f"contacts/_report_{part}.html", {"scope": scope, "report": PARTS[part](scope)})
    context = {"scope": scope, **around(scope), "parts": list(parts_of(scope, first=part))}
    return answer(request, "contacts/reports.html", context, "contacts/_reports.html")


def parts_of(scope, first):
    """(name, template, what it shows or None while that is to follow)."""
    began = time.monotonic()
    found = {}
    for name in sorted(PARTS, key=lambda name: name != first):
        is_late = found and time.monotonic() - began > PATIENCE_S
        found[name] = None if is_late else PARTS[name](scope)
    for name in PARTS:
        yield name, f"contacts/_report_{name}.html", found[name]


@require_safe
@login_required
def report_table(request, part):
    """The figures of one report as a CSV file."""
    scope = Scope.from_params(request.GET, access.managed_or_404(request))
    if part not in PARTS:
        raise Http404
    head, *rows = TABLES[part](scope, PARTS[part](scope))
    return csv_response(f"{part}-{scope.now.astimezone(scope.zone):%Y-%m-%d}", head, rows)


@require_safe
@login_required
def report_rows(request):
    """The list behind a bar."""
    scope = Scope.from_params(request.GET, access.managed_or_404(request))
    report = request.GET.get("report", "overdue")
    if report not in ORDERS:
        raise Http404
    title, rows = reports.rows_behind(scope, report, request.GET)
    page = page_of(for_rows(report, rows), ORDERS[report], request.GET.get("after", ""), PAGE, scope.now)
    query = request.GET.copy()
    query["after"] = page.after
    differ = len({location.zone for location in scope.locations}) > 1
    for row in page.rows:
        row.place = agenda.place_of(row.location.zone) if differ else ""
        row.length = reports.length_of(getattr(row, "took", None))
        row.outcome = _(stats.OUTCOMES[stats.outcome_of(getattr(row, "status", ""))][0])
    several = len({location.business_id for location in scope.locations}) > 1
    context = {
        "report": report,
        "columns": COLUMNS[report] + several,
        "title": title,
        "scope": scope,
        "rows": page.rows,
        "several": several,
        "more": query.urlencode() if page.after else "",
        "order": ORDERS[report].words,
    }
    if not page.is_first and request.headers.get("HX-Target") == "list-more":
        return render(request, "contacts/_report_rows.html", context)
    is_whole = page.is_first and not page.after
    context["count"] = about(len(page.rows) if is_whole else count_up_to(rows), is_whole=True)
    return answer(request, "contacts/report_rows.html", context)


def for_rows(report, rows):
    if report == "overdue":
        return rows.select_related("contact", "assignee", "location__business").defer("snapshot", "body")
    if report == "appointments":
        return rows.select_related("contact", "assignee", "location__business").defer("snapshot", "notes")
    return rows.select_related("owner", "company", "location__business").defer("snapshot", "custom_values")


def around(scope):
    businesses = [("", _("All my businesses")), *((one.pk, one.name) for one in scope.businesses)]
    chosen = scope.business.pk if scope.business else ""
    return {
        "spans": [Link(_(words), scope.query(weeks=span), span == scope.span) for span, words in SPANS.items()],
        "businesses": [Link(name, scope.query(business=pk), pk == chosen) for pk, name in businesses],
    }
