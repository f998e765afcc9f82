"""One thing done to many contacts: what it would change, doing it once and whole, stopping it, taking it back."""

import csv
import io
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from contacts.listing import bulk
from contacts.listing.bulk_acts import AddTags
from contacts.models import BulkAction, Change, Contact, HistoryEvent, Location, Membership, RemoteUser, Role, Tag, Task

PART = {"HX-Request": "true"}
START = "/contacts/bulk/start/"
PREVIEW = "/contacts/bulk/preview/"


@pytest.fixture
def seven(add_contact):
    return [add_contact(f"Contact {number}", tags=["old"] if number < 2 else []) for number in range(7)]


def picked(contacts):
    return ",".join(str(contact.pk) for contact in contacts)


def run(action=None):
    """Work until nothing is due."""
    action = action or BulkAction.objects.latest("pk")
    for _ in range(50):
        bulk.work(action.pk)
        action.refresh_from_db()
        if not action.is_running:
            return action
    raise AssertionError("it never ended")


def tagged(tag):
    return Contact.objects.filter(tags__contains=[tag]).count()


def tag_all(client, tag="spring", **more):
    client.post(START, {"kind": "add_tags", "tag": tag, "all": "1", "list": "", **more})
    return BulkAction.objects.latest("pk")


# --- what it would change ---------------------------------------------------------------------------------------------


def test_the_effect_is_said_before_anything_happens(client_of_ana, seven):
    page = client_of_ana.post(PREVIEW, {"kind": "add_tags", "tag": "Old", "picked": picked(seven[:5])}).content.decode()
    assert "contacts get the tag" in page and "have it already, left alone" in page
    assert "6</dt><dd>requests to GHL, about 1 s" in page and "Tag 3 contacts" in page
    assert not BulkAction.objects.exists() and not Change.objects.exists()


def test_a_read_only_location_is_left_alone_and_said(client_of_ana, seven, second_location, add_contact):
    Location.objects.filter(pk=second_location.pk).update(is_editable=False, not_editable_because="Only looking.")
    add_contact("There", location=second_location)
    page = client_of_ana.post(PREVIEW, {"kind": "add_tags", "tag": "new", "all": "1", "list": ""}).content.decode()
    assert "left alone: Only looking." in page and "Tag 7 contacts" in page
    action = run(tag_all(client_of_ana, "new"))
    assert (action.changed, action.left_alone, action.reasons) == (7, 1, {"Only looking.": 1})


def test_time_is_that_of_the_slowest_location(client_of_ana, settings, second_location, add_contact):
    settings.GHL_RATE_LIMIT, settings.GHL_RATE_WINDOW_S = 1, 10
    for number in range(3):
        add_contact(f"Here {number}")
    add_contact("There", location=second_location)
    page = client_of_ana.post(PREVIEW, {"kind": "add_tags", "tag": "new", "all": "1", "list": ""}).content.decode()
    assert "8</dt><dd>requests to GHL, about 60 s" in page


@pytest.mark.parametrize("body, sentence", [
    ({"kind": "add_tags", "tag": " , "}, "Write the tag first"),
    ({"kind": "add_tags", "tag": ",".join(f"t{n}" for n in range(30))}, "the most at once"),
    ({"kind": "add_tags", "tag": "x" * 300}, "the most at once"),
    ({"kind": "owner", "owner": ""}, "Choose a person"),
    ({"kind": "owner", "owner": "999999"}, "does not work here"),
    ({"kind": "task", "title": "", "due": "2031-01-01"}, "needs a title"),
    ({"kind": "task", "title": "Call", "due": "soon"}, "needs a due date"),
    ({"kind": "task", "title": "Call", "due": "0001-01-01"}, "year cannot be right"),
    ({"kind": "task", "title": "x" * 1001, "due": "2031-01-01"}, "too long"),
    ({"kind": "task", "title": "Call", "due": "2031-01-01", "assignee": "nobody"}, "does not work here"),
    ({"kind": "delete"}, "nothing that can be done"),
    ({"kind": "undo"}, "nothing that can be done"),
    ({}, "nothing that can be done"),
])  # fmt: skip
def test_what_cannot_be_taken_is_said_and_starts_nothing(body, sentence, client_of_ana, seven):
    answer = client_of_ana.post(START, body | {"picked": picked(seven)}, headers=PART)
    assert answer.status_code == 422 and sentence in answer.content.decode()
    assert sentence in client_of_ana.post(PREVIEW, body | {"picked": picked(seven)}).content.decode()
    assert not BulkAction.objects.exists()


def test_a_filter_that_is_not_understood_whole_is_not_acted_on(client_of_ana, seven):
    """Without the part that is unknown it would mean everybody."""
    body = {"kind": "add_tags", "tag": "x", "all": "1", "list": "owner=999999"}
    assert b"not known any more" in client_of_ana.post(PREVIEW, body).content
    assert client_of_ana.post(START, body, headers=PART).status_code == 422
    assert not BulkAction.objects.exists()


def test_a_filter_that_loses_its_meaning_later_stops_the_action(client_of_ana, seven, dana):
    Contact.objects.update(owner=dana)
    action = tag_all(client_of_ana, list=f"owner={dana.pk}")
    Contact.objects.update(owner=None)
    dana.delete()
    action = run(action)
    assert action.outcome == "failed" and tagged("spring") == 0
    assert "not known any more" in client_of_ana.get(f"/contacts/bulk/{action.pk}/").content.decode()


@pytest.mark.parametrize("ids", ["", "x,y", "-1", "99999999999999999999", "1e3", "\x00"])
def test_ids_that_are_none_choose_nobody(ids, client_of_ana, seven):
    client_of_ana.post(START, {"kind": "add_tags", "tag": "x", "picked": ids})
    assert run().changed == 0 and tagged("x") == 0


# --- doing it ---------------------------------------------------------------------------------------------------------


def test_tags_are_added_to_all_that_the_list_finds(client_of_ana, ana, seven):
    action = run(tag_all(client_of_ana, "Spring, new", list="tag=old"))
    assert (action.total, action.changed, action.outcome) == (2, 2, "complete")
    assert tagged("spring") == tagged("new") == 2
    change = Change.objects.filter(bulk=action).first()
    assert change.made_by == ana and change.verb == "tags"
    assert HistoryEvent.objects.filter(change__bulk=action, kind="tags_changed", user=ana).count() == 2


def test_tags_are_removed_though_that_ends_the_filter(client_of_ana, seven):
    Contact.objects.update(tags=["old"])
    client_of_ana.post(START, {"kind": "remove_tags", "tag": "old", "all": "1", "list": "tag=old"})
    assert run().changed == 7 and tagged("old") == 0


def test_who_came_later_is_not_meant(client_of_ana, seven, add_contact):
    action = tag_all(client_of_ana)
    add_contact("Late")
    assert run(action).changed == 7


def test_an_owner_is_set_where_that_person_works(client_of_ana, dana, seven, second_location, add_contact):
    add_contact("There", location=second_location)
    Contact.objects.filter(pk=seven[0].pk).update(owner=dana)
    body = {"kind": "owner", "owner": str(dana.pk), "all": "1", "list": ""}
    page = client_of_ana.post(PREVIEW, body).content.decode()
    assert "contacts go to Dana Whitlock" in page and "Dana Whitlock does not work in Harbor Dental." in page
    client_of_ana.post(START, body)
    action = run()
    assert (action.changed, action.unchanged, action.left_alone) == (6, 1, 1)
    assert Contact.objects.filter(owner=dana).count() == 7


def test_nobody_can_be_the_owner(client_of_ana, dana, seven):
    Contact.objects.update(owner=dana)
    client_of_ana.post(START, {"kind": "owner", "owner": "none", "picked": picked(seven[:3])})
    assert run().changed == 3 and Contact.objects.filter(owner=None).count() == 3


def test_somebody_who_does_not_work_there_any_more_is_not_assigned(client_of_ana, dana, seven):
    RemoteUser.objects.update(is_active=False)
    assert client_of_ana.post(START, {"kind": "owner", "owner": dana.pk, "all": "1"}, headers=PART).status_code == 422


def test_each_gets_the_task_by_the_clock_of_its_location(client_of_ana, dana, seven):
    Contact.objects.filter(pk=seven[0].pk).update(owner=dana)
    body = {"kind": "task", "title": "Call {} about {x}", "due": "2031-05-05", "assignee": "owner"}
    client_of_ana.post(START, body | {"picked": picked(seven[:2])})
    action = run()
    tasks = Task.objects.order_by("contact")
    assert action.changed == 2 and [task.assignee for task in tasks] == [dana, None]
    assert tasks[0].due_at.isoformat() == "2031-05-05T22:00:00+00:00"  # five in the afternoon in Chicago
    assert "Call {} about {x}" in client_of_ana.get(f"/contacts/bulk/{action.pk}/").content.decode()


def test_the_same_form_twice_is_one_action(client_of_ana, seven):
    form = {"kind": "add_tags", "tag": "x", "picked": picked(seven), "submission": str(uuid.uuid4())}
    for _ in range(2):
        client_of_ana.post(START, form)
    assert BulkAction.objects.count() == 1


def test_only_what_one_may_see_is_changed(as_user, cy, seven):
    client = as_user(cy)
    client.post(START, {"kind": "add_tags", "tag": "x", "picked": picked(seven)})
    client.post(START, {"kind": "add_tags", "tag": "x", "all": "1", "list": ""})
    for action in BulkAction.objects.all():
        assert run(action).changed == 0
    assert tagged("x") == 0


def test_only_the_chosen_business_is_meant(client_of_ana, seven, second_location, add_contact, northgate):
    there = add_contact("There", location=second_location)
    client_of_ana.post("/switch/", {"business": northgate.pk})
    client_of_ana.post(START, {"kind": "add_tags", "tag": "x", "picked": picked([*seven, there])})
    assert run().changed == 7 and tagged("x") == 7


def test_who_has_left_meanwhile_changes_nothing_more(
    client_of_ana, ana, northgate, second_location, add_contact, seven
):
    add_contact("There", location=second_location)
    client_of_ana.post("/switch/", {"business": northgate.pk})
    action = tag_all(client_of_ana)
    northgate.memberships.get(user=ana).end()
    assert run(action).changed == 0 and tagged("spring") == 0


# --- killed, stopped, twice at once -----------------------------------------------------------------------------------


def test_a_worker_killed_between_two_contacts_loses_and_doubles_nothing(client_of_ana, seven, monkeypatch):
    action = tag_all(client_of_ana)
    do = AddTags.do

    def dies_at(name):
        def die(act, contact, by):
            if contact.name == name:
                raise SystemExit
            return do(act, contact, by)

        monkeypatch.setattr(AddTags, "do", die)

    for name in ("Contact 0", "Contact 3", "Contact 6"):
        dies_at(name)
        with pytest.raises(SystemExit):
            bulk.work(action.pk)
    action.refresh_from_db()
    assert action.is_running and action.changed == 6
    monkeypatch.setattr(AddTags, "do", do)
    action = run(action)
    assert action.changed == 7 and Change.objects.filter(bulk=action).count() == 7 == tagged("spring")


def test_a_worker_killed_after_the_change_and_before_the_place_is_written(client_of_ana, seven, monkeypatch):
    action = tag_all(client_of_ana)
    count = BulkAction.count

    def die(*args):
        raise SystemExit

    monkeypatch.setattr(BulkAction, "count", die)
    with pytest.raises(SystemExit):
        bulk.work(action.pk)
    assert tagged("spring") == 0 and not Change.objects.exists()
    monkeypatch.setattr(BulkAction, "count", count)
    assert run(action).changed == 7 and Change.objects.count() == 7


def test_of_two_workers_one_has_it(client_of_ana, seven):
    action = tag_all(client_of_ana)
    assert BulkAction.objects.claim(action.pk) is not None
    assert BulkAction.objects.claim(action.pk) is None
    bulk.work(action.pk)
    assert tagged("spring") == 0


def test_a_worker_that_lost_its_claim_changes_nothing_more(client_of_ana, seven, monkeypatch):
    """It was silent for too long: another one took over, and has done it all by the time it wakes."""
    action = tag_all(client_of_ana)
    do, others = AddTags.do, []

    def sleepy(act, contact, by):
        if contact.name == "Contact 2" and not others:
            others.append(action.pk)
            BulkAction.objects.filter(pk=action.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
            assert BulkAction.objects.claim(action.pk) is not None
        return do(act, contact, by)

    monkeypatch.setattr(AddTags, "do", sleepy)
    bulk.work(action.pk)
    assert tagged("spring") == 2
    BulkAction.objects.filter(pk=action.pk).update(lease_until=None)
    assert run(action).changed == 7 and Change.objects.count() == 7


def test_it_works_in_slices_and_goes_on_where_it_was(client_of_ana, seven, monkeypatch):
    monkeypatch.setattr(bulk, "SLICE_S", 0)
    action = tag_all(client_of_ana)
    bulk.work(action.pk)
    action.refresh_from_db()
    assert action.is_running and action.changed == 1 and action.pk in bulk.waiting()
    assert run(action).changed == 7 and bulk.waiting() == []


def test_stop_ends_it_where_it_is(client_of_ana, seven, monkeypatch):
    monkeypatch.setattr(bulk, "SLICE_S", 0)
    action = tag_all(client_of_ana)
    bulk.work(action.pk)
    page = client_of_ana.post(f"/contacts/bulk/{action.pk}/stop/", headers=PART)
    assert page.status_code == 200
    action = run(action)
    assert (action.outcome, action.changed) == ("stopped", 1)
    assert "then stopped" in client_of_ana.get(f"/contacts/bulk/{action.pk}/").content.decode()


def test_one_that_goes_wrong_does_not_hold_up_the_others(client_of_ana, seven, monkeypatch):
    action = tag_all(client_of_ana)
    do = AddTags.do

    def do_or_not(act, contact, by):
        if contact.name == "Contact 3":
            raise ValueError("nobody foresaw this")
        return do(act, contact, by)

    monkeypatch.setattr(AddTags, "do", do_or_not)
    action = run(action)
    assert (action.changed, action.reasons) == (6, {bulk.OUR_SIDE: 1})


def test_deleted_meanwhile(client_of_ana, seven):
    client_of_ana.post(START, {"kind": "add_tags", "tag": "x", "picked": picked(seven)})
    Contact.objects.filter(pk=seven[0].pk).update(deleted_at=timezone.now())
    assert run().changed == 6


# --- taking it back ---------------------------------------------------------------------------------------------------


def test_undo_takes_all_of_it_back(client_of_ana, seven):
    action = run(tag_all(client_of_ana, "spring"))
    client_of_ana.post(f"/contacts/bulk/{action.pk}/undo/")
    back = run()
    assert back.undoes == action and (back.total, back.changed, back.outcome) == (7, 7, "complete")
    assert tagged("spring") == 0 and tagged("old") == 2
    # Nothing had been sent yet, so GHL hears of neither.
    assert not Change.objects.exclude(state="cancelled").exists()


def test_undo_of_what_was_sent_is_sent(client_of_ana, dana, seven):
    client_of_ana.post(START, {"kind": "owner", "owner": dana.pk, "picked": picked(seven[:2])})
    action = run()
    Change.objects.update(state="confirmed", settled_at=timezone.now())
    client_of_ana.post(f"/contacts/bulk/{action.pk}/undo/")
    back = run()
    assert set(Change.objects.filter(bulk=back).values_list("state", flat=True)) == {"queued"}
    assert not Contact.objects.filter(owner=dana).exists()


def test_undo_leaves_alone_what_somebody_went_on_from(client_of_ana, max_, dana, ana_in_ghl, seven):
    client_of_ana.post(START, {"kind": "owner", "owner": dana.pk, "picked": picked(seven[:2])})
    action = run()
    Contact.objects.get(pk=seven[0].pk).edit(by=max_, owner=ana_in_ghl)
    client_of_ana.post(f"/contacts/bulk/{action.pk}/undo/")
    back = run()
    assert (back.changed, back.left_alone) == (1, 1) and "Max changed it since" in next(iter(back.reasons))


def test_undo_of_tasks_deletes_them(client_of_ana, seven):
    client_of_ana.post(START, {"kind": "task", "title": "Call", "due": "2031-05-05", "all": "1", "list": ""})
    action = run()
    client_of_ana.post(f"/contacts/bulk/{action.pk}/undo/")
    assert run().changed == 7 and not Task.objects.present().exists()


def test_undo_of_one_that_still_runs_stops_it_first(client_of_ana, seven, monkeypatch):
    monkeypatch.setattr(bulk, "SLICE_S", 0)
    action = tag_all(client_of_ana)
    bulk.work(action.pk)
    client_of_ana.post(f"/contacts/bulk/{action.pk}/undo/")
    back = BulkAction.objects.latest("pk")
    bulk.work(back.pk)
    back.refresh_from_db()
    assert back.is_running and back.next_at > timezone.now()
    assert run(action).outcome == "stopped"
    BulkAction.objects.filter(pk=back.pk).update(next_at=timezone.now())
    assert run(back).changed == 1 and tagged("spring") == 0


def test_undone_once_only(client_of_ana, seven):
    action = run(tag_all(client_of_ana))
    for _ in range(2):
        client_of_ana.post(f"/contacts/bulk/{action.pk}/undo/")
    assert BulkAction.objects.filter(undoes=action).count() == 1


def test_what_was_taken_back_is_not_taken_back_again(client_of_ana, seven):
    action = run(tag_all(client_of_ana))
    client_of_ana.post(f"/contacts/bulk/{action.pk}/undo/")
    back = run()
    client_of_ana.post(f"/contacts/bulk/{back.pk}/undo/")
    assert BulkAction.objects.count() == 2 and tagged("spring") == 0


def test_the_history_says_in_what_company(client_of_ana, seven):
    run(tag_all(client_of_ana))
    page = client_of_ana.get(f"/contacts/{seven[0].pk}/history/", headers=PART).content.decode()
    assert "in a bulk change of 7 contacts" in page


def test_more_than_can_be_counted(client_of_ana, seven, monkeypatch):
    monkeypatch.setattr(bulk, "COUNTED", 3)
    page = client_of_ana.post(PREVIEW, {"kind": "add_tags", "tag": "x", "all": "1", "list": ""}).content.decode()
    assert "4+</dt>" in page and "Tag all of them" in page
    action = tag_all(client_of_ana)
    assert "0 so far" in client_of_ana.get("/contacts/").content.decode()
    assert run(action).changed == 7


def test_who_may_take_back_what_a_colleague_did(as_user, client_of_ana, ana, max_, cy, northgate, seven):
    client_of_ana.post("/switch/", {"business": northgate.pk})
    action = run(tag_all(client_of_ana))
    undo = f"/contacts/bulk/{action.pk}/undo/"
    assert as_user(cy).post(undo).status_code == 404
    BulkAction.objects.filter(pk=action.pk).update(created_at=timezone.now() - timedelta(days=2))
    client_of_ana.post(undo)
    assert not BulkAction.objects.filter(undoes=action).exists()
    as_user(max_).post(undo)
    assert run().changed == 7


# --- on the page ------------------------------------------------------------------------------------------------------


def test_progress_survives_a_reload_until_it_is_put_away(client_of_ana, seven, monkeypatch):
    action = tag_all(client_of_ana)
    page = client_of_ana.get("/contacts/").content.decode()
    assert f'id="bulk-{action.pk}"' in page and "0 of 7" in page and "Stop" in page
    client_of_ana.post(f"/contacts/bulk/{action.pk}/put-away/")
    assert f'id="bulk-{action.pk}"' in client_of_ana.get("/contacts/").content.decode()  # it still runs
    run(action)
    part = client_of_ana.get(f"/contacts/bulk/{action.pk}/?running=1", headers=PART)
    assert "Added tag spring to 7 contacts" in part.content.decode() and "list-stale" in part["HX-Trigger"]
    client_of_ana.post(f"/contacts/bulk/{action.pk}/put-away/")
    assert f'id="bulk-{action.pk}"' not in client_of_ana.get("/contacts/").content.decode()
    assert "Undo" in client_of_ana.get(f"/contacts/bulk/{action.pk}/").content.decode()


def test_what_ghl_refused_is_said(client_of_ana, seven):
    action = run(tag_all(client_of_ana))
    refused = Change.objects.filter(pk=Change.objects.first().pk)
    refused.update(state="refused", settled_at=timezone.now())
    page = client_of_ana.get(f"/contacts/bulk/{action.pk}/").content.decode()
    assert "1 not taken by GHL" in page and "6 on the way to GHL" in page


def test_a_stranger_finds_no_action_of_others(as_user, cy, max_, client_of_ana, northgate, seven):
    client_of_ana.post("/switch/", {"business": northgate.pk})
    action = tag_all(client_of_ana)
    for act in ("", "stop/", "undo/", "put-away/"):
        ask = as_user(cy).post if act else as_user(cy).get
        assert ask(f"/contacts/bulk/{action.pk}/{act}").status_code == 404
    assert as_user(max_).get(f"/contacts/bulk/{action.pk}/").status_code == 200


def test_the_forms_show_what_can_be_chosen(client_of_ana, dana, seven, location):
    Tag.objects.create(location=location, name="warranty")
    tags = client_of_ana.post("/contacts/bulk/form/", {"kind": "add_tags", "contact": [seven[0].pk, seven[1].pk]})
    assert b"warranty" in tags.content and b"2 contacts chosen" in tags.content
    owner = client_of_ana.post("/contacts/bulk/form/", {"kind": "owner", "all": "1", "list": "tag=old"})
    assert b"Dana Whitlock" in owner.content and b"2 contacts chosen" in owner.content
    assert client_of_ana.post("/contacts/bulk/form/", {"kind": "nonsense"}).status_code == 200


# --- export -----------------------------------------------------------------------------------------------------------


def lines_of(response):
    text = b"".join(response.streaming_content).decode().removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text)))


def test_managers_export_what_the_list_shows(as_user, max_, dana, add_contact, add_task):
    bea = add_contact("Bea Stone", email="bea@example.com", owner=dana, tags=["b", "a"], city="=cmd()")
    add_contact("Cal")
    add_task(bea, due_at=timezone.now() + timedelta(days=1))
    client = as_user(max_)
    client.post("/contacts/columns/", {"list": "", "column": ["owner", "tags", "tasks", "city", "email"]})
    lines = lines_of(client.post("/contacts/export/", {"all": "1", "list": ""}))
    assert [line["Name"] for line in lines] == ["Bea Stone", "Cal"]
    assert lines[0]["Owner"] == "Dana Whitlock" and lines[0]["Tags"] == "b, a" and lines[0]["Open tasks"] == "1"
    assert lines[0]["City"] == "'=cmd()" and lines[0]["E-mail"] == "bea@example.com"
    assert [line["Name"] for line in lines_of(client.post("/contacts/export/", {"picked": str(bea.pk)}))] == [
        "Bea Stone"
    ]


def test_more_than_one_page_of_an_export(as_user, max_, add_contact, monkeypatch):
    monkeypatch.setattr("contacts.listing.export.PAGE", 2)
    for number in range(5):
        add_contact(f"Contact {number}")
    lines = lines_of(as_user(max_).post("/contacts/export/", {"all": "1", "list": ""}))
    assert sorted(line["Name"] for line in lines) == [f"Contact {number}" for number in range(5)]


def test_staff_export_nothing(client_of_ana, seven):
    assert lines_of(client_of_ana.post("/contacts/export/", {"all": "1", "list": ""})) == []
    assert b"/contacts/export/" not in client_of_ana.get("/contacts/").content


def test_who_manages_one_business_exports_that_one(as_user, ana, max_, second_location, second_business, add_contact):
    add_contact("Here")
    add_contact("There", location=second_location)
    Membership.objects.create(user=max_, business=second_business, role=Role.STAFF)
    client = as_user(max_)
    assert [line["Name"] for line in lines_of(client.post("/contacts/export/", {"all": "1", "list": ""}))] == ["Here"]
    page = client.post("/contacts/bulk/form/", {"kind": "export", "all": "1", "list": ""}).content.decode()
    assert "1 is left out" in page
