"""The page where an admin looks operations up and tries them on the sandbox. Nobody else has it."""

import pytest
from django.urls import reverse

from integrations.catalogue import executor
from integrations.models import Connection, OperationRun
from tests.integrations.delivering import writes

pytestmark = pytest.mark.django_db
LIST = "/operations/"


def address(key="contacts.add-tags"):
    return reverse("integrations:operation", args=[key])


@pytest.fixture
def stored(location, ada):
    """A connection that is never used."""
    connection = Connection(location=location, kind="oauth", connected_by=ada, scopes=["contacts.write"])
    for name, value in connection.sealed("access", "refresh").items():
        setattr(connection, name, value)
    connection.save()
    return connection


def test_an_admin_finds_an_operation_its_scope_and_whether_it_is_allowed(ada, as_user, stored):
    page = as_user(ada).get(LIST, {"find": "add tags contact"}).content.decode()
    assert "Add tags to a contact" in page and "contacts.write" in page
    assert "has not granted" not in page
    barred = as_user(ada).get(LIST, {"scope": "users.write"}).content.decode()
    assert barred.count("GHL has not granted users.write.") >= 3
    assert "No operation is called that" in as_user(ada).get(LIST, {"find": "zzz"}).content.decode()


def test_triggers_can_be_looked_up_alone(ada, as_user, stored):
    page = as_user(ada).get(LIST, {"only": "trigger"}).content.decode()
    assert "A task is completed" in page and "Add tags to a contact" not in page
    detail = as_user(ada).get(reverse("integrations:trigger", args=["TaskComplete"])).content.decode()
    assert "contactId" in detail and "dueDate" in detail


def test_without_a_connection_the_page_still_tells_what_there_is(ada, as_user, northgate):
    page = as_user(ada).get(LIST).content.decode()
    assert "Add tags to a contact" in page and "No location is connected." in page
    assert "No location is connected." in as_user(ada).get(address()).content.decode()


@pytest.mark.parametrize("who", ["ana", "max_"])
def test_for_staff_and_managers_it_does_not_exist(who, request, as_user, stored):
    client = as_user(request.getfixturevalue(who))
    run = OperationRun.objects.create(connection=stored, key="contacts.add-tags")
    for url in (LIST, address(), reverse("integrations:operation_run", args=[run.pk])):
        assert client.get(url).status_code == 404
    assert client.post(address(), {"connection": stored.pk}).status_code == 404


def test_nobody_looks_through_another_businesss_connection(cy, as_user, stored):
    assert as_user(cy).get(address(), {"connection": stored.pk}).status_code == 404
    assert as_user(cy).post(address(), {"connection": stored.pk, "params.contactId": "c"}).status_code == 404
    run = OperationRun.objects.create(connection=stored, key="contacts.add-tags")
    assert as_user(cy).get(reverse("integrations:operation_run", args=[run.pk])).status_code == 404
    assert OperationRun.objects.count() == 1


def test_where_we_speak_to_the_real_ghl_nothing_is_sent(ada, as_user, stored, settings):
    settings.GHL_API_BASE = "https://services.example.com"
    assert "speaks to the real GHL" in as_user(ada).get(address()).content.decode()
    answer = as_user(ada).post(address(), {"params.contactId": "c", "body.tags": "a"})
    assert answer.status_code == 409 and "Nothing was sent" in answer.content.decode()
    assert not OperationRun.objects.exists()


def test_what_does_not_fit_stays_in_the_form_with_a_sentence(ada, as_user, stored, settings):
    settings.GHL_API_BASE = "http://127.0.0.1:9"
    filled = {"params.contactId": "con1", "body.title": "Call", "body.dueDate": "2026-13-40", "body.completed": "false"}
    answer = as_user(ada).post(address("contacts.create-task"), filled)
    page = answer.content.decode()
    assert answer.status_code == 422 and "Due date: 2026-13-40 is no date." in page and 'value="con1"' in page
    assert not OperationRun.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_operation_tried_on_the_sandbox_shows_what_was_sent_and_answered(ada, as_user, synced, sandbox):
    remote_id = synced.location.contacts.first().remote_id
    client = as_user(ada)
    answer = client.post(address(), {"connection": synced.pk, "params.contactId": remote_id, "body.tags": "hot, roof"})
    run = OperationRun.objects.get()
    assert answer.url == reverse("integrations:operation_run", args=[run.pk]) and run.made_by == ada
    assert 'hx-trigger="every 1s"' in client.get(answer.url).content.decode()
    executor.run(run.pk)
    page = client.get(answer.url).content.decode()
    assert "Done" in page and f"POST /contacts/{remote_id}/tags" in page and "tagsAdded" in page
    assert 'hx-trigger="every 1s"' not in page
    assert len(writes(sandbox, "POST", "/tags")) == 1
