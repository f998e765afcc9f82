"""Booking, moving and calling off an appointment, from the contact page, the calendar, or a page of its own."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from contacts.day import agenda, due
from contacts.day.grid import MORNING
from contacts.forms.appointment import USUAL, AppointmentForm, length_choices, length_of
from contacts.listing import search
from contacts.models import Appointment, NotEditable, RemoteUser
from contacts.models.mirrored import plain
from contacts.rows import contacts_of, spans_businesses
from contacts.views import page
from contacts.views.acts import (
    appointment_to_edit,
    back,
    contact_or_404,
    contact_to_edit,
    edits,
    tell,
)
from contacts.views.submissions import free, submission_of, was_saved
from rankr_dash.htmx import answer, wants_part

PANEL, FORM, PAGE = (
    "contacts/_contact_appointments.html",
    "contacts/_appointment_form.html",
    "contacts/appointment.html",
)
DIALOG = "appointment-form"  # what the calendar's dialog holds
EVENTS = ("contact-changed", "work-changed")
MARKS = {
    "confirmed": gettext_lazy("Confirmed"),
    "showed": gettext_lazy("Marked as kept"),
    "noshow": gettext_lazy("Marked as no-show"),
    "cancelled": gettext_lazy("Cancelled"),
}
HAPPENED = ("showed", "noshow")
FOUND = 8


@require_safe
@login_required
def appointments(request, pk):
    """The panel by itself."""
    contact = contact_or_404(request, pk)
    return render(request, PANEL, {"contact": contact, **page.appointments(contact)})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def book(request, pk):
    if request.method == "POST":
        return book_now(request, pk=pk)
    contact = contact_or_404(request, pk)
    form = AppointmentForm(location=contact.location, initial=first_guess(request, contact))
    return shown(request, contact, form)


@edits
def book_now(request, pk):
    contact = contact_to_edit(request, pk)
    check_bookable(contact.location)
    form = AppointmentForm(request.POST, location=contact.location)
    if not form.is_valid():
        return shown(request, contact, form, status=422)
    form_id, values = submission_of(request), form.values()
    start = plain(values["starts_at"])
    if not was_saved(request.user, contact, "appointment", form_id, title=values["title"], starts_at=start):
        appointment = Appointment(contact=contact, location=contact.location, **values)
        appointment.create(by=request.user, submission=free(form_id, request.user))
    return settled(request, contact, _("Appointment booked"))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request, pk):
    if request.method == "POST":
        return save(request, pk=pk)
    rows = Appointment.objects.visible_to(request.user).select_related("assignee", "location", "contact__location")
    appointment = get_object_or_404(rows.present(), pk=pk)
    form = AppointmentForm(location=appointment.location, appointment=appointment, initial=as_it_is(appointment))
    return shown(request, appointment.contact, form, appointment)


@edits
def save(request, pk):
    appointment = appointment_to_edit(request, pk)
    check_bookable(appointment.location)
    form = AppointmentForm(request.POST, location=appointment.location, appointment=appointment)
    if not form.is_valid():
        return shown(request, appointment.contact, form, appointment, status=422)
    values = form.values()
    if values["starts_at"] != appointment.starts_at and appointment.status.lower() in Appointment.CALLED_OFF:
        values["status"] = "confirmed"  # whoever gives it a new time means it to happen
    appointment.edit(by=request.user, **values)
    return settled(request, appointment.contact, _("Appointment saved"))


@edits
def mark(request, pk):
    """Confirmed, kept, missed, or called off. GHL may tell the customer, so calling off waits for Undo."""
    appointment = appointment_to_edit(request, pk)
    status = request.POST.get("status", "")
    if problem := why_not(appointment, status):
        messages.error(request, problem)
        nothing = HttpResponse(status=422, headers={"HX-Reswap": "none"})  # the sentence comes as a toast
        return nothing if wants_part(request) else back(request, appointment.contact)
    undo_s = settings.UNDO_S if status == "cancelled" else 0
    change = appointment.edit(by=request.user, undo_s=undo_s, status=status)
    return settled(request, appointment.contact, MARKS[status], change if status == "cancelled" else None)


@edits
def delete(request, pk):
    """Gone at once; GHL hears of it when the time for Undo is over. Calling off instead keeps it to be seen."""
    appointment = appointment_to_edit(request, pk)
    change = appointment.delete_here(by=request.user, undo_s=settings.UNDO_S)
    return settled(request, appointment.contact, _("Appointment deleted"), change)


@require_safe
@login_required
def about(request, pk):
    """What the calendar shows of one appointment when it is asked for."""
    rows = Appointment.objects.visible_to(request.user).present()
    rows = rows.select_related("assignee", "calendar", "location__business", "contact__location")
    appointment = get_object_or_404(rows, pk=pk)
    if not wants_part(request):
        return redirect(f"{appointment.contact.get_absolute_url()}?pane=work#appointment-{appointment.pk}")
    context = {
        "appointment": page.dress_appointment(appointment, timezone.now()),
        "contact": appointment.contact,
        "next": own_page(request, request.GET.get("next", "")),
        "zone": appointment.location.time_zone,
        "place": agenda.place_of(appointment.location.zone),
    }
    return render(request, "contacts/_appointment_about.html", context)


def why_not(appointment, status):
    if status not in MARKS:
        return _("An appointment can be confirmed, kept, missed or cancelled.")
    if status in HAPPENED and appointment.starts_at and appointment.starts_at > timezone.now():
        return _("It has not begun yet, so nobody can have kept or missed it.")
    return ""


def check_bookable(location):
    Appointment(location=location).check_editable()


# --- the form ---------------------------------------------------------------------------------------------------------


def shown(request, contact, form, appointment=None, status=200):
    """The form where it was asked for: in the contact's panel, in the calendar's dialog, or on a page of its own."""
    context = form_of(request, contact, form, appointment)
    if not wants_part(request):
        return render(request, PAGE, context, status=status)
    if context["in_dialog"]:
        return render(request, FORM, context, status=status)
    return answer(request, PAGE, context | page.appointments(contact), PANEL, status)


def form_of(request, contact, form, appointment=None):
    return {
        "contact": contact,
        "appointment": appointment,
        "appointment_form": form,
        "lengths": length_choices(length_of(appointment) // timedelta(minutes=1) if appointment else USUAL),
        "place": agenda.place_of(contact.location.zone),
        "submission": uuid.uuid4(),
        "in_dialog": DIALOG in (request.headers.get("HX-Target"), request.POST.get("in")),
        "next": own_page(request, request.POST.get("next") or request.GET.get("next", "")),
        "cannot_book": why_not_bookable(contact),
        "my_clock": my_clock(form["start"].value(), contact.location.zone),
    }


def why_not_bookable(contact):
    try:
        check_bookable(contact.location)
    except NotEditable as reason:
        return str(reason)
    return _("This contact was deleted, so nothing about it can be changed.") if contact.deleted_at else ""


def own_page(request, target):
    is_ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if is_ours else ""


@require_safe
@login_required
def clock(request, pk):
    """What the time that is being typed is by the reader's own clock."""
    contact = contact_or_404(request, pk)
    zone = contact.location.zone
    context = {"place": agenda.place_of(zone), "my_clock": my_clock(request.GET.get("start", ""), zone)}
    return render(request, "contacts/_appointment_clock.html", context)


def my_clock(text, zone):
    """(the moment typed, my zone, its place) while my own clock says something else than the location's."""
    mine, start = timezone.get_current_timezone(), a_moment(text or "")
    if start is None:
        return None
    start = start.replace(tzinfo=zone)
    differs = start.astimezone(mine).utcoffset() != start.utcoffset()
    return (start, mine, agenda.place_of(mine)) if differs else None


def first_guess(request, contact):
    """Where the calendar was clicked, else the morning of the next working day."""
    zone = contact.location.zone
    start = a_moment(request.GET.get("start", "")) or due.next_working_day(contact.location).replace(hour=MORNING)
    start = start.astimezone(zone) if start.tzinfo else start
    latest = contact.appointments.present().exclude(calendar=None).order_by("-starts_at").first()
    me = RemoteUser.objects.filter(location=contact.location_id, user=request.user, is_active=True).first()
    return {
        "start": start.strftime("%Y-%m-%dT%H:%M"),
        "length": USUAL,
        "calendar": latest.calendar_id if latest else None,
        "assignee": me.pk if me else contact.owner_id,
    }


def a_moment(text):
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if 1971 <= moment.year < 9999 else None


def as_it_is(appointment):
    return {
        "calendar": appointment.calendar_id,
        "start": page.local(appointment.starts_at, appointment),
        "length": length_of(appointment) // timedelta(minutes=1),
        "title": appointment.title,
        "assignee": appointment.assignee_id,
    }


# --- answer -----------------------------------------------------------------------------------------------------------


def settled(request, contact, said, change=None):
    """The panel as it is now; the calendar asks for itself again. With `change` a toast offers to take it back."""
    if not wants_part(request):
        messages.success(request, f"{said}.")
        return back(request, contact)
    if request.POST.get("in") == DIALOG:
        response = tell(HttpResponse(), ["calendar-changed"])
        if not change:
            messages.success(request, f"{said}.")
        next_page = own_page(request, request.POST.get("next", ""))
    else:
        context = {"contact": contact, "said": said, **page.appointments(contact)}
        response, next_page = tell(render(request, PANEL, context), EVENTS), ""
    if change:
        response.content += page.toast(request, said, change, "appointment", next_page)
    return response


# --- whom? ------------------------------------------------------------------------------------------------------------


@require_safe
@login_required
def whom(request):
    """Choose the contact a new appointment is with."""
    words = " ".join(request.GET.get("q", "").replace("\x00", " ").split())[:200]
    found = []
    if words:
        contacts = contacts_of(request).present().filter(location__is_editable=True, location__is_bookable=True)
        found = search.matching(contacts.select_related("business", "company"), words).order_by("sort_name", "pk")
        found = list(found.defer("snapshot", "custom_values", "dnd_settings", "search_text")[:FOUND])
    start = request.GET.get("start", "")
    context = {
        "q": words,
        "found": found,
        "start": a_moment(start),
        "next": own_page(request, request.GET.get("next", "")),
        "several": spans_businesses(request),
        "in_dialog": DIALOG in (request.headers.get("HX-Target"), request.GET.get("in")),
    }
    if request.headers.get("HX-Target") == "whom-found" and wants_part(request):
        return render(request, "contacts/_appointment_whom_found.html", context)
    return answer(request, "contacts/appointment_whom.html", context, "contacts/_appointment_whom.html")
