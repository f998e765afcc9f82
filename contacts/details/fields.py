"""What is known about a contact, field by field: its label, its value in words, and how it may be changed."""

from dataclasses import dataclass, field
from functools import cached_property
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contacts import localised
from contacts.details import disturb, phones
from contacts.details.field_words import as_date_text, as_time_text, files_in, in_words, safe_link
from contacts.models import Contact

ONLY_IN_GHL = gettext_noop("Can be changed only in GHL.")
# The model's own fields, by group: key, label, control.
OWN = {
    gettext_noop("Contact"): [
        ("first_name", gettext_noop("First name"), "text"),
        ("last_name", gettext_noop("Last name"), "text"),
        ("email", gettext_noop("E-mail"), "email"),
        ("phone", gettext_noop("Phone"), "tel"),
        ("company_name", gettext_noop("Company"), "fixed"),
        ("website", gettext_noop("Website"), "text"),
        ("date_of_birth", gettext_noop("Date of birth"), "date"),
        ("time_zone", gettext_noop("Time zone"), "zone"),
        ("source", gettext_noop("Source"), "text"),
        ("type", gettext_noop("Type"), "fixed"),
        ("dnd", gettext_noop("Contact by"), "channels"),
    ],
    gettext_noop("Address"): [
        ("address", gettext_noop("Street"), "text"),
        ("city", gettext_noop("City"), "text"),
        ("state", gettext_noop("State"), "text"),
        ("postal_code", gettext_noop("Postal code"), "text"),
        ("country", gettext_noop("Country"), "country"),
    ],
}
CUSTOM_CONTROLS = {
    "TEXT": "text",
    "LARGE_TEXT": "long",
    "NUMERICAL": "number",
    "FLOAT": "number",
    "MONETORY": "money",
    "PHONE": "tel",
    "EMAIL": "email",
    "DATE": "date",
    "TIME": "time",
    "SINGLE_OPTIONS": "select",
    "RADIO": "select",
    "MULTIPLE_OPTIONS": "many",
    "CHECKBOX": "many",
    "TEXTBOX_LIST": "texts",
    "FILE_UPLOAD": "files",
    "SIGNATURE": "files",
}
ONLY_SHOWN = {
    "FILE_UPLOAD": gettext_noop("Files are added and removed in GHL."),
    "SIGNATURE": gettext_noop("Signed in GHL; nobody can sign here."),
}
CONTROLS = {key: control for rows in OWN.values() for key, _, control in rows if control not in ("fixed", "channels")}
MORE_GROUP = gettext_noop("Custom fields")  # where GHL does not tell what a folder of fields is called
TO_CHOOSE_FROM = ("zone", "country")  # their lists are long, and fetched when somebody is about to choose


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
    region: str = phones.DEFAULT_REGION
    currency: str = ""
    max_length: int | None = None
    # Filled in by the view: what was typed and cannot be taken, what is on its way, whether it was saved just now.
    form: object = None
    change: object = None

    @property
    def is_empty(self):
        return self.value in (None, "", [], {})

    @property
    def is_fixed(self):
        return self.control in ("fixed", "files")

    @property
    def is_always_shown(self):
        return self.control == "channels"

    def can_be_filled(self, contact):
        return contact.is_editable and not self.is_fixed

    def answers_to(self, words):
        """Whether somebody who looks for these words means this field, by its label or by its value."""
        return words.casefold() in f"{self.label} {self.words}".casefold()

    @property
    def is_long_list(self):
        return self.control in TO_CHOOSE_FROM

    @property
    def words(self):
        """The value as people read it."""
        if self.control == "texts":
            return ", ".join(f"{label}: {text}" for _, label, text in self.rows if text)
        return in_words(self.value, self.control, self.region, self.currency)

    @property
    def typed(self):
        """What stands in the control: what was typed if that was refused, else the value."""
        return self.form.data.get("value", "") if self.is_refused else self.kept

    @property
    def kept(self):
        """The value as the control writes it."""
        if self.control == "date":
            return as_date_text(self.value)
        if self.control == "time":
            return as_time_text(self.value)
        return self.words

    @property
    def is_refused(self):
        return self.form is not None and bool(self.form.errors)

    @property
    def error(self):
        return next(iter(self.form.errors["value"]), "") if self.is_refused else ""

    @property
    def choices(self):
        """[(option, chosen)]. What GHL holds stays on offer, even when the list lacks it."""
        held = [str(one) for one in self.listed]
        chosen = self.form.data.getlist("value") if self.is_refused else held
        known = [str(option) for option in self.options]
        return [(option, option in chosen) for option in [*known, *(one for one in held if one not in known)]]

    @property
    def listed(self):
        if self.is_empty:
            return []
        return self.value if isinstance(self.value, list) else [self.value]

    @property
    def rows(self):
        """[(key, label, text)] of a list of text boxes. One that GHL has done away with stays while it holds a text."""
        texts = self.value if isinstance(self.value, dict) else {}
        names = {}
        for option in self.options:
            told = option if isinstance(option, dict) else {"label": str(option)}
            # Whether a value goes by the box's id or by its label is seen only once there is one.
            key = told["label"] if told["label"] in texts else told.get("id") or told["label"]
            names[str(key)] = told["label"]
        names |= {key: key for key in texts if key not in names}
        typed = {key: self.form.data.get(f"value-{key}", "") for key in names} if self.is_refused else texts
        return [(key, label, str(typed.get(key) or "")) for key, label in names.items()]

    @property
    def files(self):
        return files_in(self.value)

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
            return safe_link(text if "://" in text else f"https://{text}")
        return ""


@dataclass
class Channels(Field):
    """On which channels a person may not be reached: one field of two of the contact's."""

    contact: object = None

    @cached_property
    def words(self):
        return disturb.words(self.contact)

    @property
    def choices(self):
        """[(channel, label, chosen, fixed)]"""
        chosen = self.form.data.getlist("value") if self.is_refused else self.value
        fixed = disturb.for_good(self.contact)
        shown = [one for one in disturb.CHANNELS if one not in disturb.ONLY_SHOWN or one in chosen]
        return [(one, _(disturb.CHANNELS[one]), one in chosen, one in fixed) for one in shown]

    @property
    def is_every(self):
        return disturb.EVERY in self.value


def fields_of(contact):
    """All fields of a contact in the order of the page."""
    region = region_of(contact)
    for group, rows in OWN.items():
        for key, label, control in rows:
            yield own_field(contact, _(group), key, _(label), control, region)
    for custom in contact.location.custom_fields.all():
        yield custom_field(contact, custom, region)


def field_of(contact, slug):
    return next((one for one in fields_of(contact) if one.slug == slug), None)


def own_field(contact, group, key, label, control, region):
    told = {"slug": key, "key": key, "label": label, "group": group, "control": control, "region": region}
    if control == "channels":
        return Channels(**told, value=disturb.off(contact), contact=contact)
    return Field(
        **told, value=getattr(contact, key), reason=_(ONLY_IN_GHL) if control == "fixed" else "",
        max_length=getattr(Contact._meta.get_field(key), "max_length", None),
    )  # fmt: skip


def custom_field(contact, custom, region):
    kind = custom.data_type.upper()
    control = CUSTOM_CONTROLS.get(kind, "fixed")
    reason = _(ONLY_SHOWN.get(kind, "")) if control != "fixed" else unknown_kind(kind)
    value = contact.custom_values.get(custom.remote_id, "")
    if control in ("select", "many", "texts") and not custom.options and not isinstance(value, dict):
        control, reason = "fixed", _("GHL offers no choices for this field.")
    return Field(
        slug=f"custom-{custom.pk}", key=custom.remote_id, label=custom.name, group=custom.group_name or _(MORE_GROUP),
        control=control, value=value, is_custom=True, options=custom.options, reason=reason, region=region,
        currency=contact.location.currency,
    )  # fmt: skip


def control_of(custom):
    """How values of a custom field read; as plain text where the field is gone or of an unknown kind."""
    return CUSTOM_CONTROLS.get(custom.data_type.upper(), "text") if custom else "text"


def unknown_kind(kind):
    if not kind:
        return _(ONLY_IN_GHL)
    return _("Can be changed only in GHL. Rankr does not know fields of the kind %(kind)s.") % {"kind": kind}


def values_to_save(contact, field, value):
    """What `contact.edit` takes for a field's new value."""
    if field.control == "channels":
        return disturb.edited(contact, value)
    if not field.is_custom:
        return {field.key: value}
    values = {key: kept for key, kept in contact.custom_values.items() if key != field.key}
    return {"custom_values": values if value in (None, "", [], {}) else {**values, field.key: value}}


def region_of(contact):
    """Where a phone number without a country code is taken to be."""
    country = contact.country.strip().upper()
    return country if len(country) == 2 and country.isalpha() else phones.region_of(contact.location)


def clock_of(contact):
    """What time it is where this person lives: "14:20 now", if the zone is one that clocks know."""
    try:
        return _("%(clock)s now") % {"clock": localised.clock(timezone.now().astimezone(ZoneInfo(contact.time_zone)))}
    except (KeyError, ValueError, OSError):
        return ""
