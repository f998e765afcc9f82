"""The views of the contact list: those everybody has, and those that people saved."""

from dataclasses import dataclass
from urllib.parse import parse_qsl

from django.db.models import Q
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import access
from contacts.listing.conditions import NoNextStep, Overdue, Owned, Quiet
from contacts.listing.filters import ME, ContactFilter
from contacts.models import ListHabits, SavedView


@dataclass(frozen=True)
class BuiltIn:
    """A view that everybody has and nobody can change."""

    key: str
    name: str
    filter: ContactFilter
    is_shared = False
    columns: tuple = ()

    @property
    def params(self):
        return params_of(self.filter)

    @property
    def query(self):
        return f"view={self.key}&{self.params}"


def params_of(chosen):
    """What a view keeps of a filter: everything but the view it began as, and always the order."""
    return urlencode([(name, value) for name, value in chosen.with_(view="-").pairs() if name != "view"])


BUILT_IN = {
    view.key: view
    for view in (
        BuiltIn("all", gettext_lazy("All contacts"), ContactFilter()),
        BuiltIn("mine", gettext_lazy("Mine"), ContactFilter.of(Owned((ME,)))),
        BuiltIn("overdue", gettext_lazy("Overdue follow-ups"), ContactFilter.of(Overdue(), sort="overdue")),
        BuiltIn("no-next-step", gettext_lazy("No next step"), ContactFilter.of(NoNextStep(), sort="quietest")),
        BuiltIn("gone-quiet", gettext_lazy("Gone quiet"), ContactFilter.of(Quiet(30), sort="quietest")),
    )
}
EVERYTHING = BUILT_IN["all"]


def views_of(request):
    """By key, in the order of the tabs; read once per request."""
    if not hasattr(request, "_views"):
        saved = in_scope(request, SavedView.objects.present()).select_related("business")
        views = BUILT_IN | {view.key: view for view in saved}
        known = [key for key in habits_of(request).order if key in views]
        request._views = {key: views[key] for key in [*known, *views]}
    return request._views


def in_scope(request, views):
    """Visible ones that fit the business chosen in the top bar."""
    views = views.visible_to(request.user)
    business = access.current_business(request)
    return views.filter(Q(business=None) | Q(business=business)) if business else views


def habits_of(request):
    if not hasattr(request, "_habits"):
        request._habits = ListHabits.of(request.user)
    return request._habits


@dataclass(frozen=True)
class Shown:
    """The list as it is asked for: its filter, the view it began as, and whether it has moved away from that."""

    chosen: ContactFilter
    view: object
    is_changed: bool

    @property
    def columns(self):
        """Keys; a person's own choice comes first."""
        return self.view.columns


def shown(request, params):
    """An address that names nothing opens with the person's first view, one that names only a view with that view."""
    named = {name for name in params if params.get(name) and name != "after"}
    views = views_of(request)
    if not named and habits_of(request).opens_with in views:
        return _as_saved(request, views[habits_of(request).opens_with])
    if named == {"view"} and params["view"] in views:
        return _as_saved(request, views[params["view"]])
    chosen = ContactFilter.from_params(params, request)
    if not chosen.view:
        return _guessed(chosen)
    if chosen.view not in views:
        gone = _("The view in this address is not there any more.")
        chosen = chosen.with_(view="", problems=(*chosen.problems, gone))
        return _guessed(chosen)
    view = views[chosen.view]
    return Shown(chosen, view, _differs(chosen, view))


def _as_saved(request, view):
    chosen = ContactFilter.from_query(view.params, request).with_(view=view.key)
    return Shown(chosen, view, False)


def _guessed(chosen):
    """An address that names no view looks like the one that narrows the list in the same way."""
    pairs = _pairs(params_of(chosen), but=("q", "sort"))
    for view in BUILT_IN.values():
        if _pairs(view.params, but=("q", "sort")) == pairs:
            return Shown(chosen, view, False)
    return Shown(chosen, EVERYTHING, True)


def _differs(chosen, view):
    """A search within a view does not change the view, unless it has a search text of its own."""
    but = () if any(name == "q" for name, _ in _pairs(view.params)) else ("q",)
    return _pairs(params_of(chosen), but) != _pairs(view.params, but)


def _pairs(query, but=()):
    return [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name not in but]
