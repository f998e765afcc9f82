"""The composer and the history in a real browser: what is typed is never lost, a colleague is named by keyboard."""

import pytest
from playwright.sync_api import expect

from contacts.models import Draft, Mention, Note, RemoteUser, User
from tests.browser.test_journey import sign_in

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.timeout(240),
]


@pytest.fixture
def ana_in_ghl(ana, location):
    return RemoteUser.objects.create(location=location, remote_id="userAna000000000001", name="Ana", user=ana)


def sign_out(page, app):
    page.goto(f"{app.url}/account/logout/")
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("input[name=login]")).to_be_visible()


def test_a_draft_survives_leaving_signing_out_and_undo(page, app, ana, ana_in_ghl, contact):
    sign_in(page, app, ana)
    page.goto(f"{app.url}{contact.get_absolute_url()}")
    box = page.get_by_role("textbox", name="Note")
    box.press_sequentially("Lakeshore called back, Brandvold can meet us")
    expect(page.get_by_text("Draft saved")).to_be_visible()

    box.press_sequentially(" on site")  # and leaves before it is saved by itself
    page.reload()
    expect(box).to_have_value("Lakeshore called back, Brandvold can meet us on site")
    sign_out(page, app)
    sign_in(page, app, ana)
    page.goto(f"{app.url}{contact.get_absolute_url()}")
    expect(box).to_have_value("Lakeshore called back, Brandvold can meet us on site")

    page.get_by_role("button", name="Save note").click()
    expect(page.locator(".event--note").get_by_text("Brandvold can meet us on site")).to_be_visible()
    expect(box).to_have_value("")
    assert not Draft.objects.exists()

    box.press_sequentially("Next")
    page.get_by_role("region", name="Messages").get_by_role("button", name="Undo").click()
    expect(box).to_have_value("Lakeshore called back, Brandvold can meet us on site\n\nNext")


def test_a_colleague_is_named_by_keyboard(page, app, ana, max_, ana_in_ghl, contact):
    User.objects.filter(pk=max_.pk).update(name="Max Mill")
    sign_in(page, app, ana)
    page.goto(f"{app.url}{contact.get_absolute_url()}")
    page.keyboard.press("n")
    page.keyboard.type("Please price both @mi")
    option = page.get_by_role("option", name="Max Mill")
    expect(option).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(option).to_have_count(0)
    page.keyboard.type("l")
    expect(option).to_be_visible()
    page.keyboard.press("Enter")
    box = page.get_by_role("textbox", name="Note")
    expect(box).to_have_value("Please price both @Max Mill ")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".mention", has_text="@Max Mill")).to_be_visible()
    assert Mention.objects.get().user == max_

    page.locator("label", has=page.locator("#compose-task")).click()
    title = page.get_by_role("textbox", name="Task", exact=True)
    title.press_sequentially("Ask @mil")
    page.keyboard.press("Enter")  # takes the name, and sends nothing yet
    expect(title).to_have_value("Ask @Max Mill ")


def test_words_are_found_while_they_are_typed_and_news_does_not_disturb(page, app, ana, contact, location):
    for body in ("Wants cópper flashing", "Something else"):
        note = Note(contact=contact, location=location, body=body)
        note.create(by=ana)
    sign_in(page, app, ana)
    page.goto(f"{app.url}{contact.get_absolute_url()}")
    page.get_by_label("Search in this history").first.click()
    page.keyboard.type("copper")
    expect(page.locator("mark")).to_have_text("cópper")
    expect(page.get_by_text("Something else")).to_have_count(0)
    page.evaluate("htmx.trigger(document.body, 'contact-refreshed')")
    expect(page.locator("#history-q")).to_have_value("copper")
    expect(page.locator("#history-q")).to_be_focused()
    page.get_by_role("link", name="Clear").click()
    expect(page.locator(".event--note").get_by_text("Something else")).to_be_visible()
