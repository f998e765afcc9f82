import pytest

TASK = {"title": "Call", "dueDate": "2026-12-01T10:00:00Z", "completed": False}


def test_notes_keep_their_html(account):
    path = f"/contacts/{account.contact}/notes"
    made = account.post(path, {"body": "<p>Hi <b>you</b></p><script>x</script>"})["note"]
    assert made["body"] == "<p>Hi <b>you</b></p><script>x</script>"
    assert "<" not in made["bodyText"] and made["userId"] is None and made["pinned"] is False
    edited = account.put(f"{path}/{made['id']}", {"title": "T", "color": "#fff", "pinned": True})["note"]
    assert (edited["title"], edited["pinned"], edited["dateAdded"]) == ("T", True, made["dateAdded"])
    assert account.get(f"{path}/{made['id']}")["note"] == edited
    assert account.get(path)["notes"][0] == edited, "newest first"
    assert account.delete(f"{path}/{made['id']}")["succeded"]
    assert account.ask("GET", f"{path}/{made['id']}").status_code == 400


def test_a_note_needs_words(account):
    answer = account.ask("POST", f"/contacts/{account.contact}/notes", {"userId": "x", "text": "y"})
    assert answer.json()["message"] == [
        "property text should not exist",
        "body should not be empty",
        "body must be a string",
    ]


def test_tasks_live_through_their_verbs(account):
    path = f"/contacts/{account.contact}/tasks"
    made = account.post(path, TASK)["task"]
    assert made["dueDate"] == "2026-12-01T10:00:00.000Z" and "assignedTo" not in made
    changed = account.put(f"{path}/{made['id']}", {"assignedTo": account.known["user_id"], "body": "b"})["task"]
    assert changed["assignedTo"] == account.known["user_id"]
    assert "assignedTo" not in account.put(f"{path}/{made['id']}", {"assignedTo": None})["task"]
    assert account.put(f"{path}/{made['id']}/completed", {"completed": True})["task"]["completed"] is True
    assert account.ask("PUT", f"{path}/{made['id']}/completed", {}).status_code == 422
    assert made["id"] in {task["id"] for task in account.get(path)["tasks"]}
    assert account.delete(f"{path}/{made['id']}")["succeeded"]
    assert account.ask("GET", f"{path}/{made['id']}").status_code == 400


@pytest.mark.parametrize("missing", ["title", "dueDate", "completed"])
def test_a_task_needs_title_due_date_and_state(account, missing):
    body = {name: value for name, value in TASK.items() if name != missing}
    answer = account.ask("POST", f"/contacts/{account.contact}/tasks", body)
    assert answer.status_code == 422 and answer.json()["message"][0] == f"{missing} should not be empty"


def test_a_due_date_must_be_iso(account):
    answer = account.ask("POST", f"/contacts/{account.contact}/tasks", {**TASK, "dueDate": "tomorrow"})
    assert answer.json()["message"] == ["dueDate must be a valid ISO 8601 date string"]


def test_all_tasks_of_a_location_come_in_pages(account):
    path, rows, cursor = f"/locations/{account.location}/tasks/search", [], None
    while True:
        answer = account.ask("POST", path, {"limit": 25, **({"searchAfter": cursor} if cursor else {})})
        assert answer.status_code == 201 and "total" not in answer.json()
        page = answer.json()["tasks"]
        rows += page
        if len(page) < 25:
            break
        cursor = page[-1]["searchAfter"]
    assert len({row["_id"] for row in rows}) == 60 == len(rows)
    assert {"contactDetails", "dateUpdated", "updatedAt", "deleted", "statusGroup", "locationId"} <= set(rows[0])
    assert "id" not in rows[0]
    skipped = account.post(path, {"limit": 25, "skip": 25})["tasks"]
    assert skipped == rows[25:50]


def test_tasks_can_be_narrowed(account):
    path = f"/locations/{account.location}/tasks/search"
    done = account.post(path, {"completed": True, "limit": 500})["tasks"]
    assert done and all(row["completed"] and row["status"] == "completed" for row in done)
    mine = account.post(path, {"assignedTo": [account.known["user_id"]], "limit": 500})["tasks"]
    assert mine and {row["assignedToUserDetails"]["id"] for row in mine} == {account.known["user_id"]}
    made = account.post(f"/contacts/{account.contact}/tasks", {**TASK, "title": "Zebra"})["task"]
    assert [row["_id"] for row in account.post(path, {"query": "zebra"})["tasks"]] == [made["id"]]
    assert account.ask("POST", path, {"limit": 501}).status_code == 422


def test_deleting_a_contact_takes_notes_and_tasks_along(account):
    made = account.create(firstName="Gone")
    account.post(f"/contacts/{made['id']}/tasks", {**TASK, "title": "Orphan"})
    account.delete(f"/contacts/{made['id']}")
    assert account.post(f"/locations/{account.location}/tasks/search", {"query": "orphan"})["tasks"] == []
    assert account.control("GET", "state", kind="notes", contact_id=made["id"])["count"] == 0
