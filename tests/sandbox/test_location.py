def test_the_location_names_its_zone_and_rules(account):
    location = account.get(f"/locations/{account.location}")["location"]
    assert location["timezone"] == "America/Chicago"
    assert location["settings"]["allowDuplicateContact"] is False
    assert "America/Chicago" in account.get(f"/locations/{account.location}/timezones")["timeZones"]


def test_users_are_listed_and_searched(account):
    users = account.get("/users/", locationId=account.location)["users"]
    assert len(users) == 5
    found = account.get("/users/search", companyId=account.known["company_id"], query="rosa", limit="5.0")
    assert (found["count"], found["users"][0]["firstName"]) == (1, "Rosalind")
    assert account.get(f"/users/{users[0]['id']}")["roles"]["locationIds"] == [account.location]
    assert account.ask("GET", "/users/search", params={"companyId": "other"}).status_code == 403
    gone = account.ask("GET", "/users/", headers={"Version": "v3"}, params={"locationId": account.location})
    assert gone.status_code == 400


def test_tags_can_be_made_renamed_and_deleted(account):
    path = f"/locations/{account.location}/tags"
    tag = account.post(path, {"name": " Hot Lead "})["tag"]
    assert tag["name"] == "hot lead"
    assert account.ask("POST", path, {"name": "HOT lead"}).status_code == 400
    contact = account.create(firstName="T", tags=["hot lead"])
    account.put(f"{path}/{tag['id']}", {"name": "warm"})
    assert account.get(f"/contacts/{contact['id']}")["contact"]["tags"] == ["warm"]
    account.delete(f"{path}/{tag['id']}")
    assert account.get(f"/contacts/{contact['id']}")["contact"]["tags"] == []


def test_custom_fields_belong_to_a_model(account):
    path = f"/locations/{account.location}/customFields"
    assert len(account.get(path)["customFields"]) == 12
    assert len(account.get(path, model="all")["customFields"]) == 13
    made = account.post(path, {"name": "Dog's name", "dataType": "TEXT"})["customField"]
    assert made["fieldKey"] == "contact.dog_s_name"
    assert account.put(f"{path}/{made['id']}", {"name": "Dog"})["customField"]["name"] == "Dog"
    assert account.ask("POST", path, {"name": "X", "dataType": "NOPE"}).status_code == 422
    assert account.delete(f"{path}/{made['id']}")["succeded"] is True


def test_custom_values_spell_succeeded_right(account):
    path = f"/locations/{account.location}/customValues"
    made = account.post(path, {"name": "Fax", "value": "none"})["customValue"]
    assert made["fieldKey"] == "{{ custom_values.fax }}"
    assert account.delete(f"{path}/{made['id']}")["succeeded"] is True


def test_a_file_can_be_uploaded(account):
    url = f"{account.base}/locations/{account.location}/customFields/upload"
    answer = account.http.post(url, files={"f_1": ("roof.txt", b"shingles")}, headers=account.headers, timeout=10)
    assert answer.json()["meta"][0]["size"] == 8


def test_businesses_answer_under_their_own_spelling(account):
    listed = account.get("/businesses/", locationId=account.location, limit="3", skip="1")["businesses"]
    assert len(listed) == 3
    made = account.post("/businesses/", {"locationId": account.location, "name": "Acme"})
    assert made["success"] is True
    path = f"/businesses/{made['buiseness']['id']}"
    assert account.put(path, {"city": "Gary"})["buiseness"]["city"] == "Gary"
    assert account.get(path)["business"]["name"] == "Acme"
    assert account.delete(path)["success"] is True
    assert account.ask("GET", path).status_code == 400


def test_opportunities_bring_what_the_contact_has(account):
    body = {"locationId": account.location, "limit": 5, "additionalDetails": {"notes": True, "tasks": True}}
    answer = account.ask("POST", "/opportunities/search", body)
    assert answer.status_code == 201 and answer.json()["total"] == 18
    first = answer.json()["opportunities"][0]
    assert len(first["notes"]) == len(account.get(f"/contacts/{first['contactId']}/notes")["notes"])
    seen, cursor = set(), None
    while page := account.post("/opportunities/search", body | ({"searchAfter": cursor} if cursor else {}))[
        "opportunities"
    ]:
        seen |= {one["id"] for one in page}
        cursor = page[-1]["sort"]
    assert len(seen) == 18
    old = account.get("/opportunities/search", location_id=account.location, limit=5, getNotes="true")
    assert old["meta"]["total"] == 18 and "notes" in old["opportunities"][0]
