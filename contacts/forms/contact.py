"""What people may type on the contact page, and the sentence when it cannot be taken."""

import datetime as dt

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from contacts.history.timeline.words import call_title
from contacts.models import RemoteUser

LONGEST = 20_000  # letters of a note or a long field: more than anybody types, less than hurts


class PeopleForm(forms.Form):
    """A form that lets people choose somebody who works in the location, or nobody."""

    def __init__(self, data=None, *, location, chosen=None, **options):
        super().__init__(data, **options)
        self.people = {
            str(one.pk): one for one in RemoteUser.objects.filter(location=location) if one.is_active or one == chosen
        }

    def clean_assignee(self):
        chosen = self.cleaned_data["assignee"]
        if chosen and chosen not in self.people:
            raise forms.ValidationError(_("This person does not work here any more. Choose somebody else."))
        return self.people.get(chosen)


class OwnerForm(PeopleForm):
    assignee = forms.CharField(required=False)


class TaskForm(PeopleForm):
    """GHL keeps no task without a title and a due time. The time is that of the location's clock."""

    title = forms.CharField(
        max_length=1000, error_messages={"required": gettext_lazy("A task needs a title: GHL keeps none without.")}
    )
    body = forms.CharField(required=False, max_length=LONGEST)
    due = forms.CharField(
        max_length=40, error_messages={"required": gettext_lazy("A task needs a due date: GHL keeps none without.")}
    )
    assignee = forms.CharField(required=False)

    def __init__(self, data=None, *, location, task=None, **options):
        super().__init__(data, location=location, chosen=task.assignee if task else None, **options)
        self.zone, self.task = location.zone, task

    def clean_due(self):
        due = moment_in(self.cleaned_data["due"], self.zone)
        before = self.task.due_at if self.task else None
        # The box shows minutes: left alone, it must not cut the seconds off.
        return before if before and before.replace(second=0, microsecond=0) == due else due

    def values(self):
        clean = self.cleaned_data
        return {"title": clean["title"], "body": clean["body"], "due_at": clean["due"], "assignee": clean["assignee"]}


TOO_LONG = format_lazy(
    gettext_lazy("This is too long for one note: {longest} letters fit, not {typed}."),
    longest=f"{LONGEST:,}",
    typed="%(show_value)d",
)


class NoteForm(forms.Form):
    body = forms.CharField(
        max_length=LONGEST,
        error_messages={
            "required": gettext_lazy("There is nothing to save yet: write the note first."),
            "max_length": TOO_LONG,
        },
    )

    def title(self):
        return ""

    def text(self):
        return self.cleaned_data["body"]


OUTCOMES = [
    gettext_noop("Spoke"),
    gettext_noop("Left voicemail"),
    gettext_noop("No answer"),
    gettext_noop("Busy"),
    gettext_noop("Wrong number"),
]


class CallForm(forms.Form):
    """A call becomes a note whose title says how long it was and how it ended; what was said may be left out."""

    body = forms.CharField(
        required=False,
        max_length=LONGEST,
        error_messages={"max_length": TOO_LONG},
    )
    outcome = forms.ChoiceField(
        choices=[(one, gettext_lazy(one)) for one in OUTCOMES],
        error_messages={
            "required": gettext_lazy("Say how the call ended."),
            "invalid_choice": gettext_lazy("Choose how the call ended."),
        },
    )
    minutes = forms.IntegerField(
        required=False, min_value=0, max_value=1440,
        error_messages={
            "invalid": gettext_lazy("Write the minutes as a whole number."),
            "min_value": gettext_lazy("A call cannot have lasted less than no time."),
            "max_value": gettext_lazy("This is more than a day: check the minutes."),
        },
    )  # fmt: skip

    def title(self):
        return call_title(self.cleaned_data["minutes"], self.cleaned_data["outcome"])

    def text(self):
        """GHL keeps no note without a text."""
        return self.cleaned_data["body"] or self.title()


class TagForm(forms.Form):
    tag = forms.CharField(
        max_length=2000,
        error_messages={
            "required": gettext_lazy("Write the tag first."),
            "max_length": gettext_lazy("This is too long for a tag."),
        },
    )

    MAX_TAG = 200

    def clean_tag(self):
        tags = [tag.strip().lower() for tag in self.cleaned_data["tag"].split(",") if tag.strip()]
        if not tags:
            raise forms.ValidationError(_("Write the tag first."))
        if any(len(tag) > self.MAX_TAG for tag in tags):
            words = ngettext(
                "A tag can have %(count)s letter at most.", "A tag can have %(count)s letters at most.", self.MAX_TAG
            )
            raise forms.ValidationError(words % {"count": self.MAX_TAG})
        return tags


def moment_in(text, zone):
    """A moment from a datetime-local box, by the clock of the zone."""
    try:
        local = dt.datetime.fromisoformat(text)
    except ValueError:
        raise forms.ValidationError(_("This is not a date and time: write it like 2026-11-30T17:00.")) from None
    if not 1970 <= local.year < 9999:
        raise forms.ValidationError(_("This year cannot be right: check the date."))
    return local if local.tzinfo else local.replace(tzinfo=zone)
