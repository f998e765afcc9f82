import pytest


def test_a_contact_can_be_made_read_changed_and_deleted(account):
    made = account.create(firstName="Ana", lastName="Whit", email="ana@new.example", tags=["  VIP ", "Fresh"])
    assert made["tags"] == ["vip", "fresh"]
    account.put(f"/contacts/{made['id']}", {"city": "Gary", "email": None})
    read = account.get(f"/contacts/{made['id']}")["contact"]
    assert read["city"] == "Gary"
    assert "email" not in read, "empty fields are absent by id"
    gone = account.delete(f"/contacts/{made['id']}")
    assert gone["succeded"] and gone["succeeded"]
    answer = account.ask("GET", f"/contacts/{made['id']}")
    assert answer.status_code == 400
    assert answer.json()["message"] == f"Contact not found for id:{made['id']}"


@pytest.mark.parametrize(
    "typed, kept",
    [
        ("(312) 555-0777", "+13125550777"),
        ("1-312-555-0778", "+13125550778"),
        ("+44 113 496 0999", "+441134960999"),
        ("312.555.0779 ext. 12", "+13125550779"),
        ("12", "12"),
    ],
)
def test_phone_numbers_are_kept_in_one_form(account, typed, kept):
    assert account.create(firstName="P", phone=typed)["phone"] == kept


def test_a_german_number_is_read_as_german(account):
    assert account.create(phone="030 23125 999", country="DE")["phone"] == "+493023125999"


def test_a_duplicate_is_refused_and_named(account):
    first = account.create(email="twin@new.example", phone="3125550701")
    by_email = account.ask("POST", "/contacts/", {"locationId": account.location, "email": "TWIN@new.example"})
    assert by_email.status_code == 400
    assert by_email.json()["meta"] == {"contactId": first["id"], "matchingField": "email"}
    other = account.create(email="other@new.example")
    by_phone = account.ask("PUT", f"/contacts/{other['id']}", {"phone": "(312) 555-0701"})
    assert by_phone.json()["meta"] == {"contactId": first["id"], "matchingField": "phone"}
    account.settings(allow_duplicate_contact=True)
    account.create(email="twin@new.example")


def test_saving_a_contact_with_its_own_email_is_no_duplicate(account):
    made = account.create(email="self@new.example", phone="3125550702")
    account.put(f"/contacts/{made['id']}", {"email": "self@new.example", "phone": "+13125550702"})


def test_upsert_finds_or_makes(account):
    path, email = "/contacts/upsert", "up@new.example"
    assert account.post(path, {"locationId": account.location, "email": email})["new"] is True
    again = account.post(path, {"locationId": account.location, "email": email, "lastName": "Later"})
    assert again["new"] is False and again["contact"]["lastName"] == "Later"
    nothing = account.ask("POST", path, {"locationId": account.location, "lastName": "X"})
    assert nothing.status_code == 400


def test_the_duplicate_lookup_names_the_field(account):
    made = account.create(email="look@new.example", phone="3125550703")
    path, place = "/contacts/search/duplicate", account.location
    by_number = account.get(path, locationId=place, number="+13125550703")
    assert (by_number["contact"]["id"], by_number["matchingField"]) == (made["id"], "phone")
    assert account.get(path, locationId=place, email="no@new.example")["contact"] is None


def test_unknown_properties_and_wrong_types_are_all_named(account):
    answer = account.ask("PUT", f"/contacts/{account.contact}", {"nope": 1, "firstName": 5, "dnd": "yes", "tags": "x"})
    assert answer.status_code == 422
    assert answer.json()["message"] == [
        "property nope should not exist",
        "firstName must be a string",
        "dnd must be a boolean value",
        "tags must be an array",
    ]


def test_company_name_is_for_creating_only(account):
    made = account.create(firstName="C", companyName="Acme Roofs")
    answer = account.ask("PUT", f"/contacts/{made['id']}", {"companyName": "Other"})
    assert answer.json()["message"] == ["property companyName should not exist"]


def test_custom_fields_are_written_and_read_under_different_names(account):
    fields = {
        one["name"]: one["id"] for one in account.get(f"/locations/{account.location}/customFields")["customFields"]
    }
    made = account.create(firstName="F", customFields=[{"id": fields["Gate code"], "field_value": "#1"}])
    assert made["customFields"] == [{"id": fields["Gate code"], "value": "#1"}]
    changed = account.put(
        f"/contacts/{made['id']}",
        {"customFields": [{"id": fields["Roof type"], "field_value": "Metal"}, {"id": "unknown", "field_value": 1}]},
    )
    assert len(changed["contact"]["customFields"]) == 2, "fields not mentioned stay"


def test_tags_are_added_and_removed_one_by_one(account):
    made = account.create(firstName="T", tags=["one"])
    path = f"/contacts/{made['id']}/tags"
    assert account.post(path, {"tags": ["Two", "one"]})["tagsAdded"] == ["two"]
    assert account.delete(path, {"tags": ["one"]}) | {"traceId": ""} == {
        "tags": ["two"],
        "tagsRemoved": ["one"],
        "traceId": "",
    }
    assert "two" in {tag["name"] for tag in account.get(f"/locations/{account.location}/tags")["tags"]}


def test_followers_campaigns_and_workflows_are_answered(account):
    path = f"/contacts/{account.create(firstName='W')['id']}"
    assert account.post(f"{path}/followers", {"followers": ["u1"]})["followersAdded"] == ["u1"]
    assert account.delete(f"{path}/followers", {"followers": ["u1"]})["followersRemoved"] == ["u1"]
    for join in (f"{path}/campaigns/c1", f"{path}/workflow/w1"):
        assert account.post(join, {})["succeded"]
        assert account.delete(join)["succeded"]
    assert account.delete(f"{path}/campaigns/removeAll")["succeded"]


def test_many_contacts_can_be_tagged_and_moved_at_once(account):
    ids = [account.create(firstName=name)["id"] for name in "AB"]
    bulk = {"locationId": account.location, "contacts": [*ids, "absent"], "tags": ["bulk"]}
    done = account.post("/contacts/bulk/tags/update/add", bulk)
    assert (done["responses"], done["errorCount"]) == (ids, 1)
    business = account.post("/businesses/", {"locationId": account.location, "name": "Acme"})["buiseness"]
    body = {"locationId": account.location, "ids": ids, "businessId": business["id"]}
    assert account.post("/contacts/bulk/business", body)["ids"] == ids
    members = account.get(f"/contacts/business/{business['id']}", locationId=account.location)
    assert {one["id"] for one in members["contacts"]} == set(ids)
    account.post("/contacts/bulk/business", {**body, "businessId": None})
    assert account.get(f"/contacts/business/{business['id']}", locationId=account.location)["count"] == 0


def test_creates_can_answer_200_as_recorded(account):
    body = {"locationId": account.location, "firstName": "A"}
    assert account.ask("POST", "/contacts/", body).status_code == 201
    account.settings(create_status=200)
    assert account.ask("POST", "/contacts/", body).status_code == 200


def test_version_3_changes_what_it_should(account):
    v3 = {"Version": "v3"}
    path = f"/contacts/{account.contact}"
    changed = account.ask("PUT", path, {"city": "Gary"}, v3).json()
    assert "succeeded" in changed and "succeded" not in changed
    gone = account.ask("GET", f"/contacts/?locationId={account.location}", headers=v3)
    assert gone.status_code == 400 and "removed in version v3" in gone.json()["message"]
    assert account.ask("DELETE", f"{path}/campaigns/remove-all", headers=v3).ok
    assert account.ask("DELETE", f"{path}/campaigns/removeAll", headers=v3).status_code in (200, 400)
    old = account.ask("GET", "/oauth/installed-locations")
    assert (old.status_code, old.json()["message"]) == (404, "Cannot GET /oauth/installed-locations")


def test_version_3_pages_a_business_by_name_and_id(account):
    business = account.post("/businesses/", {"locationId": account.location, "name": "Acme"})["buiseness"]["id"]
    ids = [account.create(firstName=name, lastName="X")["id"] for name in "BAC"]
    account.post("/contacts/bulk/business", {"locationId": account.location, "ids": ids, "businessId": business})
    path, query = f"/contacts/business/{business}", {"locationId": account.location, "limit": 2}
    first = account.ask("GET", path, headers={"Version": "v3"}, params=query).json()["contacts"]
    assert [one["firstName"] for one in first] == ["A", "B"]
    query["startAfter"] = f"{first[-1]['contactName']},{first[-1]['id']}"
    rest = account.ask("GET", path, headers={"Version": "v3"}, params=query).json()["contacts"]
    assert [one["firstName"] for one in rest] == ["C"]
