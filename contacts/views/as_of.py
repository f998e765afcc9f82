from datetime import timedelta

from django.contrib.auth.decorators import login_required
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from contacts import access
from contacts.day.dates import day_named, start_of
from contacts.history.as_of import Past
from contacts.history.past_words import Words
from contacts.views.acts import contact_or_404

INSTANT = timedelta(microseconds=1)


@require_safe
@login_required
def as_of(request, pk):
    """The contact as it stood at the end of a day; with `to`, what had become different by the end of another."""
    contact = contact_or_404(request, pk)
    today = contact.location.today()
    problems = []
    first = _day(request, "date", today, problems) or today
    last = _day(request, "to", today, problems)
    if last and last < first:
        first, last = last, first
    past = Past(contact)
    words = Words(past, shows_deleted=access.role_in(request.user, contact.business) in access.DECIDERS)
    state, until = (past.at(_end_of(day, contact)) if day else None for day in (first, last))
    context = {
        "contact": contact,
        "first": first,
        "last": last,
        "today": today,
        "problems": problems,
        "known_since": past.known_since,
        "known_day": past.known_since.astimezone(contact.location.zone).date(),
        "state": state,
        "unread": past.unread(_end_of(last or first, contact)),
    }
    if state and last:
        context |= {"fields": words.fields_apart(state, until), "records": words.records_apart(state, until)}
        context |= {"until": until}
    elif state:
        context |= {"groups": words.groups(state)}
        context |= {f"{kind}s": words.shown(state, kind) for kind in ("task", "note", "appointment")}
    return render(request, "contacts/as_of.html", context)


def _day(request, name, today, problems):
    text = request.GET.get(name, "")
    day = day_named(text) if text else None
    if text and day is None:
        problems.append(_("That is not a day such as 2026-11-23, so it was left out."))
    if day and day > today:
        problems.append(_("That day is still to come; this is how things stand now."))
    return min(day, today) if day else None


def _end_of(day, contact):
    """The last instant of a day by the clock of the location; of a day that is not over, now."""
    return min(start_of(day + timedelta(days=1), contact.location.zone) - INSTANT, timezone.now())
