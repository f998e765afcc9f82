"""The day's work without a mouse, and the keys that make it quick."""

import pytest
from playwright.sync_api import expect

from contacts.models import Contact, Task, User
from tests.workers import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.timeout(300),
]

NAME = """() => {
  const one = document.activeElement;
  if (one === document.body) return "";
  const named = one.getAttribute("aria-label") || (one.labels?.[0] ?? one).textContent || one.placeholder || "";
  return `${one.tagName} ${named.replace(/\\s+/g, " ").trim()}`;
}"""
IS_VISIBLE = """() => {
  const one = document.activeElement;
  const style = getComputedStyle(one), box = getComputedStyle(one, "::before");
  const around = one.closest(".tab, .composer, .palette__form, .field, .field-search, .search") ?? one;
  const other = getComputedStyle(around);
  const shows = [style, box, other].some((s) => s.outlineStyle !== "none" || s.boxShadow !== "none");
  const place = one.getBoundingClientRect();
  return shows || place.width <= 1 ? "" : one.outerHTML.slice(0, 160);
}"""
MOST = 200  # stops on a page


@pytest.fixture
def unseen():
    """What had the focus without showing it."""
    return []


@pytest.fixture
def tab_to(page, unseen):
    """Presses Tab until the focus is on what has these words; a page that does not lead there is a fault."""

    def go(words, back=False):
        for _ in range(MOST):
            page.keyboard.press("Shift+Tab" if back else "Tab")
            if hidden := page.evaluate(IS_VISIBLE):
                unseen.append(hidden)
            if words in page.evaluate(NAME):
                return
        pytest.fail(f"Tab never came to {words!r}")

    return go


def is_somewhere(page):
    return page.evaluate("document.activeElement !== document.body && document.activeElement.isConnected")


def test_a_day_without_a_mouse(page, app, ana, contact, tab_to, unseen):
    page.goto(app.url)
    tab_to("E-mail")
    page.keyboard.type(ana.email)
    tab_to("Password")
    page.keyboard.type("correct horse")
    page.keyboard.press("Enter")

    page.get_by_role("navigation", name="Pages").wait_for()
    tab_to("Search contacts")
    page.keyboard.type("okonkwo")
    page.keyboard.press("Enter")
    page.wait_for_url("**/contacts/?*q=okonkwo*")
    page.get_by_role("link", name="Marisol Okonkwo").wait_for()
    tab_to("Marisol Okonkwo")
    while page.evaluate("document.activeElement.tagName") != "A":
        tab_to("Marisol Okonkwo")
    page.keyboard.press("Enter")

    page.get_by_role("heading", name="Marisol Okonkwo").wait_for()
    tab_to("INPUT Last name")
    page.keyboard.type("Reyes")  # the focus has selected what stood there
    page.keyboard.press("Enter")
    wait_until(lambda: Contact.objects.get(pk=contact.pk).last_name == "Reyes")
    expect(page.locator("#field-last_name .field__badge")).to_contain_text("Queued")
    assert is_somewhere(page)

    tab_to("Add a task")
    page.keyboard.press("Enter")
    expect(page.locator("#task-title")).to_be_focused()
    page.keyboard.type("Send the estimate")
    page.keyboard.press("Enter")
    box = page.get_by_role("checkbox", name="Send the estimate")
    box.wait_for()
    assert is_somewhere(page)

    tab_to("Done: Send the estimate")
    page.keyboard.press("Space")
    wait_until(lambda: Task.objects.get().completed)
    expect(page.locator(".htmx-request")).to_have_count(0)
    assert is_somewhere(page)
    tab_to("Undo")
    page.keyboard.press("Enter")
    wait_until(lambda: not Task.objects.get().completed)
    expect(page.locator(".htmx-request")).to_have_count(0)
    assert is_somewhere(page)

    tab_to("You: Ana", back=True)
    page.keyboard.press("Enter")
    tab_to("Sign out")
    page.keyboard.press("Enter")
    page.wait_for_url("**/account/login/**")
    assert not unseen, "\n".join(dict.fromkeys(unseen))


@pytest.mark.parametrize("path", ["/", "/contacts/", "/tasks/", "contact"])
def test_tab_leaves_every_page_again(path, page, context, app, sign_in, ada, contact):
    sign_in(context, ada)
    page.goto(app.url + (contact.get_absolute_url() if path == "contact" else path))
    page.keyboard.press("Tab")
    assert "Skip to the page" in page.evaluate(NAME)
    for _ in range(MOST):
        page.keyboard.press("Tab")
        if not is_somewhere(page):
            return
    pytest.fail("The focus never left the page.")


# --- the palette ------------------------------------------------------------------------------------------------------


@pytest.fixture
def at_tasks(page, context, app, sign_in, ana, contact):
    sign_in(context, ana)
    page.goto(f"{app.url}/tasks/")
    return page


def test_the_palette_finds_a_person_and_goes_there(at_tasks, contact):
    at_tasks.keyboard.press("Control+k")
    box = at_tasks.get_by_role("combobox", name="Find a contact, a page or an action")
    expect(box).to_be_focused()
    at_tasks.keyboard.type("okonk")
    option = at_tasks.get_by_role("option", name="Marisol Okonkwo")
    expect(option).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", option.get_attribute("id"))
    expect(at_tasks.locator("#palette-said")).to_have_text("1 result")
    at_tasks.keyboard.press("Enter")
    at_tasks.wait_for_url(f"**{contact.get_absolute_url()}")

    at_tasks.keyboard.press("Control+k")
    at_tasks.keyboard.type("new task")
    expect(at_tasks.get_by_role("option", name="New task")).to_have_attribute("aria-selected", "true")
    at_tasks.keyboard.press("Enter")
    expect(at_tasks.locator("#task-title")).to_be_focused()


def test_the_palette_gives_the_focus_back(at_tasks):
    at_tasks.locator("#search").focus()
    at_tasks.keyboard.press("Control+k")
    at_tasks.get_by_role("option").first.wait_for()
    at_tasks.keyboard.press("ArrowDown")
    at_tasks.keyboard.press("ArrowUp")
    at_tasks.keyboard.press("ArrowUp")
    expect(at_tasks.get_by_role("option").last).to_have_attribute("aria-selected", "true")
    at_tasks.keyboard.press("Escape")
    expect(at_tasks.locator("#search")).to_be_focused()
    expect(at_tasks.locator("#palette")).to_be_hidden()


def test_the_palette_changes_the_theme_and_signs_out(at_tasks, ana):
    at_tasks.keyboard.press("Control+k")
    at_tasks.keyboard.type("dark theme")
    at_tasks.get_by_role("option", name="Dark theme").wait_for()
    at_tasks.keyboard.press("Enter")
    expect(at_tasks.locator("html")).to_have_attribute("data-theme", "dark")
    wait_until(lambda: User.objects.get(pk=ana.pk).theme == "dark")
    at_tasks.keyboard.press("Control+k")
    at_tasks.keyboard.type("sign out")
    expect(at_tasks.get_by_role("option", name="Sign out")).to_have_attribute("aria-selected", "true")
    at_tasks.keyboard.press("Enter")
    at_tasks.wait_for_url("**/account/login/**")
    expect(at_tasks.locator("html")).to_have_attribute("data-theme", "dark")  # this browser remembers


def test_what_a_page_asked_for_while_somebody_signs_out_does_not_call_them_back(at_tasks):
    held = []
    at_tasks.route("**/tasks/?held", lambda route: held.append(route))
    at_tasks.evaluate("""() => {
      document.addEventListener("htmx:afterRequest", ({ detail }) => {
        if (detail.pathInfo.requestPath.endsWith("?held")) document.body.dataset.answered = "";
      });
      document.addEventListener("submit", event => event.preventDefault());  // on its way out, and not gone yet
      htmx.ajax("GET", "?held", "#page");
    }""")
    wait_until(lambda: at_tasks.evaluate("1") and held)
    here = at_tasks.url
    at_tasks.locator("[data-sign-out]").evaluate("button => button.click()")
    at_tasks.context.clear_cookies()
    held[0].continue_()  # answered "sign in first"
    expect(at_tasks.locator("body[data-answered]")).to_have_count(1)
    became = at_tasks.evaluate("""() => {
      let became = "never came up";
      document.addEventListener("htmx:beforeRequest", ({ detail, defaultPrevented }) => {
        if (detail.pathInfo.requestPath.endsWith("?asked")) became = defaultPrevented ? "held back" : "asked";
      });
      htmx.ajax("GET", "?asked", "#page");
      return became;
    }""")
    assert became == "held back"
    assert at_tasks.url == here


# --- single keys ------------------------------------------------------------------------------------------------------


def test_keys_act_only_when_nobody_types(at_tasks, app):
    at_tasks.locator("#search").focus()
    at_tasks.keyboard.type("gc?")
    expect(at_tasks.locator("#search")).to_have_value("gc?")
    expect(at_tasks.locator("#shortcuts")).to_be_hidden()
    at_tasks.locator("#search").blur()
    # What an input method composes is not for us.
    at_tasks.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: '?', isComposing: true, bubbles: true}))"
    )
    expect(at_tasks.locator("#shortcuts")).to_be_hidden()
    at_tasks.keyboard.press("?")
    expect(at_tasks.locator("#shortcuts")).to_be_visible()
    at_tasks.keyboard.type("gc")  # nor within a dialog
    at_tasks.keyboard.press("Escape")
    assert at_tasks.url == f"{app.url}/tasks/"
    at_tasks.keyboard.type("gc")
    at_tasks.wait_for_url("**/contacts/")


def test_who_wants_no_single_keys_has_none_anywhere(at_tasks, new_context, app, sign_in, ana):
    at_tasks.keyboard.press("?")
    at_tasks.get_by_label("Use single-key shortcuts").uncheck()
    wait_until(lambda: not User.objects.get(pk=ana.pk).single_keys)
    other = new_context()
    sign_in(other, ana)
    page = other.new_page()
    page.goto(f"{app.url}/tasks/")
    page.keyboard.press("?")
    page.keyboard.press("j")
    page.keyboard.press("Control+k")  # no single key
    expect(page.locator("#palette")).to_be_visible()
    expect(page.locator("#shortcuts")).to_be_hidden()
