from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from contacts import localised
from contacts.badges import Badges
from contacts.details import geography
from contacts.details.fields import clock_of, field_of, values_to_save
from contacts.forms.field import FieldForm
from contacts.models import NotEditable
from contacts.views import page
from contacts.views.acts import contact_or_404, contact_to_edit, done, edits
from rankr_dash.htmx import wants_part

NAMES = {"first_name", "last_name", "email", "phone"}  # what the head of the page is made of
PART = "contacts/_contact_field.html"


@require_safe
@login_required
def fields(request, pk):
    """The panel by itself."""
    contact = contact_or_404(request, pk)
    if not wants_part(request):
        return redirect(contact)
    part = "_contact_fields_hidden" if "hidden" in request.GET else "_contact_fields"
    context = {"contact": contact, **page.fields(request, contact, find=request.GET.get("find", ""))}
    return render(request, f"contacts/{part}.html", context)


@require_POST
@login_required
def show_empty(request, pk):
    """Show fields without a value, or hide them: from now on, on every contact."""
    contact = contact_or_404(request, pk)
    request.user.shows_empty_fields = request.POST.get("show") == "1"
    request.user.save(update_fields=["shows_empty_fields"])
    if not wants_part(request):
        return redirect(f"{contact.get_absolute_url()}?pane=fields#fields")
    said = _("Empty fields are shown") if request.user.shows_empty_fields else _("Empty fields are hidden")
    context = {"contact": contact, **page.fields(request, contact), "said": said}
    return render(request, "contacts/_contact_fields.html", context)


@require_safe
@login_required
@cache_control(private=True, max_age=24 * 60 * 60)
def time_zones(request):
    """What a box for a time zone suggests: asked for when somebody is about to choose, for the list is long."""
    return suggestions(geography.zones())


@require_safe
@login_required
@cache_control(private=True, max_age=24 * 60 * 60)
def countries(request):
    return suggestions(geography.countries(localised.current().language).values())


def suggestions(words):
    return HttpResponse(format_html_join("", '<option value="{}"></option>', ((word,) for word in words)))


@edits
def edit_field(request, pk, slug):
    contact = contact_to_edit(request, pk)
    field = field_or_404(contact, slug)
    if field.is_fixed:
        raise NotEditable(f"{field.label}: {field.reason}")
    form = FieldForm(field, request.POST)
    if not form.is_valid():
        field.form = form
        field.change = Badges(contact).of_field(field)
        more = {
            "contact": contact,
            "field": field,
            **page.fields(request, contact, form_of={slug: form}),
            "pane": "fields",
        }
        return page.refused(request, contact, PART, more)
    change = contact.edit(by=request.user, **values_to_save(contact, field, form.cleaned_data["value"]))
    context = {
        "contact": contact,
        "field": part(contact, slug),
        "clock": clock_of(contact),
        "said": _("%(field)s saved") % {"field": field.label} if change else "",
    }
    events = ["contact-changed"] if change else []
    return done(request, contact, PART, context, [*events, "name-changed"] if slug in NAMES else events)


def part(contact, slug):
    """A field as it is now, with its badge."""
    field = field_or_404(contact, slug)
    field.change = Badges(contact).of_field(field)
    return field


def field_or_404(contact, slug):
    field = field_of(contact, slug)
    if field is None:
        raise Http404
    return field
