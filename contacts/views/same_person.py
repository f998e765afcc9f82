"""The same person in other businesses, and duplicates: what is suggested, decided, and copied over."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from contacts.details.fields import field_of, values_to_save
from contacts.duplicates import compare, same_person
from contacts.models import NotEditable, Verdict
from contacts.views import page
from contacts.views.acts import contact_or_404, contact_to_edit, edits
from rankr_dash.htmx import wants_part

UNDECIDED = "undecided"
SAID = {
    "same": gettext_lazy("Linked: each now shows the other"),
    "different": gettext_lazy("Kept apart: they will not be suggested again"),
    "resolved": gettext_lazy("Marked as resolved"),
    UNDECIDED: gettext_lazy("Open again"),
}


@require_safe
@login_required
def people(request, pk):
    """The panel by itself."""
    contact = contact_or_404(request, pk)
    if not wants_part(request):
        return redirect(f"{contact.get_absolute_url()}?pane=work#work")
    return render(request, "contacts/_contact_people.html", {"contact": contact, **page.same_person(request, contact)})


@require_safe
@login_required
def duplicates(request, pk):
    contact = contact_or_404(request, pk)
    part = "_contact_duplicates" if wants_part(request) else "duplicates"
    found = same_person.duplicates(request.user, contact)
    return render(request, f"contacts/{part}.html", {"contact": contact, "duplicates": found})


@require_POST
@login_required
def decide(request, pk, other_pk, word):
    """Say what two contacts are to one another, or take that back. GHL hears nothing of it."""
    contact, other = two_or_404(request, pk, other_pk)
    are_colleagues = contact.business_id == other.business_id
    if word not in ("different", UNDECIDED, "resolved" if are_colleagues else "same"):
        raise Http404
    before = Verdict.objects.between(contact, other).values_list("word", flat=True).first()
    Verdict.objects.decide(contact, other, None if word == UNDECIDED else word, by=request.user)
    if not wants_part(request):
        messages.success(request, SAID[word])
        return redirect(f"{contact.get_absolute_url()}?pane=work#work")
    if are_colleagues:
        found = {"contact": contact, "duplicates": same_person.duplicates(request.user, contact)}
        response = render(request, "contacts/_contact_duplicates.html", found)
    else:
        response = render(
            request, "contacts/_contact_people.html", {"contact": contact, **page.same_person(request, contact)}
        )
    if word != UNDECIDED or before:
        response.content += toast(request, contact, other, word, before, are_colleagues)
    return response


def toast(request, contact, other, word, before, are_colleagues):
    """Says what was decided, and takes it back."""
    told = {
        "text": _("Unlinked") if (before, word) == ("same", UNDECIDED) else SAID[word],
        "undo_url": reverse("contacts:same_person", args=[contact.pk, other.pk, before or UNDECIDED]),
        "undo_target": "#panel-duplicates" if are_colleagues else "#panel-people",
    }
    return render_to_string("contacts/_same_person_toast.html", told, request).encode()


# --- two beside one another -------------------------------------------------------------------------------------------


@require_safe
@login_required
def beside(request, pk, other_pk):
    contact, other = colleagues_or_404(request, pk, other_pk)
    weights = {one.pk: compare.weight_of(one) for one in (contact, other)}
    keep, because = compare.keep_which(contact, other, weights)
    verdict = Verdict.objects.between(contact, other).select_related("decided_by").first()
    told = {
        "contact": contact,
        "other": other,
        "sides": [(one, weights[one.pk]) for one in (contact, other)],
        "rows": compare.rows_of(contact, other),
        "keep": keep,
        "drop": other if keep == contact else contact,
        "because": because,
        "may_merge": contact.location_id == other.location_id,
        "verdict": verdict,
    }
    return render(request, "contacts/compare.html", told)


@edits
def copy(request, pk, other_pk, slug):
    """Take one value of the other contact over: an edit like any other."""
    source = contact_or_404(request, other_pk)
    contact = contact_to_edit(request, pk)
    if contact.business_id != source.business_id or contact == source:
        raise Http404
    if slug == compare.TAGS:
        change = contact.add_tags(source.tags, by=request.user)
    else:
        given = field_of(source, slug)
        taking = compare.match_of(given, contact) if given else None
        if taking is None:
            raise Http404
        if reason := compare.why_not(contact, taking, given):
            raise NotEditable(f"{taking.label}: {reason}")
        change = contact.edit(by=request.user, **values_to_save(contact, taking, given.value))
    if change:
        messages.success(request, _("Copied. It is on its way to GHL."))
    return redirect(comparison(request, contact, source))


def comparison(request, one, other):
    """Back to the page it was asked from, whichever of the two stands first there."""
    asked_from = reverse("contacts:compare", args=[other.pk, one.pk])
    pair = [other.pk, one.pk] if request.POST.get("next") == asked_from else [one.pk, other.pk]
    return reverse("contacts:compare", args=pair)


def two_or_404(request, pk, other_pk):
    """Both must be visible, or neither exists for this person."""
    contact, other = contact_or_404(request, pk), contact_or_404(request, other_pk)
    if contact == other:
        raise Http404
    return contact, other


def colleagues_or_404(request, pk, other_pk):
    contact, other = two_or_404(request, pk, other_pk)
    if contact.business_id != other.business_id:
        raise Http404
    return contact, other
