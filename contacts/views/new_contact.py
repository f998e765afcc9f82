from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from contacts import access
from contacts.forms.new_contact import NewContactForm
from contacts.models import Location, NotEditable
from contacts.views.listing import tag_words


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new_contact(request):
    every = list(access.in_scope(request, Location.objects, "business").select_related("business"))
    locations = [location for location in every if location.is_editable]
    if not locations:
        status = 403 if request.method == "POST" else 200
        return render(request, "contacts/new_contact.html", {"locations": every}, status=status)
    form = NewContactForm(request.POST or None, locations=locations, label_suffix="")
    context = {"form": form, "tags": tag_words(request)}
    if request.method != "POST":
        return render(request, "contacts/new_contact.html", context)
    if not form.is_valid():
        return render(request, "contacts/new_contact.html", context, status=422)
    try:
        contact, duplicates = add(form, request.user, is_wanted="anyway" in request.POST)
    except NotEditable as error:
        form.add_error(None, str(error))
        return render(request, "contacts/new_contact.html", context, status=422)
    if duplicates:
        context |= {"duplicates": duplicates, "may_create_anyway": form.chosen_location.allow_duplicates}
        return render(request, "contacts/new_contact.html", context, status=409)
    words = _("%(name)s was added and is on the way to GHL.")
    messages.success(request, words % {"name": contact.name})
    return redirect(contact)


def add(form, user, is_wanted):
    """(contact, []), or (None, duplicates): whom to look at first. A second press of the button finds the first's."""
    with transaction.atomic():
        location = Location.objects.select_for_update(no_key=True).get(pk=form.chosen_location.pk)
        duplicates = form.duplicates()
        if duplicates and not (is_wanted and location.allow_duplicates):
            return None, duplicates
        contact = form.contact()
        contact.create(by=user)
    return contact, []
