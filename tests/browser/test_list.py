"""The contact list in a real browser: views, what is done to many at once, and the look at one, by mouse and by key."""

import re

import pytest
from playwright.sync_api import expect

from contacts.listing import bulk
from contacts.models import Contact, SavedView

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.timeout(240),
]


@pytest.fixture
def list_page(page, app, sign_in, ana, location):
    """Ana before a list of sixty; the workers are at rest, so that their work is done when the test says so."""
    for number in range(60):
        tags = ["insurance"] if number % 2 else []
        Contact.objects.create(location=location, first_name="Contact", last_name=f"{number:02}", tags=tags)
    sign_in(page.context, ana)
    page.goto(f"{app.url}/contacts/")
    return page


def work_off():
    while waiting := bulk.waiting():
        bulk.work(waiting[0])


def test_narrowed_saved_changed_and_saved_again(list_page):
    page = list_page
    page.locator("summary", has_text="Filter").click()
    page.locator("summary", has_text="Tag is").first.click()
    page.get_by_role("combobox", name="Tag").first.fill("insurance")
    page.keyboard.press("Enter")
    expect(page.locator(".filter")).to_have_text(re.compile("tag is insurance"))
    expect(page.locator("#list-count")).to_have_text("30")

    page.get_by_role("button", name="Save as new").click()
    page.get_by_role("textbox", name="Save this list as").fill("Claims")
    page.get_by_role("button", name="Save view").click()
    tab = page.get_by_role("navigation", name="Views").get_by_role("link", name="Claims")
    expect(tab).to_have_attribute("aria-current", "page")
    assert SavedView.objects.get().params == "tag=insurance&sort=name"

    page.locator("summary", has_text="or where").click()
    page.get_by_role("link", name="There is no next step").click()
    expect(page.get_by_text("You changed this view")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("You changed this view")).to_be_hidden()
    page.reload()
    expect(page.locator(".filters")).to_contain_text("or where")

    page.get_by_label("More about the view Claims").click()
    page.get_by_role("button", name="Delete this view").click()
    expect(tab).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(tab).to_have_attribute("aria-current", "page")


def test_all_of_a_list_is_tagged_by_key_and_taken_back(list_page):
    page = list_page
    for key in "jxjx":
        page.keyboard.press(key)
    expect(page.locator("#bulk-bar")).to_contain_text("2 selected")
    page.get_by_role("button", name="Select all 60").click()
    expect(page.locator("#bulk-bar")).to_contain_text("All 60 selected")
    page.locator("#bulk-bar summary", has_text="Tag").click()
    page.get_by_label("Tag, several with commas").fill("spring")
    expect(page.locator(".bulk-effect")).to_contain_text("requests to GHL, about")
    page.get_by_role("button", name="Tag 60 contacts").click()
    expect(page.locator(".bulk-action")).to_contain_text("0 of 60")
    expect(page.locator("#bulk-bar")).to_be_hidden()

    page.reload()
    expect(page.locator(".bulk-action")).to_contain_text("0 of 60")
    work_off()
    expect(page.locator(".bulk-action")).to_contain_text("Added tag spring to 60 contacts")
    expect(page.locator("tbody .chip", has_text="spring").first).to_be_visible()

    page.locator(".bulk-action").get_by_role("button", name="Undo").click()
    expect(page.locator(".bulk-action")).to_contain_text("0 of 60")
    work_off()
    expect(page.locator(".bulk-action")).to_contain_text("Taken back for 60 contacts")
    expect(page.locator("tbody .chip", has_text="spring")).to_have_count(0)
    assert not Contact.objects.filter(tags__contains=["spring"]).exists()


def test_a_look_goes_along_and_the_list_leads_on(list_page):
    page = list_page
    peek = page.get_by_role("complementary", name="The contact at the cursor")
    page.keyboard.press("j")
    page.keyboard.press("Space")
    expect(peek.get_by_role("heading", name="Contact 00")).to_be_visible()
    page.keyboard.press("j")
    expect(peek.get_by_role("heading", name="Contact 01")).to_be_visible()
    page.keyboard.press("Escape")
    expect(peek).to_be_hidden()

    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Contact 01")).to_be_visible()
    expect(page.locator("#contact-walk")).to_contain_text("2 of 60")
    page.keyboard.press("]")
    expect(page.get_by_role("heading", name="Contact 02")).to_be_visible()
    expect(page.locator("#contact-walk")).to_contain_text("3 of 60")
    page.keyboard.press("[")
    expect(page.get_by_role("heading", name="Contact 01")).to_be_visible()
