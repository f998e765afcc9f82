"""An admin maps fields, sees what that would do, and lets it: what an ERP sends then is on the contact and in GHL."""

import pytest
import requests
from playwright.sync_api import expect

from contacts.models import Contact, ExternalId
from integrations.models import ApiKey, ErpEvent, FieldMapping, Scope
from tests.integrations.delivering import somebody
from tests.workers import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.timeout(240),
]


@pytest.fixture
def app(app_at_work):
    return app_at_work


@pytest.fixture
def tell(app, synced):
    """Speaks to the API as curl would; what came of it, once it is no longer queued."""
    business = synced.location.business
    _key, token, _secret = ApiKey.objects.make(business, "Northwind ERP", Scope.values, None)

    def post(path, **told):
        sent = requests.post(
            f"{app.url}/api/v1{path}", json=told, headers={"Authorization": f"Bearer {token}"}, timeout=30
        )
        assert sent.status_code == 202, sent.text
        event = ErpEvent.objects.get(uid=sent.json()["id"])
        wait_until(lambda: ErpEvent.objects.filter(pk=event.pk).exclude(outcome="").exists())
        event.refresh_from_db()
        return event

    return post


def test_fields_are_mapped_tried_out_activated_and_arrive(page, context, app, sign_in, ada, synced, tell, sandbox):
    person = somebody(synced)
    who = {"reference": "CUST-1042", "email": person.email}
    tell("/customers", **who, fields={"seat": "CHICAGO"})
    sign_in(context, ada)
    page.goto(f"{app.url}/erp/")
    page.get_by_role("link", name="Field mapping").click()
    page.get_by_role("button", name="Map fields").click()

    page.get_by_role("link", name="fields.seat").click()
    page.get_by_label("Field of the contact").select_option(label="City")
    page.get_by_label("A step to add").select_option("title")
    page.get_by_role("button", name="Add step").click()
    form = page.locator(".mapping__form")
    expect(form.get_by_role("status")).to_contain_text("Chicago")
    page.get_by_role("button", name="Save line").last.click()
    expect(page.locator("tr", has_text="fields.seat")).to_contain_text("Each Word With A Capital")

    page.get_by_role("link", name="Try it out").click()
    page.get_by_role("button", name="Try it out").click()
    expect(page.locator("#result")).to_contain_text("Requests to GHL")
    assert Contact.objects.get(pk=person.pk).city == person.city
    page.get_by_role("button", name="Activate version 1").click()
    expect(page.get_by_text("Version 1 holds from now on.")).to_be_visible()
    assert FieldMapping.active_of(synced.location.business_id).number == 1

    page.goto(f"{app.url}{person.get_absolute_url()}")
    event = tell("/customers", **who, fields={"seat": "EVANSTON"})
    assert (event.outcome, event.reason) == ("handled", "")
    expect(page.locator("#field-city .field__input")).to_have_value("Evanston", timeout=60_000)
    wait_until(lambda: sandbox.records("contacts", id=person.remote_id)["records"][0]["city"] == "Evanston")


def test_an_unmatched_event_is_resolved_and_replayed(page, context, app, sign_in, max_, synced, tell):
    person = somebody(synced)
    subject = {"reference": "CUST-7", "name": person.name}
    told = {"type": "invoice.paid", "title": "Invoice 8841 paid", "idempotency_key": "invoice-8841"}
    event = tell("/events", **told, subject=subject)
    assert event.outcome == "unmatched"
    sign_in(context, max_)
    page.goto(f"{app.url}/unmatched/")
    page.get_by_role("link", name=person.name).click()
    expect(page.get_by_text("Invoice 8841 paid")).to_be_visible()
    page.get_by_label("Find somebody else").fill(person.email)
    page.get_by_label("Find somebody else").press("Enter")
    page.get_by_role("button", name=f"This is {person.name}").last.click()
    expect(page.locator("#history").get_by_text("Invoice 8841 paid").first).to_be_visible(timeout=60_000)
    assert ExternalId.objects.get(value="CUST-7").contact == person
