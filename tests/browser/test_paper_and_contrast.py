"""What is not a screen as the designer has it: paper, high contrast, and a window of 320 × 256 (1280 at 400 %)."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_journey import app, sign_in  # noqa: F401 (a fixture)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.timeout(240),
]

SHEETS = ({"width": 700, "height": 1000}, {"width": 1000, "height": 700})
GROUND = "part => getComputedStyle(part).backgroundColor"
TOO_WIDE = "document.documentElement.scrollWidth - innerWidth"


def test_on_paper_nothing_acts_and_nothing_is_cut(page, app, ana, contact):  # noqa: F811
    sign_in(page, app, ana)
    page.emulate_media(media="print")
    for path in ("/contacts/", contact.get_absolute_url(), "/calendar/"):
        page.goto(app.url + path)
        for sheet in SHEETS:
            page.set_viewport_size(sheet)
            assert page.evaluate(TOO_WIDE) <= 0, (path, sheet)
        for what in (".rail", ".topbar", ".composer", ".button", ".icon-button"):
            assert page.locator(what).filter(visible=True).count() == 0, (path, what)
        expect(page.get_by_text(f"From Rankr, for {ana.name}, as of")).to_be_visible()
    page.goto(f"{app.url}/contacts/")
    name = page.get_by_role("link", name=contact.name)
    assert name.bounding_box()["width"] > 60  # and not an empty column beside the others


def test_high_contrast_shows_where_one_is(page, app, ana, contact):  # noqa: F811
    sign_in(page, app, ana)
    page.emulate_media(forced_colors="active")
    page.goto(f"{app.url}/contacts/")
    for part in (".rail__link", ".view-tabs__tab"):
        here, elsewhere = page.locator(f"{part}[aria-current]"), page.locator(f"{part}:not([aria-current])").first
        assert here.evaluate(GROUND) != elsewhere.evaluate(GROUND), part
    search = page.get_by_role("searchbox").first
    search.focus()
    assert search.evaluate("part => getComputedStyle(part).outlineStyle") == "solid"
    page.keyboard.press("Escape")
    page.locator("body").click(position={"x": 5, "y": 5})
    page.keyboard.press("j")
    cursor = page.locator("[data-row][data-cursor]")
    expect(cursor).to_have_count(1)
    assert cursor.evaluate("part => getComputedStyle(part).outlineStyle") == "solid"


def test_at_four_hundred_percent_nothing_stays_over_the_text(page, app, ana, contact):  # noqa: F811
    sign_in(page, app, ana)
    page.set_viewport_size({"width": 320, "height": 256})
    page.goto(app.url + contact.get_absolute_url())
    assert page.evaluate(TOO_WIDE) <= 0
    held = page.evaluate(
        "[...document.querySelectorAll('.frame *')].filter((part) => part.checkVisibility()"
        " && ['fixed', 'sticky'].includes(getComputedStyle(part).position)).map((part) => part.className)"
    )
    assert held == []
