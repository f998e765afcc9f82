"""GHL's rows in our words and back, and when both sides mean the same."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from integrations.ghl import payloads
from integrations.ghl.moments import date_of, is_ambiguous, moment_of
from integrations.ghl.payloads import contact_body, contact_values, note_body, same, task_body

BY_ID = {
    "id": "c1",
    "locationId": "loc1",
    "firstName": "Ana",
    "lastName": "Ruiz",
    "fullNameLowerCase": "ana ruiz",
    "email": "ana@example.com",
    "phone": "+15125550100",
    "companyName": "Acme GmbH",
    "businessId": "b1",
    "type": "lead",
    "address1": "1 Main St",
    "country": "US",
    "dateOfBirth": "1990-09-25T00:00:00.000Z",
    "tags": ["VIP ", "a", "vip", ""],
    "customFields": [{"id": "f1", "value": 20}],
    "dateAdded": "2026-07-01T10:00:00.123Z",
    "dateUpdated": "2026-07-02T10:00:00.000Z",
}
IN_SEARCH = {
    "id": "c1",
    "firstName": "Ana",
    "lastName": "Ruiz",
    "contactName": "ana ruiz",
    "email": "ana@example.com",
    "phone": "+15125550100",
    "companyName": "acme gmbh",
    "businessName": None,
    "businessId": "b1",
    "type": "lead",
    "address": "1 Main St",
    "city": None,
    "state": None,
    "postalCode": None,
    "source": None,
    "assignedTo": None,
    "website": None,
    "timezone": None,
    "country": "US",
    "dnd": False,
    "dndSettings": {},
    "dateOfBirth": 654220800000,
    "tags": ["a", "vip"],
    "customFields": [{"id": "f1", "value": 20}, {"id": "f2", "value": None}, {"id": "f3", "value": ""}],
    "dateAdded": "2026-07-01T10:00:00.123Z",
    "dateUpdated": "2026-07-02T10:00:00.000Z",
    "searchAfter": [1782900000123, "c1"],
}
KEYS = (
    "remote_id first_name last_name email phone company_name company_remote_id owner_remote_id type source address city"
    " state postal_code country website time_zone date_of_birth dnd dnd_settings custom_values tags remote_created_at"
    " remote_updated_at"
)


def test_a_contact_has_exactly_our_names():
    assert set(contact_values(BY_ID)) == set(KEYS.split())


def test_search_and_by_id_tell_the_same_contact():
    by_id, in_search = contact_values(BY_ID), contact_values(IN_SEARCH)
    assert by_id.pop("company_name") == "Acme GmbH"
    assert in_search.pop("company_name_folded") == "acme gmbh"
    assert {tag.lower() for tag in by_id.pop("tags")} == set(in_search.pop("tags"))
    assert by_id == in_search
    assert in_search["date_of_birth"] == date(1990, 9, 25)
    assert in_search["remote_created_at"] == datetime(2026, 7, 1, 10, 0, 0, 123000, tzinfo=UTC)


@pytest.mark.parametrize("company, told", [(None, True), ("", True), ("123", True), ("acme", False)])
def test_a_lower_cased_company_is_not_told(company, told):
    assert ("company_name" in contact_values(IN_SEARCH | {"companyName": company})) is told


def test_a_search_row_without_dnd_settings_says_nothing_about_them():
    row = {key: value for key, value in IN_SEARCH.items() if key != "dndSettings"}
    assert "dnd_settings" not in contact_values(row)


def test_channels_of_both_versions():
    one = payloads.dnd_settings({"Email": {"status": "active", "message": "no", "code": "9"}, "WhatsApp": None})
    assert one == payloads.dnd_settings({"email": {"status": "Active", "message": "no"}})
    assert list(one) == list(payloads.CHANNELS)
    assert one["Email"] == {"status": "active", "message": "no"}
    assert one["RCS"] == {"status": "inactive", "message": ""}


def test_junk_does_no_harm():
    junk = {key: ["x"] for key in (*BY_ID, *IN_SEARCH)} | {
        "tags": {"a": 1},
        "customFields": ["x", {"value": 1}],
        "dateAdded": True,
    }
    assert contact_values(junk)["first_name"] == ""
    for name in ("task", "note", "user", "calendar", "custom_field", "tag", "business", "location"):
        assert getattr(payloads, f"{name}_values")({})["remote_id"] == ""
    assert payloads.appointment_values({}, UTC)["starts_at"] is None


def test_a_task_of_either_source():
    row = {"_id": "t1", "contactId": "c1", "title": "Call", "dueDate": "2026-07-01T10:00:00.000Z", "completed": False,
           "updatedAt": "2026-07-01T11:00:00Z", "deleted": True}  # fmt: skip
    assert payloads.task_values(row) == {
        "remote_id": "t1", "contact_remote_id": "c1", "title": "Call", "body": "", "completed": False, "deleted": True,
        "due_at": datetime(2026, 7, 1, 10, tzinfo=UTC), "assignee_remote_id": "",
        "remote_updated_at": datetime(2026, 7, 1, 11, tzinfo=UTC),
    }  # fmt: skip


def test_a_note():
    row = {
        "id": "n1",
        "contactId": "c1",
        "body": "<p>Hi</p>",
        "bodyText": "Hi",
        "userId": None,
        "pinned": True,
        "dateAdded": None,
    }
    assert payloads.note_values(row) == {
        "remote_id": "n1", "contact_remote_id": "c1", "title": "", "body": "<p>Hi</p>", "color": "", "pinned": True,
        "author_remote_id": "", "remote_added_at": None,
    }  # fmt: skip


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    "start, end, starts_at, ends_at",
    [
        ("2026-07-01T10:00:00+02:00", "2026-07-01T11:00:00+02:00", "2026-07-01 08:00", "2026-07-01 09:00"),
        ("2026-07-01 10:00:00", "2026-07-01 11:00:00", "2026-07-01 08:00", "2026-07-01 09:00"),
        (1782900000000, "1782903600000", "2026-07-01 10:00", "2026-07-01 11:00"),
        ("2026-10-25 02:30:00", "2026-10-25 02:45:00", "2026-10-25 00:30", "2026-10-25 00:45"),
        ("2026-10-25 02:45:00", "2026-10-25 02:15:00", "2026-10-25 00:45", "2026-10-25 01:15"),
        ("2026-03-29 02:30:00", "2026-03-29 03:30:00", "2026-03-29 01:30", "2026-03-29 01:30"),
        ("nonsense", None, None, None),
    ],
)
def test_the_times_of_an_appointment(start, end, starts_at, ends_at):
    values = payloads.appointment_values(
        {"id": "a1", "startTime": start, "endTime": end, "appoinmentStatus": "Confirmed"}, BERLIN
    )
    told = [values[key] and values[key].strftime("%Y-%m-%d %H:%M") for key in ("starts_at", "ends_at")]
    assert told == [starts_at, ends_at]
    assert values["raw_start"] == str(start)
    assert values["status"] == "confirmed"


def test_a_time_that_happens_twice_is_known():
    assert is_ambiguous("2026-10-25 02:30:00", BERLIN)
    assert not is_ambiguous("2026-10-25T02:30:00+02:00", BERLIN)
    assert not is_ambiguous("2026-03-29 02:30:00", BERLIN)


@pytest.mark.parametrize(
    "raw",
    ["1990-09-25", "09-25-1990", "1990/9/25", "1990.09.25", "09_25_1990", "1990-09-25T00:00:00.000Z", 654220800000,
     "654220800000"],
)  # fmt: skip
def test_days_are_read_in_every_form(raw):
    assert date_of(raw) == date(1990, 9, 25)


@pytest.mark.parametrize("raw", [None, "", "soon", "1990-13-45", True, [], {}])
def test_what_is_no_day_is_none(raw):
    assert date_of(raw) is None


def test_epochs_before_1970():
    assert date_of(-86_400_000) == date(1969, 12, 31)
    assert moment_of(10**30) is None


def test_reference_rows():
    user = {"id": "u1", "firstName": "Bo", "lastName": "Li", "roles": {"role": "admin"}, "deleted": False}
    assert payloads.user_values(user)["name"] == "Bo Li"
    assert payloads.user_values(user)["role"] == "admin"
    field = {"id": "f1", "name": "Size", "fieldKey": "contact.size", "dataType": "RADIO", "position": 50,
             "parentId": "p", "picklistOptions": ["S", {"label": "M"}]}  # fmt: skip
    assert payloads.custom_field_values(field)["options"] == ["S", "M"]
    boxes = {"dataType": "TEXTBOX_LIST", "textBoxListOptions": [{"id": "b1", "label": "Dog"}, {"label": "Cat"}, {}]}
    assert payloads.custom_field_values(field | {"picklistOptions": None} | boxes)["options"] == [
        {"id": "b1", "label": "Dog"},
        "Cat",
    ]
    assert not payloads.custom_field_values(field)["is_folder"]
    assert payloads.custom_field_values({"id": "p", "documentType": "folder", "name": "Roof"})["is_folder"]
    settings = {"allowDuplicateContact": False, "contactUniqueIdentifiers": ["phone", "email"]}
    location = {"id": "l", "name": "L", "timezone": "Europe/Berlin", "settings": settings}
    told = payloads.location_values(location)
    assert (told["time_zone"], told["allow_duplicates"], told["duplicate_order"]) == (
        "Europe/Berlin",
        False,
        ["phone", "email"],
    )
    assert payloads.business_values({"id": "b", "postalCode": "1", "name": "B"})["postal_code"] == "1"
    assert payloads.calendar_values({"id": "k", "name": "K"})["is_active"] is True
    assert payloads.tag_values({"id": "t", "name": " vip "}) == {"remote_id": "t", "name": "vip"}


def test_exactly_the_given_keys_are_written():
    values = {
        "first_name": "Ana",
        "address": "1 Main St",
        "date_of_birth": date(1990, 9, 25),
        "tags": ["a "],
        "dnd": True,
    }
    assert contact_body(values) == {
        "firstName": "Ana", "address1": "1 Main St", "dateOfBirth": "1990-09-25", "tags": ["a"], "dnd": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    "key, value, name, cleared",
    [
        ("last_name", "", "lastName", None),
        ("email", "", "email", None),
        ("owner_remote_id", "", "assignedTo", None),
        ("date_of_birth", None, "dateOfBirth", None),
        ("postal_code", "", "postalCode", ""),
        ("country", None, "country", ""),
        ("tags", [], "tags", []),
        ("custom_values", {"f1": None}, "customFields", [{"id": "f1", "field_value": ""}]),
        ("custom_values", {"f2": []}, "customFields", [{"id": "f2", "field_value": []}]),
    ],
)  # fmt: skip
def test_how_a_value_is_cleared(key, value, name, cleared):
    assert contact_body({key: value}) == {name: cleared}


def test_a_create_leaves_out_what_is_empty():
    assert contact_body({"first_name": "Ana", "email": "", "tags": [], "company_name": "Acme"}, True, "loc1") == {
        "locationId": "loc1", "firstName": "Ana", "companyName": "Acme",
    }  # fmt: skip


@pytest.mark.parametrize("key", sorted(payloads.UNWRITABLE_ON_UPDATE))
def test_what_ghl_lets_nobody_write_is_not_dropped_in_silence(key):
    with pytest.raises(ValueError, match=key):
        contact_body({key: "x"})


def test_custom_values_and_channels_as_ghl_takes_them():
    when = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    body = contact_body({"custom_values": {"f1": Decimal("20.0"), "f2": date(2026, 7, 1), "f3": ["S"], "f4": when}})
    assert [item["field_value"] for item in body["customFields"]] == [20, "2026-07-01", ["S"], "2026-07-01T10:00:00Z"]
    settings = {"Email": {"status": "active", "message": "no"}, "RCS": {"status": "active", "message": ""}}
    assert contact_body({"dnd_settings": settings}) == {"dndSettings": {"Email": {"status": "active", "message": "no"}}}


def test_bodies_of_tasks_and_notes():
    when = datetime(2026, 7, 1, 12, 0, 0, 999, tzinfo=UTC)
    assert task_body({"title": "Call", "due_at": when, "assignee_remote_id": ""}, create=True) == {
        "title": "Call", "dueDate": "2026-07-01T12:00:00Z", "completed": False,
    }  # fmt: skip
    assert task_body({"due_at": "2026-07-01T14:00:00+02:00"}) == {"dueDate": "2026-07-01T12:00:00Z"}
    assert task_body({"body": None, "assignee_remote_id": "u1"}) == {"body": "", "assignedTo": "u1"}
    assert note_body({"body": "Hi", "title": "", "pinned": False}, create=True) == {"body": "Hi", "pinned": False}
    for bad in ({"title": "x"}, {"due_at": when}):
        with pytest.raises(ValueError, match="needs"):
            task_body(bad, create=True)
    with pytest.raises(ValueError, match="due"):
        task_body({"due_at": None})


@pytest.mark.parametrize(
    "kind, field, ours, theirs",
    [
        ("contact", "phone", "(512) 555-0100", "+15125550100"),
        ("contact", "phone", "", None),
        ("contact", "email", "Ana@Example.com ", "ana@example.com"),
        ("contact", "first_name", " Ana  Maria", "Ana Maria"),
        ("contact", "first_name", "Jose\u0301", "Jos\u00e9"),
        ("contact", "date_of_birth", date(1990, 9, 25), "1990-09-25T00:00:00.000Z"),
        ("contact", "tags", ["VIP", " b"], ["b", "vip"]),
        (
            "contact",
            "dnd_settings",
            {"Email": {"status": "active"}},
            {"email": {"status": "active", "message": "", "code": "1"}},
        ),
        ("contact", "dnd_settings", None, {"SMS": {"status": "inactive"}}),
        ("contact", "custom_values", {"f1": 20}, {"f1": "20.0", "other": "x"}),
        ("contact", "custom_values", {"f1": ""}, {}),
        ("contact", "custom_values", {"f1": ["a", "b"]}, {"f1": ["b", "a"]}),
        ("contact", "custom_values", {"f1": "2026-07-01"}, {"f1": 1782864000000}),
        ("contact", "custom_values.f1", Decimal("20.00"), "20"),
        ("contact", "custom_values.f1", {"Dog": "Rex", "Cat": ""}, {"Dog": " Rex"}),
        ("contact", "custom_values.f1", "+13125550199", "+1 (312) 555-0199"),
        ("task", "due_at", "2026-07-01T10:00:00Z", datetime(2026, 7, 1, 10, 0, 0, 500, tzinfo=UTC)),
        ("task", "completed", True, "true"),
        ("task", "body", "a\nb", "<p>a</p><p>b</p>"),
        ("note", "body", "Tom &amp; Ana", "<p>Tom &amp; <b>Ana</b></p>"),
        ("note", "body", "5 < 6", "<p>5 &lt; 6</p>"),
        ("note", "title", None, ""),
    ],
)
def test_the_same_in_another_form(kind, field, ours, theirs):
    assert same(kind, field, ours, theirs)
    assert same(kind, field, ours, ours)


@pytest.mark.parametrize(
    "kind, field, ours, theirs",
    [
        ("contact", "phone", "+15125550100", "+15125550101"),
        ("contact", "phone", "+15125550100", ""),
        ("contact", "first_name", "Ana", "ana"),
        ("contact", "tags", ["a"], ["a", "b"]),
        ("contact", "dnd", True, False),
        ("contact", "dnd_settings", {"Email": {"status": "active"}}, {}),
        ("contact", "custom_values", {"f1": "x"}, {}),
        ("contact", "custom_values", {"f1": "0123"}, {"f1": "1234"}),
        ("contact", "custom_values.f1", {"Dog": "Rex"}, {"Dog": "Max"}),
        ("contact", "custom_values.f1", {"Dog": "Rex"}, "Rex"),
        ("contact", "custom_values.f1", "+13125550199", "3125550199"),
        ("contact", "date_of_birth", date(1990, 9, 25), date(1990, 9, 26)),
        ("task", "due_at", "2026-07-01T10:00:00Z", "2026-07-01T10:00:02Z"),
        ("note", "body", "<p>a</p>", "<p>ab</p>"),
    ],
)
def test_what_differs(kind, field, ours, theirs):
    assert not same(kind, field, ours, theirs)


def test_a_number_without_country_is_of_the_region():
    assert same("contact", "phone", "030 1234567", "+49301234567", region="DE")


def test_nothing_here_needs_django_or_our_models():
    import subprocess
    import sys

    code = "import sys; from integrations.ghl import client, oauth, payloads, scopes;"
    code += "sys.exit(any(name.split('.')[0] in ('django', 'contacts') or 'sandbox' in name for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
