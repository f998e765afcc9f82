"""Beside the list: a look at one contact without leaving it, and the way from one to the next."""

from dataclasses import replace

from django.contrib.auth.decorators import login_required
from django.http import QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from contacts.history.timeline import page as lines_of_history
from contacts.listing import list_views
from contacts.models import Contact
from contacts.paging import Order, count_up_to
from contacts.rows import among, contacts_of
from contacts.views import page
from contacts.views.acts import contact_or_404
from rankr_dash.htmx import wants_part

COUNTED = 2000  # a place in a longer list is not worth the wait
LINES = 6
TASKS = 8


@require_safe
@login_required
def peek(request, pk):
    """What one wants to know before opening it."""
    contact = contact_or_404(request, pk)
    if not wants_part(request):
        return redirect(contact)
    lines, *_ = lines_of_history(contact)
    tasks = contact.tasks.open().select_related("assignee", "location").order_by("due_at", "pk")
    return render(request, "contacts/_peek.html", {
        "contact": contact,
        "open_contact": f"{contact.get_absolute_url()}?{urlencode({'list': request.GET.get('list', '')})}",
        "tasks": tasks[:TASKS],
        "more_tasks": max(0, tasks.count() - TASKS),
        "lines": lines[:LINES],
        **page.state(contact),
        **page.pinned(contact),
    })  # fmt: skip


@require_safe
@login_required
def walk(request, pk):
    """The neighbours of this contact in the list one came from.

    `at` is its place there. It stays the same when an edit moves the contact in the list, or out of it.
    """
    contact = contact_or_404(request, pk)
    if not wants_part(request):
        return redirect(contact)
    now = timezone.now()
    query = request.GET.get("list", "")
    shown = list_views.shown(request, QueryDict(query))
    chosen, order = shown.chosen, shown.chosen.order
    place = order.parse(request.GET.get("at", "")) or place_of(contact, order, now)
    others = chosen.apply(contacts_of(request), now)
    total = count_up_to(others, COUNTED)
    others = others.exclude(pk=contact.pk)
    scope = among(request, is_all=chosen.is_empty)
    context = {
        "contact": contact,
        "view": shown.view,
        "back_url": f"{reverse('contacts:list')}?{query}",
        "previous": address(order, before_it(order, others, place, now, scope), query),
        "next": address(order, order.keys(others, place, 1, now, scope), query),
        "number": count_before(order, others, place, now) + 1 if total <= COUNTED else 0,
        "total": total,
    }
    response = render(request, "contacts/_contact_walk.html", context)
    here = {**request.GET.dict(), "list": query, "at": order.cursor_at(*place)}
    response["HX-Replace-Url"] = f"{contact.get_absolute_url()}?{urlencode(here)}"  # the place outlives a reload
    return response


def place_of(contact, order, now):
    return order.sort(Contact.objects.filter(pk=contact.pk), now).values_list(order.key, "pk").get()


def before_it(order, others, place, now, scope):
    """The same backwards. The ways some orders have to be quick lead forwards only."""
    back = replace(order, descending=not order.descending)
    return Order.keys(back, others, place, 1, now, scope if type(order) is Order else None)


def address(order, found, query):
    """Where the neighbour is, empty at the end of the list."""
    if not found:
        return ""
    url = reverse("contacts:contact", args=[found[0][1]])
    return f"{url}?{urlencode({'list': query, 'at': order.cursor_at(*found[0])})}"


def count_before(order, others, place, now):
    return order.sort(others, now).filter(order.not_beyond(*place)).order_by().values("pk").count()
