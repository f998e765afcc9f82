"""What stands beside the name in a contact list, as each view remembers it."""

from dataclasses import dataclass

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
        Column("company", "Company"),
        Column("owner", "Owner"),
        Column("tags", "Tags"),
        Column("tasks", "Open tasks"),
        Column("next", "Next appointment"),
        Column("last", "Last activity"),
        Column("email", "E-mail"),
        Column("phone", "Phone"),
        Column("city", "City"),
        Column("source", "Source"),
        Column("added", "Added"),
        Column("checked", "Checked", is_number=True),
    )
}
USUAL = tuple(KNOWN[key] for key in ("owner", "tags", "tasks", "next", "last", "checked"))


def all_columns(fields):
    """In the order they stand in, custom fields before the last."""
    *own, last = KNOWN.values()
    return [*own, *(Column(f"{PREFIX}{field.value}", field.name, field=field) for field in fields), last]


def chosen(keys, fields):
    """The columns of these keys; those nobody knows any more are left out, and none chosen means the usual ones."""
    wanted = set(keys)
    columns = tuple(column for column in all_columns(fields) if column.key in wanted)
    return columns[:MOST] or USUAL


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
