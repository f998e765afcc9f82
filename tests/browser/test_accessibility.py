"""Every page there is, with ugly data, in both themes, wide and narrow: what axe finds, and what does not fit.

The pages are not listed here: they are all the addresses of tests/tenancy/addresses.py that answer with a whole page.
"""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import expect

from tests.browser.ugly import make_ugly
from tests.tenancy.addresses import ADDRESSES
from tests.tenancy.asking import url_of
from tests.tenancy.conftest import ours, quick_and_alone  # noqa: F401 (fixtures)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.timeout(600),
]

WIDE, SMALL = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
WIDTHS = (1440, 1024, 390, 320)  # 320 is 1280 at 400 %
PARTS_OF_CONTACT = ("?pane=work", "?pane=fields", "?compose=task", "?kind=notes")
SIGNED_OUT = ("account_login", "account_signup", "account_reset_password", "contacts:invited")
SIGNED_IN = ("account_email", "account_change_password", "account_logout")
# Without preloading: axe would fetch our style sheets again and write them into the page, which the policy forbids.
AXE = {"preload": False, "resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
# The dark and small page differs from the first by its colours and by how its parts lie.
AXE_ANOTHER_LOOK = AXE | {
    "runOnly": ["color-contrast", "target-size", "scrollable-region-focusable", "link-in-text-block"]
}


@pytest.fixture
def site(ours, ada, app):  # noqa: F811
    """The web server over a database where everything is as long and as odd as it may be."""
    make_ugly(ada, ours.location, ours.contact, ours.company)
    return app


def pages(page, site, ours):  # noqa: F811
    """The addresses that answer with a whole page."""
    page.goto(site.url)
    for name, address in ADDRESSES.items():
        if address.reads and page.evaluate(IS_PAGE, url_of(name, address, ours)):
            yield url_of(name, address, ours)


# A stream has no end: only what calls itself HTML is read.
IS_PAGE = """async (url) => {
  const stop = new AbortController();
  const answer = await fetch(url, { signal: stop.signal });
  const text = answer.headers.get("content-type")?.startsWith("text/html") ? await answer.text() : "";
  stop.abort();
  return text.slice(0, 200).toLowerCase().includes("<!doctype");
}"""


def seen_by_axe(page, options, where):
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    for rule in found:
        is_wcag = any(tag.startswith("wcag") for tag in rule["tags"])
        if is_wcag or rule["impact"] in ("serious", "critical"):
            nodes = [node["html"][:160] for node in rule["nodes"][:3]]
            yield f"{where}: {rule['id']} ({rule['impact']}) {nodes}"


def faults(page, url):
    """A page that is open: light and wide, dark and small, and then what does not fit."""
    page.evaluate(Axe().axe_script)
    for theme, size, rules in (("light", WIDE, AXE), ("dark", SMALL, AXE_ANOTHER_LOOK)):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.set_viewport_size(size)
        yield from seen_by_axe(page, rules, f"{url} {theme} {size['width']}")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        if (too_wide := page.evaluate("document.documentElement.scrollWidth - innerWidth")) > 0:
            yield f"{url} at {width}: {too_wide} px too wide: {page.evaluate(WHAT_STICKS_OUT)}"


WHAT_STICKS_OUT = """() => [...document.body.querySelectorAll("*")].filter((part) => {
  if (part.getBoundingClientRect().right <= innerWidth + 1) return false;
  for (let around = part; around; around = around.parentElement)
    if (getComputedStyle(around).overflowX !== "visible") return false;
  return true;
}).slice(0, 4).map((part) => part.outerHTML.slice(0, 120))"""


def walk(page, site, urls):
    for url in urls:
        page.set_viewport_size(WIDE)
        page.goto(site.url + url)
        page.wait_for_load_state("load")
        expect(page.locator(".htmx-request")).to_have_count(0)
        yield from faults(page, url)


def test_every_page_can_be_read_by_everybody(page, context, site, sign_in, ours, ada):  # noqa: F811
    sign_in(context, ada)
    urls = [*pages(page, site, ours), *map(reverse, SIGNED_IN), "/nowhere/"]
    urls += [ours.contact.get_absolute_url() + part for part in PARTS_OF_CONTACT]
    urls += ["/contacts/?q=nobody-has-this-name", "/contacts/?tag=a&tag=b&overdue=1", "/tasks/?who=everyone"]
    assert len(urls) > 25
    found = list(walk(page, site, urls))
    assert not found, "\n".join(found)


def test_the_door_can_be_read_by_everybody(page, site):
    urls = [*map(reverse, SIGNED_OUT), "/nowhere/", "/account/login/?next=/"]
    found = list(walk(page, site, urls))
    page.goto(site.url + reverse("account_login"))
    page.locator("input[name=login]").fill("nobody@example.com")
    page.locator("input[name=password]").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    page.locator("[aria-invalid=true], [role=alert], .form__errors").first.wait_for()
    found += faults(page, "login, refused")
    assert not found, "\n".join(found)


def test_what_opens_over_a_page_can_be_read_too(page, context, site, sign_in, ada):
    sign_in(context, ada)
    page.goto(site.url + "/contacts/")
    page.keyboard.press("Control+k")
    page.get_by_role("option").first.wait_for()
    found = list(faults(page, "palette"))
    page.keyboard.press("Escape")
    page.locator(".me").click()
    found += faults(page, "my menu")
    page.get_by_role("button", name="Keyboard shortcuts").click()
    found += faults(page, "shortcuts")
    assert not found, "\n".join(found)
