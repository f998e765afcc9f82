"""One request, many contacts: tags and business."""

from ..answers import Answer, Created, absent, invalid
from ..contacts import tidy_tags
from ..routing import operation
from ..validation import flag, text, texts, validated
from .contacts import WRITE, touched


@operation("POST", "/contacts/bulk/tags/update/{kind}", WRITE)
def update_tags(call):
    location = call.enter(call.body().get("locationId"))
    kind = call.captured["kind"]
    if kind not in ("add", "remove"):
        raise invalid(["type must be one of the following values: add, remove"])
    fields = {
        "contacts": texts(required=True),
        "tags": texts(required=True),
        "locationId": text(required=True),
        # Of no use to `add`, but both kinds share one body, so it is known there as well.
        "removeAllTags": flag(),
    }
    values = validated(call.body(), fields)
    tags = tidy_tags(values["tags"])
    responses, errors = [], 0
    for contact_id in values["contacts"]:
        contact = location.contacts.get(contact_id)
        if contact is None:
            errors += 1
            continue
        if kind == "add":
            after = [*contact["tags"], *(name for name in tags if name not in contact["tags"])]
            location.know_tags(tags)
        else:
            after = [] if values.get("removeAllTags") else [name for name in contact["tags"] if name not in tags]
        if after != contact["tags"]:
            touched(call, location, contact, tags=after)
        responses.append(contact_id)
    return Created({"succeded": True, "succeeded": True, "errorCount": errors, "responses": responses})


@operation("POST", "/contacts/bulk/business", WRITE)
def change_business(call):
    location = call.enter(call.body().get("locationId"))
    fields = {
        "locationId": text(required=True),
        "ids": texts(required=True, item_max=50),
        "businessId": text(required=True, nullable=True),
    }
    values = validated(call.body(), fields)
    business_id = values["businessId"]
    if business_id is not None and location.businesses.get(business_id) is None:
        raise absent("Business", business_id)
    known = [contact_id for contact_id in values["ids"] if location.contacts.get(contact_id)]
    for contact_id in known:
        touched(call, location, location.contacts.get(contact_id), businessId=business_id)
    return Answer({"success": True, "ids": known})
