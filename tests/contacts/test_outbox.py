"""The outbox: edits GHL has not confirmed, whose they are, and what can be done."""

import re

import pytest
from django.utils import timezone

from contacts.models import Change, Location, Task
from contacts.views import outbox
from contacts.wording import what_of


@pytest.fixture
def add_change(contact):
    def add(made_by, state="queued", **values):
        is_settled = state in ("refused", "differs", "confirmed", "cancelled")
        values = {
            "business": contact.business, "location": contact.location, "contact": contact, "kind": "contact",
            "verb": "update", "values": {"email": "x"}, "settled_at": timezone.now() if is_settled else None, **values,
        }  # fmt: skip
        return Change.objects.create(made_by=made_by, state=state, **values)

    return add


def shown(response):
    return {int(pk) for pk in re.findall(r'id="outbox-change-(\d+)"', response.content.decode())}


def test_it_holds_what_has_not_arrived(as_user, ana, add_change):
    waiting = [add_change(ana, state) for state in ("queued", "sending", "sent", "unknown", "refused", "differs")]
    add_change(ana, "confirmed")
    add_change(ana, "cancelled")
    response = as_user(ana).get("/outbox/")
    assert shown(response) == {change.pk for change in waiting}
    page = response.content.decode()
    assert page.index("Need a decision") < page.index("On their way to GHL")


def test_it_says_what_happened(as_user, ana, add_change):
    add_change(
        ana, "refused", sentence="GHL says the address is not valid.", technical="POST /contacts 422", attempts=3
    )
    page = as_user(ana).get("/outbox/").content.decode()
    for words in ("Marisol Okonkwo", "e-mail", "the address is not valid", "POST /contacts 422", "tried 3 times"):
        assert words in page, words


def test_mine_are_mine_and_only_managers_and_admins_see_everyone(as_user, ana, ada, max_, add_change):
    mine, theirs = add_change(ana), add_change(max_)
    assert shown(as_user(ana).get("/outbox/")) == {mine.pk}
    assert shown(as_user(ana).get("/outbox/?who=everyone")) == {mine.pk}
    assert shown(as_user(max_).get("/outbox/")) == {theirs.pk}
    assert shown(as_user(max_).get("/outbox/?who=everyone")) == {mine.pk, theirs.pk}
    assert shown(as_user(ada).get("/outbox/")) == set()
    assert shown(as_user(ada).get("/outbox/?who=everyone")) == {mine.pk, theirs.pk}


def test_an_admin_of_another_business_sees_nothing(as_user, cy, ana, add_change):
    add_change(ana)
    assert shown(as_user(cy).get("/outbox/?who=everyone")) == set()


def test_everyone_stops_at_the_businesses_one_administers(as_user, ana, ada, add_change, second_business):
    second_business.memberships.create(user=ada, role="staff")
    there = Location.objects.create(business=second_business, remote_id="loc2")
    theirs = add_change(ana, business=second_business, location=there)
    assert theirs.pk not in shown(as_user(ada).get("/outbox/?who=everyone"))


@pytest.fixture
def four_alike(contact, ana, max_):
    """Four notes that GHL refused for the same reason, one of them Max's, and one for another."""
    changes = []
    for by in (ana, ana, ana, max_):
        note = contact.notes.model(contact=contact, location=contact.location, body="x")
        changes.append(note.create(by=by))
    other = contact.edit(by=ana, city="Gary")
    refused = Change.objects.filter(pk__in=[change.pk for change in changes])
    refused.update(state="refused", settled_at=timezone.now(), failure="ScopeMissing", attempts=1)
    Change.objects.filter(pk=other.pk).update(state="refused", settled_at=timezone.now(), failure="Invalid city")
    return changes


def test_those_that_failed_alike_are_together(as_user, ana, ada, four_alike):
    assert "<b>3 alike</b> new notes: GHL has not given us permission" in as_user(ana).get("/outbox/").content.decode()
    assert "<b>4 alike</b>" in as_user(ada).get("/outbox/?who=everyone").content.decode()


def test_all_of_them_are_sent_again_and_their_progress_shown(as_user, ana, four_alike):
    page = as_user(ana)
    response = page.post(f"/outbox/{four_alike[0].pk}/retry-all/", follow=True)
    assert Change.objects.filter(state="unknown").count() == 3  # looked for before they are sent again
    assert "0 of 3" in response.content.decode()
    Change.objects.filter(state="unknown").update(state="confirmed", settled_at=timezone.now())
    assert "All 3 have arrived" in page.get(f"/outbox/{four_alike[0].pk}/progress/").content.decode()


def test_all_of_them_are_ignored_with_a_reason(as_user, max_, contact, four_alike):
    as_user(max_).post(f"/outbox/{four_alike[0].pk}/ignore-all/", {"because": "too old"})
    states = set(Change.objects.filter(kind="note").values_list("state", "decided_by", "decided_because"))
    assert states == {("cancelled", max_.pk, "too old")}
    assert contact.history.filter(reason="too old").count() == 4
    assert Change.objects.get(kind="contact").state == "refused"


def test_staff_decide_only_about_their_own(as_user, ana, four_alike):
    page = as_user(ana)
    assert page.post(f"/outbox/{four_alike[3].pk}/retry-all/").status_code == 404
    page.post(f"/outbox/{four_alike[0].pk}/ignore-all/", {"because": "x"})
    four_alike[3].refresh_from_db()
    assert four_alike[3].state == "refused"


def test_an_empty_outbox_is_good_news(as_user, ana):
    assert b"Everything has arrived" in as_user(ana).get("/outbox/").content


def test_pages_show_every_change_once(as_user, ana, add_change, monkeypatch):
    monkeypatch.setattr(outbox, "PAGE", 2)
    every = {add_change(ana).pk for _ in range(5)}
    url, seen = "/outbox/", []
    while url:
        response = as_user(ana).get(url)
        seen += shown(response)
        found = re.search(r'href="(\?[^"]*after[^"]*)"', response.content.decode())
        url = found and "/outbox/" + found[1].replace("&amp;", "&")
    assert sorted(seen) == sorted(every)


@pytest.mark.parametrize("query", ["only=x", "after=x", "only=undecided&after=WzEsMV0", "who=nobody"])
def test_nonsense_in_the_address_is_harmless(query, as_user, ana, add_change):
    add_change(ana)
    assert as_user(ana).get(f"/outbox/?{query}").status_code == 200


@pytest.mark.parametrize(
    "kind, verb, values, words",
    [
        ("contact", "update", {"phone": "1"}, "phone"),
        ("contact", "update", {"company_remote_id": "1", "company_name": "x"}, "company"),
        (
            "contact",
            "update",
            {"city": 1, "email": 1, "phone": 1, "state": 1, "type": 1},
            "city, e-mail, phone and 2 more",
        ),
        ("contact", "create", {"first_name": "A"}, "new contact"),
        ("contact", "delete", {}, "contact deleted"),
        ("contact", "tags", {"add": ["a", "b"], "remove": ["c"]}, "tags: added a and b, removed c"),
        ("task", "create", {}, "new task “Call back”"),
        ("task", "update", {"completed": True}, "task “Call back” done"),
        ("task", "update", {"due_at": "x"}, "due date of task “Call back”"),
        ("contact", "update", {}, "nothing"),
    ],
)
def test_a_change_in_words(kind, verb, values, words):
    task = Task(title="Call back") if kind == "task" else None
    assert what_of(Change(kind=kind, verb=verb, values=values, task=task)) == words
