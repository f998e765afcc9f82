"""What people may type on the contact page, and the sentence when it cannot be taken."""

import datetime as dt
import re
from decimal import Decimal, InvalidOperation

from django import forms
from django.core.validators import validate_email

from contacts import phones
from contacts.fields import as_date
from contacts.models import RemoteUser

LONGEST = 20_000  # letters of a note or a long field: more than anybody types, less than hurts


class FieldForm(forms.Form):
    """One field of the contact page. `value` is cleaned into what the row keeps."""

    def __init__(self, field, data):
        super().__init__(data)
        self.field = field
        if field.control == "many":
            self.fields["value"] = forms.MultipleChoiceField(
                required=False, choices=[(option, option) for option, _ in field.choices],
                error_messages={"invalid_choice": "“%(value)s” is not one of the choices any more."},
            )  # fmt: skip
        elif field.control == "select":
            self.fields["value"] = forms.ChoiceField(
                required=False, choices=[("", ""), *((option, option) for option, _ in field.choices)],
                error_messages={"invalid_choice": "“%(value)s” is not one of the choices any more."},
            )  # fmt: skip
        else:
            longest = field.max_length or LONGEST
            self.fields["value"] = forms.CharField(
                required=False, max_length=longest, strip=True,
                error_messages={"max_length": f"This is too long: {longest:,} letters fit, not %(show_value)d."},
            )  # fmt: skip

    def clean_value(self):
        value = self.cleaned_data["value"]
        if not value:
            return self._nothing()
        clean = getattr(self, f"_clean_{self.field.control}", None)
        return clean(value) if clean else value

    def _nothing(self):
        if self.field.is_custom:
            return None
        return None if self.field.control == "date" else ""

    def _clean_email(self, value):
        try:
            validate_email(value)
        except forms.ValidationError:
            raise forms.ValidationError("This is not an e-mail address: it needs a name, an @ and a domain.") from None
        return value

    def _clean_tel(self, value):
        number = phones.e164(value, self.field.region)
        if not number:
            raise forms.ValidationError("This cannot be a phone number: check how many digits it has.")
        # Shown in the country's own style, so sent back unchanged it is no edit.
        same = number == phones.e164(str(self.field.value or ""), self.field.region)
        return self.field.value if same else value

    def _clean_date(self, value):
        date = as_date(value)
        if date is None or not 1 < date.year < 10_000:
            raise forms.ValidationError("This is not a date: write year, month and day, like 2026-11-30.")
        if as_date(self.field.value) == date:
            return self.field.value
        return date.isoformat() if self.field.is_custom else date

    def _clean_number(self, value):
        number = as_number(value)
        if number is None:
            raise forms.ValidationError("This is not a number: write figures, like 1250 or 1250.50.")
        if as_number(str(self.field.value)) == number:
            return self.field.value
        return int(number) if number == number.to_integral_value() else float(number)

    _clean_money = _clean_number


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
            raise forms.ValidationError("This person does not work here any more. Choose somebody else.")
        return self.people.get(chosen)


class OwnerForm(PeopleForm):
    assignee = forms.CharField(required=False)


class TaskForm(PeopleForm):
    """GHL keeps no task without a title and a due time. The time is that of the location's clock."""

    title = forms.CharField(
        max_length=1000, error_messages={"required": "A task needs a title: GHL keeps none without."}
    )
    body = forms.CharField(required=False, max_length=LONGEST)
    due = forms.CharField(
        max_length=40, error_messages={"required": "A task needs a due date: GHL keeps none without."}
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


class NoteForm(forms.Form):
    body = forms.CharField(
        max_length=LONGEST,
        error_messages={
            "required": "There is nothing to save yet: write the note first.",
            "max_length": f"This is too long for one note: {LONGEST:,} letters fit, not %(show_value)d.",
        },
    )


class TagForm(forms.Form):
    tag = forms.CharField(
        max_length=2000,
        error_messages={"required": "Write the tag first.", "max_length": "This is too long for a tag."},
    )

    MAX_TAG = 200

    def clean_tag(self):
        tags = [tag.strip().lower() for tag in self.cleaned_data["tag"].split(",") if tag.strip()]
        if not tags:
            raise forms.ValidationError("Write the tag first.")
        if any(len(tag) > self.MAX_TAG for tag in tags):
            raise forms.ValidationError(f"A tag can have {self.MAX_TAG} letters at most.")
        return tags


def as_number(text):
    """The number that was typed, with or without a currency sign and commas; None if it is none."""
    try:
        number = Decimal(re.sub(r"[$€£,\s]", "", text))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < 10**15 else None


def moment_in(text, zone):
    """A moment from a datetime-local box, by the clock of the zone."""
    try:
        local = dt.datetime.fromisoformat(text)
    except ValueError:
        raise forms.ValidationError("This is not a date and time: write it like 2026-11-30T17:00.") from None
    if not 1970 <= local.year < 9999:
        raise forms.ValidationError("This year cannot be right: check the date.")
    return local if local.tzinfo else local.replace(tzinfo=zone)
