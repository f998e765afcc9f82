"""One contact: read, create, edit, delete, upsert, and the small things hung on it."""

import re

from .. import contacts
from ..answers import Answer, Created, absent, bad_request
from ..contact_shapes import as_created, as_written, by_id
from ..routing import OLD, V3, operation
from ..validation import moment, texts, validated

READ, WRITE = "contacts.readonly", "contacts.write"
LOOKS_LIKE_AN_ID = re.compile(r"[A-Za-z0-9]{15,32}")


def contact_of(call):
    """(location, contact), for every path below /contacts/{contact_id}."""
    contact_id = call.captured["contact_id"]
    location = call.home_of("contacts", contact_id)
    contact = location.contacts.get(contact_id)
    if contact is None:
        if not LOOKS_LIKE_AN_ID.fullmatch(contact_id):
            raise bad_request(f"Contact with id {contact_id} not found")
        raise absent("Contact", contact_id)
    return location, contact


def both_spellings(**more):
    return Answer({"succeded": True, "succeeded": True, **more})


@operation("GET", "/contacts/{contact_id}", READ)
def read(call):
    _, contact = contact_of(call)
    return Answer({"contact": by_id(contact, call.is_v3)})


@operation("POST", "/contacts/", WRITE)
def create(call):
    call.enter(call.body().get("locationId"))
    values = validated(call.body(), contacts.CREATABLE)
    contact = contacts.created(call.location, values, call.signature())
    return Created({"contact": by_id(contact, v3=True) if call.is_v3 else as_created(contact)})


@operation("PUT", "/contacts/{contact_id}", WRITE)
def edit(call):
    location, contact = contact_of(call)
    values = validated(call.body(), contacts.WRITABLE)
    after = contacts.edited(location, contact, values, call.signature())
    body = {"succeeded": True, "contact": as_written(after, call.is_v3)}
    return Answer(body if call.is_v3 else {"succeded": True, **body})


@operation("DELETE", "/contacts/{contact_id}", WRITE)
def delete(call):
    location, contact = contact_of(call)
    location.forget_contact(contact["id"])
    return both_spellings()


@operation("POST", "/contacts/upsert", WRITE)
def upsert(call):
    location = call.enter(call.body().get("locationId"))
    values = validated(call.body(), contacts.UPSERTABLE)
    may_double = values.pop("createNewIfDuplicateAllowed", False) and location.settings["allowDuplicateContact"]
    tidy = contacts.tidy(location, values)
    if not tidy.get("email") and not tidy.get("phone"):
        raise bad_request("Either email or phone is required to upsert a contact")
    twin, _ = location.duplicate_of(tidy.get("email"), tidy.get("phone"))
    if twin is None or may_double:
        contact = contacts.created(location, values, call.signature())
        return both_spellings(new=True, contact=as_written(contact, call.is_v3))
    values.pop("locationId")
    if twin is not location.duplicate_of(phone=tidy.get("phone"))[0]:
        # The first identifier decided. The other one stays out of it when it belongs to somebody else.
        other = location.duplicate_of(phone=tidy.get("phone"))[0]
        if other is not None:
            values.pop("phone", None)
    elif location.duplicate_of(email=tidy.get("email"))[0] not in (None, twin):
        values.pop("email", None)
    contact = contacts.edited(location, twin, values, call.signature())
    return both_spellings(new=False, contact=as_written(contact, call.is_v3))


@operation("POST", "/contacts/{contact_id}/tags", WRITE)
def add_tags(call):
    location, contact = contact_of(call)
    given = contacts.tidy_tags(validated(call.body(), {"tags": texts(required=True)})["tags"])
    added = [name for name in given if name not in contact["tags"]]
    tags = contact["tags"] + added
    if added:
        location.know_tags(added)
        touched(call, location, contact, tags=tags)
    return Created({"tags": tags, "tagsAdded": added})


@operation("DELETE", "/contacts/{contact_id}/tags", WRITE)
def remove_tags(call):
    location, contact = contact_of(call)
    given = contacts.tidy_tags(validated(call.body(), {"tags": texts(required=True)})["tags"])
    removed = [name for name in contact["tags"] if name in given]
    tags = [name for name in contact["tags"] if name not in given]
    if removed:
        touched(call, location, contact, tags=tags)
    return Answer({"tags": tags, "tagsRemoved": removed})


@operation("POST", "/contacts/{contact_id}/followers", WRITE)
def add_followers(call):
    location, contact = contact_of(call)
    given = validated(call.body(), {"followers": texts(required=True)})["followers"]
    added = [user_id for user_id in given if user_id not in contact["followers"]]
    followers = contact["followers"] + added
    if added:
        touched(call, location, contact, followers=followers)
    return Created({"followers": followers, "followersAdded": added})


@operation("DELETE", "/contacts/{contact_id}/followers", WRITE)
def remove_followers(call):
    location, contact = contact_of(call)
    given = validated(call.body(), {"followers": texts(required=True)})["followers"]
    removed = [user_id for user_id in contact["followers"] if user_id in given]
    followers = [user_id for user_id in contact["followers"] if user_id not in given]
    if removed:
        touched(call, location, contact, followers=followers)
    return Answer({"followers": followers, "followersRemoved": removed})


@operation("POST", "/contacts/{contact_id}/campaigns/{campaign_id}", WRITE)
def join_campaign(call):
    location, contact = contact_of(call)
    joined = {*contact.get("campaigns", ()), call.captured["campaign_id"]}
    touched(call, location, contact, campaigns=sorted(joined))
    return Created({"succeded": True, "succeeded": True})


@operation("DELETE", "/contacts/{contact_id}/campaigns/{campaign_id}", WRITE)
def leave_campaign(call):
    location, contact = contact_of(call)
    joined = {*contact.get("campaigns", ())} - {call.captured["campaign_id"]}
    touched(call, location, contact, campaigns=sorted(joined))
    return both_spellings()


@operation("DELETE", "/contacts/{contact_id}/campaigns/removeAll", WRITE, versions=OLD)
@operation("DELETE", "/contacts/{contact_id}/campaigns/remove-all", WRITE, versions=V3)
def leave_all_campaigns(call):
    location, contact = contact_of(call)
    touched(call, location, contact, campaigns=[])
    return both_spellings()


@operation("POST", "/contacts/{contact_id}/workflow/{workflow_id}", WRITE)
def join_workflow(call):
    location, contact = contact_of(call)
    validated(call.json or {}, {"eventStartTime": moment()})
    active = {*contact.get("activeWorkflows", ()), call.captured["workflow_id"]}
    touched(call, location, contact, activeWorkflows=sorted(active))
    return both_spellings()


@operation("DELETE", "/contacts/{contact_id}/workflow/{workflow_id}", WRITE)
def leave_workflow(call):
    location, contact = contact_of(call)
    validated(call.json or {}, {"eventStartTime": moment()})
    active = {*contact.get("activeWorkflows", ())} - {call.captured["workflow_id"]}
    touched(call, location, contact, activeWorkflows=sorted(active))
    return both_spellings()


def touched(call, location, contact, **values):
    signature = call.signature()
    return location.contacts.change(
        contact["id"], dateUpdated=signature["timestamp"], lastUpdatedBy=signature, **values
    )
