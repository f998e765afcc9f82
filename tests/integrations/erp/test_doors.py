"""Who may come in by the API, with what, and how often."""

import time
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from integrations.api import doors
from integrations.models import ApiKey, ErpEvent, Scope
from tests.integrations.erp.conftest import event, key_of

pytestmark = pytest.mark.django_db

READS = ("/contacts", "/contacts/1", "/tasks", "/notes", "/appointments", "/history")
WRITES = {
    "/events": event(),
    "/events/batch": {"events": [event()]},
    "/customers": {"reference": "CUST-1"},
    "/tasks": {"reference": "T-1", "customer": {"reference": "CUST-1"}, "title": "Call"},
    "/notes": {"reference": "N-1", "customer": {"reference": "CUST-1"}, "body": "Called"},
}


def everything(erp, **headers):
    for path in READS:
        yield path, erp.ask("GET", path, **headers)
    for path, body in WRITES.items():
        yield path, erp.ask("POST", path, body, **headers)
    yield "PUT", erp.ask("PUT", "/customers", WRITES["/customers"], **headers)
    yield "one", erp.ask("GET", "/events/00000000-0000-0000-0000-000000000000", **headers)


@pytest.mark.parametrize("sent", ["Bearer rk_guessed", "Bearer ", "Basic x", "", "Bearer rk_\x80"])
def test_without_a_key_nothing_is_told_and_nothing_stored(sent, erp):
    answers = dict(everything(erp, Authorization=sent))
    assert {answer.status_code for answer in answers.values()} == {401}
    assert not ErpEvent.objects.exists()


def test_a_key_is_not_stored_as_it_is(erp):
    row = ApiKey.objects.filter(pk=erp.key.pk).values().get()
    assert erp.token not in str(row)
    assert erp.secret not in str(row)
    assert erp.token.startswith(row["prefix"])


def test_each_scope_opens_its_own_doors_only(northgate):
    opened = {scope: [] for scope in Scope.values}
    for scope in Scope.values:
        for path, answer in everything(key_of(northgate, [scope])):
            assert answer.status_code in (200, 202, 403, 404), path
            if answer.status_code != 403 and path != "one":  # what became of one's own is told to any key
                opened[scope].append(path)
    assert opened == {
        Scope.EVENTS: ["/events", "/events/batch"],
        Scope.CUSTOMERS: ["/customers", "PUT"],
        Scope.TASKS: ["/tasks"],
        Scope.NOTES: ["/notes"],
        Scope.READ: list(READS),
    }


def test_a_key_may_be_rotated_while_the_old_one_works_on(erp, ada):
    new, token, _ = erp.key.rotate(ada)
    assert new.scopes == erp.key.scopes
    assert erp.ask("GET", "/contacts").status_code == 200
    assert erp.ask("GET", "/contacts", Authorization=f"Bearer {token}").status_code == 200
    assert erp.key.revoke(ada)
    assert not erp.key.revoke(ada)
    assert erp.ask("GET", "/contacts").status_code == 401
    assert erp.ask("GET", "/contacts", Authorization=f"Bearer {token}").status_code == 200


def test_when_it_was_last_used_is_written_once_a_minute(erp, django_assert_num_queries):
    erp.ask("GET", "/contacts")
    used = ApiKey.objects.get().used_at
    assert used is not None
    with django_assert_num_queries(2):  # the key, and the locations
        erp.ask("GET", "/contacts")
    assert ApiKey.objects.get().used_at == used
    ApiKey.objects.update(used_at=timezone.now() - timedelta(minutes=2))
    erp.ask("GET", "/contacts")
    assert ApiKey.objects.get().used_at > used


# --- signed requests --------------------------------------------------------------------------------------------------

BODY = b'{"type": "a.b", "subject": {"reference": "1"}, "idempotency_key": "1"}'


def test_a_signed_request_comes_in_without_the_key_itself(erp):
    assert erp.signed("GET", "/contacts?limit=1").status_code == 200
    assert erp.signed("POST", "/events", BODY).status_code == 202


@pytest.mark.parametrize("changed", [
    {"secret": "another"},
    {"at": "0"},
    {"at": "soon"},
    {"at": str(int(time.time()) + 100_000)},
    {"Rankr-Timestamp": str(int(time.time()) + 7)},
    {"Rankr-Key": "rk_unknown"},
    {"Rankr-Signature": "v1=00"},
    {"Rankr-Signature": ""},
])  # fmt: skip
def test_a_signature_that_does_not_fit_opens_nothing(changed, erp):
    assert erp.signed("POST", "/events", BODY, **changed).status_code == 401
    assert not ErpEvent.objects.exists()


def test_a_signature_is_for_one_path_and_body_only(erp):
    good = erp.signed("POST", "/events", BODY).wsgi_request.headers
    headers = {name: good[name] for name in ("Rankr-Key", "Rankr-Timestamp", "Rankr-Signature")} | {"Authorization": ""}
    assert erp.ask("POST", "/events", BODY, **headers).json()["repeated"] is True  # overheard, and harmless
    assert erp.ask("POST", "/events", BODY.replace(b"a.b", b"c.d"), **headers).status_code == 401
    assert erp.ask("POST", "/events/batch", BODY, **headers).status_code == 401
    assert ErpEvent.objects.count() == 1


def test_a_revoked_key_signs_nothing_any_more(erp, ada):
    erp.key.revoke(ada)
    assert erp.signed("GET", "/contacts").status_code == 401


# --- how often, and how much ------------------------------------------------------------------------------------------


def test_a_key_that_floods_is_asked_to_wait(erp, strange_erp, settings):
    settings.ERP_RATE_LIMIT = 3
    answers = [erp.ask("GET", "/contacts") for _ in range(8)]  # over the turn of a minute twice as many pass
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert 1 <= int(refused[0]["Retry-After"]) <= 60
    assert strange_erp.ask("GET", "/contacts").status_code == 200


def test_what_says_it_is_too_large_is_not_even_read(erp):
    class Unread:
        META = {"CONTENT_LENGTH": str(doors.MOST_BYTES + 1)}

    with pytest.raises(doors.TooLarge):
        doors.refuse_the_large(Unread())


def test_while_the_database_is_away_nothing_is_pretended(erp, monkeypatch):
    def away(*args, **options):
        raise OperationalError("connection refused")

    monkeypatch.setattr("django.db.models.query.QuerySet.bulk_create", away)
    answer = erp.ask("POST", "/events", event())
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    monkeypatch.setattr("integrations.models.api_key.ApiKeyQuerySet.with_token", away)
    assert erp.ask("POST", "/events", event()).status_code == 503


@pytest.mark.parametrize("path", ["", "/nothing", "/events/", "/contacts/1/secrets", "/../v2/events"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_address_that_is_not_there_is_answered_in_json(method, path, erp, settings):
    settings.DEBUG = False
    answer = Client(enforce_csrf_checks=True).generic(method, f"/api/v1{path}", b"{}", "application/json")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
    assert answer.json()["error"].startswith("There is no such address.")
    assert Client().get("/api/v7/events").json()["fields"] == []
