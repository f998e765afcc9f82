"""A signature that no key fits is turned away; what came with it is kept for a while: GHL may have changed its key."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from contacts.models import Contact
from integrations.models import InboundEvent, Incident, QuarantinedEvent
from integrations.news import events, quarantine
from tests.integrations.posting import KEY, NEW_KEY, about, our_key, post, work_off  # noqa: F401
from tests.integrations.signatures import HEADER, pem, sign

pytestmark = pytest.mark.django_db


def ours(location, number=0):
    return {"type": "ContactUpdate", "locationId": location.remote_id, "id": "c", "webhookId": f"w{number}"}


def open_incidents():
    return Incident.objects.open().filter(kind="signature", connection=None)


def test_it_is_turned_away_but_kept(client, location):
    assert post(client, ours(location), key=NEW_KEY).status_code == 401
    assert not InboundEvent.objects.exists()
    kept = QuarantinedEvent.objects.get()
    assert kept.looks_ours
    assert json.loads(bytes(kept.body)) == ours(location)


def test_the_same_one_again_is_kept_once(client, location):
    for _ in range(3):
        post(client, ours(location), key=NEW_KEY)
    assert QuarantinedEvent.objects.count() == 1


def test_our_apps_id_makes_it_look_ours_too_and_anything_else_does_not(client, settings):
    settings.GHL_CLIENT_ID = "68a1b2c3-mfx"
    for number, event in enumerate([{"appId": "68a1b2c3"}, {"appId": "other"}, {"locationId": "unknown"}, {}, []]):
        assert post(client, event, key=NEW_KEY).status_code == 401, number
    assert QuarantinedEvent.objects.filter(looks_ours=True).count() == 1
    assert QuarantinedEvent.objects.count() == 5


def test_without_a_signature_to_try_again_nothing_is_kept(client, location):
    for signature in ("", "N/A", "x" * 401):
        assert post(client, ours(location), **{HEADER: signature}).status_code == 401
    large = b'{"a":"' + b"x" * 256_000 + b'"}'
    assert post(client, None, body=large, **{HEADER: sign(NEW_KEY, large)}).status_code == 401
    assert not QuarantinedEvent.objects.exists()


def test_a_stranger_can_fill_neither_the_table_nor_the_minute(client, monkeypatch, location):
    monkeypatch.setattr(quarantine, "MOST_ROWS", 5)
    post(client, ours(location), key=NEW_KEY)
    for number in range(150):
        assert post(client, {"number": number}, key=NEW_KEY).status_code == 401
    assert QuarantinedEvent.objects.count() == 5
    assert QuarantinedEvent.objects.filter(looks_ours=True).exists(), "junk pushed out what may be GHL's"
    newest = QuarantinedEvent.objects.latest("pk")
    assert json.loads(bytes(newest.body))["number"] == 98, "a hundred a minute are kept, the rest is not even looked at"


def test_what_is_a_week_old_is_forgotten(client, location):
    post(client, ours(location), key=NEW_KEY)
    QuarantinedEvent.objects.update(received_at=timezone.now() - timedelta(days=8))
    events.catch_up()
    assert not QuarantinedEvent.objects.exists()


def test_with_the_new_key_what_was_kept_is_taken_in_with_the_time_it_came(client, location, settings):
    for number in range(3):
        post(client, ours(location, number), key=NEW_KEY)
    post(client, {"forged": True}, **{HEADER: sign(NEW_KEY, b"something else")})
    came = QuarantinedEvent.objects.earliest("pk").received_at
    events.catch_up()
    assert not InboundEvent.objects.exists()
    settings.GHL_WEBHOOK_PUBLIC_KEYS = pem(KEY) + pem(NEW_KEY)
    events.catch_up()
    assert InboundEvent.objects.count() == 3
    assert InboundEvent.objects.earliest("pk").received_at == came
    assert QuarantinedEvent.objects.count() == 1
    events.catch_up()
    assert InboundEvent.objects.count() == 3


def test_what_was_tried_with_these_keys_is_not_tried_again(client, location, django_assert_max_num_queries):
    for number in range(4):
        post(client, ours(location, number), key=NEW_KEY)
    with django_assert_max_num_queries(3):
        events.verify_quarantine()


def test_five_within_ten_minutes_call_a_person_once(client, location):
    for number in range(4):
        post(client, ours(location, number), key=NEW_KEY)
    assert not open_incidents().exists()
    for number in range(4, 9):
        post(client, ours(location, number), key=NEW_KEY)
    assert "GHL_WEBHOOK_PUBLIC_KEYS" in open_incidents().get().reason


def test_junk_calls_nobody_nor_do_five_in_an_hour(client, location):
    for number in range(9):
        post(client, {"number": number}, key=NEW_KEY)
    for number in range(9):
        post(client, ours(location, number), key=NEW_KEY)
        QuarantinedEvent.objects.update(received_at=timezone.now() - timedelta(minutes=11))
    assert not open_incidents().exists()


def test_while_good_ones_arrive_strangers_call_nobody(client, location):
    for number in range(9):
        post(client, ours(location, number), key=NEW_KEY)
        post(client, ours(location, f"good{number}"))
    assert not open_incidents().exists()


def test_a_good_signature_afterwards_ends_the_alarm_and_a_bad_one_does_not(client, location):
    for number in range(5):
        post(client, ours(location, number), key=NEW_KEY)
    events.catch_up()
    assert open_incidents().exists()
    post(client, ours(location, "good"))
    events.catch_up()
    assert not open_incidents().exists()


def test_taking_in_what_was_kept_ends_it_too(client, location, settings):
    for number in range(5):
        post(client, ours(location, number), key=NEW_KEY)
    settings.GHL_WEBHOOK_PUBLIC_KEYS = pem(NEW_KEY)
    events.catch_up()
    assert InboundEvent.objects.count() == 5
    assert not open_incidents().exists()


@pytest.mark.django_db(transaction=True)
def test_ghl_changes_its_key_without_notice_and_nothing_is_lost(client, synced, sandbox, settings):
    people = list(Contact.objects.order_by("pk")[:6])
    for person in people:
        sandbox.edit("contact", "update", person.remote_id, firstName="Changed")
        assert post(client, about(synced, "ContactUpdate", id=person.remote_id), key=NEW_KEY).status_code == 401
    assert open_incidents().exists()
    settings.GHL_WEBHOOK_PUBLIC_KEYS = pem(NEW_KEY)
    events.catch_up()
    work_off()
    assert Contact.objects.filter(first_name="Changed").count() == 6
    assert not open_incidents().exists()
