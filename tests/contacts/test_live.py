"""Open pages hear what has changed: the right people, nothing of what it says, and nobody waits for it."""

import asyncio
import json
import logging
import time

import pytest
from asgiref.sync import sync_to_async
from django.db import connections, transaction
from django.test import AsyncClient

from contacts.models import Change, Note, Task
from contacts.open_pages import listening, live, presence
from contacts.views import live as live_views
from rankr_dash.shared_redis import shared_redis
from tests.workers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def heard():
    """All that is announced to a business from now on: [{kinds, contacts, changes, …}]."""
    lines = []

    class Heard:
        def __init__(self):
            self.line = shared_redis().pubsub(ignore_subscribe_messages=True)
            self.line.psubscribe(live.channel("*"))
            self.line.get_message(timeout=5)

        def next(self):
            """The next announcement; fails when none comes."""
            message = self.line.get_message(timeout=5)
            while message is None:
                message = self.line.get_message(timeout=5)
            return json.loads(message["data"])

        def until(self, is_it):
            while not is_it(message := self.next()):
                lines.append(message)
            return message

        def nothing(self, business):
            """Whatever was told up to now has been heard, and there was nothing of it."""
            live.tell(business.pk, [0], ["editing"])
            message = self.next()
            return (message["kinds"], message["contacts"]) == (["editing"], [0])

    heard = Heard()
    yield heard
    heard.line.close()


# --- what is announced ------------------------------------------------------------------------------------------------


def test_an_edit_names_what_it_is_about_and_nothing_of_what_it_says(heard, ana, contact):
    change = contact.edit(by=ana, email="zorblax@example.com")
    message = heard.next()
    assert message == {
        "business": contact.business_id, "tab": "", "many": False, "contacts": [contact.pk],
        "kinds": ["contact", "state"], "changes": [change.pk],
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["task", "note"])
def test_what_hangs_on_a_contact_is_told_by_its_kind(kind, heard, ana, contact):
    row = {"task": Task(title="Call"), "note": Note(body="Called")}[kind]
    row.contact, row.location = contact, contact.location
    row.create(by=ana)
    assert kind in heard.next()["kinds"]


def test_an_edit_that_is_rolled_back_is_not_announced(heard, ana, contact):
    with transaction.atomic():
        contact.edit(by=ana, email="never@example.com")
        transaction.set_rollback(True)
    assert heard.nothing(contact.business)


def test_many_edits_in_one_go_are_few_announcements(heard, ana, contact, add_contact):
    people = [add_contact(f"Person {n}") for n in range(20)]
    with transaction.atomic():
        for person in people:
            person.add_tags(["vip"], by=ana)
    told, count = set(), 0
    while told < {person.pk for person in people}:
        told |= set(heard.next()["contacts"])
        count += 1
    assert count < len(people) / 2


def test_too_many_to_name_are_many(heard, northgate):
    live.tell(northgate.pk, range(live.MOST + 1), ["contact"])
    message = heard.next()
    assert (message["many"], message["contacts"]) == (True, [])


def test_a_decision_about_a_refused_edit_is_announced(heard, ana, contact):
    change = contact.edit(by=ana, email="new@example.com")
    heard.next()
    Change.objects.filter(pk=change.pk).update(state="refused", settled_at=change.created_at)
    change.refresh_from_db()
    change.retry()
    message = heard.next()
    assert (message["kinds"], message["changes"]) == (["state"], [change.pk])


def test_the_tab_that_did_it_is_named(heard, ana, contact, as_user):
    as_user(ana).post(
        f"/contacts/{contact.pk}/tags/add/", {"tag": "vip"}, headers={"X-Tab": "tab7", "HX-Request": "true"}
    )
    assert heard.next()["tab"] == "tab7"


def test_a_sync_announces_what_it_changed_and_a_second_one_nothing(heard, synced, sandbox):
    from integrations.management.commands.sync import wait_for
    from integrations.reading import sync

    person = synced.location.contacts.exclude(email="").first()
    sandbox.edit("contact", "update", person.remote_id, firstName="Zenobia")
    heard.until(lambda message: message["many"] or message["contacts"])  # of the first sync
    while heard.line.get_message(timeout=0.3):
        pass
    wait_for(sync.start(synced, "recent"))
    message = heard.next()
    assert (message["contacts"], message["kinds"]) == ([person.pk], ["contact"])
    wait_for(sync.start(synced, "recent"))
    assert heard.nothing(synced.location.business)


def test_what_could_not_be_told_at_once_is_told_again(heard, contact, settings, caplog):
    url, settings.REDIS_URL = settings.REDIS_URL, "redis://127.0.0.1:9/0"
    live.Teller().add((contact.business_id, ""), [contact.pk], ["contact"], [])
    wait_until(lambda: caplog.records)
    settings.REDIS_URL = url
    assert heard.next()["contacts"] == [contact.pk]


def test_redis_away_costs_an_edit_nothing(ana, contact, settings, caplog, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    monkeypatch.setattr(live, "TRY_AGAIN_S", 0)
    teller = live.Teller()
    with caplog.at_level(logging.WARNING, "contacts.open_pages.live"):
        for _ in range(3):
            teller.gathered = {(1, ""): {"contacts": {1}, "kinds": {"contact"}, "changes": set()}}
            teller.publish()
    assert len(caplog.records) == 1  # a line a minute at most
    presence.enter(contact, "note:1", ana)
    assert presence.others(contact, ana) == ({}, 0)


# --- the stream -------------------------------------------------------------------------------------------------------


class Reader:
    """A page that listens: events as they come."""

    def __init__(self, user, since=None):
        self.user, self.asked = user, {} if since is None else {"since": since}

    async def __aenter__(self):
        self.client = AsyncClient()
        await self.client.aforce_login(self.user)
        self.answer = await self.client.get("/live/", self.asked)
        self.parts = aiter(self.answer.streaming_content)
        await self.until("ready")
        while not listening.hub().is_on:
            await self.until("ready")
        return self

    async def __aexit__(self, *error):
        await self.answer.streaming_content.aclose()

    async def next(self):
        text = (await asyncio.wait_for(anext(self.parts), 10)).decode()
        lines = dict(line.split(": ", 1) for line in text.strip().split("\n") if line)
        return lines["event"], json.loads(lines["data"])

    async def until(self, kind):
        while (found := await self.next())[0] != kind:
            pass
        return found[1]


def run(coroutine):
    """Each in an event loop of its own; the hub's line to Redis is closed with it."""

    async def whole():
        try:
            return await asyncio.wait_for(coroutine, 60)
        finally:
            ear = listening.hub()
            if ear.listener:
                ear.listener.cancel()
                await asyncio.gather(ear.listener, return_exceptions=True)
            await sync_to_async(connections.close_all)()  # of the thread that asgiref keeps for tests like these

    return asyncio.run(whole())


tell = sync_to_async(live.tell)


def test_a_colleague_hears_and_a_stranger_does_not(ana, max_, cy, contact):
    async def story():
        async with Reader(max_) as max_hears, Reader(cy) as cy_hears:
            await sync_to_async(contact.edit)(by=ana, email="new@example.com")
            assert (await max_hears.until("change"))["contacts"] == [contact.pk]
            # What comes to Cy next is his own, so the other has passed him by.
            own = await sync_to_async(lambda: cy.businesses.get().pk)()
            await tell(own, [1], ["contact"])
            assert (await cy_hears.until("change"))["business"] == own

    run(story())


def test_nobody_listens_who_is_signed_out(client):
    answer = client.get("/live/")
    assert answer.status_code == 302 and "/account/login/" in answer["Location"]


def test_a_stream_passes_proxies_unbuffered_and_unkept(ana):
    async def story():
        async with Reader(ana) as reader:
            assert reader.answer["Content-Type"] == "text/event-stream"
            assert reader.answer["Cache-Control"] == "no-store"
            assert reader.answer["X-Accel-Buffering"] == "no"

    run(story())


def test_who_is_removed_hears_nothing_more(ana, max_, contact):
    membership = contact.business.memberships.get(user=ana)

    async def story():
        async with Reader(ana) as ana_hears, Reader(max_) as max_hears:
            await sync_to_async(membership.end)()
            await max_hears.until("change")
            assert await ana_hears.next() == ("beat", {"on": True})  # in the place of the news that somebody has left
            await tell(contact.business_id, [contact.pk], ["contact"])
            await max_hears.until("change")
            for stream in listening.hub().streams:
                stream.tell("beat", {"on": "last"})
            assert await ana_hears.next() == ("beat", {"on": "last"})

    run(story())


def test_who_signs_out_loses_the_stream(ana, contact, monkeypatch):
    monkeypatch.setattr(live_views, "CHECK_EVERY_S", 0)

    async def story():
        async with Reader(ana) as reader:
            await reader.client.alogout()
            await tell(contact.business_id, [contact.pk], ["contact"])
            assert await reader.until("over") == {"reason": "signed out"}
            with pytest.raises(StopAsyncIteration):
                await reader.next()

    run(story())


def test_a_page_hears_what_happened_while_it_was_on_its_way(ana, max_, contact, monkeypatch):
    monkeypatch.setattr(listening, "CLOCKS_S", 0)  # there is only one

    async def story():
        async with Reader(max_) as earlier:
            shown = time.time()
            await tell(contact.business_id, [contact.pk], ["contact"])
            await earlier.until("change")
            async with Reader(ana, since=shown) as later:
                assert (await later.until("change"))["contacts"] == [contact.pk]

    run(story())


def test_a_page_looks_itself_that_was_asked_for_before_anybody_listened(ana, max_, contact):
    async def story():
        async with Reader(ana, since=time.time() - 5) as first, Reader(max_) as later:
            assert await first.until("missed") == {}
            await tell(contact.business_id, [contact.pk], ["contact"])
            assert (await later.next())[0] == "change"

    run(story())


def test_and_when_announcements_are_more_than_are_kept(ana, max_, contact, monkeypatch):
    monkeypatch.setattr(listening, "LATELY", 2)
    monkeypatch.setattr(listening, "CLOCKS_S", 0)

    async def story():
        async with Reader(max_) as earlier:
            shown = time.time()
            for _ in range(2):
                await tell(contact.business_id, [contact.pk], ["contact"])
                await earlier.until("change")
            async with Reader(ana, since=shown) as later:
                assert (await later.next())[0] == "missed"

    run(story())


def test_a_line_that_was_cut_for_a_moment_makes_pages_look(ana):
    async def story():
        async with Reader(ana) as reader:
            await sync_to_async(shared_redis().client_kill_filter)(_type="pubsub")
            assert (await reader.next()) in [("missed", {}), ("ready", {"on": False})]

    run(story())


def test_one_subscription_serves_all_streams(ana, max_, contact):
    async def story():
        async with Reader(ana), Reader(max_), Reader(max_):
            return await sync_to_async(shared_redis().pubsub_numpat)()

    before = shared_redis().pubsub_numpat()
    assert run(story()) - before <= 1


def test_the_oldest_of_too_many_streams_is_told_to_stop(ana, monkeypatch):
    monkeypatch.setattr(listening, "MOST_STREAMS", 1)

    async def story():
        async with Reader(ana) as first, Reader(ana):
            assert await first.until("over") == {"reason": "enough"}

    run(story())


def test_a_slow_reader_is_told_to_look_at_everything(ana):
    async def story():
        stream = listening.Stream(ana.pk, [1])
        for _ in range(listening.MOST_WAITING + 1):
            stream.hear({"business": 1, "kinds": ["contact"]})
        assert stream.waiting.qsize() == 2
        assert stream.waiting.get_nowait() == ("missed", {})

    asyncio.run(story())


def test_readers_are_told_when_nothing_can_be_heard(ana, settings):
    async def story():
        settings.REDIS_URL, url = "redis://127.0.0.1:9/0", settings.REDIS_URL
        client = AsyncClient()
        await client.aforce_login(ana)
        answer = await client.get("/live/")
        parts = aiter(answer.streaming_content)
        assert '"on": false' in (await anext(parts)).decode()
        settings.REDIS_URL = url
        assert '"on": true' in (await asyncio.wait_for(anext(parts), 20)).decode()
        await answer.streaming_content.aclose()

    run(story())


# --- who edits at the moment ------------------------------------------------------------------------------------------


def test_a_colleague_is_told_who_edits_a_note(ana, max_, contact, as_user, heard):
    address = f"/contacts/{contact.pk}/editing/"
    mine = as_user(ana).post(address, {"record": "note:5"}).content.decode()
    assert "is editing" not in mine
    assert (heard.next()["kinds"]) == ["editing"]
    assert "Ana is editing this note." in as_user(max_).get(address).content.decode()
    as_user(ana).post(address, {"record": "note:5"})
    assert heard.nothing(contact.business)  # it is known already
    as_user(ana).post(address, {"record": "note:5", "done": "1"})
    assert heard.next()["kinds"] == ["editing"]
    assert "editing this" not in as_user(max_).get(address).content.decode()


def test_who_vanished_is_forgotten(ana, max_, contact, monkeypatch):
    monkeypatch.setattr(presence, "LASTS_S", 0.05)
    presence.enter(contact, "note:5", ana)
    time.sleep(0.06)
    assert presence.others(contact, max_) == ({}, 0)


def test_a_stranger_neither_sees_nor_shows_who_edits(cy, ana, contact, as_user):
    address = f"/contacts/{contact.pk}/editing/"
    assert as_user(cy).get(address).status_code == 404
    assert as_user(cy).post(address, {"record": "note:5"}).status_code == 404
    assert presence.others(contact, ana) == ({}, 0)


def test_a_record_must_be_one(ana, contact, as_user):
    assert as_user(ana).post(f"/contacts/{contact.pk}/editing/", {"record": "x" * 500}).status_code == 400
