import pytest


def all_pages(account, **body):
    rows, cursor = [], None
    while True:
        page = account.search(**body, **({"searchAfter": cursor} if cursor else {}))
        if not page["contacts"]:
            assert page["total"] == len(rows)
            return rows
        rows += page["contacts"]
        cursor = page["contacts"][-1]["searchAfter"]


@pytest.mark.parametrize("field", ["dateAdded", "dateUpdated", "lastNameLowerCase", "email", "businessName", "source"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_the_cursor_meets_everyone_once(account, field, direction):
    rows = all_pages(account, pageLimit=7, sort=[{"field": field, "direction": direction}])
    assert len({row["id"] for row in rows}) == 60 == len(rows)
    values = [row[field] for row in rows]
    filled = [value.lower() for value in values if value is not None]
    assert filled == sorted(filled, reverse=direction == "desc")
    assert None not in values[: len(filled)], "empty values come last"


def test_pages_by_number_end_at_ten_thousand(account):
    first, second = account.search(pageLimit=10, page=1), account.search(pageLimit=10, page=2)
    assert not {row["id"] for row in first["contacts"]} & {row["id"] for row in second["contacts"]}
    answer = account.ask("POST", "/contacts/search", {"locationId": account.location, "pageLimit": 500, "page": 21})
    assert answer.status_code == 400
    both = {"locationId": account.location, "pageLimit": 5, "page": 1, "searchAfter": [1, "x"]}
    assert account.ask("POST", "/contacts/search", both).status_code == 400


@pytest.mark.parametrize(
    "body, status, word",
    [
        ({"pageLimit": 501}, 422, "pageLimit must not be greater than 500"),
        ({"pageLimit": 0}, 422, "pageLimit must not be less than 1"),
        ({"pageLimit": "5"}, 422, "pageLimit must be a number"),
        ({"pageLimit": 5, "query": "x" * 76}, 422, "shorter than or equal to 75"),
        (
            {"pageLimit": 5, "filters": [{"field": "contact_name", "operator": "eq", "value": 1}]},
            400,
            "Invalid field contact_name",
        ),
        (
            {"pageLimit": 5, "filters": [{"field": "email", "operator": "contains", "value": "x"}]},
            400,
            "Invalid operator",
        ),
        ({"pageLimit": 5, "sort": [{"field": "phone"}]}, 400, "Invalid field phone"),
        ({"pageLimit": 5, "extra": 1}, 422, "property extra should not exist"),
        ({}, 422, "pageLimit should not be empty"),
    ],
)
def test_a_wrong_search_says_what_is_wrong(account, body, status, word):
    answer = account.ask("POST", "/contacts/search", {"locationId": account.location, **body})
    assert answer.status_code == status
    assert word in str(answer.json()["message"])


def test_numbers_may_be_written_with_a_point(account):
    assert len(account.search(pageLimit=20.0)["contacts"]) == 20
    assert len(account.get("/contacts/", locationId=account.location, limit="20.0")["contacts"]) == 20


def test_rows_have_nulls_and_lower_case_names(account):
    made = account.create(
        firstName="Ana", lastName="WHIT", companyName="Acme Roofs", address1="1 Elm", dateOfBirth="07/04/1980"
    )
    row = account.search(query="ana whit")["contacts"][0]
    assert row["id"] == made["id"]
    assert (row["contactName"], row["companyName"], row["address"]) == ("ana whit", "acme roofs", "1 Elm")
    assert row["firstName"] == "Ana" and row["lastNameLowerCase"] == "whit"
    assert row["email"] is None and "address1" not in row
    assert row["dateOfBirth"] == 331516800000
    assert account.get(f"/contacts/{made['id']}")["contact"]["dateOfBirth"] == "1980-07-04T00:00:00.000Z"


def test_filters_combine(account):
    ana = account.create(firstName="Ana", city="Gary", tags=["hot"], source="web")
    bob = account.create(firstName="Bob", city="Gary", tags=["cold"])

    def ids(*filters):
        mine = {ana["id"]: "ana", bob["id"]: "bob"}
        return {mine[row["id"]] for row in account.search(filters=list(filters))["contacts"] if row["id"] in mine}

    def one(field, operator, value=None):
        return {"field": field, "operator": operator} | ({} if value is None else {"value": value})

    assert ids(one("city", "eq", "gary"), one("tags", "contains", "ho")) == {"ana"}
    assert ids({"group": "OR", "filters": [one("tags", "eq", "cold"), one("source", "eq", "web")]}) == {"ana", "bob"}
    assert ids(one("source", "not_exists"), one("city", "exists")) == {"bob"}
    assert ids(one("firstNameLowerCase", "not_contains", "an")) == {"bob"}
    assert ids(one("id", "not_eq", bob["id"])) == {"ana"}
    assert ids(one("dateAdded", "range", {"gte": ana["dateAdded"]})) == {"ana", "bob"}
    assert ids(one("dateAdded", "range", {"low": 0, "high": 1})) == set()


def test_custom_fields_can_be_searched(account):
    fields = {
        one["name"]: one["id"] for one in account.get(f"/locations/{account.location}/customFields")["customFields"]
    }
    made = account.create(
        firstName="F",
        customFields=[
            {"id": fields["Square feet"], "field_value": 99999},
            {"id": fields["Interested in"], "field_value": ["Solar", "Repair"]},
        ],
    )
    nested = {"field": f"customFields.{fields['Square feet']}", "operator": "range", "value": {"gt": 50000}}
    options = {"field": f"customFields.{fields['Interested in']}", "operator": "eq", "value": "Solar"}
    assert [row["id"] for row in account.search(filters=[nested, options])["contacts"]] == [made["id"]]


def test_half_an_old_cursor_repeats_the_first_page(account):
    first = account.get("/contacts/", locationId=account.location, limit=10)
    meta = first["meta"]
    half = account.get("/contacts/", locationId=account.location, limit=10, startAfter=meta["startAfter"])
    assert half["contacts"] == first["contacts"]
    seen = [one["id"] for one in first["contacts"]]
    while meta["nextPage"]:
        cursor = {name: meta[name] for name in ("startAfter", "startAfterId")}
        page = account.get("/contacts/", locationId=account.location, limit=10, **cursor)
        seen, meta = seen + [one["id"] for one in page["contacts"]], page["meta"]
        if not page["contacts"] or len(seen) >= meta["total"]:
            break
    assert len(set(seen)) == len(seen) == 60
    too_many = account.ask("GET", "/contacts/", params={"locationId": account.location, "limit": 101})
    assert too_many.status_code == 422


def test_the_index_is_late_and_reading_by_id_is_not(account):
    account.settings(lag=60)
    made = account.create(firstName="Late")
    assert account.get(f"/contacts/{made['id']}")["contact"]["firstName"] == "Late"
    assert account.search()["total"] == 60
    account.delete(f"/contacts/{account.contact}")
    assert account.contact in {row["id"] for row in account.search()["contacts"]}
    account.settings(lag=0)
    rows = {row["id"] for row in account.search()["contacts"]}
    assert made["id"] in rows and account.contact not in rows
