"""Customers of the ERP whom nobody could be matched with: for managers and admins to say who they are."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from contacts import access
from contacts.listing import search
from contacts.models import Contact, ExternalId, Location, NotEditable
from contacts.paging import Order, page_of
from integrations import tasks
from integrations.matching import acts, arrivals, strangers
from integrations.models import ErpEvent, Stranger

PAGE, SHOWN, FOUND, FAILED = 50, 20, 8, 20
BY_TIME = Order("since", "", is_time=True)  # no menu names it


@require_safe
@login_required
def unmatched(request):
    businesses = access.managed_or_404(request)
    is_ignored = "ignored" in request.GET
    rows = Stranger.objects.filter(business__in=businesses, ignored_at__isnull=not is_ignored)
    page = page_of(rows, BY_TIME, request.GET.get("after", ""), PAGE, None, for_rows)
    count_waiting(page.rows)
    more = {**({"ignored": "1"} if is_ignored else {}), "after": page.after}
    context = {
        "strangers": page.rows,
        "is_ignored": is_ignored,
        "several": len(businesses) > 1,
        "more": urlencode(more) if page.after else "",
    }
    if not page.is_first and request.headers.get("HX-Target") == "list-more":
        return render(request, "integrations/_unmatched_rows.html", context)
    failed = ErpEvent.objects.filter(business__in=businesses, outcome=ErpEvent.Outcome.FAILED)
    context["failed"] = [] if is_ignored else spoken(failed.select_related("contact").order_by("-pk")[:FAILED])
    return render(request, "integrations/unmatched.html", context)


@require_safe
@login_required
def stranger(request, pk):
    """What waits for them, and who they may be."""
    one = mine(request, pk)
    locations = locations_of(one)
    q = " ".join(request.GET.get("q", "").replace("\x00", " ").split())[:200]
    found = strangers.present(one.business_id).select_related("company")
    waiting = ErpEvent.objects.about(one).waiting().order_by("occurred_at", "pk")
    context = {
        "stranger": one,
        "locations": locations,
        "events": spoken(waiting[:SHOWN]),
        "count": waiting.count() if len(waiting[:SHOWN]) == SHOWN else None,
        "candidates": strangers.candidates(one, locations[0])[:FOUND] if locations else [],
        "q": q,
        "found": search.matching(found, q)[:FOUND] if q else [],
    }
    return render(request, "integrations/stranger.html", context)


@require_POST
@login_required
def link(request, pk):
    one = mine(request, pk)
    contacts = Contact.objects.visible_to(request.user).present().filter(business=one.business_id)
    contact = get_object_or_404(contacts, pk=number(request.POST.get("contact")))
    event = strangers.link(one, contact)
    given = ExternalId.objects.get(kind="contact", business=one.business_id, system=one.system, value=one.reference)
    return resolved(request, contact, event, undo_url=reverse("integrations:unlink", args=[contact.pk, given.pk]))


@require_POST
@login_required
def create(request, pk):
    one = mine(request, pk)
    location = get_object_or_404(locations_of(one, is_editable=True), pk=number(request.POST.get("location")))
    try:
        contact, event = strangers.create(one, location, request.user)
    except NotEditable as refusal:
        messages.error(request, str(refusal))
        return redirect("integrations:stranger", pk)
    return resolved(request, contact, event)


def resolved(request, contact, event, undo_url=""):
    if event:
        tasks.ring(tasks.handle_erp_event, event)
    words = _("Linked. What waited for %(name)s is being handled now.") % {"name": contact.name}
    messages.success(request, words, extra_tags=undo_url)
    return redirect(contact)


@require_safe
@login_required
def linked(request):
    """Which customers of the ERP are which contacts, the latest link first: to take one back."""
    businesses = access.managed_or_404(request)
    links = ExternalId.objects.filter(business__in=businesses, kind="contact")
    q = " ".join(request.GET.get("q", "").replace("\x00", " ").split())[:200]
    if q:
        found = search.matching(Contact.objects.filter(business__in=businesses), q)
        links = links.filter(Q(value=q) | Q(contact__in=found))
    before = number(request.GET.get("before"))
    links = links.filter(pk__lt=before) if before else links
    rows = list(links.select_related("contact__location", "business").order_by("-pk")[: PAGE + 1])
    more = {**({"q": q} if q else {}), "before": str(rows[PAGE - 1].pk)} if len(rows) > PAGE else {}
    context = {
        "links": rows[:PAGE],
        "q": q,
        "several": len(businesses) > 1,
        "more": urlencode(more),
    }
    is_more = before and request.headers.get("HX-Target") == "list-more"
    return render(request, "integrations/_linked_rows.html" if is_more else "integrations/linked.html", context)


@require_POST
@login_required
def unlink(request, pk, link_pk):
    """The customer is nobody's again; what its events have done stays, and that is said."""
    links = ExternalId.objects.filter(business__in=access.managed_or_404(request), kind="contact", contact=pk)
    link = get_object_or_404(links.select_related("contact__location"), pk=link_pk)
    stranger, applied = strangers.unlink(link)
    if stranger is None:
        messages.info(request, _("Somebody has decided about this meanwhile."))
        return redirect("integrations:linked")
    words = _("Unlinked. What comes for this customer waits until somebody says who it is.")
    if applied:
        done = ngettext(
            "%(n)s event had been applied to %(name)s already and stays.",
            "%(n)s events had been applied to %(name)s already and stay.",
            applied,
        )
        count = f"{applied}+" if applied == strangers.MANY else applied
        words = f"{words} {done % {'n': count, 'name': link.contact.name}}"
    messages.warning(request, words) if applied else messages.success(request, words)
    return redirect("integrations:stranger", stranger.pk)


@require_POST
@login_required
def ignore(request, pk):
    one = mine(request, pk)
    because = request.POST.get("because", "").strip()
    if not because:
        messages.error(request, _("Say why, so that others know."))
        return redirect("integrations:stranger", pk)
    strangers.ignore(one, request.user, because)
    messages.success(request, _("Ignored. You find them again under “Ignored”."))
    return redirect("integrations:unmatched")


@require_POST
@login_required
def notice(request, pk):
    one = mine(request, pk)
    strangers.notice(one)
    return redirect("integrations:stranger", pk)


@require_POST
@login_required
def try_again(request, pk):
    """An event that could not be applied, once more."""
    events = ErpEvent.objects.filter(business__in=access.managed_or_404(request))
    event = get_object_or_404(events, pk=pk)
    if arrivals.try_again(event):
        tasks.ring(tasks.handle_erp_event, event.pk)
        messages.success(request, _("It is being tried again."))
    return redirect("integrations:unmatched")


def mine(request, pk):
    return get_object_or_404(Stranger.objects.decided_by(request.user).select_related("business"), pk=pk)


def number(text):
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else 0


def locations_of(one, **more):
    return Location.objects.filter(business=one.business_id, **more).order_by("-is_editable", "name", "pk")


def for_rows(rows):
    return rows.select_related("business", "ignored_by")


def count_waiting(rows):
    """How many events wait for each."""
    systems, references = {row.system for row in rows}, {row.reference for row in rows}
    waiting = ErpEvent.objects.waiting().filter(
        business__in={row.business_id for row in rows}, system__in=systems, reference__in=references
    )
    counted = waiting.order_by().values_list("business", "system", "reference").annotate(Count("pk"))
    counts = {(business, system, reference): count for business, system, reference, count in counted}
    for row in rows:
        count = counts.get((row.business_id, row.system, row.reference), 0)
        row.waiting = ngettext("%(n)d event", "%(n)d events", count) % {"n": count}


def spoken(events):
    """Each with its words."""
    events = list(events)
    for event in events:
        event.words = event.body.get("title") or acts.in_words(event.type)
    return events
