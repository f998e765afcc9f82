"""Every kind of field, the whole way: typed on the page, sent to GHL, read back, and found to be what was meant."""

import pytest

from contacts.models import CustomField
from integrations.gateway import client_for
from integrations.ghl import payloads
from integrations.reading import reference
from tests.integrations.delivering import deliver, deliver_all, remote, somebody

pytestmark = pytest.mark.django_db(transaction=True)

OPTIONS = ["Tile", "Metal"]
# Kind of the custom field, what it offers, what is typed, what GHL then has.
CUSTOM = [
    ("TEXT", {}, "Lakeshore Mutual", "Lakeshore Mutual"),
    ("LARGE_TEXT", {}, "Blue house.\r\nPark in the alley.", "Blue house.\nPark in the alley."),
    ("NUMERICAL", {}, "12,402.5", 12402.5),
    ("FLOAT", {}, "0.25", 0.25),
    ("MONETORY", {}, "$48,200", 48200),
    ("PHONE", {}, "(312) 555-0199", "+13125550199"),
    ("EMAIL", {}, "ray@example.com", "ray@example.com"),
    ("DATE", {}, "2026-11-30", "2026-11-30"),
    ("TIME", {}, "14:30", "14:30"),
    ("SINGLE_OPTIONS", {"picklistOptions": OPTIONS}, "Tile", "Tile"),
    ("RADIO", {"picklistOptions": OPTIONS}, "Metal", "Metal"),
    ("MULTIPLE_OPTIONS", {"picklistOptions": OPTIONS}, OPTIONS, OPTIONS),
    ("CHECKBOX", {"picklistOptions": ["Yes"]}, ["Yes"], ["Yes"]),
    ("TEXTBOX_LIST", {"picklistOptions": [{"label": "Dog", "prefillValue": ""}]}, {"value-Dog": "Rex"}, {"Dog": "Rex"}),
]
OWN = [
    ("first_name", "Zenobia", "firstName", "Zenobia"),
    ("email", "zenobia@example.com", "email", "zenobia@example.com"),
    ("phone", "(312) 555-0188", "phone", "+13125550188"),
    ("website", "example.com", "website", "example.com"),
    ("date_of_birth", "1990-02-28", "dateOfBirth", "1990-02-28T00:00:00.000Z"),
    ("time_zone", "Berlin", "timezone", "Europe/Berlin"),
    ("country", "Germany", "country", "DE"),
    ("postal_code", "60607", "postalCode", "60607"),
]


@pytest.fixture(autouse=True)
def ghl_shows_at_once(settings):
    settings.GHL_SETTLE_S = 0.0


@pytest.fixture
def person(synced):
    return somebody(synced)


@pytest.fixture
def type_in(as_user, ana, person):
    """Types into a field of the page; the change that it makes."""
    client = as_user(ana)

    def act(slug, typed):
        data = typed if isinstance(typed, dict) else {"value": typed}
        headers = {"HX-Request": "true", "Accept-Language": "en-US"}
        answer = client.post(f"/contacts/{person.pk}/fields/{slug}/", data, headers=headers)
        assert answer.status_code == 200, f"{slug}: {answer.content.decode()[:2000]}"
        return person.changes.order_by("-pk").first()

    return act


def read_fields(connection):
    with client_for(connection, "interactive") as client:
        reference.read(client, connection, connection.location, only=["locations/customFields.readonly"])


def custom_values(sandbox, person):
    return {one["id"]: one["value"] for one in remote(sandbox, "contacts", person.remote_id)["customFields"]}


def states(changes):
    """{kind: state} of those that GHL did not confirm."""
    for change in changes.values():
        change.refresh_from_db()
    return {kind: (change.state, change.theirs) for kind, change in changes.items() if change.state != "confirmed"}


def test_every_kind_of_custom_field_arrives_reads_back_the_same_and_is_emptied(synced, person, type_in, sandbox):
    for kind, more, *_ in CUSTOM:
        values = {"name": f"A {kind}", "dataType": kind, "locationId": person.location.remote_id, **more}
        sandbox.edit("custom_field", "create", **values)
    read_fields(synced)
    fields = {kind: CustomField.objects.get(location=person.location, name=f"A {kind}") for kind, *_ in CUSTOM}

    changes = {kind: type_in(f"custom-{fields[kind].pk}", typed) for kind, _, typed, _ in CUSTOM}
    deliver_all()
    assert states(changes) == {}
    kept = custom_values(sandbox, person)
    assert {kind: kept.get(field.remote_id) for kind, field in fields.items()} == {kind: it for kind, *_, it in CUSTOM}

    nothing = {"TEXTBOX_LIST": {"value-Dog": ""}, "MULTIPLE_OPTIONS": [], "CHECKBOX": []}
    changes = {kind: type_in(f"custom-{field.pk}", nothing.get(kind, "")) for kind, field in fields.items()}
    deliver_all()
    assert states(changes) == {}
    assert not {field.remote_id for field in fields.values()} & set(custom_values(sandbox, person))


def test_every_field_of_its_own_arrives_and_reads_back_the_same(person, type_in, sandbox):
    changes = {slug: type_in(slug, typed) for slug, typed, *_ in OWN}
    deliver_all()
    assert states(changes) == {}
    there = remote(sandbox, "contacts", person.remote_id)
    assert {key: there.get(key) for _, _, key, _ in OWN} == {key: kept for _, _, key, kept in OWN}


def test_channels_are_closed_and_opened_in_ghl(person, type_in, sandbox):
    closed = deliver(type_in("dnd", ["all", "SMS", "Email"]))
    there = remote(sandbox, "contacts", person.remote_id)
    off = {channel for channel, one in there["dndSettings"].items() if one["status"] == "active"}
    assert (closed.state, there["dnd"], off) == ("confirmed", True, {"SMS", "Email"})
    opened = deliver(type_in("dnd", []))
    there = remote(sandbox, "contacts", person.remote_id)
    assert opened.state == "confirmed" and not there.get("dnd")
    assert {one["status"] for one in there["dndSettings"].values()} == {"inactive"}


def test_a_channel_closed_in_ghl_meanwhile_is_not_opened_by_closing_another(person, type_in, sandbox):
    change = type_in("dnd", ["SMS"])
    sandbox.edit("contact", "update", person.remote_id, dndSettings={"Email": {"status": "active"}})
    assert deliver(change).state == "conflict"


def test_what_ghl_signs_beside_a_channel_makes_no_difference():
    signed = {"status": "active", "message": "Updated by 'Dana' at 2026-11-02T20:20:09.768Z", "code": "103"}
    ours = payloads.dnd_settings({"SMS": {"status": "active"}})
    assert payloads.same("contact", "dnd_settings", ours, payloads.dnd_settings({"SMS": signed}))


def test_the_currency_and_the_folders_of_fields_are_read_where_ghl_tells_them(synced, sandbox):
    location = synced.location
    location.refresh_from_db()
    assert location.currency == "USD"
    assert not location.custom_fields.exclude(group_name="").exists()  # as recorded: ids of folders, no names
    field = location.custom_fields.first()
    values = {"name": "Roof project", "documentType": "folder", "locationId": location.remote_id}
    sandbox.edit("custom_field", "create", **values)
    folders = [row["id"] for row in sandbox.records("custom_fields")["records"] if row["documentType"] == "folder"]
    sandbox.edit("custom_field", "update", field.remote_id, parentId=folders[0])
    read_fields(synced)
    field.refresh_from_db()
    assert field.group_name == "Roof project"
    assert not location.custom_fields.filter(name="Roof project").exists()
