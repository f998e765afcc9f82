"""Writing a contact: what GHL does to the values on their way in."""

from .answers import bad_request
from .moments import birthday
from .phones import normalised
from .store import new_id
from .validation import (
    birth_date,
    email,
    flag,
    mapping,
    nullable_text,
    rows,
    text,
    texts,
)

WRITABLE = {
    "firstName": nullable_text(),
    "lastName": nullable_text(),
    "name": nullable_text(),
    "email": email(nullable=True),
    "phone": nullable_text(),
    "address1": nullable_text(),
    "city": nullable_text(),
    "state": nullable_text(),
    "postalCode": nullable_text(),
    "country": nullable_text(),
    "website": nullable_text(),
    "timezone": nullable_text(),
    "source": nullable_text(),
    "assignedTo": nullable_text(),
    "dateOfBirth": birth_date(nullable=True),
    "dnd": flag(),
    "dndSettings": mapping(),
    "inboundDndSettings": mapping(),
    "tags": texts(nullable=True),
    "customFields": rows(),
}
CREATABLE = WRITABLE | {
    "locationId": text(required=True),
    "gender": nullable_text(),
    "companyName": nullable_text(),
}
UPSERTABLE = CREATABLE | {"createNewIfDuplicateAllowed": flag()}
PLAIN = [
    "firstName",
    "lastName",
    "address1",
    "city",
    "state",
    "postalCode",
    "country",
    "website",
    "timezone",
    "source",
    "assignedTo",
    "gender",
    "companyName",
]
DND_NAMES = {"call": "Call", "email": "Email", "sms": "SMS", "whatsapp": "WhatsApp", "gmb": "GMB", "fb": "FB"}


def created(location, values, signature):
    """A new contact, put into the location; refused when it is a duplicate there."""
    changes = tidy(location, values)
    refuse_duplicate(location, changes.get("email"), changes.get("phone"))
    contact = {
        "id": new_id(),
        "locationId": location.id,
        "type": "lead",
        "country": location.record.get("country") or "US",
        "dnd": False,
        "tags": [],
        "customFields": [],
        "additionalEmails": [],
        "additionalPhones": [],
        "followers": [],
        "dateAdded": signature["timestamp"],
        "dateUpdated": signature["timestamp"],
        "createdBy": signature,
        "lastUpdatedBy": signature,
    }
    contact.update({name: value for name, value in changes.items() if value is not None})
    location.know_tags(contact["tags"])
    return location.contacts.put(contact)


def edited(location, contact, values, signature):
    """The contact with the given values; null or an empty text clears a field."""
    changes = tidy(location, values, contact)
    email_changed = changes.get("email") and changes["email"].lower() != (contact.get("email") or "").lower()
    phone_changed = changes.get("phone") and changes["phone"] != contact.get("phone")
    refuse_duplicate(
        location,
        changes["email"] if email_changed else None,
        changes["phone"] if phone_changed else None,
        besides=contact["id"],
    )
    after = {**contact, **changes, "dateUpdated": signature["timestamp"], "lastUpdatedBy": signature}
    after = {name: value for name, value in after.items() if value is not None}
    location.know_tags(after["tags"])
    return location.contacts.put(after)


def refuse_duplicate(location, email, phone, besides=None):
    if location.settings["allowDuplicateContact"]:
        return
    twin, field = location.duplicate_of(email, phone, besides)
    if twin is not None:
        refusal = bad_request("This location does not allow duplicated contacts.")
        refusal.answer.body = {
            "statusCode": 400,
            "message": "This location does not allow duplicated contacts.",
            "meta": {"contactId": twin["id"], "matchingField": field},
        }
        raise refusal


def tidy(location, values, contact=None):
    """The values as they are kept. None means: clear this field."""
    contact = contact or {}
    kept = {name: (values[name] or "").strip() or None for name in PLAIN if name in values}
    if values.get("name") and not values.get("firstName") and not values.get("lastName"):
        kept["firstName"], _, rest = values["name"].strip().partition(" ")
        kept["lastName"] = rest.strip() or None
    if "email" in values:
        kept["email"] = (values["email"] or "").strip() or None
    if "phone" in values:
        country = kept.get("country") or contact.get("country") or location.record.get("country")
        kept["phone"] = normalised(values["phone"], country)
    if "dateOfBirth" in values:
        kept["dateOfBirth"] = birthday(values["dateOfBirth"]) if values["dateOfBirth"] else None
    if "dnd" in values:
        kept["dnd"] = values["dnd"]
    if "dndSettings" in values:
        kept["dndSettings"] = {
            DND_NAMES.get(channel.lower(), channel): setting for channel, setting in values["dndSettings"].items()
        }
    if "inboundDndSettings" in values:
        kept["inboundDndSettings"] = values["inboundDndSettings"]
    if "tags" in values:
        kept["tags"] = tidy_tags(values["tags"] or [])
    if "customFields" in values:
        kept["customFields"] = merged_custom_fields(location, contact.get("customFields", []), values["customFields"])
    return kept


def tidy_tags(names):
    """Lower-cased, trimmed, each once, in the order given."""
    return list(dict.fromkeys(name.strip().lower() for name in names if name.strip()))


def merged_custom_fields(location, current, given):
    """Fields not mentioned stay; an empty value takes a field away; unknown ids are passed over, as GHL does."""
    merged = {field["id"]: field["value"] for field in current}
    by_key = {field["fieldKey"].removeprefix("contact."): field["id"] for field in location.custom_fields}
    for item in given:
        field_id = item.get("id") or by_key.get((item.get("key") or "").removeprefix("contact."))
        if location.custom_fields.get(field_id) is None:
            continue
        value = next((item[name] for name in ("fieldValue", "field_value", "value") if name in item), None)
        if value in (None, "", []):
            merged.pop(field_id, None)
        else:
            merged[field_id] = value
    return [{"id": field_id, "value": value} for field_id, value in merged.items()]
