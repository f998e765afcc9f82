"""Workflows, campaigns and stages are chosen by their names where GHL lists them, and by an id where it does not."""

import pytest

from contacts.models import Contact
from integrations.automations import offered, shape
from integrations.models import Connection, Rule
from rankr_dash.shared_redis import shared_redis
from tests.integrations.automations.conftest import erp_says, spec

pytestmark = pytest.mark.django_db(transaction=True)

WELCOME = {"do": "add_to_workflow", "values": {"workflow": "wf1"}}
WON = {"do": "update_opportunity", "values": {"id": "opp1", "stage": "stg2"}}


@pytest.fixture(autouse=True)
def nothing_kept():
    shared_redis().flushdb()


def listed(sandbox, path, body, status=200):
    sandbox.faults({"match": {"method": "GET", "path": path}, "action": {"status": status, "body": body}})


@pytest.fixture
def granted(connection, sandbox):
    """A connection that may list them, to a GHL that does."""
    connection.scopes = [*connection.scopes, "workflows.readonly", "opportunities.readonly"]
    connection.save()
    listed(sandbox, "/workflows/$", {"workflows": [{"id": "wf1", "name": "Welcome"}, {"id": "wf2", "name": "Bye"}]})
    stages = [{"id": "stg1", "name": "New"}, {"id": "stg2", "name": "Won"}]
    listed(sandbox, "/opportunities/pipelines$", {"pipelines": [{"id": "p", "name": "Roofs", "stages": stages}]})
    return connection


def test_names_are_read_once_and_kept(granted, northgate):
    assert offered.stale(northgate) == [granted.pk]
    assert offered.stale(northgate) == []
    assert offered.offered("workflows", northgate).is_coming
    offered.read(granted.pk)
    assert offered.workflows(northgate) == [("wf1", "Welcome"), ("wf2", "Bye")]
    assert offered.stages(northgate) == [("stg1", "Roofs: New"), ("stg2", "Roofs: Won")]


def test_what_was_not_granted_is_not_asked_for(granted, northgate, sandbox):
    offered.read(granted.pk)
    told = offered.offered("campaigns", northgate)
    assert (told.names, told.is_coming, told.why_not) == ([], False, "GHL has not granted campaigns.readonly.")
    assert not [one for one in sandbox.log()["entries"] if "/campaigns" in one["path"]]


def test_a_list_outlives_a_refusal(granted, northgate, sandbox):
    offered.read(granted.pk)
    sandbox.no_faults()
    listed(sandbox, "/workflows/$", {"message": "Forbidden"}, status=403)
    offered.read(granted.pk)
    assert offered.workflows(northgate) == [("wf1", "Welcome"), ("wf2", "Bye")]


def test_a_rule_is_read_aloud_with_the_names(granted, northgate):
    told = spec(erp_says(), WELCOME, WON)
    assert "wf1" in shape.in_words(told, northgate)
    offered.read(granted.pk)
    words = shape.in_words(told, northgate)
    assert "“Welcome”" in words
    assert "Roofs: Won" in words
    assert shape.problems(told, northgate) == []


def test_the_editor_offers_names_and_takes_an_id_all_the_same(granted, northgate, ada, as_user):
    rule = Rule.objects.make(northgate, "Greet", spec(erp_says(), WELCOME), ada)
    client, editor = as_user(ada), f"/automations/{rule.pk}/edit/"
    page = client.get(editor).content.decode()
    assert "GHL is being asked what there is." in page
    offered.read(granted.pk)
    part = client.get(
        f"/automations/{rule.pk}/offered/workflows/", {"name": "do.0.v.workflow", "do.0.v.workflow.id": "wf2"}
    ).content.decode()
    assert '<option value="wf2" selected>Bye</option>' in part
    assert "hx-get" not in part
    page = client.get(editor).content.decode()
    assert '<option value="wf1" selected>Welcome</option>' in page
    posted = {"trigger.kind": "erp", "trigger.type": "invoice.paid", "do.0.key": "add_to_workflow", "name": "Greet"}
    client.post(editor, {**posted, "do.0.v.workflow": "wf2"})
    rule.refresh_from_db()
    assert rule.current.spec["actions"][0]["values"] == {"workflow": "wf2"}
    client.post(editor, {**posted, "do.0.v.workflow": "wf2", "do.0.v.workflow.id": "wf9"})
    rule.refresh_from_db()
    assert rule.current.spec["actions"][0]["values"] == {"workflow": "wf9"}
    assert 'value="wf9"' in client.get(editor).content.decode()


def test_without_a_connection_it_says_so(northgate, ada, as_user):
    assert not Connection.objects.exists()
    assert not Contact.objects.exists()
    assert offered.offered("workflows", northgate).why_not == "No location is connected."


def test_only_lists_that_ghl_keeps(granted, northgate, ada, max_, as_user):
    rule = Rule.objects.make(northgate, "Greet", spec(erp_says(), WELCOME), ada)
    assert as_user(ada).get(f"/automations/{rule.pk}/offered/secrets/").status_code == 404
    assert as_user(ada).get(f"/automations/{rule.pk}/offered/workflows/", {"name": "csrf"}).status_code == 404
    assert as_user(max_).get(f"/automations/{rule.pk}/offered/workflows/").status_code == 404
