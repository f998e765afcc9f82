"""A day's work by keyboard: through what is due, and an appointment booked and called off."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from contacts.models import Appointment, Calendar, Change, Contact, RemoteUser, Task

PATIENCE_MS = 20_000  # the next page, on a machine that is busy
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture
def ana_at_work(app, ana, location, sign_in, context):
    RemoteUser.objects.create(location=location, remote_id="usrAna", name="Ana", email=ana.email, user=ana)
    sign_in(context, ana)
    return context.new_page()


@pytest.fixture
def late(location, ana, ana_at_work):
    """Three overdue tasks of Ana's, each of another contact, the oldest first."""
    me = RemoteUser.objects.get(user=ana)
    tasks = []
    for number, name in enumerate(("Marisol", "Ines", "Oscar")):
        contact = Contact.objects.create(location=location, remote_id=f"con{name}", first_name=name)
        due = timezone.now() - timedelta(days=9 - number)
        title = f"Call {name}"
        row = {"location": location, "contact": contact, "remote_id": f"tsk{name}", "title": title}
        tasks.append(Task.objects.create(**row, due_at=due, assignee=me))
    return tasks


def test_through_what_is_overdue_by_keyboard(ana_at_work, app, late):
    page = ana_at_work
    page.goto(f"{app.url}/tasks/")
    page.get_by_role("button", name="Work through 3 overdue").click()
    bar = page.locator("#through")
    expect(bar).to_contain_text("Call Marisol", timeout=PATIENCE_MS)
    expect(bar).to_contain_text("1 of 3")

    page.locator("[data-note]").fill("d r s")  # who types means letters
    expect(bar).to_contain_text("Call Marisol", timeout=PATIENCE_MS)
    page.locator("[data-note]").fill("")
    page.locator("[data-note]").blur()

    page.keyboard.press("d")
    expect(bar).to_contain_text("Call Ines", timeout=PATIENCE_MS)
    expect(bar).to_contain_text("2 of 3")
    page.reload()
    expect(bar).to_contain_text("2 of 3")

    page.keyboard.press("r")
    expect(page.get_by_role("button", name="Tomorrow").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(bar).to_contain_text("Call Oscar", timeout=PATIENCE_MS)

    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{app.url}/tasks/?", timeout=PATIENCE_MS)
    done, moved, left = (Task.objects.get(pk=task.pk) for task in late)
    assert done.completed and moved.due_at > timezone.now() and not left.completed


def test_an_appointment_is_booked_and_called_off_in_time(ana_at_work, app, contact, location):
    Calendar.objects.create(location=location, remote_id="calVisits", name="Site visits")
    page = ana_at_work
    page.goto(app.url + contact.get_absolute_url())
    page.get_by_role("link", name="Book an appointment").click()
    expect(page.get_by_label("Title")).to_be_focused()
    page.get_by_label("Title").fill("Roof walk")
    page.get_by_label("Length").select_option("60")
    page.get_by_role("button", name="Book", exact=True).click()
    panel = page.locator("#panel-appointments")
    expect(panel).to_contain_text("Roof walk")
    expect(panel).to_contain_text("Queued")
    Change.objects.update(state="confirmed", settled_at=timezone.now())  # as the worker would
    Appointment.objects.update(remote_id="aptOne", status="confirmed")

    page.goto(f"{app.url}/calendar/")
    page.get_by_role("link", name="Week after").click()
    page.get_by_role("link", name="Week before").click()
    start = Appointment.objects.get().starts_at
    page.goto(f"{app.url}/calendar/?week={start:%Y-%m-%d}")
    page.locator(".day__event", has_text="Roof walk").hover()
    page.get_by_role("button", name="About Roof walk").click()
    page.get_by_role("button", name="Cancel appointment").click()
    expect(
        page.get_by_text("No appointments this week").or_(page.get_by_text("You have no appointments"))
    ).to_be_visible()
    assert Appointment.objects.get().status == "cancelled"
    page.get_by_role("region", name="Messages").get_by_role("button", name="Undo").click()
    expect(page.locator(".day__event", has_text="Roof walk")).to_be_visible()
    assert Appointment.objects.get().status == "confirmed"

    page.get_by_role("link", name="Book", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("searchbox").press_sequentially("maris")
    dialog.get_by_role("link", name="Marisol").click()
    dialog.get_by_label("Title").fill("Second walk")
    dialog.get_by_role("button", name="Book", exact=True).click()
    expect(dialog).to_be_hidden()
    assert Appointment.objects.filter(title="Second walk", contact=contact).exists()

    page.get_by_role("link", name="Week after").click()
    expect(page.get_by_role("link", name="This week")).not_to_have_attribute("aria-current", "true")
    page.get_by_role("button", name="Book on").nth(1).press("Enter")  # the second day, by keyboard
    dialog.get_by_role("searchbox").press_sequentially("maris")
    dialog.get_by_role("link", name="Marisol").click()
    expect(dialog.get_by_label("Start")).to_have_value(re.compile("T10:00$"))
    page.keyboard.press("Escape")
    slot = page.locator(".calendar__day").nth(2).get_by_text("15:30", exact=True)
    slot.click()
    dialog.get_by_role("searchbox").press_sequentially("maris")
    dialog.get_by_role("link", name="Marisol").click()
    expect(dialog.get_by_label("Start")).to_have_value(re.compile("T15:30$"))


def test_chosen_tasks_are_moved_after_a_look_at_what_that_does(ana_at_work, app, late):
    page = ana_at_work
    page.goto(f"{app.url}/tasks/")
    page.keyboard.press("j")
    page.keyboard.press("x")
    boxes = page.locator("[data-pick]")
    boxes.nth(2).click(modifiers=["Shift"], force=True)
    bar = page.locator("#task-bulk")
    expect(bar).to_contain_text("3 selected")
    bar.get_by_role("button", name="Next week").click()
    expect(page.get_by_role("dialog")).to_contain_text("3 tasks moved to next Monday")
    assert not Change.objects.exists()
    page.get_by_role("button", name="Change 3 tasks").click()
    expect(page.get_by_role("heading", name="Overdue")).to_have_count(0)
    page.get_by_role("region", name="Messages").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="Overdue 3")).to_be_visible()
