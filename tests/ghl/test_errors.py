"""What each answer of GHL means."""

from datetime import UTC, datetime

import pytest
import requests

from integrations.ghl import errors
from integrations.ghl.errors import error_for, retry_after_of, without_personal

from .scripted import Answer


def answer(status, body=None, headers=None, method="GET", path="/contacts/c1"):
    response = requests.Response()
    response.status_code = status
    response._content = Answer(body if body is not None else {}).raw
    response.headers.update(headers or {})
    response.request = requests.Request(method, "https://ghl.test" + path).prepare()
    return response


@pytest.mark.parametrize(
    "status, body, path, kind",
    [
        (401, {"message": "Invalid JWT"}, "/contacts/c1", errors.TokenRejected),
        (401, {"message": "Invalid token: access token is invalid"}, "/contacts/c1", errors.TokenRejected),
        (401, None, "/contacts/c1", errors.TokenRejected),
        (401, {"message": "The token is not authorized for this scope."}, "/contacts/c1", errors.ScopeMissing),
        (401, {"status": 401, "message": "You do not have access to this feature! x"}, "/x", errors.ScopeMissing),
        (401, {"message": "version header was not found."}, "/x", errors.Invalid),
        (403, {"message": "The token does not have access to this location."}, "/x", errors.LocationDenied),
        (400, {"message": "Location is not active"}, "/x", errors.LocationDenied),
        (400, {"message": "Contact not found for id:c1"}, "/contacts/c1", errors.NotFound),
        (400, {"message": "Contact with id c1 not found"}, "/contacts/c1", errors.NotFound),
        (404, {"message": "Appointment not found"}, "/calendars/events/appointments/a1", errors.NotFound),
        (404, {"error": {"code": "x", "message": "gone"}}, "/businesses/b1", errors.NotFound),
        (404, {"message": "Cannot GET /contacts/c1/nots"}, "/contacts/c1/nots", errors.Invalid),
        (404, b"<html>not here</html>", "/contacts/c1", errors.BadAnswer),
        (400, {"message": "User not found"}, "/contacts/c1", errors.Invalid),
        (400, {"message": "Invalid field contact_name"}, "/contacts/search", errors.Invalid),
        (422, {"message": ["email must be an email", "x"]}, "/contacts/", errors.Invalid),
        (429, {"message": "Too Many Requests"}, "/x", errors.RateLimited),
        (500, {"name": "HttpException"}, "/x", errors.Unavailable),
        (502, b"<html>bad gateway</html>", "/x", errors.Unavailable),
        (408, None, "/x", errors.Unavailable),
        (302, None, "/x", errors.BadAnswer),
        (200, None, "/x", type(None)),
        (201, None, "/x", type(None)),
    ],
)
def test_what_an_answer_means(status, body, path, kind):
    assert type(error_for(answer(status, body, path=path))) is kind


@pytest.mark.parametrize(
    "kind, temporary, maybe_done",
    [
        (errors.RateLimited, True, False),
        (errors.BudgetExhausted, True, False),
        (errors.Unavailable, True, True),
        (errors.NoAnswer, True, True),
        (errors.NotSent, True, False),
        (errors.BadAnswer, True, True),
        (errors.TokenRejected, False, False),
        (errors.NotFound, False, False),
        (errors.Duplicate, False, False),
        (errors.Invalid, False, False),
    ],
)
def test_each_error_carries_the_decision_and_a_sentence(kind, temporary, maybe_done):
    assert (kind.is_temporary, kind.maybe_done) == (temporary, maybe_done)
    assert kind.plain.endswith(".")


def test_a_duplicate_names_the_contact_that_is_there():
    body = {"message": "This location does not allow duplicated contacts.", "traceId": "t-1"}
    body["meta"] = {"contactId": "c7", "matchingField": "phone"}
    error = error_for(answer(400, body, method="POST"))
    assert (type(error), error.contact_id, error.matching_field) == (errors.Duplicate, "c7", "phone")
    assert error.trace_id == "t-1"


def test_a_refused_create_may_have_happened_all_the_same():
    body = {"message": ["property x should not exist"]}
    assert error_for(answer(422, body, method="POST")).maybe_done
    assert not error_for(answer(422, body, method="PUT")).maybe_done
    assert error_for(answer(422, body)).messages == ["property x should not exist"]


def test_a_spent_day_waits_for_the_reset():
    headers = {"x-ratelimit-daily-remaining": "0", "X-RateLimit-Daily-Reset": "83680000"}
    error = error_for(answer(429, None, headers))
    assert type(error) is errors.DailyLimitReached
    assert error.retry_after == 83680


def test_without_advice_a_429_waits_the_interval():
    assert error_for(answer(429, None, {"X-RateLimit-Interval-Milliseconds": "10000"})).retry_after == 10
    assert error_for(answer(429)).retry_after is None


@pytest.mark.parametrize(
    "raw, seconds",
    [
        ("7", 7),
        ("0", 0),
        ("1.5", 1.5),
        ("Wed, 01 Jul 2026 12:00:30 GMT", 30),
        ("Wed, 01 Jul 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("nan", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(raw, seconds):
    assert retry_after_of({"Retry-After": raw}, datetime(2026, 7, 1, 12, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "Bearer canary-123",
        '{"access_token":"canary-123"}',
        '{"refreshToken": "canary-123"}',
        "client_secret=canary-123&x=1",
        "eyJcanary-123canary.eyJz.abc",
        "pit-canary-123".replace("canary", "0canary"),
        "code=canary-123",
        "write to canary-123@example.com",
        "Authorization: canary-123",
    ],
)
def test_secrets_and_people_are_struck_out(text):
    assert "canary-123" not in without_personal(text)
    assert "canary-123" not in str(errors.GhlError(text)) + errors.GhlError("x", body=text).body
