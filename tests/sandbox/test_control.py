def test_the_log_knows_who_asked_what_and_what_came_of_it(account):
    account.use(account.known["private_integration_token"])
    account.get(f"/contacts/{account.contact}")
    account.post(f"/contacts/{account.contact}/notes", {"body": "one"})
    account.post(f"/contacts/{account.contact}/notes", {"body": "one"})
    account.ask("POST", f"/contacts/{account.contact}/notes", {})
    read, first, second, refused = account.log()
    assert (read["method"], read["token_kind"], read["status"], read["committed"]) == ("GET", "private", 200, False)
    assert (first["operation"], first["location"]) == ("POST /contacts/{}/notes", account.location)
    assert first["committed"] and second["committed"] and first["key"] == second["key"] != refused["key"]
    assert (refused["status"], refused["committed"]) == (422, False)
    assert [entry["index"] for entry in account.log(since=first["index"])] == [3, 4]
    assert len(account.log(path="/notes$")) == 3


def test_state_counts_and_shows_records(account):
    state = account.control("GET", "state")
    assert (state["contacts"], state["notes"], state["tasks"], state["appointments"]) == (60, 90, 60, 30)
    made = account.post(f"/contacts/{account.contact}/notes", {"body": "seen"})["note"]
    shown = account.control("GET", "state", kind="notes", id=made["id"])
    assert shown["records"][0]["body"] == "seen"
    of_contact = account.control("GET", "state", kind="notes", contact_id=account.contact)
    assert made["id"] in {note["id"] for note in of_contact["records"]}
    assert account.control("GET", "state", kind="contacts", id="absent")["count"] == 0


def test_someone_at_work_inside_ghl(account):
    def edit(kind, action, record_id=None, **values):
        body = {"kind": kind, "action": action, "id": record_id, "values": values}
        return account.control("POST", "edit", body)["record"]

    before = account.get(f"/contacts/{account.contact}")["contact"]
    edit("contact", "update", account.contact, firstName="Changed")
    after = account.get(f"/contacts/{account.contact}")["contact"]
    assert after["firstName"] == "Changed" and after["dateUpdated"] > before["dateUpdated"]
    note = edit("note", "create", contactId=account.contact, body="<b>typed</b>")
    assert edit("note", "update", note["id"], body="again")["body"] == "again"
    task = edit("task", "create", contactId=account.contact, title="Ring", dueDate="2026-12-01T10:00:00Z")
    assert edit("task", "update", task["id"], completed=True)["completed"] is True
    booked = edit("appointment", "create", contactId=account.contact, startTime="2026-12-01T10:00:00-06:00")
    assert edit("appointment", "update", booked["id"], appointmentStatus="showed")["appointmentStatus"] == "showed"
    for kind, record in (("note", note), ("task", task), ("appointment", booked)):
        edit(kind, "delete", record["id"])
    made = edit("contact", "create", firstName="Walk-in", additionalEmails=[{"email": "b@x.example"}])
    assert made["additionalEmails"] == [{"email": "b@x.example"}]
    edit("contact", "delete", made["id"])
    assert account.ask("GET", f"/contacts/{made['id']}").status_code == 400
    assert account.log()[-1]["path"] == f"/contacts/{made['id']}", "the control plane is not in the log"


def test_a_reset_forgets_changes_and_settings(account):
    account.settings(rate=1)
    account.create(firstName="Temp")
    account.reset(contacts=10)
    assert account.control("GET", "state")["contacts"] == 10
    assert account.control("GET", "settings")["rate"] == 0
    assert account.log() == []


def test_credentials_come_with_a_fresh_code_each_time(account):
    again = account.control("GET", "credentials")
    assert again["code"] != account.known["code"]
    assert again["client_id"] == account.known["client_id"]
    other = account.control("GET", "credentials", location_id=again["location_ids"][1])
    tokens = account.token(grant_type="authorization_code", code=other["code"]).json()
    assert tokens["locationId"] == again["location_ids"][1]
    account.use(other["location_access_token"])
    assert account.ask("GET", f"/contacts/{other['contact_id']}").ok


def test_even_someone_inside_ghl_makes_no_duplicate(account):
    account.create(email="twin@x.example")
    body = {"kind": "contact", "action": "create", "values": {"email": "twin@x.example"}}
    answer = account.http.post(f"{account.base}/__sandbox__/edit", json=body, timeout=10)
    assert answer.status_code == 400 and "duplicated" in answer.json()["answer"]["message"]


def test_the_state_can_be_asked_for_one_location(account):
    other = account.known["location_ids"][1]
    assert account.control("GET", "state", kind="contacts", location_id=other)["count"] == 40
    assert account.control("GET", "state", kind="contacts")["count"] == 100
