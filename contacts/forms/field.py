"""What people may type into one field of the contact page, and the sentence when it cannot be taken."""

from django import forms
from django.core.validators import validate_email
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import localised
from contacts.details import disturb, geography, phones
from contacts.details.field_words import as_date, as_decimal, as_number, as_time, as_time_text

LONGEST = 20_000  # letters: more than anybody types, less than hurts
GONE = gettext_lazy("“%(value)s” is not one of the choices any more.")


class FieldForm(forms.Form):
    """One field of the contact page. `value` is cleaned into what the row keeps.

    What is sent back as it was shown is no edit, whatever form GHL keeps it in.
    """

    def __init__(self, field, data):
        super().__init__(data)
        self.field = field
        self.fields["value"] = self._control()

    def _control(self):
        field = self.field
        if field.control == "channels":
            named = [disturb.EVERY, *(channel for channel in disturb.CHANNELS if channel not in disturb.ONLY_SHOWN)]
            held = [one for one in field.value if one not in named]
            choices = [(one, one) for one in [*named, *held]]
            return forms.MultipleChoiceField(required=False, choices=choices, error_messages={"invalid_choice": GONE})
        if field.control in ("many", "select"):
            kind = forms.MultipleChoiceField if field.control == "many" else forms.ChoiceField
            choices = [(option, option) for option, __ in field.choices]
            choices = choices if field.control == "many" else [("", ""), *choices]
            return kind(required=False, choices=choices, error_messages={"invalid_choice": GONE})
        if field.control == "texts":
            return TextsField(keys=[key for key, *__ in field.rows])
        longest = field.max_length or LONGEST
        # Django fills in how long it is only when it is too long.
        too_long = _("This is too long: %(longest)s letters fit, not %(typed)s.")
        too_long %= {"longest": f"{longest:,}", "typed": "%(show_value)d"}
        return forms.CharField(required=False, max_length=longest, error_messages={"max_length": too_long})

    def clean_value(self):
        value = self.cleaned_data["value"]
        if self.field.control == "channels":
            return value
        if self.field.control == "long":
            value = value.replace("\r\n", "\n")  # as browsers send them, which is not how they show them
        if not value:
            return self._nothing()
        if value == self.field.kept:
            return self.field.value
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
            raise forms.ValidationError(
                _("This is not an e-mail address: it needs a name, an @ and a domain.")
            ) from None
        return value

    def _clean_tel(self, value):
        number = phones.e164(value, self.field.region)
        if not number:
            raise forms.ValidationError(_("This cannot be a phone number: check how many digits it has."))
        tidy = phones.tidy(value, self.field.region)
        # Shown in the country's own style, so sent back in another it is no edit.
        return self.field.value if tidy == phones.tidy(str(self.field.value or ""), self.field.region) else tidy

    def _clean_date(self, value):
        date = as_date(value)
        if date is None or not 1 < date.year < 10_000:
            raise forms.ValidationError(_("This is not a date: write year, month and day, like 2026-11-30."))
        if self.field.key == "date_of_birth" and date > timezone.now().date():
            raise forms.ValidationError(_("Nobody is born on a day to come: check the year."))
        if as_date(self.field.value) == date:
            return self.field.value
        return date.isoformat() if self.field.is_custom else date

    def _clean_time(self, value):
        time = as_time(value)
        if time is None:
            raise forms.ValidationError(_("This is not a time of day: write hours and minutes, like 14:30."))
        return self.field.value if as_time(self.field.value) == time else as_time_text(value)

    def _clean_number(self, value):
        number = as_number(value, self.field.currency)
        if number is None:
            example = localised.with_places(1250.5, 2)
            raise forms.ValidationError(
                _("This is not a number: write figures, like 1250 or %(example)s.") % {"example": example}
            )
        if as_decimal(self.field.value) == number:
            return self.field.value
        return int(number) if number == number.to_integral_value() else float(number)

    _clean_money = _clean_number

    def _clean_zone(self, value):
        zone = geography.zone_name(value)
        if not zone:
            raise forms.ValidationError(
                _("No time zone is called that: choose one from the list, like America/Chicago.")
            )
        return zone

    def _clean_country(self, value):
        code = geography.country_code(value)
        if not code:
            raise forms.ValidationError(_("No country is called that: choose one from the list."))
        return self.field.value if self.field.value.strip().upper() == code else code


class TextBoxes(forms.Widget):
    """Several boxes: value-<key> each."""

    def __init__(self, keys):
        super().__init__()
        self.keys = keys

    def value_from_datadict(self, data, files, name):
        return {key: data.get(f"{name}-{key}", "") for key in self.keys}


class TextsField(forms.CharField):
    """{key: text} of the boxes that hold one."""

    def __init__(self, keys):
        super().__init__(required=False, max_length=LONGEST, widget=TextBoxes(keys))
        self.error_messages["max_length"] = _("This is too long: %(longest)s letters fit.") % {
            "longest": f"{LONGEST:,}"
        }

    def clean(self, value):
        texts = {key: super(TextsField, self).clean(text) for key, text in value.items()}
        return {key: text for key, text in texts.items() if text}
