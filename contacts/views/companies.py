from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from contacts import access
from contacts.listing import columns
from contacts.listing.filters import MAX_TEXT, ORDERS
from contacts.models import Company, Contact
from contacts.paging import Order, about, count_up_to, page_of
from contacts.rows import for_rows, rows_of, spans_businesses
from rankr_dash.htmx import answer

PAGE = 50
BY_NAME = Order("name", _("By name"))


@require_safe
@login_required
def companies(request):
    now = timezone.now()
    q = " ".join(request.GET.get("q", "").replace("\x00", " ").split())[:MAX_TEXT]
    found = access.in_scope(request, Company.objects)
    if q:
        found = found.filter(name__icontains=q)
    page = page_of(found, BY_NAME, request.GET.get("after", ""), PAGE, now, for_rows_of_companies)
    count_contacts(page.rows)
    is_whole = page.is_first and not page.after
    context = {
        "companies": page.rows,
        "q": q,
        "several": spans_businesses(request),
        "more": urlencode({**({"q": q} if q else {}), "after": page.after}) if page.after else "",
    }
    if not page.is_first and request.headers.get("HX-Target") == "list-more":
        return render(request, "contacts/_companies_rows.html", context)
    context["count"] = about(len(page.rows) if is_whole else count_up_to(found), is_whole)
    return answer(request, "contacts/companies.html", context, "contacts/_companies.html")


def for_rows_of_companies(companies):
    return companies.select_related("location__business")


def count_contacts(companies):
    counts = dict(
        Contact.objects.present()
        .filter(company__in=[company.pk for company in companies])
        .order_by()
        .values_list("company")
        .annotate(Count("pk"))
    )
    for company in companies:
        company.contact_count = counts.get(company.pk, 0)


@require_safe
@login_required
def company(request, pk):
    """What GHL knows about a company, and its people."""
    now = timezone.now()
    company = get_object_or_404(Company.objects.visible_to(request.user).select_related("location__business"), pk=pk)
    contacts = contacts_of_company(request, company)
    page = page_of(contacts, ORDERS["name"], request.GET.get("after", ""), PAGE, now, for_rows)
    context = {
        "company": company,
        "rows": rows_of(page.rows, now),
        "several": False,  # one company is of one business
        "columns": columns.USUAL,
        "width": len(columns.USUAL),
        "more": urlencode({"after": page.after}) if page.after else "",
    }
    if not page.is_first and request.headers.get("HX-Target") == "list-more":
        return render(request, "contacts/_list_rows.html", context)
    is_whole = page.is_first and not page.after
    context["count"] = about(len(page.rows) if is_whole else count_up_to(contacts), is_whole)
    return answer(request, "contacts/company.html", context)


def contacts_of_company(request, company):
    return (
        Contact.objects.visible_to(request.user).present().filter(business=company.location.business, company=company)
    )
