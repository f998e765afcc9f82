from django.contrib.auth.decorators import login_required
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from contacts import access
from contacts.csv_file import csv_response
from contacts.details.note_text import plain_text
from contacts.history import all_history
from contacts.history.all_history import HistoryFilter
from contacts.models import ActorKind
from contacts.people.actors import Actors
from rankr_dash.htmx import answer

EXPORTED = 50_000  # lines of one file: more would take minutes
AT_ONCE = 1000


@require_safe
@login_required
def history(request):
    """Who did what, over all contacts of the businesses I manage."""
    businesses = access.managed_or_404(request)
    locations = all_history.locations_of(businesses)
    actors = Actors(locations)
    chosen = HistoryFilter.from_params(request.GET, businesses, actors)
    page = all_history.page(chosen, locations, request.GET.get("after", ""))
    context = {
        "chosen": chosen,
        "lines": all_history.lines_of(page.rows, locations),
        "several": len(businesses) > 1 and not chosen.business,
        "more": chosen.params(after=page.after) if page.after else "",
    }
    if not page.is_first and request.headers.get("HX-Target") == "list-more":
        return render(request, "contacts/_all_history_lines.html", context)
    context |= {
        **all_history.choices(actors, businesses, chosen),
        "is_first": page.is_first,
        "has_location": bool(locations),
        "exported": EXPORTED,
    }
    response = answer(request, "contacts/all_history.html", context, "contacts/_all_history.html")
    response["HX-Push-Url"] = f"{request.path}?{chosen.params()}".rstrip("?")
    return response


@require_safe
@login_required
def export(request):
    """The same lines as a CSV file, newest first."""
    businesses = access.managed_or_404(request)
    locations = all_history.locations_of(businesses)
    chosen = HistoryFilter.from_params(request.GET, businesses, Actors(locations))
    return csv_response(f"history-{timezone.now():%Y-%m-%d}", HEAD, rows_of(chosen, locations))


HEAD = (
    gettext_lazy("Happened at (UTC)"),
    gettext_lazy("By the location’s clock"),
    gettext_lazy("Learned at (UTC)"),
    gettext_lazy("Who"),
    gettext_lazy("Kind of actor"),
    gettext_lazy("What"),
    gettext_lazy("Details"),
    gettext_lazy("Old and new"),
    gettext_lazy("Text"),
    gettext_lazy("Contact"),
    gettext_lazy("Contact number"),
    gettext_lazy("Business"),
    gettext_lazy("Location"),
)


def rows_of(chosen, locations):
    after, left = "", EXPORTED
    while True:
        page = all_history.page(chosen, locations, after, size=min(AT_ONCE, left))
        for line in all_history.lines_of(page.rows, locations):
            yield row_of(line)
        left -= AT_ONCE
        if not page.after:
            return
        if left <= 0:
            words = _("Only the newest %(count)s lines are in this file. Choose a shorter period for the others.")
            yield [words % {"count": f"{EXPORTED:,}"}]
            return
        after = page.after


def row_of(line):
    event, note, nothing = line.event, line.note, _("nothing")
    there = event.happened_at.astimezone(line.location.zone)
    return [
        event.happened_at,
        f"{there:%Y-%m-%d %H:%M:%S %Z}",
        event.created_at,
        line.actor,
        ActorKind(event.actor_kind).label,
        event.get_kind_display(),
        " ".join(str(part) for part in (line.words, line.subject, line.detail) if part),
        "; ".join(f"{label}: {old or nothing} → {new or nothing}" for label, old, new in line.changes),
        plain_text(note.body) if note and not note.deleted_at else "",
        line.contact.name,
        line.contact.pk,
        line.location.business.name,
        str(line.location),
    ]
