"""Custom fields and custom values of a location, and the upload of files into fields."""

import re

from ..answers import Answer, Created, absent, bad_request
from ..moments import iso
from ..routing import operation
from ..store import new_id
from ..validation import anything, flag, number, text, texts, validated

FIELDS_READ, FIELDS_WRITE = "locations/customFields.readonly", "locations/customFields.write"
VALUES_READ, VALUES_WRITE = "locations/customValues.readonly", "locations/customValues.write"
TYPES = [
    "TEXT",
    "LARGE_TEXT",
    "NUMERICAL",
    "PHONE",
    "MONETORY",
    "CHECKBOX",
    "SINGLE_OPTIONS",
    "MULTIPLE_OPTIONS",
    "FLOAT",
    "TIME",
    "DATE",
    "TEXTBOX_LIST",
    "FILE_UPLOAD",
    "SIGNATURE",
    "RADIO",
    "EMAIL",
]
WRITABLE = {
    "name": text(required=True),
    "placeholder": text(),
    "acceptedFormat": anything(),
    "isMultipleFile": flag(),
    "maxNumberOfFiles": number(),
    "textBoxListOptions": anything(),
    "options": texts(),
    "position": number(),
    "model": text(choices=("contact", "opportunity")),
}


def field_shape(field, alone=True):
    body = {**field, "dateAdded": iso(field["dateAdded"])}
    return body | {"scopes": []} if alone else body


def _field_of(call):
    location = call.enter(call.captured["location_id"])
    field = location.custom_fields.get(call.captured["field_id"])
    if field is None:
        raise absent("Custom field", call.captured["field_id"])
    return location, field


@operation("GET", "/locations/{location_id}/customFields", FIELDS_READ)
def fields(call):
    location = call.enter(call.captured["location_id"])
    model = call.query.get("model", "contact")
    wanted = [one for one in location.custom_fields if model in ("all", one["model"])]
    return Answer({"customFields": [field_shape(one, alone=False) for one in wanted]})


@operation("POST", "/locations/{location_id}/customFields", FIELDS_WRITE)
def create_field(call):
    location = call.enter(call.captured["location_id"])
    values = validated(call.body(), WRITABLE | {"dataType": text(required=True, choices=TYPES)})
    options = values.pop("options", None) or values.pop("textBoxListOptions", None)
    model = values.get("model", "contact")
    field = {
        "id": new_id(),
        "locationId": location.id,
        "documentType": "field",
        "fieldKey": f"{model}.{_key(values['name'])}",
        "parentId": next((one["parentId"] for one in location.custom_fields), new_id()),
        "placeholder": "",
        "position": 50 * len(location.custom_fields),
        "standard": False,
        "dateAdded": call.now,
        **values,
        "model": model,
    }
    if options:
        field["picklistOptions"] = options
    if any(one["fieldKey"] == field["fieldKey"] for one in location.custom_fields):
        raise bad_request(f"{field['fieldKey']} already exists.")
    return Created({"customField": field_shape(location.custom_fields.put(field))})


@operation("GET", "/locations/{location_id}/customFields/{field_id}", FIELDS_READ)
def read_field(call):
    _, field = _field_of(call)
    return Answer({"customField": field_shape(field)})


@operation("PUT", "/locations/{location_id}/customFields/{field_id}", FIELDS_WRITE)
def edit_field(call):
    location, field = _field_of(call)
    values = validated(call.body(), WRITABLE)
    options = values.pop("options", None) or values.pop("textBoxListOptions", None)
    if options:
        values["picklistOptions"] = options
    return Answer({"customField": field_shape(location.custom_fields.change(field["id"], **values))})


@operation("DELETE", "/locations/{location_id}/customFields/{field_id}", FIELDS_WRITE)
def delete_field(call):
    location, field = _field_of(call)
    for contact in list(location.contacts):
        kept = [one for one in contact["customFields"] if one["id"] != field["id"]]
        if len(kept) != len(contact["customFields"]):
            location.contacts.change(contact["id"], customFields=kept)
    location.custom_fields.remove(field["id"])
    return Answer({"succeded": True})


@operation("POST", "/locations/{location_id}/customFields/upload", FIELDS_WRITE)
def upload(call):
    location = call.enter(call.captured["location_id"])
    files = {name: one for name, one in (call.form or {}).items() if not isinstance(one, str)}
    if not files:
        raise bad_request("No file was sent")
    base = f"https://files.sandbox.invalid/{location.id}"
    urls = {one["name"]: f"{base}/{new_id()}/{one['name']}" for one in files.values()}
    meta = [
        {
            "fieldname": name,
            "originalname": one["name"],
            "mimetype": one["type"],
            "size": one["size"],
            "url": urls[one["name"]],
        }
        for name, one in files.items()
    ]
    return Answer({"uploadedFiles": urls, "meta": meta})


@operation("GET", "/locations/{location_id}/customValues", VALUES_READ)
def values(call):
    location = call.enter(call.captured["location_id"])
    return Answer({"customValues": list(location.custom_values)})


@operation("POST", "/locations/{location_id}/customValues", VALUES_WRITE)
def create_value(call):
    location = call.enter(call.captured["location_id"])
    given = validated(call.body(), {"name": text(required=True), "value": text(required=True)})
    value = {
        "id": new_id(),
        "documentType": "field",
        "fieldKey": f"{{{{ custom_values.{_key(given['name'])} }}}}",
        "locationId": location.id,
        **given,
    }
    return Created({"customValue": location.custom_values.put(value)})


@operation("GET", "/locations/{location_id}/customValues/{value_id}", VALUES_READ)
def read_value(call):
    _, value = _value_of(call)
    return Answer({"customValue": value})


@operation("PUT", "/locations/{location_id}/customValues/{value_id}", VALUES_WRITE)
def edit_value(call):
    location, value = _value_of(call)
    given = validated(call.body(), {"name": text(required=True), "value": text(required=True)})
    return Answer({"customValue": location.custom_values.change(value["id"], **given)})


@operation("DELETE", "/locations/{location_id}/customValues/{value_id}", VALUES_WRITE)
def delete_value(call):
    location, value = _value_of(call)
    location.custom_values.remove(value["id"])
    # Custom fields say `succeded`, custom values spell it right.
    return Answer({"succeeded": True})


def _value_of(call):
    location = call.enter(call.captured["location_id"])
    value = location.custom_values.get(call.captured["value_id"])
    if value is None:
        raise absent("Custom value", call.captured["value_id"])
    return location, value


def _key(name):
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_")
