"""At the door: whatever comes is verified over its raw bytes, and what is good is kept before it is answered."""

import json
import random
from unittest import mock

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import ImproperlyConfigured
from django.test import AsyncClient, Client
from hypothesis import HealthCheck, given
from hypothesis import settings as how_hard
from hypothesis import strategies as st

from integrations import tasks
from integrations.models import InboundEvent, QuarantinedEvent
from integrations.news import events
from tests.integrations.posting import KEY, NEW_KEY, no_database, our_key, post  # noqa: F401
from tests.integrations.signatures import HEADER, mutations, pem, sign

pytestmark = pytest.mark.django_db
for_real = pytest.mark.django_db(transaction=True)  # a test that takes the database away cannot be inside it

EVENT = {"type": "ContactUpdate", "locationId": "loc1", "id": "con1", "webhookId": "w1", "dnd": True, "n": 20}


def test_a_signed_event_is_stored_with_the_ids_it_names(client):
    assert post(client, {**EVENT, "timestamp": "2026-11-01T10:00:00.123Z"}).status_code == 200
    row = InboundEvent.objects.get()
    assert (row.event_id, row.kind, row.remote_location_id, row.record_id) == ("w1", "ContactUpdate", "loc1", "con1")
    assert row.told_at.isoformat() == "2026-11-01T10:00:00.123000+00:00"


@pytest.mark.parametrize("event, record, contact, location", [
    ({"type": "NoteUpdate", "id": "n", "contactId": "c", "locationId": "l"}, "n", "c", "l"),
    ({"type": "TaskCreate", "id": "t", "locationId": "l"}, "t", "", "l"),
    ({"type": "AppointmentUpdate", "locationId": "l", "appointment": {"id": "a", "contactId": "c"}}, "a", "c", "l"),
    ({"type": "LocationUpdate", "id": "l"}, "l", "", "l"),
    ({"type": "UserCreate", "id": "u", "companyId": "k"}, "u", "", ""),
    ({"type": "INSTALL", "locationId": "l", "companyId": "k"}, "l", "", "l"),
    ({"type": "UNINSTALL", "companyId": "k"}, "k", "", ""),
])  # fmt: skip
def test_each_kind_says_in_its_own_place_what_it_is_about(event, record, contact, location, client):
    post(client, event)
    row = InboundEvent.objects.get()
    assert (row.record_id, row.remote_contact_id, row.remote_location_id) == (record, contact, location)


def test_the_same_event_again_is_one_row_and_rings_nobody(client):
    with mock.patch.object(tasks, "ring") as ring:
        assert [post(client, EVENT).status_code for _ in range(3)] == [200, 200, 200]
    assert InboundEvent.objects.count() == 1
    assert ring.call_count == 1


def test_without_an_id_the_bytes_tell_one_event_from_another(client):
    nameless = {"type": "ContactUpdate", "locationId": "loc1"}
    for event in (nameless, nameless, {**nameless, "id": "other"}, {**nameless, "webhookId": ["odd"]}):
        assert post(client, event).status_code == 200
    assert InboundEvent.objects.count() == 3


def test_altered_requests_are_turned_away_and_good_ones_never(client):
    """A few hundred here; the fault suite does twenty thousand."""
    dice, wrong, good = random.Random(10), [], 0
    quiet = {"type": "SomethingElse", "locationId": "loc1", "name": 'Zoë "Z"', "n": 7, "deep": {"list": [1, None]}}
    for number in range(10):
        body = json.dumps({**quiet, "webhookId": f"w{number}"}, ensure_ascii=False, separators=(",", ":")).encode()
        for case in mutations(dice, body, sign(KEY, body)):
            good += case.is_good
            answer = over_the_wire(client, case)
            if answer.status_code != (200 if case.is_good else 401):
                wrong.append((case.name, answer.status_code))
    assert wrong == []
    assert InboundEvent.objects.count() == 10
    assert good == 30


def over_the_wire(client, case):
    """Django joins a header that comes twice, as its servers do."""
    headers = {}
    for name, value in case.headers:
        key = f"HTTP_{name.upper().replace('-', '_')}"
        headers[key] = f"{headers[key]},{value}" if key in headers else value
    return client.post("/webhooks/ghl/", case.body, content_type="application/json", **headers)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "type", "locationId", "contactId", "appointment", "locations"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)
KINDS = "ContactUpdate NoteDelete TaskCreate AppointmentUpdate LocationUpdate UserCreate INSTALL UNINSTALL Odd".split()  # noqa: SIM905


@how_hard(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=JSON, kind=st.sampled_from(KINDS) | JSON, webhook_id=JSON, stamp=JSON)
def test_whatever_shape_a_signed_payload_has_it_is_stored(content, kind, webhook_id, stamp, client):
    if isinstance(content, dict):
        content = {**content, "type": kind, "webhookId": webhook_id, "timestamp": stamp}
    body = json.dumps(content).encode()
    before = InboundEvent.objects.filter(body=body).count()
    answer = post(client, content, body=body)
    assert answer.status_code == 200
    assert before or InboundEvent.objects.filter(body=body).exists() or isinstance(webhook_id, str)


@pytest.mark.parametrize("body", [
    b"", b"not json", b"\xff\xfe\x00", b"[" * 100_000, b'"\\ud800"', b'{"type":"\\u0000","id":"\\u0000"}', b"1" * 5_000,
    b'{"type":"' + b"x" * 500 + b'","webhookId":"' + b"y" * 500 + b'"}', b'{"type":"ContactUpdate","id":"' + b"z" * 70,
])  # fmt: skip
def test_what_is_signed_but_odd_is_kept(body, client):
    answer = client.post("/webhooks/ghl/", body, content_type="text/plain", headers={HEADER: sign(KEY, body)})
    assert answer.status_code == 200
    assert bytes(InboundEvent.objects.get().body) == body


def test_five_megabytes_are_taken_and_more_gets_a_clear_answer(client):
    large, too_large = b'{"a":"' + b"x" * 5_000_000 + b'"}', b"x" * 6_000_001
    assert (
        client.post("/webhooks/ghl/", large, "application/json", headers={HEADER: sign(KEY, large)}).status_code == 200
    )
    answer = client.post("/webhooks/ghl/", too_large, "application/json", headers={HEADER: sign(KEY, too_large)})
    assert (answer.status_code, answer.content) == (413, b"too large\n")


def test_a_body_that_breaks_off_is_asked_for_again(client):
    with mock.patch("django.http.request.HttpRequest.read", side_effect=OSError):
        assert post(client, EVENT).status_code == 429


def test_compressed_bytes_are_only_as_good_as_their_own_signature(client):
    import gzip

    body = json.dumps(EVENT).encode()
    answer = post(client, EVENT, body=gzip.compress(body), **{HEADER: sign(KEY, body), "Content-Encoding": "gzip"})
    assert answer.status_code == 401
    assert not InboundEvent.objects.exists()


def test_during_a_rotation_both_keys_are_accepted(client, settings):
    settings.GHL_WEBHOOK_PUBLIC_KEYS += pem(NEW_KEY)
    assert post(client, {"type": "A", "webhookId": "1"}).status_code == 200
    assert post(client, {"type": "B", "webhookId": "2"}, key=NEW_KEY).status_code == 200


@pytest.mark.parametrize("text", ["", "   ", "garbage", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"])
def test_without_a_usable_key_nothing_starts(text, settings):
    from django.apps import apps

    settings.GHL_WEBHOOK_PUBLIC_KEYS = text
    with pytest.raises(ImproperlyConfigured, match="GHL_WEBHOOK_PUBLIC_KEYS is not usable"):
        apps.get_app_config("integrations").ready()


def test_unless_told_otherwise_the_published_key_counts(settings):
    settings.GHL_WEBHOOK_PUBLIC_KEYS = None
    assert len(events.known_keys()) == 1


# --- what goes wrong --------------------------------------------------------------------------------------------------


@for_real
def test_while_the_database_is_away_an_event_is_kept_on_disk(client):
    with no_database():
        assert post(client, EVENT).status_code == 200
    assert not InboundEvent.objects.exists()
    assert events.take_in_spool() == 1
    assert InboundEvent.objects.get().event_id == "w1"


@for_real
def test_when_the_disk_will_not_have_it_either_ghl_is_asked_to_come_again(client, settings, tmp_path):
    (tmp_path / "a file").write_text("")
    settings.WEBHOOK_SPOOL = str(tmp_path / "a file")
    with no_database():
        answer = post(client, EVENT)
    assert (answer.status_code, answer["Retry-After"]) == (429, "60")


def test_a_mistake_of_ours_in_storing_loses_nothing(client):
    with mock.patch.object(events, "store", side_effect=KeyError("a mistake")):
        assert post(client, EVENT).status_code == 200
    assert events.take_in_spool() == 1


def test_a_mistake_of_ours_before_that_asks_ghl_to_come_again(client):
    with mock.patch.object(events, "known_keys", side_effect=KeyError("a mistake")):
        assert post(client, EVENT).status_code == 429


def test_while_redis_is_away_the_answer_is_the_same(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    assert post(client, EVENT).status_code == 200
    assert InboundEvent.objects.count() == 1


@for_real
def test_nothing_that_is_made_for_people_stands_before_the_door():
    """A strange host, a session cookie and htmx would each ask the database, redirect or refuse."""
    visitor = Client(SERVER_NAME="elsewhere.example.net", raise_request_exception=False)
    visitor.cookies["sessionid"] = "x" * 32
    body = json.dumps(EVENT).encode()
    headers = {HEADER: sign(KEY, body), "HX-Request": "true", "X-Forwarded-Proto": "http"}
    with no_database():
        answer = visitor.post("/webhooks/ghl", body, "application/json", headers=headers)
    assert answer.status_code == 200
    assert events.take_in_spool() == 1


def test_nor_under_asgi():
    answer = async_to_sync(AsyncClient().post)(
        "/webhooks/ghl", b"{}", content_type="application/json", headers={"Host": "elsewhere.example.net"}
    )
    assert answer.status_code == 401


@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "options"])
@pytest.mark.parametrize("path", ["/webhooks/ghl", "/webhooks/ghl/"])
def test_only_post_is_answered(path, method, client):
    assert getattr(client, method)(path).status_code == 405


def test_a_door_that_is_not_there_is_not_found(client):
    assert client.post("/webhooks/other", b"{}", content_type="application/json").status_code == 404


def test_an_unsigned_event_leaves_nothing(client):
    for headers in ({"x-wh-signature": "c29tZXRoaW5n"}, {"Accept": "*/*"}, {HEADER: "N/A"}, {HEADER: ""}):
        assert post(client, EVENT, **headers).status_code == 401
    assert not InboundEvent.objects.exists()
    assert not QuarantinedEvent.objects.exists()
