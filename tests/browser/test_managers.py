"""What managers do: from a bar to the list behind it, and from a day to what has become different since."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from contacts.models import HistoryEvent, Note, Task
from tests.browser.test_journey import app, sign_in  # noqa: F401 (a fixture)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.timeout(240),
]


@pytest.fixture
def days_ago(contact):
    """Lets something happen some days ago."""

    def happen(days, act):
        known = list(HistoryEvent.objects.values_list("pk", flat=True))
        found = act()
        at = timezone.now() - timedelta(days=days)
        HistoryEvent.objects.exclude(pk__in=known).update(happened_at=at, created_at=at)
        type(found).objects.filter(pk=found.pk).update(created_at=at)
        return found

    type(contact).objects.filter(pk=contact.pk).update(created_at=timezone.now() - timedelta(days=60))
    return happen


def test_from_a_bar_to_its_list_and_from_one_day_to_another(page, app, max_, ana, contact, days_ago):  # noqa: F811
    of = {"contact": contact, "location": contact.location}

    def made(row):
        row.create(by=ana)
        return row

    def edited():
        contact.edit(by=ana, city="Chicago")
        return contact.changes.latest("pk")

    days_ago(20, lambda: made(Note(**of, body="Asked for a quote")))
    days_ago(3, edited)
    Task.objects.create(**of, title="Send the quote", due_at=timezone.now() - timedelta(days=5))

    sign_in(page, app, max_)
    page.get_by_role("link", name="Reports").first.click()
    expect(page.get_by_role("heading", name="Reports")).to_be_visible()
    page.get_by_role("region", name="Notes and tasks done").locator(".chart__bar").first.click()
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    expect(page.get_by_text("Asked for a quote")).to_be_visible()
    expect(page.locator("[data-row]")).to_have_count(1)

    page.go_back()
    page.get_by_role("link", name=re.compile("overdue")).first.click()
    expect(page.get_by_role("link", name="Send the quote")).to_be_visible()
    expect(page.locator("#rows-count")).to_have_text("1")

    page.goto(f"{app.url}{contact.get_absolute_url()}")
    page.locator("summary[aria-label='More about this contact']:visible").click()
    page.get_by_role("link", name="As of a day").locator("visible=true").click()
    today = contact.location.today()
    page.get_by_label("As it stood at the end of").fill(str(today - timedelta(days=10)))
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Asked for a quote")).to_be_visible()
    expect(page.get_by_text("Chicago", exact=True)).to_have_count(0)
    page.get_by_label("and what was different by").fill(str(today))
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("row", name=re.compile("City"))).to_contain_text("Chicago")
    expect(page.get_by_text("Asked for a quote")).to_have_count(0)
