"""The catalogue that is in the house: enough of it, each entry in order, found by its words, and who may use it."""

import json

import pytest
from django.core.management import CommandError, call_command

from integrations.catalogue import checking, entries, generator, triggers
from integrations.models import Connection


def test_every_entry_is_in_order_and_there_are_enough(capsys):
    call_command("catalogue", "--check")
    told = capsys.readouterr().out
    assert "In order." in told
    assert len(entries.operations()) + len(entries.triggers()) >= 126
    assert len(entries.operations()) >= 126  # and without counting triggers


def test_an_entry_that_is_broken_is_named(monkeypatch, capsys):
    broken = entries._operation(
        {"key": "x.y", "title": "Break", "group": "x", "method": "GET", "path": "/x/{id}/{other}", "kind": "read",
         "access": "location", "scopes": ["nonsense"], "version": "", "location": [],
         "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "nothing"}}]}
    )  # fmt: skip
    monkeypatch.setattr(checking.entries, "operations", lambda: {"x.y": broken})
    with pytest.raises(CommandError):
        call_command("catalogue", "--check")
    told = capsys.readouterr().err
    assert "x.y: its path names" in told and "no valid schema" in told and "nonsense is no scope" in told


def test_what_is_looked_for_by_words_is_found():
    found = [each.key for each in entries.find("tag contact", only="action")]
    assert "contacts.add-tags" in found and "contacts.create-task" not in found
    assert {each.kind for each in entries.find("appointment", only="trigger")} == {
        "AppointmentCreate", "AppointmentUpdate", "AppointmentDelete",
    }  # fmt: skip
    assert all(each.scope == "businesses.write" for each in entries.find(scope="businesses.write"))
    assert all(not each.scopes for each in entries.find(scope="none"))
    assert entries.find("no such words") == []


@pytest.mark.parametrize(
    ("values", "key", "sentence"),
    [
        ({}, "contacts.add-tags", ""),
        ({}, "users.create-user", "GHL has not granted users.write."),
        ({"kind": "pit"}, "users.create-user", ""),  # nobody can know the scopes of such a token
        ({"kind": "pit", "scopes": []}, "contacts.add-tags", "GHL has not granted contacts.write."),
        ({"status": "needs_reauth"}, "contacts.add-tags", "GHL does not let us into Northgate"),
    ],
)
def test_why_a_connection_may_not(values, key, sentence, location):
    connection = Connection(**{"location": location, "kind": "oauth", "scopes": ["contacts.write"], **values})
    told = entries.why_not(entries.operation(key), connection)
    assert told.startswith(sentence) and bool(told) == bool(sentence)


def test_a_trigger_is_read_with_its_contact_its_record_and_every_field():
    event = triggers.read(
        {"type": "AppointmentUpdate", "locationId": "loc1",
         "appointment": {"id": "apt1", "contactId": "con1", "appointmentStatus": "noshow", "users": ["u"]}}
    )  # fmt: skip
    assert (event.kind, event.location_id, event.contact_id, event.record_id) == (
        "AppointmentUpdate", "loc1", "con1", "apt1",
    )  # fmt: skip
    assert event.fields["appointment.appointmentStatus"] == "noshow" and event.fields["appointment.users"] == ["u"]


@pytest.mark.parametrize("payload", [{}, {"type": 7}, {"type": ""}])
def test_what_does_not_say_what_it_is_is_no_event(payload):
    with pytest.raises(ValueError, match="names no type"):
        triggers.read(payload)


PETS = {
    "paths": {
        "/pets/{petId}/toys": {
            "post": {
                "operationId": "create-toy",
                "description": "PROSE",
                "parameters": [
                    {"name": "Version", "in": "header", "schema": {"type": "string", "enum": ["2021-07-28"]}},
                    {"name": "locationId", "in": "query", "required": True, "schema": {"type": "string"}},
                ],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Toy"}}}},
                "security": [{"Location-Access": ["pets.write"]}],
            },
            "get": {"operationId": "agency-toys", "security": [{"Agency-Access": ["pets.readonly"]}]},
        }
    },
    "components": {
        "schemas": {
            "Toy": {
                "type": "object",
                "description": "PROSE",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "description": "PROSE"},
                    "bought": {"type": "object", "example": "2026-01-02T03:04:05Z"},
                    "inside": {"$ref": "#/components/schemas/Toy"},
                },
            }
        }
    },
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "apps" / "v3").mkdir(parents=True)
    (tmp_path / "apps" / "pets.json").write_text(json.dumps(PETS))
    (tmp_path / "apps" / "v3" / "pets-v3.json").write_text(json.dumps(PETS))
    told = {"PetCreate": {"fields": {"type": "string", "locationId": "string", "id": "string", "legs": "number"}}}
    (tmp_path / "webhook_events.json").write_text(json.dumps(told))
    return tmp_path


def test_the_catalogue_is_made_of_facts_alone(folder, tmp_path):
    into = tmp_path / "out"
    into.mkdir()
    assert generator.generate(folder, into) == (1, 1)  # the agency's is not for us, and v3 says the same again
    written = (into / "operations.jsonl").read_text()
    entry = json.loads(written)
    assert "PROSE" not in written
    assert (entry["key"], entry["title"], entry["kind"]) == ("pets.create-toy", "Create a toy of a pet", "create")
    assert [each["name"] for each in entry["parameters"]] == ["locationId", "petId"]  # the second was not declared
    assert entry["location"] == [["query", "locationId"]] and entry["scopes"] == ["pets.write"]
    assert entry["body"]["properties"]["bought"]["type"] == "string"
    assert entry["body"]["properties"]["inside"] == {}  # it would never end
    (trigger,) = json.loads((into / "triggers.json").read_text())
    assert (trigger["title"], trigger["sample"]["legs"]) == ("A pet is added", 1)


def test_a_folder_without_files_is_told(tmp_path):
    with pytest.raises(CommandError, match="no folder apps"):
        call_command("catalogue", "--generate", str(tmp_path))
