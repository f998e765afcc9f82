"""Booking and moving an appointment: what may be typed, and the sentence when it cannot be taken."""

from datetime import UTC, timedelta

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.forms.contact import PeopleForm, moment_in
from contacts.models import Calendar

LENGTHS = (15, 30, 45, 60, 90, 120, 180, 240, 480)  # minutes
USUAL = 30
LONGEST = 24 * 60


class AppointmentForm(PeopleForm):
    """Times are those of the location's clock, which is the clock the customer goes by."""

    calendar = forms.CharField(
        error_messages={"required": gettext_lazy("Choose a calendar: GHL keeps no appointment without.")}
    )
    start = forms.CharField(max_length=40, error_messages={"required": gettext_lazy("Choose a day and a time.")})
    length = forms.CharField(max_length=10, error_messages={"required": gettext_lazy("Choose how long it takes.")})
    title = forms.CharField(
        required=False,
        max_length=300,
        error_messages={"max_length": gettext_lazy("A title can have 300 letters at most.")},
    )
    assignee = forms.CharField(required=False)

    def __init__(self, data=None, *, location, appointment=None, **options):
        chosen = appointment.assignee if appointment else None
        super().__init__(data, location=location, chosen=chosen, **options)
        self.zone, self.appointment = location.zone, appointment
        self.calendars = calendars_of(location, appointment)

    def clean_calendar(self):
        chosen = next((one for one in self.calendars if str(one.pk) == self.cleaned_data["calendar"]), None)
        if chosen is None:
            raise forms.ValidationError(_("This calendar is not there any more. Choose another one."))
        return chosen

    def clean_start(self):
        start = moment_in(self.cleaned_data["start"], self.zone)
        if is_skipped(start):
            raise forms.ValidationError(_("The clocks go forward over this time, so it does not exist on that day."))
        if (before := self._unmoved(start)) is not None:
            return before
        if start < timezone.now():
            raise forms.ValidationError(_("This time has passed already. Choose one that is still to come."))
        return start

    def _unmoved(self, start):
        """Left alone, it stays: the box shows no seconds, nor which 01:30 of the night the clocks go back."""
        before = self.appointment.starts_at if self.appointment else None
        if before is None:
            return None
        is_same = before.astimezone(self.zone).replace(second=0, microsecond=0, tzinfo=None)
        return before if is_same == start.astimezone(self.zone).replace(tzinfo=None) else None

    def clean_length(self):
        text = self.cleaned_data["length"].strip()
        if not text.isascii() or not text.isdigit() or not 5 <= int(text) <= LONGEST:
            raise forms.ValidationError(_("An appointment takes from 5 minutes to 24 hours: write the minutes."))
        return timedelta(minutes=int(text))

    def values(self):
        clean = self.cleaned_data
        start = clean["start"].astimezone(UTC)
        end = start + clean["length"]
        before = self.appointment
        if before and before.ends_at and before.starts_at == start and length_of(before) == clean["length"]:
            end = before.ends_at  # with its seconds
        return {
            "calendar": clean["calendar"],
            "starts_at": start,
            "ends_at": end,
            "title": clean["title"],
            "assignee": clean["assignee"],
        }


def calendars_of(location, appointment=None):
    """Those one can book in; an appointment keeps the one it has."""
    kept = appointment.calendar_id if appointment else None
    every = Calendar.objects.filter(location=location)
    return [one for one in every if one.is_active or one.pk == kept]


def length_of(appointment):
    """How long it takes, in whole minutes; GHL may not have said."""
    if not appointment.starts_at or not appointment.ends_at:
        return timedelta(minutes=USUAL)
    return timedelta(minutes=max((appointment.ends_at - appointment.starts_at) // timedelta(minutes=1), 5))


def length_choices(chosen):
    """[(minutes, words)], the present length among them."""
    return [(minutes, length_words(minutes)) for minutes in sorted({*LENGTHS, chosen})]


def length_words(minutes):
    hours, rest = divmod(minutes, 60)
    if not hours:
        return _("%(count)s min") % {"count": minutes}
    words = _("%(hours)s h %(minutes)s min") if rest else _("%(hours)s h")
    return words % {"hours": hours, "minutes": rest}


def is_skipped(moment):
    """Whether the clocks jump over this time: going to UTC and back gives another one."""
    there = moment.astimezone(UTC).astimezone(moment.tzinfo)
    return there.replace(tzinfo=None) != moment.replace(tzinfo=None)
