"""Where secrets and people's data must not turn up: logs, pages, tables, Redis, task messages, error reports.

One story is told each time: connect in both ways, read, edit, and run into every kind of trouble, with a GHL that
repeats in its errors whatever it was sent. Then everything that was left behind is searched.
"""

import base64
import json
import logging
import re
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import sentry_sdk
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import connection as database
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from sentry_sdk.transport import Transport

from contacts.models import Business, Change, Contact, Note
from integrations import tasks
from integrations.access import connect, tokens
from integrations.ghl import errors
from integrations.management.commands.sync import wait_for
from integrations.models import Connection, Delivery, SyncRun
from integrations.reading import sync
from integrations.writing import writeback
from rankr_dash import sentry
from rankr_dash.shared_redis import shared_redis

pytestmark = pytest.mark.django_db(transaction=True)

WRONG_PIT = "pit-0badcafe-0bad-cafe-0bad-cafe0badcafe"
EVE = {"email": "eve.canary@example.com", "phone": "+13125550177", "note": "Canary: the cat sleeps in the attic."}


class Ear(logging.Handler):
    """Hears every record as the console would print it."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.getLogger().handlers[0].formatter)
        self.lines = []

    def emit(self, record):
        self.lines.append(self.format(record))


@pytest.fixture
def ear():
    """As with LOG_LEVEL=DEBUG."""
    root, ear = logging.getLogger(), Ear()
    level = root.level
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    yield ear
    root.removeHandler(ear)
    root.setLevel(level)


@pytest.fixture
def every_logger_loud():
    """Somebody turned up even those that the settings keep quiet."""
    loggers = [each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    levels = [(each, each.level) for each in loggers]
    for each in loggers:
        each.setLevel(logging.DEBUG)
    yield
    for each, level in levels:
        each.setLevel(level)


class Envelopes(Transport):
    """What would be sent to Sentry."""

    def __init__(self, options=None):
        super().__init__(options)
        self.sent = []

    def capture_envelope(self, envelope):
        self.sent.append(envelope.serialize().decode())


@pytest.fixture
def envelopes():
    transport = Envelopes()
    sentry.start("http://public@127.0.0.1:1/1", transport=transport)
    yield transport.sent
    sentry_sdk.init()


@pytest.fixture
def story(envelopes, ear, sandbox, ada, northgate, settings, monkeypatch):
    return tell(ear, sandbox, ada, northgate, monkeypatch)


def tell(ear, sandbox, ada, northgate, monkeypatch):
    told = SimpleNamespace(ear=ear, answers=[], urls=set(), secrets={WRONG_PIT, *clients_of(sandbox)})
    browser = Client(raise_request_exception=False)
    browser.force_login(ada)
    told.get = lambda url: told.answers.append(browser.get(url, follow=True))
    told.post = lambda url, data=None: told.answers.append(browser.post(url, data or {}, follow=True))

    with_a_token(told, sandbox, northgate, monkeypatch)
    by_consent(told, sandbox, browser, northgate)
    connection = Connection.objects.get(kind="oauth")
    wait_for(sync.start(connection))
    reading_goes_wrong(connection, sandbox)
    writing_goes_wrong(told, connection, sandbox)
    renewing_goes_wrong(connection, sandbox)
    everything_breaks(told, connection, monkeypatch)
    for token in sandbox.get("tokens")["tokens"]:
        told.secrets |= {token["access_token"], token["refresh_token"]}
    told.secrets -= {None, ""}
    told.answers += pages_of(browser, connection)
    return told


def clients_of(sandbox):
    return sandbox.credentials["client_secret"], sandbox.credentials["other_client_secret"]


def with_a_token(told, sandbox, northgate, monkeypatch):
    second = sandbox.get("credentials", location_id=sandbox.credentials["location_ids"][1])
    good = second["private_integration_token"]
    told.secrets.add(good)
    form = {"business": northgate.pk, "location_id": second["location_id"]}
    told.post("/connections/token/", {**form, "token": WRONG_PIT})
    sandbox.faults(echoing({"path": "/contacts/search"}, 500, good))
    told.post("/connections/token/", {**form, "token": good})
    with monkeypatch.context() as broken:
        broken.setattr(connect, "probe", lambda token, location_id: 1 / 0)
        told.post("/connections/token/", {**form, "token": good})
    sandbox.no_faults()
    told.post("/connections/token/", {**form, "token": good})
    assert Connection.objects.get().access_token == good


def by_consent(told, sandbox, browser, northgate):
    for fault in ("nothing", 500, 400, "junk", "no token"):
        sandbox.no_faults()
        url, state, code = consented(sandbox, browser, northgate)
        told.secrets |= {state, code}
        told.urls.add(url)
        match = {"path": "/oauth/token", "times": 0}
        if fault in (500, 400):
            sandbox.faults(echoing(match, fault, code, *clients_of(sandbox)))
        elif fault == "junk":
            sandbox.faults({"match": match, "action": {"status": 200, "body": f"<p>{code}</p>"}})
        elif fault == "no token":
            sandbox.faults({"match": match, "action": {"status": 200, "body": {"code": code, "expires_in": "x"}}})
        told.get(url)
        told.get(url)  # pressed twice
    sandbox.no_faults()


def consented(sandbox, browser, northgate):
    """The address GHL sends the admin back to, with what is secret in it."""
    page = urlsplit(browser.post("/connections/start/", {"business": northgate.pk})["Location"])
    asked = dict(parse_qsl(page.query))
    form = {**asked, "granted_scope": asked["scope"].split(), "location_id": sandbox.credentials["location_id"]}
    answer = requests.post(f"{sandbox.url}{page.path}", data=form, timeout=30, allow_redirects=False)
    back = urlsplit(answer.headers["Location"])
    values = dict(parse_qsl(back.query))
    return f"{back.path}?{back.query}", values["state"], values["code"]


def echoing(match, status, *secrets):
    """A GHL that repeats what it was sent, in every field that it uses for words."""
    words = " ".join(f"token={secret} Bearer {secret} {secret}" for secret in secrets)
    body = {"message": words, "error": words, "error_description": words, "traceId": "trace-1"}
    return {"match": match, "action": {"status": status, "body": body}}


def reading_goes_wrong(connection, sandbox):
    person = Contact.objects.filter(location=connection.location).exclude(email="").first()
    echo = f"{person.email} {person.phone} {connection.access_token}"
    for action in ({"expire_token": True}, {"status": 401, "body": {"message": f"Invalid JWT {echo}"}}):
        sandbox.faults({"match": {"path": "/contacts/search"}, "action": action})
        wait_for(sync.start(connection))
    refusal = {"status": 400, "body": {"message": echo}}
    sandbox.faults({"match": {"path": "/contacts/search", "times": 0}, "action": refusal})
    run = sync.start(connection)
    sync.work(run.pk)
    sandbox.no_faults()
    SyncRun.objects.filter(pk=run.pk).update(next_at=timezone.now())
    wait_for(SyncRun.objects.get(pk=run.pk))


def writing_goes_wrong(told, connection, sandbox):
    person = Contact.objects.filter(location=connection.location, deleted_at=None).first()
    for slug in ("email", "phone"):
        told.post(reverse("contacts:contact_field", args=[person.pk, slug]), {"value": EVE[slug]})
    told.post(reverse("contacts:note_add", args=[person.pk]), {"body": EVE["note"]})
    token = tokens.valid_token(connection.pk)
    words = f"{EVE['email']} {EVE['phone']} {EVE['note']} Bearer {token} {token}"
    sandbox.faults(
        {"match": {"method": "PUT", "times": 0}, "action": {"status": 422, "body": {"message": [words]}}},
        {"match": {"method": "POST", "path": "/notes", "times": 1}, "action": {"status": 500, "body": words}},
    )
    for delivery in Delivery.objects.filter(finished_at=None):
        writeback.push(delivery.pk)
    assert Change.objects.filter(state="refused").exists()
    sandbox.no_faults()
    for delivery in Delivery.objects.filter(finished_at=None):
        Delivery.objects.filter(pk=delivery.pk).update(next_at=timezone.now())
        writeback.push(delivery.pk)


def renewing_goes_wrong(connection, sandbox):
    connection.refresh_from_db()
    before = connection.access_token, connection.refresh_token, *clients_of(sandbox)
    for status, body in ((500, None), (200, "junk"), (400, None)):
        fault = echoing({"path": "/oauth/token", "times": 0}, status, *before)
        if body:
            fault["action"]["body"] = f"{body} {before}"
        elif status == 400:
            fault["action"]["body"]["error"] = "invalid_grant"
        sandbox.faults(fault)
        Connection.objects.filter(pk=connection.pk).update(
            renew_at=timezone.now(), expires_at=timezone.now(), lease_until=None
        )
        with pytest.raises(errors.GhlError):
            tokens.valid_token(connection.pk)
        sandbox.no_faults()
    connection.refresh_from_db()
    assert connection.status == "needs_reauth"


def everything_breaks(told, connection, monkeypatch):
    """A page and a task that stumble over the database: it repeats the row that it refuses."""
    person = Contact.objects.filter(email=EVE["email"]).get()

    def stumble(*args, **options):
        Contact.objects.filter(pk=person.pk).update(city=None)

    with monkeypatch.context() as broken:
        broken.setattr("contacts.views.contact.page.context", stumble)
        told.get(person.get_absolute_url())
        assert told.answers[-1].status_code == 500
        broken.setattr(writeback, "push", stumble)
        broken.setattr(sync, "work", lambda run_id: 1 / 0)
        assert tasks.push_delivery.apply(args=[1]).failed()
        assert tasks.work_sync.apply(args=[1]).failed()


def pages_of(browser, connection):
    """What an admin, and whoever runs the server, can look at afterwards."""
    for url in ("/connections/", "/connections/token/", "/status/", "/status/banner/", "/outbox/?who=everyone"):
        yield browser.get(url)
    yield browser.get(Contact.objects.get(email=EVE["email"]).get_absolute_url())
    root = Client()
    root.force_login(get_user_model().objects.create_superuser("root@example.com", "x"))
    for model in (Connection, SyncRun, Delivery):
        name = f"admin:integrations_{model._meta.model_name}"
        yield root.get(reverse(f"{name}_changelist"))
        for pk in model.objects.values_list("pk", flat=True):
            yield root.get(reverse(f"{name}_change", args=[pk]))


# --- where to look ----------------------------------------------------------------------------------------------------


def logs(told):
    return "\n".join(told.ear.lines)


def pages(told):
    """Bodies and headers; the way to GHL's consent page has to carry the state."""
    return "\n".join(f"{answer.content.decode()} {answer.headers}" for answer in told.answers)


def tables(told):
    """Every row of every table as text, and what the sessions hold."""
    with database.cursor() as cursor:
        names = database.introspection.table_names(cursor)
        rows = []
        for name in names:
            cursor.execute(f'SELECT row::text FROM "{name}" AS row')
            rows += [f"{name} {row}" for (row,) in cursor.fetchall()]
    rows += [f"session {session.get_decoded()}" for session in Session.objects.all()]
    assert len(rows) > 200
    return "\n".join(rows)


def reports(envelopes):
    """Everything that broke was reported, and where."""
    text = "\n".join(envelopes)
    assert "ZeroDivisionError" in text
    assert "stumble" in text
    return text


def in_redis(settings):
    server = shared_redis()
    found = []
    for key in server.scan_iter():
        kind = server.type(key)
        read = {
            b"string": server.get, b"hash": server.hgetall, b"set": server.smembers,
            b"list": lambda key: server.lrange(key, 0, -1), b"zset": lambda key: server.zrange(key, 0, -1),
        }[kind]  # fmt: skip
        found.append(f"{key!r} {read(key)!r}")
    return "\n".join(found)


def messages(settings):
    """The bodies of the tasks that wait for a worker."""
    server = shared_redis()
    waiting = [message for queue in settings.CELERY_TASK_QUEUES for message in server.lrange(queue.name, 0, -1)]
    return [json.loads(base64.b64decode(json.loads(message)["body"])) for message in waiting]


def found_in(text, words):
    return sorted(word for word in words if word in text)


def personal():
    """What people are known by here: addresses, numbers in both spellings, and what was written about them."""
    words = {*EVE.values()}
    for email, phone in Contact.objects.values_list("email", "phone"):
        words |= {email, phone, phone.lstrip("+")}
    words |= {re.sub(r"<[^>]+>", "", body)[:40] for body in Note.objects.values_list("body", flat=True)}
    return {word for word in words if len(word) > 7}


# --- it is not there --------------------------------------------------------------------------------------------------


def test_no_secret_is_left_anywhere(story, settings, envelopes):
    it_happened(story)
    assert found_in(reports(envelopes), story.secrets) == []
    sealed = {*Connection.objects.exclude(sealed_access_token="").values_list("sealed_access_token", flat=True)}
    assert found_in(logs(story), story.secrets | sealed) == []
    assert found_in(pages(story), story.secrets | sealed) == []
    assert found_in(tables(story), story.secrets) == []
    assert found_in(in_redis(settings), story.secrets) == []
    assert found_in(kept_of_exchanges(), {*story.secrets, EVE["email"], EVE["phone"]}) == []


def it_happened(story):
    """The searches would be worth nothing without the trouble."""
    said = logs(story)
    for trouble in ("refresh token refused", "token not renewed", "stopped for", "refused Invalid", "push_delivery"):
        assert trouble in said, trouble
    assert "Internal Server Error" in said
    assert "ZeroDivisionError" in said
    assert len(story.secrets) > 20
    assert EVE["email"] in pages(story)


def kept_of_exchanges():
    kept = [str(exchange) for exchange in Change.objects.values_list("exchange", flat=True)]
    kept += Change.objects.values_list("technical", flat=True)
    kept += SyncRun.objects.values_list("stop_reason", flat=True)
    kept += Connection.objects.values_list("status_reason", flat=True)
    assert any(kept)
    return "\n".join(kept)


def test_no_secret_is_in_a_log_however_loud(every_logger_loud, story):
    assert "urllib3" in logs(story), "the loud ones were heard"
    assert found_in(logs(story), story.secrets) == []


def test_no_person_is_in_a_log_a_task_an_error_report_or_redis(story, settings, envelopes):
    assert found_in(reports(envelopes), personal()) == []
    assert len(personal()) > 80
    assert "null value in column" in logs(story), "the database complained"
    assert found_in(logs(story), personal()) == []
    assert found_in(in_redis(settings), personal()) == []
    sent = messages(settings)
    assert sent
    for args, kwargs, _ in sent:
        assert kwargs == {}
        assert [type(arg) for arg in args] == [int]


# --- the admin of the server ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["connection", "syncrun", "delivery", "usage"])
def test_the_admin_shows_and_changes_nothing(page, db):
    root = Client()
    root.force_login(get_user_model().objects.create_superuser("root@example.com", "x"))
    assert root.get(f"/admin/integrations/{page}/").status_code == 200
    assert root.get(f"/admin/integrations/{page}/add/").status_code == 403


def test_the_admin_knows_no_attempts_to_connect(db):
    root = Client()
    root.force_login(get_user_model().objects.create_superuser("root@example.com", "x"))
    assert root.get("/admin/integrations/connectattempt/").status_code == 404


def test_the_admin_is_for_whoever_runs_the_server(ada, as_user, northgate):
    assert isinstance(northgate, Business)
    answer = as_user(ada).get("/admin/integrations/connection/")
    assert answer.status_code == 302
    assert "login" in answer["Location"]
