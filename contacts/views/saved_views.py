"""Views of the contact list that people save: for themselves, or for the team of one business."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from contacts import access
from contacts.listing import columns, list_views
from contacts.listing.filters import ContactFilter, custom_fields, number
from contacts.models import Business, ListHabits, SavedView
from contacts.models.saved_view import MAX_NAME
from contacts.views import listing
from rankr_dash.htmx import wants_part

COLUMNS = "contacts/_list_columns.html"
UNDO_S = 8


@require_POST
@login_required
def add(request):
    """The list as it is shown, under a name."""
    name = name_of(request)
    if not name:
        return refused(request, _("Give the view a name first."))
    shown = list_views.shown(request, QueryDict(request.POST.get("list", "")))
    team = team_of(request)
    view = SavedView.objects.create(
        owner=request.user, business=team or access.current_business(request), name=name,
        params=list_views.params_of(shown.chosen), columns=keys(listing.columns_of(request, shown.view)),
        is_shared=team is not None,
    )  # fmt: skip
    return lead_to(request, view)


@require_POST
@login_required
def save(request, pk):
    """What is shown takes the place of what the view was."""
    view = to_change(request, pk)
    view.params = list_views.params_of(ContactFilter.from_query(request.POST.get("list", ""), request))
    view.save(update_fields=["params"])
    return lead_to(request, view)


@require_POST
@login_required
def rename(request, pk):
    view = to_change(request, pk)
    view.name = name_of(request)
    if not view.name:
        return refused(request, _("A view needs a name."))
    view.save(update_fields=["name"])
    return lead_back(request)


@require_POST
@login_required
def share(request, pk):
    """With the team of a business, or with nobody any more."""
    view = to_change(request, pk)
    team = team_of(request)
    view.is_shared, view.business = team is not None, team or view.business
    view.save(update_fields=["is_shared", "business"])
    return lead_back(request)


@require_POST
@login_required
def delete(request, pk):
    view = to_change(request, pk)
    SavedView.objects.filter(pk=view.pk).update(deleted_at=timezone.now())
    response = lead_to(request, list_views.EVERYTHING)
    undo_url = reverse("contacts:view_restore", args=[view.pk])
    if not wants_part(request):
        return response
    row = {
        "text": _("View “%(name)s” deleted") % {"name": view.name},
        "undo_url": undo_url,
        "target": "#list",
        "seconds": UNDO_S,
    }
    response.content += render_to_string("contacts/_view_undo.html", row, request=request).encode()
    return response


@require_POST
@login_required
def restore(request, pk):
    view = get_object_or_404(SavedView.objects.changeable_by(request.user), pk=pk)
    SavedView.objects.filter(pk=view.pk).update(deleted_at=None)
    return lead_to(request, view)


@require_POST
@login_required
def open_first(request):
    """Contacts opens with this view from now on."""
    key = request.POST.get("view", "")
    view = list_views.views_of(request).get(key)
    if view is None:
        return refused(request, _("The view is not there any more."))
    ListHabits.objects.update_or_create(user=request.user, defaults={"opens_with": key})
    messages.success(request, _("Contacts opens with “%(name)s” from now on.") % {"name": view.name})
    return HttpResponse() if wants_part(request) else lead_to(request, view)


@require_POST
@login_required
def move(request):
    """One place to the left or to the right among the tabs; everybody has an order of their own."""
    order, (step, key) = list(list_views.views_of(request)), step_of(request)
    if key not in order:
        return refused(request, _("The view is not there any more."))
    ListHabits.objects.update_or_create(user=request.user, defaults={"order": columns.moved(order, key, step)})
    return lead_back(request)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def choose_columns(request):
    """Which columns stand beside the name. A view keeps them for everybody if its owner chooses, else for oneself."""
    query = request.POST.get("list", "") if request.method == "POST" else request.GET.urlencode()
    shown = list_views.shown(request, QueryDict(query))
    view = shown.view
    is_mine = view.key not in list_views.BUILT_IN and view.may_be_changed_by(request.user)
    if request.method != "POST":
        return render(request, COLUMNS, columns_form(request, shown, is_mine))
    asked, step, moved = request.POST.getlist("column"), *step_of(request)
    if moved and moved not in asked:
        asked = keys(listing.columns_of(request, view))
    chosen = keys(columns.chosen(columns.moved(asked, moved, step), custom_fields(request)))
    if is_mine:
        view.columns = chosen
        view.save(update_fields=["columns"])
    keep_habit(request, view.key, [] if is_mine else chosen)
    if not wants_part(request):
        return redirect(f"{reverse('contacts:list')}?{query}")
    response = listing.show(request, QueryDict(query), "contacts/_list_body.html")
    if moved:
        form = columns_form(request, shown, is_mine) | {"moved": moved, "step": step}
        response.content += render_to_string(COLUMNS, form, request=request).encode()
    return response


def columns_form(request, shown, is_mine):
    """What is shown stands first, in its order."""
    view, own = shown.view, listing.columns_of(request, shown.view)
    others = [column for column in columns.all_columns(custom_fields(request)) if column not in own]
    is_everybodys = is_mine and view.is_shared
    whose = _("Kept with “%(name)s” for everybody.") if is_everybodys else _("Kept with “%(name)s”, for you.")
    return {"filter": shown.chosen, "columns": own, "others": others, "whose": whose % {"name": view.name}}


def step_of(request):
    """(how far, what) of a button that says "-1 city"."""
    step, _space, what = request.POST.get("move", "").partition(" ")
    return (-1 if step == "-1" else 1), what


def keep_habit(request, key, chosen):
    """A person's own columns for a view; none lets the view decide."""
    habits = list_views.habits_of(request)
    views = list_views.views_of(request)  # what is kept for views that are gone goes with them
    habits.columns = {known: columns for known, columns in habits.columns.items() if known in views and known != key}
    if chosen:
        habits.columns[key] = chosen
    habits.save()


def keys(chosen):
    return [column.key for column in chosen]


# --- what is asked for, and where it leads ----------------------------------------------------------------------------


def to_change(request, pk):
    return get_object_or_404(SavedView.objects.present().changeable_by(request.user).select_related("business"), pk=pk)


def name_of(request):
    return " ".join(request.POST.get("name", "").replace("\x00", " ").split())[:MAX_NAME].strip()


def team_of(request):
    """The business whose team it is for; 404 for one that is not the user's."""
    value = request.POST.get("team", "")
    return get_object_or_404(Business.objects.visible_to(request.user), pk=number(value)) if value else None


def refused(request, sentence):
    messages.error(request, sentence)
    if not wants_part(request):
        return redirect("contacts:list")
    return HttpResponse(status=422, headers={"HX-Reswap": "none"})


def lead_to(request, view):
    return lead(request, view.query)


def lead_back(request):
    return lead(request, request.POST.get("list", ""))


def lead(request, query):
    if not wants_part(request):
        return redirect(f"{reverse('contacts:list')}?{query}")
    for name in ("_views", "_habits"):
        vars(request).pop(name, None)  # read before they were changed
    return listing.show(request, QueryDict(query))
