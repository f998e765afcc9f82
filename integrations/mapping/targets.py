"""What of a contact the ERP may fill, over all locations of a business."""

from dataclasses import dataclass, field, replace
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contacts.details.fields import MORE_GROUP, OWN, Field, fields_of
from contacts.forms.field import FieldForm
from contacts.models import Contact, CustomField, Location
from integrations.mapping import owner_and_quiet

CUSTOM = "custom:"
COMPANY = "company_name"
TAGS = {
    "tag:add": gettext_noop("Add a tag"),
    "tag:remove": gettext_noop("Remove a tag"),
    "tag:one": gettext_noop("Tag, one of the table’s"),
}
CLOSED = ("files", "channels", "texts")  # not filled from outside
KINDS = {
    "text": gettext_noop("text"), "long": gettext_noop("long text"), "email": gettext_noop("e-mail address"),
    "tel": gettext_noop("phone number"), "date": gettext_noop("date"), "time": gettext_noop("time of day"),
    "number": gettext_noop("number"), "money": gettext_noop("amount"), "select": gettext_noop("one of a list"),
    "many": gettext_noop("several of a list"), "zone": gettext_noop("time zone"), "country": gettext_noop("country"),
    "fixed": gettext_noop("text, only when the contact is new"), "tag": gettext_noop("tags"),
    "owner": gettext_noop("e-mail or name of a GHL user"), "yes_no": gettext_noop("yes or no"),
}  # fmt: skip


@dataclass(frozen=True)
class Target:
    """`key` names it in a mapping. `lacking` are the locations that have no such field."""

    key: str
    label: str
    group: str
    control: str
    options: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    example: Field | None = field(default=None, compare=False)

    @property
    def is_tag(self) -> bool:
        return self.control == "tag"

    @property
    def kind(self) -> str:
        return _(KINDS.get(self.control, "text"))

    def objection(self, value: str) -> str:
        """Why the field could not hold this, as far as its type tells; "" if it could."""
        if self.control in owner_and_quiet.CONTROLS:
            return owner_and_quiet.objection(self.control, self.options, str(value))
        if self.is_tag or self.control == "fixed" or self.example is None:
            return ""
        return objection(replace(self.example, options=list(self.options)), value)


def targets_of(business: Any) -> dict[str, Target]:
    """{key: target} in the order of the contact page, tags last."""
    found = {
        key: Target(key, _(label), _(group), control)
        for group, rows in OWN.items() for key, label, control in rows
        if (control != "fixed" or key == COMPANY) and control not in CLOSED
    }  # fmt: skip
    for key, (label, control) in owner_and_quiet.LABELS.items():
        options = owner_and_quiet.known_owners(business) if key == owner_and_quiet.OWNER else ()
        found[key] = Target(key, _(label), _(owner_and_quiet.GROUP), control, options)
    locations = list(Location.objects.filter(business=business).prefetch_related("custom_fields"))
    for location in locations:
        blank = Contact(location=location)
        for one in fields_of(blank):
            if not one.is_custom and one.key in found and found[one.key].control == one.control:
                found[one.key] = replace(found[one.key], example=found[one.key].example or one)
        _add_custom(found, location, blank)
    held = [(str(one), {key_of(custom) for custom in one.custom_fields.all()}) for one in locations]
    for key in [key for key in found if key.startswith(CUSTOM)]:
        if lacking := tuple(name for name, keys in held if key not in keys):
            found[key] = replace(found[key], lacking=lacking)
    found |= {key: Target(key, _(label), _("Tags"), "tag") for key, label in TAGS.items()}
    return found


def _add_custom(found: dict[str, Target], location: Location, blank: Contact) -> None:
    rows = {f"custom-{row.pk}": row for row in location.custom_fields.all()}
    for one in fields_of(blank):
        row = rows.get(one.slug)
        if row is None or one.is_fixed or one.control in CLOSED:
            continue
        key, options = key_of(row), tuple(str(option) for option in one.options)
        if key in found:  # of the same key in another location
            found[key] = replace(found[key], options=tuple(dict.fromkeys([*found[key].options, *options])))
        else:
            group = row.group_name or _(MORE_GROUP)
            found[key] = Target(key, row.name, group, one.control, options, example=one)


def key_of(custom: CustomField) -> str:
    return CUSTOM + (custom.key or custom.remote_id)


def objection(field: Field, value: Any) -> str:
    form = FieldForm(field, typed(value))
    return "" if form.is_valid() else str(form.errors["value"][0])


def typed(value: Any) -> Any:
    """As a form would bring it."""
    data = QueryDict(mutable=True)
    if isinstance(value, list):
        data.setlist("value", [str(one) for one in value])
    elif isinstance(value, bool):
        data["value"] = "true" if value else "false"
    else:
        data["value"] = "" if value is None else str(value)
    return data
