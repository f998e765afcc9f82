"""The four faces of a contact: by id, as created, as a search row, as a row of the old list."""

from .moments import iso, parsed_ms

BY_ID_PLAIN = [
    "id",
    "locationId",
    "firstName",
    "lastName",
    "email",
    "timezone",
    "companyName",
    "phone",
    "phoneLabel",
    "dnd",
    "type",
    "source",
    "assignedTo",
    "address1",
    "city",
    "state",
    "country",
    "postalCode",
    "website",
    "tags",
    "gender",
    "additionalEmails",
    "additionalPhones",
    "followers",
    "dndSettings",
    "inboundDndSettings",
    "customFields",
    "businessId",
    "attributionSource",
    "lastAttributionSource",
    "visitorId",
]


def full_name(contact):
    return " ".join(part for part in (contact.get("firstName"), contact.get("lastName")) if part)


def lower(value):
    return value.lower() if value else value


def by_id(contact, v3=False):
    """Empty fields are absent here, not null."""
    body = {name: contact[name] for name in BY_ID_PLAIN if contact.get(name) not in (None, "")}
    # As recorded: no `name`, no lastUpdatedBy, and neither a false dnd nor an empty list of followers.
    for name in ("dnd", "followers", "dndSettings", "inboundDndSettings"):
        if not body.get(name):
            body.pop(name, None)
    body.update(_lower_names(contact))
    if contact.get("dateOfBirth"):
        body["dateOfBirth"] = contact["dateOfBirth"] + "T00:00:00.000Z"
    body.update({name: iso(contact[name]) for name in ("dateAdded", "dateUpdated") if contact.get(name) is not None})
    body["createdBy"] = signed(contact["createdBy"])
    if v3 and "dndSettings" in body:
        body["dndSettings"] = {_camel(channel): setting for channel, setting in body["dndSettings"].items()}
    return body


def as_written(contact, v3=False):
    """What PUT and upsert answer."""
    return by_id(contact, v3) | {"followers": contact["followers"]}


def as_created(contact):
    """What POST /contacts/ answers: other fields than by id."""
    body = by_id(contact)
    for name in ("additionalEmails", "additionalPhones", "followers", "phoneLabel", "timezone"):
        body.pop(name, None)
    body.update(
        deleted=False,
        bounceEmail=False,
        unsubscribeEmail=False,
        validEmail=None,
        validEmailDate=None,
        lastSessionActivityAt=iso(contact["dateAdded"]),
        lastUpdatedBy=signed(contact["lastUpdatedBy"]),
    )
    if contact.get("dateOfBirth"):
        _, month, day = contact["dateOfBirth"].split("-")
        body.update(birthMonth=int(month), birthDay=int(day))
    return body


def search_row(contact, location, sort_values):
    """Empty fields are null here; the name, company and business are lower-cased; the birthday is epoch ms."""
    take = contact.get
    business = location.businesses.get(take("businessId"))
    return {
        "id": contact["id"],
        "phoneLabel": take("phoneLabel"),
        "country": take("country"),
        "address": take("address1"),
        "source": take("source"),
        "type": take("type"),
        "locationId": contact["locationId"],
        "website": take("website"),
        "dnd": take("dnd", False),
        "dndSettings": take("dndSettings") or {},
        "inboundDndSettings": take("inboundDndSettings") or {},
        "state": take("state"),
        "businessName": lower(business["name"]) if business else None,
        "businessId": take("businessId"),
        "customFields": contact["customFields"],
        "tags": contact["tags"],
        "dateAdded": iso(contact["dateAdded"]),
        "dateUpdated": iso(contact["dateUpdated"]),
        "additionalEmails": contact["additionalEmails"],
        "additionalPhones": contact["additionalPhones"],
        "phone": take("phone"),
        "companyName": lower(take("companyName")),
        "dateOfBirth": parsed_ms(take("dateOfBirth")),
        "firstName": take("firstName"),
        "firstNameLowerCase": lower(take("firstName")),
        "lastName": take("lastName"),
        "lastNameLowerCase": lower(take("lastName")),
        "contactName": full_name(contact).lower() or None,
        "email": take("email"),
        "timezone": take("timezone"),
        "postalCode": take("postalCode"),
        "city": take("city"),
        "assignedTo": take("assignedTo"),
        "followers": take("followers") or [],
        "validEmail": take("validEmail"),
        "attributionSource": take("attributionSource") or {},
        "lastAttributionSource": take("lastAttributionSource") or {},
        "opportunities": [
            {
                "id": one["id"],
                "pipelineId": one["pipelineId"],
                "pipelineStageId": one["pipelineStageId"],
                "monetaryValue": one["monetaryValue"],
                "status": one["status"],
            }
            for one in location.opportunities.of(contact["id"])
        ],
        "searchAfter": [*sort_values, contact["id"]],
    }


def list_row(contact):
    """A row of GET /contacts/ and of a business: as search rows, but with the address under its own names."""
    take = contact.get
    return {
        "id": contact["id"],
        "locationId": contact["locationId"],
        "contactName": full_name(contact).lower() or None,
        "firstName": take("firstName"),
        "lastName": take("lastName"),
        "firstNameRaw": take("firstName"),
        "lastNameRaw": take("lastName"),
        "companyName": take("companyName"),
        "email": take("email"),
        "phone": take("phone"),
        "dnd": take("dnd", False),
        "dndSettings": take("dndSettings") or {},
        "type": take("type"),
        "source": take("source"),
        "assignedTo": take("assignedTo"),
        "address1": take("address1"),
        "city": take("city"),
        "state": take("state"),
        "postalCode": take("postalCode"),
        "country": take("country"),
        "website": take("website"),
        "timezone": take("timezone"),
        "tags": contact["tags"],
        "dateOfBirth": take("dateOfBirth") and take("dateOfBirth") + "T00:00:00.000Z",
        "dateAdded": iso(contact["dateAdded"]),
        "dateUpdated": iso(contact["dateUpdated"]),
        "customFields": contact["customFields"],
        "businessId": take("businessId"),
        "followers": take("followers") or [],
        "additionalEmails": contact["additionalEmails"],
        "attributions": [take("attributionSource")] if take("attributionSource") else [],
    }


def signed(signature):
    return {**signature, "timestamp": iso(signature["timestamp"])}


def _lower_names(contact):
    names = {
        "emailLowerCase": lower(contact.get("email")),
        "firstNameLowerCase": lower(contact.get("firstName")),
        "lastNameLowerCase": lower(contact.get("lastName")),
        "fullNameLowerCase": full_name(contact).lower(),
    }
    return {name: value for name, value in names.items() if value}


def _camel(channel):
    return channel.lower() if channel.isupper() else channel[0].lower() + channel[1:]
