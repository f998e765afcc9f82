"""Two people at once, each in a browser of their own, with a real web server between them."""

import pytest
from playwright.sync_api import expect

from contacts.models import Note, Task
from tests.workers import NoGhl, Processes

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.timeout(240),
]


@pytest.fixture
def app(tmp_path):
    with Processes(NoGhl, tmp_path) as processes:
        processes.start_web()
        yield processes


@pytest.fixture
def page_of(new_context, app, sign_in):
    """Opens a page in a browser of this person's own, and waits until it hears what happens."""

    def open_page(user, path, hears=True):
        context = new_context()
        sign_in(context, user)
        if not hears:
            context.route("**/live/?*", lambda route: route.abort())
        page = context.new_page()
        if not hears:
            page.clock.install()
        page.goto(app.url + path, timeout=60_000)
        if hears:
            expect(page.locator("html[data-live-on-air]")).to_have_count(1)
        return page

    expect.set_options(timeout=20_000)  # what one browser does is waited for in another, with a server in between
    yield open_page
    expect.set_options(timeout=5_000)


@pytest.fixture
def note(contact, ana):
    note = Note(contact=contact, location=contact.location, body="She wants copper flashing.")
    note.create(by=ana)
    return note


def save_field(page, label, value):
    field = page.get_by_label(label, exact=True)
    field.fill(value)
    field.press("Enter")


def test_what_a_colleague_does_appears_without_a_reload(page_of, ana, max_, contact):
    address = contact.get_absolute_url()
    mine, theirs = page_of(ana, address), page_of(max_, address)
    mine.evaluate("window.isTheSamePage = true")

    theirs.get_by_role("textbox", name="Note", exact=True).fill("Lakeshore called back.")
    theirs.get_by_role("button", name="Save note").click()
    expect(mine.locator("#history-list").get_by_text("Lakeshore called back.")).to_be_visible()

    save_field(theirs, "First name", "Marisol-Inés")
    expect(mine.get_by_role("heading", name="Marisol-Inés")).to_be_visible()
    expect(mine.get_by_label("First name", exact=True)).to_have_value("Marisol-Inés")
    assert mine.evaluate("window.isTheSamePage")


def test_what_i_am_typing_stays_where_it_is(page_of, ana, max_, contact, note):
    for n in range(8):
        Note(contact=contact, location=contact.location, body=f"Earlier {n}").create(by=max_)
    address = contact.get_absolute_url()
    mine, theirs = page_of(ana, address), page_of(max_, address)
    mine.locator(f"#edit-note-{note.pk}").click()
    box = mine.locator(f"#note-text-{note.pk}")
    box.fill("She wants copper flashing, and")
    box.evaluate("box => box.setSelectionRange(4, 9)")
    email = mine.get_by_label("E-mail", exact=True)
    email.fill("half@written")
    box.focus()
    where = box.bounding_box()

    theirs.get_by_role("textbox", name="Note", exact=True).fill("News from a colleague")
    theirs.get_by_role("button", name="Save note").click()
    save_field(theirs, "Last name", "Okonkwo-Reyes")
    expect(mine.locator("#history-list").get_by_text("News from a colleague")).to_have_count(1)
    expect(mine.get_by_label("Last name", exact=True)).to_have_value("Okonkwo-Reyes")

    assert box.input_value() == "She wants copper flashing, and"
    assert email.input_value() == "half@written"
    assert box.evaluate("box => box === document.activeElement && [box.selectionStart, box.selectionEnd]") == [4, 9]
    assert abs(box.bounding_box()["y"] - where["y"]) < 3


def test_somebody_else_is_editing_this_note(page_of, ana, max_, contact, note):
    address = contact.get_absolute_url()
    mine, theirs = page_of(ana, address), page_of(max_, address)
    theirs.locator(f"#edit-note-{note.pk}").click()
    expect(mine.locator(f"#note-{note.pk}").get_by_text("Max is editing this note.")).to_be_visible()
    mine.locator(f"#edit-note-{note.pk}").click()
    expect(mine.locator(f"#note-{note.pk}").get_by_text("Max is editing this note.")).to_be_visible()
    expect(theirs.locator(f"#note-{note.pk}").get_by_text("Ana is editing this note.")).to_be_visible()
    theirs.goto("about:blank")
    expect(mine.locator(".editing-by")).to_have_count(0)


def test_a_task_of_a_colleague_comes_and_goes(page_of, ana, max_, contact):
    address = contact.get_absolute_url()
    mine = page_of(ana, address)
    Task(contact=contact, location=contact.location, title="Order the lift").create(by=max_)
    expect(mine.locator("#panel-tasks").get_by_text("Order the lift")).to_be_visible()
    expect(mine.locator("#tasks-count")).to_have_text("1 open")


def test_one_stream_serves_all_tabs_and_passes_on(page_of, ana, max_, contact):
    first = page_of(ana, contact.get_absolute_url())
    second = first.context.new_page()
    asked = []
    second.on("request", lambda request: "/live/?" in request.url and asked.append(request.url))
    second.goto(first.url)
    expect(second.locator("html[data-live-on-air]")).to_have_count(1)
    assert not asked
    Note(contact=contact, location=contact.location, body="For both tabs").create(by=max_)
    for page in (first, second):
        expect(page.locator("#history-list").get_by_text("For both tabs")).to_have_count(1)
    with second.expect_request("**/live/?*"):
        first.close()
    expect(second.locator("html[data-live-on-air]")).to_have_count(1)


def test_without_events_a_page_works_as_before(page_of, ana, contact):
    page = page_of(ana, contact.get_absolute_url(), hears=False)
    save_field(page, "Last name", "Okonkwo-Reyes")
    expect(page.locator("#history-list").get_by_text("Okonkwo-Reyes")).to_be_visible()
    badge = page.locator("#field-last_name .change-badge")
    expect(badge).to_contain_text("Queued")
    change = contact.changes.get()
    change.cancel()  # in the place of a worker
    expect(badge).to_have_count(0)


def test_without_events_what_a_colleague_does_appears_within_a_minute(page_of, ana, max_, contact):
    page = page_of(ana, contact.get_absolute_url(), hears=False)
    contact.edit(by=max_, last_name="Okonkwo-Reyes")
    page.clock.run_for(61_000)
    expect(page.locator("#history-list").get_by_text("Okonkwo-Reyes")).to_be_visible()
    expect(page.locator("#field-last_name .field__input")).to_have_value("Okonkwo-Reyes")
