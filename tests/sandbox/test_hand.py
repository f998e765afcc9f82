"""Somebody at work inside GHL: many edits at once, with dates of their choosing, and what the app is told."""

from .test_webhooks import mailbox, next_one, settled  # noqa: F401  the fixture


def edits(account, *every, **each):
    return account.control("POST", "edit", {"edits": list(every), "each": each})


def one(account, kind, action, record_id=None, **values):
    body = {"kind": kind, "action": action, "id": record_id, "values": values}
    return account.control("POST", "edit", body)["record"]


def test_many_edits_go_in_one_call(account):
    made = edits(
        account,
        *({"values": {"firstName": f"Ana {number}", "email": f"ana{number}@x.example"}} for number in range(500)),
        kind="contact",
        action="create",
    )
    assert made["failed"] == 0 and len(made["results"]) == 500
    assert account.control("GET", "state")["contacts"] == 560
    gone = edits(account, *({"id": result["id"]} for result in made["results"]), kind="contact", action="delete")
    assert gone["failed"] == 0 and account.control("GET", "state")["contacts"] == 60


def test_an_edit_that_fails_says_so_and_the_others_go_on(account):
    answer = edits(
        account,
        {"kind": "note", "action": "create", "values": {"contactId": "absent", "body": "x"}},
        {"kind": "note", "action": "create", "values": {"contactId": account.contact, "body": "y"}},
        {"kind": "house", "action": "create"},
        {"kind": "contact", "action": "paint", "id": account.contact},
    )
    assert answer["failed"] == 3 and "absent" in answer["results"][0]["error"]
    assert answer["results"][1]["id"]


def test_contacts_may_share_a_second_and_lack_a_date_of_change(account):
    second = "2026-05-05T05:05:05.000Z"
    for number in range(5):
        one(account, "contact", "create", firstName=f"Same {number}", dateAdded=second, dateUpdated=second)
    null = one(account, "contact", "create", firstName="Dateless", dateUpdated=None)
    same = [row for row in account.search()["contacts"] if row["dateUpdated"] == second]
    assert len(same) == 5 and {row["dateAdded"] for row in same} == {second}
    assert "dateUpdated" not in account.get(f"/contacts/{null['id']}")["contact"]
    row = account.search(query="Dateless")["contacts"][0]
    assert row["dateUpdated"] is None
    oldest_first = account.search(sort=[{"field": "dateUpdated", "direction": "asc"}])["contacts"]
    assert oldest_first[-1]["id"] == null["id"]
    bounds = {"gte": second, "lte": second}
    found = account.search(filters=[{"field": "dateUpdated", "operator": "range", "value": bounds}])
    assert found["total"] == 5


def test_pages_go_on_over_records_of_one_instant(account):
    for number in range(7):
        one(account, "contact", "create", firstName=f"Same {number}", dateUpdated="2026-05-05T05:05:05.000Z")
    one(account, "contact", "create", firstName="Dateless", dateUpdated=None)
    cursor, seen = None, []
    while True:
        more = {"searchAfter": cursor} if cursor else {}
        rows = account.search(pageLimit=3, sort=[{"field": "dateUpdated", "direction": "desc"}], **more)["contacts"]
        if not rows:
            break
        seen += [row["id"] for row in rows]
        cursor = rows[-1]["searchAfter"]
    assert len(seen) == len(set(seen)) == 68


def test_a_merge_takes_the_loser_away_and_moves_what_hung_on_it(account):
    winner = account.contact
    loser = account.create(firstName="Double", email="double@x.example", tags=["kept"], website="https://x.example")
    note = account.post(f"/contacts/{loser['id']}/notes", {"body": "moves"})["note"]["id"]
    body = {"title": "moves", "dueDate": "2026-12-01T10:00:00Z", "completed": False}
    task = account.post(f"/contacts/{loser['id']}/tasks", body)["task"]["id"]
    account.control("POST", "edit", {"kind": "contact", "action": "merge", "id": loser["id"], "into": winner})
    gone = account.ask("GET", f"/contacts/{loser['id']}")
    assert (gone.status_code, gone.json()["message"]) == (400, f"Contact not found for id:{loser['id']}")
    assert account.get(f"/contacts/{winner}/notes/{note}")["note"]["contactId"] == winner
    assert task in {one["id"] for one in account.get(f"/contacts/{winner}/tasks")["tasks"]}
    assert "kept" in account.get(f"/contacts/{winner}")["contact"]["tags"]
    assert loser["id"] not in {row["id"] for row in account.search()["contacts"]}


def test_a_merge_is_told_as_one_contact_gone(account, mailbox):  # noqa: F811
    loser = account.create(firstName="Double")
    account.post(f"/contacts/{loser['id']}/notes", {"body": "moves"})
    account.settings(webhook_url=mailbox.url)
    account.control("POST", "edit", {"kind": "contact", "action": "merge", "id": loser["id"], "into": account.contact})
    told = [(hook["type"], hook["id"]) for hook in settled(account)["deliveries"]]
    assert ("ContactDelete", loser["id"]) in told
    assert not any(kind.startswith(("Note", "Task")) for kind, _ in told)


def test_users_come_and_go_and_only_their_coming_is_told(account, mailbox):  # noqa: F811
    account.settings(webhook_url=mailbox.url)
    made = one(account, "user", "create", firstName="Uma", lastName="Nair", email="uma@x.example", role="admin")
    told = next_one(mailbox)
    assert (told["type"], told["id"], told["role"]) == ("UserCreate", made["id"], "admin")
    assert told["locationId"] == account.location and isinstance(told["permissions"], dict)
    changed = one(account, "user", "update", made["id"], lastName="Rao")
    assert (changed["name"], changed["roles"]["role"]) == ("Uma Rao", "admin")
    one(account, "user", "delete", made["id"])
    assert made["id"] not in {user["id"] for user in account.get("/users/", locationId=account.location)["users"]}
    assert [hook["type"] for hook in settled(account)["deliveries"]] == ["UserCreate"]


def test_user_events_nobody_documents_can_be_asked_for(account, mailbox):  # noqa: F811
    account.settings(webhook_url=mailbox.url, undocumented_webhooks=True)
    one(account, "user", "update", account.known["user_id"], phone="+13125550111")
    one(account, "user", "delete", account.known["user_id"])
    assert [hook["type"] for hook in settled(account)["deliveries"]] == ["UserUpdate", "UserDelete"]


def test_a_location_changes_and_is_told_of_by_its_id(account, mailbox):  # noqa: F811
    account.settings(webhook_url=mailbox.url)
    one(account, "location", "update", account.location, name="Renamed", timezone="Europe/Oslo",
        settings={"allowDuplicateContact": True})  # fmt: skip
    told = next_one(mailbox)
    assert (told["type"], told["id"], told["name"]) == ("LocationUpdate", account.location, "Renamed")
    assert "locationId" not in told and told["companyId"] == account.known["company_id"]
    shown = account.get(f"/locations/{account.location}")["location"]
    assert shown["timezone"] == "Europe/Oslo" and shown["settings"]["allowDuplicateContact"] is True
    assert shown["settings"]["contactUniqueIdentifiers"] == ["email", "phone"], "the other settings stay"


def test_a_location_is_added(account, mailbox):  # noqa: F811
    account.settings(webhook_url=mailbox.url)
    made = one(account, "location", "create", name="Third Place", contacts=12)
    assert next_one(mailbox)["type"] == "LocationCreate"
    account.use(account.control("GET", "credentials", location_id=made["id"])["private_integration_token"])
    assert account.post("/contacts/search", {"locationId": made["id"], "pageLimit": 50})["total"] == 12
    one(account, "contact", "create", locationId=made["id"], firstName="Nia")
    assert settled(account)["deliveries"][-1]["locationId"] == made["id"]


def test_a_tag_renamed_or_taken_away_changes_on_its_contacts(account):
    account.put(f"/contacts/{account.contact}", {"tags": ["old name", "other"]})
    tag = next(one for one in account.get(f"/locations/{account.location}/tags")["tags"] if one["name"] == "old name")
    one(account, "tag", "update", tag["id"], name="New Name")
    assert account.get(f"/contacts/{account.contact}")["contact"]["tags"] == ["new name", "other"]
    one(account, "tag", "delete", tag["id"])
    assert account.get(f"/contacts/{account.contact}")["contact"]["tags"] == ["other"]


def test_a_custom_field_is_added_renamed_and_taken_from_its_contacts(account):
    field = one(account, "custom_field", "create", name="Roof age", dataType="NUMERICAL")
    account.put(f"/contacts/{account.contact}", {"customFields": [{"id": field["id"], "field_value": 12}]})
    assert one(account, "custom_field", "update", field["id"], name="Age")["name"] == "Age"
    one(account, "custom_field", "delete", field["id"])
    values = account.get(f"/contacts/{account.contact}")["contact"].get("customFields", [])
    assert field["id"] not in {value["id"] for value in values}


def test_tasks_and_appointments_may_lack_a_date_of_change(account):
    task = one(account, "task", "create", contactId=account.contact, title="x", dateUpdated=None)
    rows = account.post(f"/locations/{account.location}/tasks/search", {"limit": 500})["tasks"]
    assert next(row for row in rows if row["_id"] == task["id"])["dateUpdated"] is None
    booked = one(account, "appointment", "create", contactId=account.contact, dateUpdated=None)
    shown = account.get(f"/calendars/events/appointments/{booked['id']}")["appointment"]
    assert "dateUpdated" not in shown
    assert account.get(f"/contacts/{account.contact}/appointments")["events"]


def test_an_edit_can_be_silent(account, mailbox):  # noqa: F811
    account.settings(webhook_url=mailbox.url)
    body = {"kind": "contact", "action": "update", "id": account.contact, "values": {"city": "Quiet"}, "silent": True}
    account.control("POST", "edit", body)
    one(account, "contact", "update", account.contact, city="Loud")
    assert [hook["type"] for hook in settled(account)["deliveries"]] == ["ContactUpdate"]
