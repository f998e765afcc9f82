"""Do not disturb: what the page says of it, and how it is changed channel by channel."""

from datetime import UTC, datetime

import pytest

from contacts.details import disturb
from contacts.models import HistoryEvent

HTMX = {"HX-Request": "true"}


@pytest.fixture
def put(as_user, ana, contact):
    client = as_user(ana)

    def post(*channels):
        answer = client.post(f"/contacts/{contact.pk}/fields/dnd/", {"value": channels}, headers=HTMX)
        contact.refresh_from_db()
        return answer

    return post


def off(contact):
    return {channel for channel, told in contact.dnd_settings.items() if told["status"] != "inactive"}


def told(contact, **statuses):
    contact.dnd_settings = {channel: {"status": status, "message": ""} for channel, status in statuses.items()}
    contact.save()
    return disturb.words(contact)


def test_nothing_is_said_while_every_channel_is_open(contact):
    assert told(contact, SMS="inactive") == ""


@pytest.mark.parametrize(
    "statuses, words",
    [
        ({"SMS": "active", "Email": "inactive"}, "No SMS"),
        ({"Email": "permanent", "Call": "active", "FB": "active"}, "No calls, e-mail or Facebook"),
        ({"RCS": "active"}, "No RCS"),
    ],
)
def test_the_channels_that_are_off_are_named(contact, statuses, words):
    assert told(contact, **statuses) == words


def test_since_when_is_what_ghl_signed(contact):
    contact.dnd_settings = {"SMS": {"status": "active", "message": "Updated by 'Dana' at 2025-11-02T20:20:09.768Z"}}
    assert disturb.words(contact) == "No SMS since 2 Nov 2025"


@pytest.mark.parametrize(
    "message", ["", "at noon", "Updated by 'Eve' at 2025-99-99T99:99:99Z", "at 2025-11-02T20:20:09"]
)
def test_a_message_that_tells_no_moment_is_passed_over(contact, message):
    contact.dnd_settings = {"SMS": {"status": "active", "message": message}}
    assert disturb.words(contact) == "No SMS"


def test_since_when_is_what_the_history_tells(contact):
    told(contact, SMS="active")
    HistoryEvent.objects.create(
        location=contact.location, contact=contact, kind="contact_changed", actor_kind="ghl",
        happened_at=datetime(2024, 3, 9, 4, tzinfo=UTC),
        changes={"dnd_settings": [{}, {"SMS": {"status": "active", "message": ""}}]},
    )  # fmt: skip
    # The day by the location's clock, where it was still the evening before.
    assert disturb.words(contact) == "No SMS since 8 Mar 2024"


def test_no_day_is_made_up_where_the_channels_were_closed_one_by_one(contact):
    told(contact, SMS="active", Email="active")
    HistoryEvent.objects.create(
        location=contact.location, contact=contact, kind="contact_changed", actor_kind="ghl",
        changes={"dnd_settings": [{"Email": {"status": "active"}}, contact.dnd_settings]},
    )  # fmt: skip
    assert disturb.words(contact) == "No SMS or e-mail"


def test_one_channel_is_closed_and_opened_again(put, contact):
    answer = put("SMS")
    assert off(contact) == {"SMS"} and not contact.dnd
    assert "No SMS since" in answer.content.decode() and "Queued" in answer.content.decode()
    assert set(contact.changes.get().values) == {"dnd_settings"}
    put()
    assert off(contact) == set()


def test_every_channel_at_once(put, contact):
    answer = put("all")
    assert contact.dnd and contact.changes.get().values == {"dnd": True}
    assert "Do not disturb since" in answer.content.decode()


def test_saving_what_stands_there_is_no_edit(put, contact):
    told(contact, SMS="active")
    put("SMS")
    assert not contact.changes.exists()


def test_what_ghl_wrote_beside_the_other_channels_stays(put, contact):
    signed = {"status": "inactive", "message": "Updated by 'Dana' at 2026-11-02T20:20:09.768Z"}
    contact.dnd_settings = {"Email": signed}
    contact.save()
    put("SMS")
    assert contact.dnd_settings["Email"] == signed


def test_what_is_closed_for_good_stays_closed(put, contact, as_user, ana):
    told(contact, SMS="permanent", RCS="active")
    shown = as_user(ana).get(contact.get_absolute_url()).content.decode()
    assert shown.count("can be lifted only in GHL") == 2
    put("Email")
    assert off(contact) == {"SMS", "RCS", "Email"}
    assert contact.dnd_settings["SMS"]["status"] == "permanent"


def test_a_channel_that_does_not_exist_is_not_taken(put, contact):
    answer = put("SMS", "Pigeon")
    assert answer.status_code == 422 and "“Pigeon” is not one of the choices" in answer.content.decode()
    assert not contact.changes.exists()


def test_where_nothing_can_be_changed_it_is_only_shown(put, contact, as_user, ana, location):
    told(contact, SMS="active")
    location.is_editable, location.not_editable_because = False, "Ours may only look at GHL."
    location.save()
    shown = as_user(ana).get(contact.get_absolute_url()).content.decode()
    assert "No SMS" in shown and 'value="WhatsApp"' not in shown
    assert put("Email").status_code == 403


def test_the_history_names_the_channels(put, contact, as_user, ana):
    put("SMS", "Call")
    shown = as_user(ana).get(f"/contacts/{contact.pk}/history/", headers=HTMX).content.decode()
    assert "no calls or SMS" in shown
