"""What stands beside the name in a contact list, as each view remembers it."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy

from contacts.details.field_words import in_words
from contacts.details.fields import CUSTOM_CONTROLS
from contacts.models import CustomField
from contacts.rows import UNREAD

PREFIX = "field-"
MOST = 14


@dataclass(frozen=True)
class Column:
    key: str
    label: str
    is_number: bool = False
    field: object = None  # the FieldChoice of a custom field


KNOWN = {
    column.key: column
    for column in (
        Column("company", gettext_lazy("Company")),
        Column("owner", gettext_lazy("Owner")),
        Column("tags", gettext_lazy("Tags")),
        Column("tasks", gettext_lazy("Open tasks")),
        Column("next", gettext_lazy("Next appointment")),
        Column("last", gettext_lazy("Last activity")),
        Column("email", gettext_lazy("E-mail")),
        Column("phone", gettext_lazy("Phone")),
        Column("city", gettext_lazy("City")),
        Column("source", gettext_lazy("Source")),
        Column("added", gettext_lazy("Added")),
        Column("checked", gettext_lazy("Checked"), is_number=True),
    )
}
USUAL = tuple(KNOWN[key] for key in ("owner", "tags", "tasks", "next", "last", "checked"))


def all_columns(fields):
    """In the order they stand in, custom fields before the last."""
    *own, last = KNOWN.values()
    return [*own, *(Column(f"{PREFIX}{field.value}", field.name, field=field) for field in fields), last]


def chosen(keys, fields):
    """The columns of these keys, in their order; unknown keys are left out, and none chosen means the usual ones."""
    known = {column.key: column for column in all_columns(fields)}
    columns = tuple(known[key] for key in dict.fromkeys(keys) if key in known)
    return columns[:MOST] or USUAL


def moved(keys, key, step):
    """The keys with this one `step` places further; at the end it stays."""
    keys = list(keys)
    if key in keys:
        at = keys.index(key)
        keys.insert(max(0, at + step), keys.pop(at))
    return keys


def needs_fields(keys):
    return any(key.startswith(PREFIX) for key in keys)


def with_fields(contacts):
    """Contacts as `for_rows` gives them, with the values of their custom fields."""
    return contacts.defer(None).defer(*(name for name in UNREAD if name != "custom_values"))


def fill(rows, columns):
    """Give each row the words of its custom fields: one question for all of them."""
    customs = [column for column in columns if column.field]
    places = {place: column.key for column in customs for place in column.field.places}
    if not places or not rows:
        return
    known = CustomField.objects.filter(location__in={location for location, _ in places})
    controls = {
        (row.location_id, row.remote_id): CUSTOM_CONTROLS.get(row.data_type.upper(), "text")
        for row in known.filter(remote_id__in={remote_id for _, remote_id in places})
    }
    for row in rows:
        contact, words = row.contact, {}
        for (location, remote_id), key in places.items():
            if location == contact.location_id and (value := contact.custom_values.get(remote_id)) is not None:
                words[key] = in_words(value, controls.get((location, remote_id), "text"))
        row.custom = words
