"""Webhooks are verified, stored and answered at once; what they name is read again by its id."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import DatabaseError
from django.utils import timezone

from contacts.models import Contact, Note, Task
from integrations import events, sync
from integrations.models import InboundEvent

pytestmark = pytest.mark.django_db(transaction=True)

KEY = Ed25519PrivateKey.from_private_bytes(b"a key only these tests ever use.")


@pytest.fixture(autouse=True)
def our_key(settings):
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    settings.GHL_WEBHOOK_PUBLIC_KEYS = pem.decode()


def post(client, event, key=KEY, body=None, path="/webhooks/ghl/", **headers):
    body = body or json.dumps(event).encode()
    headers = headers or {"X-GHL-Signature": base64.b64encode(key.sign(json.dumps(event).encode())).decode()}
    return client.post(path, body, content_type="application/json", headers=headers)


def work_off():
    """What the worker does with what has been stored."""
    for _ in range(3):
        InboundEvent.objects.filter(finished_at=None).update(next_at=timezone.now(), lease_until=None)
        for pk in events.waiting_events():
            for run in events.handle(pk):
                sync.work(run.pk)


def about(synced, kind, **values):
    return {"type": kind, "locationId": synced.location.remote_id, "webhookId": f"{kind}-{values}", **values}


def test_a_changed_contact_is_read_again(client, synced, sandbox):
    person = Contact.objects.first()
    sandbox.edit("contact", "update", person.remote_id, firstName="Zoë")
    answer = post(client, about(synced, "ContactUpdate", id=person.remote_id, firstName="A lie in the payload"))
    assert answer.status_code == 200
    work_off()
    person.refresh_from_db()
    assert person.first_name == "Zoë"


def test_a_new_contact_a_new_note_a_new_task_and_a_deletion_arrive(client, synced, sandbox):
    made = sandbox.edit("contact", "create", firstName="Nadia", email="nadia@example.com")["record"]
    sandbox.edit("note", "create", contactId=made["id"], body="Met at the fair.")
    task = sandbox.edit("task", "create", contactId=made["id"], title="Call Nadia", dueDate="2027-01-04T15:00:00Z")
    gone = Contact.objects.first()
    sandbox.edit("contact", "delete", gone.remote_id)
    post(client, about(synced, "NoteCreate", id="x", contactId=made["id"]))
    post(client, about(synced, "TaskCreate", id=task["record"]["id"], contactId=made["id"]))
    post(client, about(synced, "ContactDelete", id=gone.remote_id))
    work_off()
    assert Note.objects.filter(contact__first_name="Nadia", body="Met at the fair.").exists()
    assert Task.objects.filter(contact__first_name="Nadia", title="Call Nadia").exists()
    gone.refresh_from_db()
    assert gone.deleted_at


def test_a_task_event_without_its_contact_is_resolved(client, synced, sandbox):
    person = Contact.objects.first()
    made = sandbox.edit("task", "create", contactId=person.remote_id, title="Thin", dueDate="2027-01-04T15:00:00Z")
    post(client, about(synced, "TaskCreate", id=made["record"]["id"]))
    work_off()
    assert Task.objects.filter(title="Thin", contact=person).exists()


def test_the_same_event_twice_is_one_row(client, synced):
    event = about(synced, "ContactUpdate", id=Contact.objects.first().remote_id)
    assert [post(client, event).status_code for _ in range(3)] == [200, 200, 200]
    assert InboundEvent.objects.count() == 1


@pytest.mark.parametrize("signed", [
    {"X-GHL-Signature": "N/A"}, {"X-GHL-Signature": ""}, {"x-wh-signature": "c29tZXRoaW5n"}, {"Accept": "*/*"},
])  # fmt: skip
def test_an_unsigned_event_is_turned_away_and_leaves_nothing(signed, client, db):
    assert post(client, {"type": "ContactUpdate"}, **signed).status_code == 401
    assert not InboundEvent.objects.exists()


def test_another_key_or_an_altered_body_is_turned_away(client, db):
    stranger = Ed25519PrivateKey.generate()
    assert post(client, {"type": "ContactUpdate"}, key=stranger).status_code == 401
    assert post(client, {"type": "ContactUpdate"}, body=b'{"type":"ContactDelete"}').status_code == 401
    assert not InboundEvent.objects.exists()


def test_during_a_rotation_both_keys_are_accepted(client, db, settings):
    new = Ed25519PrivateKey.generate()
    pem = new.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    settings.GHL_WEBHOOK_PUBLIC_KEYS += pem
    assert post(client, {"type": "A", "webhookId": "1"}).status_code == 200
    assert post(client, {"type": "B", "webhookId": "2"}, key=new).status_code == 200


def test_when_storing_fails_ghl_is_asked_to_come_again(client, db, monkeypatch):
    def away(*args, **values):
        raise DatabaseError

    monkeypatch.setattr(InboundEvent.objects, "create", away)
    answer = post(client, {"type": "ContactUpdate"})
    assert (answer.status_code, answer["Retry-After"]) == (429, "60")


@pytest.mark.parametrize("event, outcome", [
    ({"type": "InvoicePaid", "locationId": "somewhere"}, "kept"),
    ({"type": "ContactUpdate", "locationId": "somewhere", "id": "x"}, "not_ours"),
    ({"type": "ContactUpdate", "locationId": None, "id": 7}, "not_ours"),
    ({"type": "AppointmentUpdate", "appointment": "not an object"}, "not_ours"),
    ({}, "kept"),
])  # fmt: skip
def test_what_we_cannot_use_is_kept_with_a_word(event, outcome, client, db):
    assert post(client, event).status_code == 200
    work_off()
    assert InboundEvent.objects.get().outcome == outcome


def test_without_the_slash_there_is_no_redirect(client, db):
    assert post(client, {"type": "ContactUpdate"}, path="/webhooks/ghl").status_code == 200


def test_only_post_is_answered(client, db):
    assert client.get("/webhooks/ghl/").status_code == 405
