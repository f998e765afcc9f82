"""The fields of a contact in a real browser: found, filled in and put right; one person in two businesses linked."""

import pytest
from playwright.sync_api import expect

from contacts.models import Business, Contact, CustomField, Location, Verdict
from tests.workers import Processes, wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.timeout(300),
]


@pytest.fixture
def app(sandbox, tmp_path):
    with Processes(sandbox, tmp_path) as processes:
        processes.start_web()
        yield processes


@pytest.fixture
def other(ana, contact):
    """Marisol in a second business of Ana's, with her number in another form."""
    business = Business.objects.create(name="Harbor Dental")
    business.join(ana, "staff")
    location = Location.objects.create(business=business, remote_id="locHarbor0000000001", name="Harbor Dental")
    return Contact.objects.create(location=location, first_name="M.", last_name="Reyes", phone="312.555.0148")


@pytest.fixture
def roof(location, contact):
    field = CustomField.objects.create(location=location, remote_id="fldBudget", name="Budget", data_type="MONETORY")
    contact.custom_values = {field.remote_id: 48200}
    contact.save()
    return field


def test_fields_are_found_filled_in_and_put_right_by_keyboard(page, context, app, sign_in, ana, contact, roof, other):
    sign_in(context, ana)
    page.goto(app.url + contact.get_absolute_url())

    # An empty field is found by its name and filled in without a mouse.
    find = page.get_by_placeholder("Find a field")
    find.press_sequentially("time z")
    expect(page.locator("#field-time_zone")).to_be_visible()
    expect(page.locator("#field-email")).to_be_hidden()
    find.press("Enter")
    page.keyboard.type("new york")
    expect(page.locator("#choices-time_zone option[value='Europe/Berlin']")).to_be_attached()
    page.keyboard.press("Enter")
    expect(page.locator("#field-time_zone").get_by_text("Queued")).to_be_visible()
    find.fill("")
    expect(page.locator(".group #value-time_zone")).to_have_value("New York")
    expect(page.locator("#field-email")).to_be_visible()

    # A number that is none stays with its sentence, Esc brings back what was there, and a good one is saved.
    budget = page.locator(f"#value-custom-{roof.pk}")
    budget.fill("a lot")
    budget.press("Enter")
    expect(page.locator(f"#note-custom-{roof.pk}")).to_contain_text("This is not a number")
    expect(budget).to_have_value("a lot")
    budget.press("Escape")
    expect(budget).to_have_value("48,200")
    budget.fill("52000")
    budget.press("Enter")
    expect(budget).to_have_value("52,000")

    # Do not disturb, on one channel.
    page.locator("#choices-dnd summary").click()
    page.get_by_label("No SMS").check()
    page.locator("#choices-dnd").get_by_role("button", name="Save").click()
    expect(page.locator("#words-dnd")).to_contain_text("No SMS since")

    # The same person in another business: linked, unlinked by Undo.
    panel = page.locator("#panel-people")
    panel.get_by_role("button", name="Same person").click()
    expect(panel.get_by_role("link", name="Harbor Dental")).to_be_visible()
    wait_until(lambda: Verdict.objects.filter(word="same").exists())
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(panel.get_by_role("button", name="Same person")).to_be_visible()
    assert not Verdict.objects.exists()

    contact.refresh_from_db()
    assert contact.time_zone == "America/New_York"
    assert contact.custom_values == {roof.remote_id: 52000}
    assert contact.dnd_settings["SMS"]["status"] == "active"
