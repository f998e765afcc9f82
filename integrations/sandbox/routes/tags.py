"""The tag dictionary of a location."""

from ..answers import Answer, absent, bad_request
from ..contacts import tidy_tags
from ..routing import operation
from ..store import new_id
from ..validation import text, validated

READ, WRITE = "locations/tags.readonly", "locations/tags.write"


def tag_of(call):
    location = call.enter(call.captured["location_id"])
    tag = location.tags.get(call.captured["tag_id"])
    if tag is None:
        raise absent("Tag", call.captured["tag_id"])
    return location, tag


@operation("GET", "/locations/{location_id}/tags", READ)
def listed(call):
    location = call.enter(call.captured["location_id"])
    return Answer({"tags": list(location.tags)})


@operation("POST", "/locations/{location_id}/tags", WRITE)
def create(call):
    location = call.enter(call.captured["location_id"])
    name = _free_name(call, location)
    # A create the file itself gives as 200, like that of a calendar.
    return Answer({"tag": location.tags.put({"id": new_id(), "name": name, "locationId": location.id})})


@operation("GET", "/locations/{location_id}/tags/{tag_id}", READ)
def read(call):
    _, tag = tag_of(call)
    return Answer({"tag": tag})


@operation("PUT", "/locations/{location_id}/tags/{tag_id}", WRITE)
def rename(call):
    location, tag = tag_of(call)
    name = _free_name(call, location)
    _replace_on_contacts(call, location, tag["name"], name)
    return Answer({"tag": location.tags.change(tag["id"], name=name)})


@operation("DELETE", "/locations/{location_id}/tags/{tag_id}", WRITE)
def delete(call):
    location, tag = tag_of(call)
    _replace_on_contacts(call, location, tag["name"], None)
    location.tags.remove(tag["id"])
    return Answer({"succeded": True})


def _free_name(call, location):
    given = validated(call.body(), {"name": text(required=True)})["name"]
    names = tidy_tags([given])
    if not names or any(tag["name"] == names[0] for tag in location.tags):
        raise bad_request("The tag name is already exist.")
    return names[0]


def _replace_on_contacts(call, location, old, new):
    for contact in list(location.contacts):
        if old in contact["tags"]:
            tags = [new if name == old else name for name in contact["tags"]]
            location.contacts.change(contact["id"], tags=[name for name in tags if name], dateUpdated=call.now)
