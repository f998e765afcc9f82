"""What the ERP tells goes on to GHL, and what GHL makes of it is shown on the contact; judged by the sandbox."""

import pytest

from contacts.models import Contact
from integrations.models import FieldMapping
from tests.integrations.delivering import deliver, remote, somebody
from tests.integrations.erp.conftest import key_of, no_requests_counted

__all__ = ["no_requests_counted"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def told(synced, ada, settings):
    """Tells of a contact what an ERP knows, and brings it to GHL."""
    settings.GHL_SETTLE_S = 0.0
    business, person = synced.location.business, somebody(synced)
    lines = [
        {"erp": "fields.town", "contact": "city", "steps": ["title"]},
        {"erp": "fields.tier", "contact": "tag:add", "steps": [{"do": "lookup", "table": {"A": "Gold"}}]},
    ]
    version = FieldMapping.begin(business, lines, ada)
    version.tried(ada, version.mark)
    version.activate(ada)

    def tell(**fields):
        became = key_of(business).send(
            "/customers", {"reference": "C-1", "contact_id": person.pk, "fields": fields, "first_name": "Unmapped"}
        )
        assert became["state"] == "handled", became
        for change in person.changes.order_by("pk"):
            deliver(change)
        return person

    return tell


def test_mapped_values_and_tags_arrive(told, sandbox):
    person = told(town="EVANSTON", tier="A")
    there = remote(sandbox, "contacts", person.remote_id)
    assert there["city"] == "Evanston" and "gold" in there["tags"]
    assert there["firstName"] == person.first_name
    assert {change.state for change in person.changes.all()} == {"confirmed"}


def test_a_field_that_ghl_ignored_is_shown_on_the_contact(told, sandbox, ada, as_user):
    sandbox.faults({"match": {"method": "PUT"}, "action": {"status": 200, "body": {"succeded": True}}})
    person = told(town="EVANSTON")
    change = person.changes.get(verb="update")
    assert (change.state, list(change.theirs)) == ("differs", ["city"])
    page = as_user(ada).get(Contact.objects.get(pk=person.pk).get_absolute_url()).content.decode()
    assert "Differs" in page and "GHL kept" in page
