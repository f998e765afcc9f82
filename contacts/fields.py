"""What is known about a contact, field by field: its label, its value in words, and how it may be changed."""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from contacts.models import Contact
from contacts.templatetags.ui import phone as phone_in_words

ONLY_IN_GHL = "Can be changed only in GHL."
# The model's own fields, by group: key, label, control, autocomplete hints for no one but the browser's keyboard.
OWN = {
    "Contact": [
        ("first_name", "First name", "text"),
        ("last_name", "Last name", "text"),
        ("email", "E-mail", "email"),
        ("phone", "Phone", "tel"),
        ("company_name", "Company", "fixed"),
        ("website", "Website", "text"),
        ("date_of_birth", "Date of birth", "date"),
        ("time_zone", "Time zone", "text"),
        ("source", "Source", "text"),
        ("type", "Type", "fixed"),
    ],
    "Address": [
        ("address", "Street", "text"),
        ("city", "City", "text"),
        ("state", "State", "text"),
        ("postal_code", "Postal code", "text"),
        ("country", "Country", "text"),
    ],
}
CUSTOM_CONTROLS = {
    "TEXT": "text",
    "LARGE_TEXT": "long",
    "NUMERICAL": "number",
    "MONETORY": "money",
    "PHONE": "tel",
    "DATE": "date",
    "SINGLE_OPTIONS": "select",
    "RADIO": "select",
    "MULTIPLE_OPTIONS": "many",
    "CHECKBOX": "many",
}
MORE_GROUP = "Custom fields"  # GHL names no folders of custom fields, only their ids
CHANNELS = {
    "Call": "calls", "Email": "e-mail", "SMS": "SMS", "WhatsApp": "WhatsApp", "GMB": "Google", "FB": "Facebook",
    "RCS": "RCS",
}  # fmt: skip


@dataclass
class Field:
    """One field of one contact. `slug` names it in addresses, `key` in a Change (of custom_values if `is_custom`)."""

    slug: str
    key: str
    label: str
    group: str
    control: str
    value: object = ""
    is_custom: bool = False
    options: list = field(default_factory=list)
    reason: str = ""
    region: str = "US"
    max_length: int | None = None
    # Filled in by the view: what was typed and cannot be taken, what is on its way, whether it was saved just now.
    form: object = None
    change: object = None

    @property
    def is_empty(self):
        return self.value in (None, "", [], {})

    @property
    def is_fixed(self):
        return self.control == "fixed"

    @property
    def words(self):
        """The value as people read it."""
        return in_words(self.value, self.control, self.region)

    @property
    def typed(self):
        """What stands in the control: what was typed if that was refused, else the value."""
        if self.form is not None and self.form.errors:
            return self.form.data.get("value", "")
        return self.kept

    @property
    def kept(self):
        """The value as the control writes it."""
        if self.control == "date":
            return as_date_text(self.value)
        return self.words

    @property
    def error(self):
        return next(iter(self.form.errors["value"]), "") if self.form is not None and self.form.errors else ""

    @property
    def choices(self):
        """(option, chosen). What GHL holds stays on offer, even when the list lacks it."""
        chosen = [str(one) for one in self.listed]
        known = [str(option) for option in self.options]
        return [(option, option in chosen) for option in [*known, *(one for one in chosen if one not in known)]]

    @property
    def listed(self):
        if self.is_empty:
            return []
        return self.value if isinstance(self.value, list) else [self.value]

    @property
    def link(self):
        """Where the value leads to: a call, a mail, a page."""
        text = str(self.value or "").strip()
        if not text:
            return ""
        if self.control == "tel":
            return f"tel:{''.join(sign for sign in text if sign in '+0123456789')}"
        if self.control == "email":
            return f"mailto:{text}"
        if self.key == "website" and " " not in text:
            return text if text.lower().startswith(("http://", "https://")) else f"https://{text}"
        return ""


def fields_of(contact):
    """All fields of a contact in the order of the page."""
    region = region_of(contact)
    for group, rows in OWN.items():
        for key, label, control in rows:
            yield Field(
                slug=key, key=key, label=label, group=group, control=control, value=getattr(contact, key),
                reason=ONLY_IN_GHL if control == "fixed" else "", region=region,
                max_length=getattr(Contact._meta.get_field(key), "max_length", None),
            )  # fmt: skip
    for custom in contact.location.custom_fields.all():
        yield custom_field(contact, custom, region)


def field_of(contact, slug):
    return next((one for one in fields_of(contact) if one.slug == slug), None)


def custom_field(contact, custom, region):
    control = CUSTOM_CONTROLS.get(custom.data_type.upper(), "fixed")
    reason = "" if control != "fixed" else ONLY_IN_GHL
    if control in ("select", "many") and not custom.options:
        control, reason = "fixed", "GHL offers no choices for this field."
    return Field(
        slug=f"custom-{custom.pk}", key=custom.remote_id, label=custom.name, group=MORE_GROUP,
        control=control, value=contact.custom_values.get(custom.remote_id, ""), is_custom=True,
        options=custom.options, reason=reason, region=region,
    )  # fmt: skip


def region_of(contact):
    """Where a phone number without a country code is taken to be."""
    country = contact.country.strip().upper()
    return country if len(country) == 2 and country.isalpha() else "US"


# --- words --------------------------------------------------------------------------------------------------------


def in_words(value, control="text", region="US"):
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {in_words(one)}" for name, one in value.items())
    if control == "tel":
        return phone_in_words(value, region)
    if control == "date":
        return date_words(value)
    if control in ("number", "money"):
        return number_words(value, control)
    return str(value)


def date_words(value):
    date = as_date(value)
    return f"{date.day} {date:%b} {date.year}" if date else str(value)


def as_date(value):
    """GHL keeps dates as a day, as a moment, or as milliseconds."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        if isinstance(value, int | float):
            return dt.datetime.fromtimestamp(value / 1000, tz=dt.UTC).date()
        text = str(value)
        moment = parse_datetime(text)
        return moment.date() if moment else parse_date(text)
    except (ValueError, OverflowError, OSError):
        return None


def as_date_text(value):
    date = as_date(value) if value not in (None, "") else None
    return date.isoformat() if date else ""


def number_words(value, control):
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    if not number.is_finite() or abs(number) >= 10**15:
        return str(value)
    whole = number == number.to_integral_value()
    if control == "money":
        return f"{number:,.0f}" if whole else f"{number:,.2f}"
    return f"{number:,.0f}" if whole and abs(number) >= 10_000 else str(value)


# --- what stands beside the fields ------------------------------------------------------------------------------------


def do_not_disturb(contact):
    """(words, is_off) of how this person may not be reached; nothing when every channel is open."""
    if contact.dnd:
        return "Do not disturb, on every channel"
    off = [
        CHANNELS.get(channel, channel)
        for channel, setting in contact.dnd_settings.items()
        if isinstance(setting, dict) and setting.get("status") in ("active", "permanent")
    ]
    return f"No {' or '.join(off)}" if off else ""


def clock_of(contact):
    """What time it is where this person lives: "14:20 now", if the zone is one that clocks know."""
    from zoneinfo import ZoneInfo

    try:
        return f"{timezone.now().astimezone(ZoneInfo(contact.time_zone)):%H:%M} now"
    except (KeyError, ValueError, OSError):
        return ""
