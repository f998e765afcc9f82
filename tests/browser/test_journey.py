"""The main job in a real browser with real processes; whether a write arrived is asked of the sandbox."""

import pytest
from playwright.sync_api import expect

from contacts.models import Contact
from integrations.models import SyncRun
from tests.workers import Processes, wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.timeout(240),
]


@pytest.fixture
def app(sandbox, tmp_path):
    sandbox.reset(contacts=250)
    with Processes(sandbox, tmp_path) as processes:
        processes.start_worker(pool="threads", concurrency=4)
        processes.start_web()
        yield processes


def sign_in(page, app, user):
    page.goto(app.url)
    page.locator("input[name=login]").fill(user.email)
    page.locator("input[name=password]").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("navigation").first).to_be_visible()


def connect_northgate(page, app):
    page.goto(f"{app.url}/connections/")
    page.get_by_role("button", name="Connect a location").click()
    page.get_by_role("button", name="Allow Northgate Roofing").click()
    expect(page.get_by_text("Connected. Contacts appear within seconds")).to_be_visible()


def remote(sandbox, kind, **params):
    return sandbox.records(kind, **params)["records"]


def test_connect_read_edit_and_see_it_arrive_in_ghl(page, app, ada, sandbox):
    sign_in(page, app, ada)
    connect_northgate(page, app)
    wait_until(lambda: SyncRun.objects.filter(outcome="complete").exists())
    assert Contact.objects.count() == 250

    person = Contact.objects.exclude(email="").exclude(phone="").filter(tasks__completed=False).first()
    page.goto(f"{app.url}/contacts/")
    page.get_by_placeholder("Search contacts").fill(person.email)
    page.get_by_placeholder("Search contacts").press("Enter")
    page.get_by_role("link", name=person.name).first.click()
    expect(page.get_by_role("heading", name=person.name)).to_be_visible()

    page.get_by_role("textbox", name="Note").fill("Called back, wants a quote by Friday.")
    page.get_by_role("button", name="Save note").click()
    expect(page.get_by_text("Called back, wants a quote by Friday.").first).to_be_visible()
    wait_until(
        lambda: any(
            note["body"] == "Called back, wants a quote by Friday."
            for note in remote(sandbox, "notes", contact_id=person.remote_id)
        )
    )

    task = person.tasks.present().filter(completed=False).first()
    page.locator(f"#task-{task.pk} input[type=checkbox]").click()
    wait_until(lambda: remote(sandbox, "tasks", id=task.remote_id)[0]["completed"])

    phone = page.get_by_label("Phone", exact=True)
    phone.fill("(312) 555-0177")
    phone.press("Enter")
    expect(page.locator("#field-phone").get_by_text("Confirmed")).to_be_visible(timeout=20_000)
    assert remote(sandbox, "contacts", id=person.remote_id)[0]["phone"] == "+13125550177"


def test_a_change_made_inside_ghl_appears_after_a_sync(page, app, ada, sandbox):
    sign_in(page, app, ada)
    connect_northgate(page, app)
    wait_until(lambda: SyncRun.objects.filter(outcome="complete").exists())
    person = Contact.objects.exclude(email="").first()
    sandbox.edit("contact", "update", person.remote_id, firstName="Zenobia", lastName="Quill")

    page.goto(f"{app.url}/connections/")
    page.locator(".connection__more summary").click()
    page.get_by_role("button", name="Read from GHL now").click()
    wait_until(lambda: Contact.objects.filter(first_name="Zenobia").exists())
    page.goto(f"{app.url}/contacts/?q=zenobia")
    expect(page.get_by_role("link", name="Zenobia Quill")).to_be_visible()


def test_a_change_made_inside_ghl_arrives_by_itself(page, app, ada, sandbox):
    sign_in(page, app, ada)
    connect_northgate(page, app)
    wait_until(lambda: SyncRun.objects.filter(outcome="complete").exists())
    sandbox.settings(webhook_url=f"{app.url}/webhooks/ghl/")
    person = Contact.objects.exclude(email="").first()
    sandbox.edit("note", "create", contactId=person.remote_id, body="Left a message at the gate.")
    wait_until(lambda: person.notes.filter(body="Left a message at the gate.").exists())
    page.goto(f"{app.url}{person.get_absolute_url()}")
    expect(page.get_by_text("Left a message at the gate.").first).to_be_visible()


def test_the_api_key_way_in(page, app, ada, sandbox):
    sign_in(page, app, ada)
    page.goto(f"{app.url}/connections/")
    page.get_by_role("link", name="Use a token").click()
    page.get_by_label("Location id").fill(sandbox.credentials["location_id"])
    page.get_by_label("Private Integration Token").fill(sandbox.credentials["private_integration_token"])
    page.get_by_role("button", name="Try the token and connect").click()
    expect(page.get_by_text("Connected with the token")).to_be_visible()
    wait_until(lambda: Contact.objects.count() == 250)
