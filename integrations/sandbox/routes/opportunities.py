"""Opportunities: enough to search them and to read one; the board itself is not the sandbox's business."""

from ..answers import Answer, absent, bad_request
from ..contact_shapes import full_name
from ..moments import iso
from ..routing import operation
from ..validation import anything, mapping, number, query_number, query_text, rows, text, validated, whole
from . import notes, tasks
from .appointments import event

READ = "opportunities.readonly"
BODY = {
    "locationId": text(required=True),
    "query": text(nullable=True),
    "limit": number(),
    "page": number(),
    "searchAfter": anything(nullable=True),
    "filters": rows(),
    "sort": rows(),
    "additionalDetails": mapping(),
}


def shape(one, location):
    contact = location.contacts.get(one["contactId"]) or {"tags": []}
    return {
        **{name: value for name, value in one.items() if name not in ("createdAt", "updatedAt")},
        "createdAt": iso(one["createdAt"]),
        "updatedAt": iso(one["updatedAt"]),
        "lastStatusChangeAt": iso(one["updatedAt"]),
        "lastStageChangeAt": iso(one["updatedAt"]),
        "locationId": location.id,
        "contact": {
            "id": one["contactId"],
            "name": full_name(contact) or None,
            "companyName": contact.get("companyName"),
            "email": contact.get("email"),
            "phone": contact.get("phone"),
            "tags": contact["tags"],
        },
        "customFields": [],
        "followers": [],
        "sort": [one["createdAt"], one["id"]],
    }


@operation("POST", "/opportunities/search", READ, group="search")
def search(call):
    location = call.enter(call.body().get("locationId"))
    body = validated(call.body(), BODY)
    limit = whole("limit", body.get("limit", 20), 1, 500)
    every = _newest_first(location)
    if body.get("query"):
        every = [one for one in every if body["query"].lower() in one["name"].lower()]
    cursor = body.get("searchAfter")
    page = whole("page", body.get("page", 1), 1)
    first = _place_after(every, cursor) if cursor else (page - 1) * limit
    more = body.get("additionalDetails") or {}
    wanted = {
        "notes": more.get("notes"),
        "tasks": more.get("tasks"),
        "calendarEvents": more.get("calendarEvents"),
    }
    found = [_detailed(one, location, wanted) for one in every[first : first + limit]]
    return Answer({"opportunities": found, "total": len(every), "aggregations": {}}, 201)


@operation("GET", "/opportunities/search", READ, group="search")
def search_by_query(call):
    location = call.enter(query_text(call.query, "locationId" if call.is_v3 else "location_id"))
    limit = query_number(call.query, "limit", 20, 1, 100)
    contact_id = call.query.get("contactId" if call.is_v3 else "contact_id")
    every = [one for one in _newest_first(location) if contact_id in (None, one["contactId"])]
    after, after_id = query_number(call.query, "startAfter", None), call.query.get("startAfterId")
    page_number = query_number(call.query, "page", 1, 1)
    first = _place_after(every, [after, after_id]) if after is not None and after_id else (page_number - 1) * limit
    flags = {"notes": "getNotes", "tasks": "getTasks", "calendarEvents": "getCalendarEvents"}
    wanted = {name: call.query.get(parameter) == "true" for name, parameter in flags.items()}
    page = every[first : first + limit]
    meta = {
        "total": len(every),
        "startAfter": page[-1]["createdAt"] if page else None,
        "startAfterId": page[-1]["id"] if page else None,
        "currentPage": first // limit + 1,
        "nextPage": first // limit + 2 if first + limit < len(every) else None,
        "prevPage": first // limit or None,
    }
    return Answer(
        {
            "opportunities": [_detailed(one, location, wanted) for one in page],
            "meta": meta,
            "aggregations": {},
        }
    )


@operation("GET", "/opportunities/pipelines", READ)
def pipelines(call):
    return Answer({"pipelines": call.enter(query_text(call.query, "locationId")).pipelines})


@operation("GET", "/opportunities/{opportunity_id}", READ)
def read(call):
    opportunity_id = call.captured["opportunity_id"]
    location = call.home_of("opportunities", opportunity_id)
    one = location.opportunities.get(opportunity_id)
    if one is None:
        raise absent("Opportunity", opportunity_id)
    return Answer({"opportunity": shape(one, location)})


def _newest_first(location):
    return sorted(location.opportunities, key=lambda one: (-one["createdAt"], one["id"]))


def _place_after(every, cursor):
    try:
        mark = (-int(cursor[0]), str(cursor[1]))
    except (TypeError, ValueError, IndexError):
        raise bad_request("Invalid searchAfter") from None
    return sum((-one["createdAt"], one["id"]) <= mark for one in every)


def _detailed(one, location, wanted):
    """The contact's notes, tasks and events, not only those of the opportunity."""
    body, contact_id = shape(one, location), one["contactId"]
    if wanted["notes"]:
        body["notes"] = [notes.shape(note) for note in location.notes.of(contact_id)]
    if wanted["tasks"]:
        body["tasks"] = [tasks.shape(task) for task in location.tasks.of(contact_id)]
    if wanted["calendarEvents"]:
        living = [entry for entry in location.appointments.of(contact_id) if not entry.get("deleted")]
        body["calendarEvents"] = [event(entry, location) for entry in living]
    return body
