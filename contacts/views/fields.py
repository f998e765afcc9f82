from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from contacts.badges import Badges
from contacts.fields import clock_of, field_of
from contacts.forms_contact import FieldForm
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
    context = {"contact": contact, **page.fields(contact, find=request.GET.get("find", ""))}
    return render(request, "contacts/_contact_fields.html", context)


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
        more = {"contact": contact, "field": field, **page.fields(contact, form_of={slug: form}), "pane": "fields"}
        return page.refused(request, contact, PART, more)
    change = save(contact, field, form.cleaned_data["value"], request.user)
    context = {
        "contact": contact,
        "field": part(contact, slug),
        "clock": clock_of(contact),
        "said": f"{field.label} saved" if change else "",
    }
    events = ["contact-changed"] if change else []
    return done(request, contact, PART, context, [*events, "name-changed"] if slug in NAMES else events)


def save(contact, field, value, user):
    if not field.is_custom:
        return contact.edit(by=user, **{field.key: value})
    values = {key: kept for key, kept in contact.custom_values.items() if key != field.key}
    return contact.edit(by=user, custom_values=values if value in (None, "", []) else {**values, field.key: value})


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
