"""Businesses of a location. Writes answer under GHL's own spelling: `buiseness`."""

from ..answers import Answer, Created, absent
from ..contact_shapes import signed
from ..moments import iso
from ..routing import operation
from ..store import new_hex_id
from ..validation import nullable_text, query_number, query_text, text, validated

READ, WRITE = "businesses.readonly", "businesses.write"
DETAILS = ("phone", "email", "website", "address", "city", "description", "state", "postalCode", "country")
WRITABLE = {name: nullable_text() for name in DETAILS} | {"name": text()}


def shape(business):
    body = {name: business[name] for name in ("id", "name", *DETAILS, "locationId") if business.get(name)}
    body["createdAt"], body["updatedAt"] = iso(business["createdAt"]), iso(business["updatedAt"])
    return body | {name: signed(business[name]) for name in ("createdBy", "updatedBy") if name in business}


def business_of(call):
    business_id = call.captured["business_id"]
    location = call.home_of("businesses", business_id)
    business = location.businesses.get(business_id)
    if business is None:
        raise absent("Business", business_id)
    return location, business


@operation("GET", "/businesses/", READ)
def listed(call):
    location = call.enter(query_text(call.query, "locationId"))
    limit = query_number(call.query, "limit", 100, 1, 100)
    skip = query_number(call.query, "skip", 0, 0)
    return Answer({"businesses": [shape(one) for one in list(location.businesses)[skip : skip + limit]]})


@operation("GET", "/businesses/{business_id}", READ)
def read(call):
    _, business = business_of(call)
    return Answer({"business": shape(business)})


@operation("POST", "/businesses/", WRITE)
def create(call):
    location = call.enter(call.body().get("locationId"))
    values = validated(call.body(), WRITABLE | {"name": text(required=True), "locationId": text(required=True)})
    business = {
        "id": new_hex_id(),
        "createdAt": call.now,
        "updatedAt": call.now,
        "createdBy": call.signature(),
        **values,
    }
    return Created({"success": True, "buiseness": shape(location.businesses.put(business))})


@operation("PUT", "/businesses/{business_id}", WRITE)
def edit(call):
    location, business = business_of(call)
    values = validated(call.body(), WRITABLE)
    after = location.businesses.change(business["id"], updatedAt=call.now, updatedBy=call.signature(), **values)
    return Answer({"success": True, "buiseness": shape(after)})


@operation("DELETE", "/businesses/{business_id}", WRITE)
def delete(call):
    location, business = business_of(call)
    for contact in list(location.contacts):
        if contact.get("businessId") == business["id"]:
            location.contacts.change(contact["id"], businessId=None, dateUpdated=call.now)
    location.businesses.remove(business["id"])
    return Answer({"success": True})
