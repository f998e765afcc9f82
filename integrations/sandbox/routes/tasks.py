"""Tasks of a contact, and the search over all tasks of a location."""

from ..answers import Answer, Created, absent, bad_request
from ..moments import iso, parsed_ms
from ..routing import operation
from ..store import new_id
from ..validation import anything, flag, moment, nullable_text, number, text, texts, validated, whole
from .contacts import READ, WRITE, both_spellings, contact_of

WRITABLE = {
    "title": text(),
    "body": nullable_text(),
    "dueDate": moment(),
    "completed": flag(),
    "assignedTo": nullable_text(),
}
CREATABLE = WRITABLE | {
    "title": text(required=True),
    "dueDate": moment(required=True),
    "completed": flag(required=True),
}
SEARCH = {
    "contactId": texts(),
    "completed": flag(),
    "assignedTo": texts(),
    "query": text(nullable=True),
    "limit": number(),
    "skip": number(),
    "businessId": nullable_text(),
    "searchAfter": anything(nullable=True),
}


def shape(task):
    body = {
        "id": task["id"],
        "title": task["title"],
        "dueDate": iso(task["dueDate"]),
        "completed": task["completed"],
        "contactId": task["contactId"],
    }
    return body | {name: task[name] for name in ("body", "assignedTo") if task.get(name)}


def task_of(call):
    location, contact = contact_of(call)
    task = location.tasks.get(call.captured["task_id"])
    if task is None or task["contactId"] != contact["id"]:
        raise absent("Task", call.captured["task_id"])
    return location, task


@operation("GET", "/contacts/{contact_id}/tasks", READ)
def listed(call):
    location, contact = contact_of(call)
    return Answer({"tasks": [shape(task) for task in location.tasks.of(contact["id"])]})


@operation("POST", "/contacts/{contact_id}/tasks", WRITE)
def create(call):
    location, contact = contact_of(call)
    values = validated(call.body(), CREATABLE)
    values["dueDate"] = parsed_ms(values["dueDate"])
    task = {
        "id": new_id(),
        "contactId": contact["id"],
        "dateAdded": call.now,
        "dateUpdated": call.now,
        **values,
    }
    return Created({"task": shape(location.tasks.put(task))})


@operation("GET", "/contacts/{contact_id}/tasks/{task_id}", READ)
def read(call):
    _, task = task_of(call)
    return Answer({"task": shape(task)})


@operation("PUT", "/contacts/{contact_id}/tasks/{task_id}", WRITE, group="task_write")
def edit(call):
    location, task = task_of(call)
    values = validated(call.body(), WRITABLE)
    if "dueDate" in values:
        values["dueDate"] = parsed_ms(values["dueDate"])
    return Answer({"task": shape(location.tasks.change(task["id"], dateUpdated=call.now, **values))})


@operation("PUT", "/contacts/{contact_id}/tasks/{task_id}/completed", WRITE, group="task_write")
def complete(call):
    location, task = task_of(call)
    values = validated(call.body(), {"completed": flag(required=True)})
    return Answer({"task": shape(location.tasks.change(task["id"], dateUpdated=call.now, **values))})


@operation("DELETE", "/contacts/{contact_id}/tasks/{task_id}", WRITE, group="task_write")
def delete(call):
    location, task = task_of(call)
    location.tasks.remove(task["id"])
    return both_spellings()


@operation("POST", "/locations/{location_id}/tasks/search", "locations/tasks.readonly", group="search")
def search_tasks(call):
    location = call.enter(call.captured["location_id"])
    body = validated(call.json or {}, SEARCH)
    limit = whole("limit", body.get("limit", 25), 1, 500)
    skip = whole("skip", body.get("skip", 0), 0)
    wanted = [task for task in _newest_first(location) if _is_wanted(task, body, location)]
    cursor = body.get("searchAfter")
    if cursor:
        skip = _place_after(wanted, cursor)
    # No total, and 201 where the file says 200: both as observed.
    return Answer({"tasks": [row(task, location) for task in wanted[skip : skip + limit]]}, 201)


def row(task, location):
    contact = location.contacts.get(task["contactId"]) or {}
    user = location.users.get(task.get("assignedTo"))
    state = "completed" if task["completed"] else "to_do"
    body = {
        "_id": task["id"],
        "title": task["title"],
        "body": task.get("body"),
        "dueDate": iso(task["dueDate"]),
        "completed": task["completed"],
        "contactId": task["contactId"],
        "locationId": location.id,
        "dateAdded": iso(task["dateAdded"]),
        "dateUpdated": iso(task["dateUpdated"]),
        "updatedAt": iso(task["dateUpdated"]),
        "deleted": False,
        "status": state,
        "statusGroup": state,
        "contactDetails": {
            "_id": task["contactId"],
            "firstName": contact.get("firstName"),
            "lastName": contact.get("lastName"),
        },
        "searchAfter": [task["dateAdded"], task["id"]],
    }
    if user:
        body["assignedTo"] = user["id"]
        body["assignedToUserDetails"] = {
            "id": user["id"],
            "firstName": user["firstName"],
            "lastName": user["lastName"],
            "profilePhoto": user.get("profilePhoto"),
        }
    elif task.get("assignedTo"):
        body["assignedTo"] = task["assignedTo"]
    return body


def _newest_first(location):
    visible = location.task_index.visible()
    return location.task_index.remembered(
        "newest first", lambda: sorted(visible.values(), key=lambda task: (-task["dateAdded"], task["id"]))
    )


def _is_wanted(task, body, location):
    if "completed" in body and task["completed"] != body["completed"]:
        return False
    if body.get("contactId") and task["contactId"] not in body["contactId"]:
        return False
    if body.get("assignedTo") and task.get("assignedTo") not in body["assignedTo"]:
        return False
    if body.get("query") and body["query"].lower() not in f"{task['title']} {task.get('body') or ''}".lower():
        return False
    if body.get("businessId"):
        contact = location.contacts.get(task["contactId"]) or {}
        return contact.get("businessId") == body["businessId"]
    return True


def _place_after(tasks, cursor):
    if not isinstance(cursor, list) or len(cursor) != 2 or not isinstance(cursor[0], int | float):
        raise bad_request("Invalid searchAfter")
    mark = (-cursor[0], str(cursor[1]))
    low, high = 0, len(tasks)
    while low < high:
        middle = (low + high) // 2
        if (-tasks[middle]["dateAdded"], tasks[middle]["id"]) > mark:
            high = middle
        else:
            low = middle + 1
    return low
