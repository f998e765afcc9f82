"""Appointments."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from contacts.models import Appointment, Calendar
from integrations.automations.actions import people
from integrations.automations.actions.base import Action, CannotDo, Done, Plan, contact_of, short
from integrations.automations.actions.tasks import due_at
from integrations.automations.inputs import OWNER, Input
from integrations.automations.inputs import calendars as known_calendars
from integrations.automations.inputs import people as who_works_there

GROUP = lazy("Appointments")
STATUSES = [("new", lazy("New")), ("confirmed", lazy("Confirmed")), ("cancelled", lazy("Cancelled")),
            ("showed", lazy("Came")), ("noshow", lazy("Did not come"))]  # fmt: skip
WHICH = [("event", lazy("The appointment of the event")), ("next", lazy("The next one"))]


def statuses(business):
    return STATUSES


def which(business):
    return WHICH


def length_of(values):
    text = str(values.get("minutes") or "30").strip()
    if not text.isdigit() or not 5 <= int(text) <= 24 * 60:
        raise CannotDo(_("An appointment takes from 5 minutes to 24 hours."))
    return timedelta(minutes=int(text))


class CreateAppointment(Action):
    key = "create_appointment"
    label = lazy("Book an appointment")
    group = GROUP
    inputs = (
        Input("calendar", lazy("Calendar"), "choice", required=True, takes_fields=False, choices=known_calendars),
        Input("start", lazy("Start"), required=True, help=lazy("A moment, like {{ event.visit_at }}")),
        Input("minutes", lazy("Minutes"), "number", default="30"),
        Input("title", lazy("Title")),
        Input("assignee", lazy("With"), "choice", default=OWNER, choices=who_works_there),
    )

    def say(self, values, business=None):
        return _("book “%(title)s” at %(start)s in the calendar %(calendar)s") % {
            "title": short(values.get("title") or _("Appointment")),
            "start": short(values.get("start")),
            "calendar": self.word("calendar", values, business),
        }

    def plan(self, values, scene):
        contact = contact_of(scene)
        calendar = Calendar.objects.filter(
            location=contact.location_id, remote_id=values.get("calendar"), is_active=True
        ).first()
        if calendar is None:
            raise CannotDo(_("This calendar is not one of %(location)s.") % {"location": contact.location})
        start = due_at(values.get("start") or "", scene)
        if start < timezone.now():
            raise CannotDo(_("This time has passed already."))
        appointment = Appointment(
            contact=contact, location=contact.location, calendar=calendar, title=(values.get("title") or "")[:300],
            status="confirmed", starts_at=start, ends_at=start + length_of(values),
            assignee=people.in_ghl(values.get("assignee") or OWNER, contact),
        )  # fmt: skip
        return Plan(self.say(values, scene.business), self.calls, lambda by: Done(appointment.create(by=by)))


class UpdateAppointment(Action):
    key = "update_appointment"
    label = lazy("Change an appointment")
    group = GROUP
    inputs = (
        Input("which", lazy("Which appointment"), "choice", default="event", takes_fields=False, choices=which),
        Input("status", lazy("Status"), "choice", takes_fields=False, choices=statuses),
        Input("start", lazy("New start")),
        Input("minutes", lazy("Minutes"), "number"),
        Input("title", lazy("New title")),
    )

    def check(self, values, business):
        found = super().check(values, business)
        if not any(values.get(name) for name in ("status", "start", "title")):
            found.append(("status", _("Say what is to change.")))
        return found

    def say(self, values, business=None):
        parts = [
            f"{words}: {short(self.word(name, values, business))}"
            for name, words in (("status", _("status")), ("start", _("start")), ("title", _("title")))
            if values.get(name)
        ]
        which = _("the next appointment") if values.get("which") == "next" else _("the appointment of the event")
        return _("change %(appointment)s (%(what)s)") % {"appointment": which, "what": ", ".join(parts) or "…"}

    def plan(self, values, scene):
        rows = Appointment.objects.filter(contact=contact_of(scene)).select_related("contact__location", "location")
        if values.get("which") == "next":
            found = rows.upcoming(timezone.now()).order_by("starts_at").first()
        else:
            found = rows.present().filter(pk=(scene.scope.get("appointment") or {}).get("pk")).first()
        if found is None:
            raise CannotDo(_("There is no such appointment."))
        new: dict[str, Any] = {name: values[name] for name in ("status", "title") if values.get(name)}
        if values.get("start"):
            length = found.ends_at - found.starts_at if found.starts_at and found.ends_at else timedelta(minutes=30)
            start = due_at(values["start"], scene)
            new |= {"starts_at": start, "ends_at": start + (length_of(values) if values.get("minutes") else length)}
        return Plan(self.say(values, scene.business), self.calls, lambda by: Done(found.edit(by=by, **new)))
