"""What one line of a history says: who did it, what led to what, which small changes read as one."""

from datetime import timedelta

import pytest
from django.utils import timezone

from contacts.history import timeline
from contacts.history.timeline import query
from contacts.models import Change, HistoryEvent, Note

HTMX = {"HX-Request": "true"}
NOW = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.fixture
def tell(contact):
    """The lines of the contact as sentences, newest first."""

    def lines(**params):
        found, _, _ = timeline.page(contact, query.Asked.of(params))
        return [sentence(line) for line in found]

    return lines


def sentence(line):
    return " ".join(part for part in (line.lead, line.actor, line.words, line.subject, line.tail, line.detail) if part)


def ago(**length):
    return NOW - timedelta(**length)


# --- who --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who, said", [
    ({"actor_kind": "person", "actor_name": "Dana Whitlock"}, "Dana Whitlock added tag vip"),
    ({"actor_kind": "ghl", "actor_name": ""}, "GHL added tag vip"),
    ({"actor_kind": "rule", "actor_name": "Estimate sent"}, "Rule Estimate sent added tag vip"),
    ({"actor_kind": "erp", "actor_name": ""}, "ERP added tag vip"),
])  # fmt: skip
def test_every_line_says_who(tell, contact, add_event, who, said):
    add_event(contact, "tags_changed", changes={"tags": [[], ["vip"]]}, **who)
    assert tell() == [said]


def test_a_new_task_says_for_whom_and_when(tell, contact, add_task, add_event, dana):
    new = {"title": [None, "Send pack"], "assignee_remote_id": [None, dana.remote_id], "body": [None, "In two copies"]}
    add_event(contact, "task_added", task=add_task(contact, "Send pack"), changes=new)
    assert tell() == ["Dana Whitlock added task Send pack for Dana Whitlock"]


def test_a_status_is_said_in_words(tell, contact, add_appointment, add_event):
    booked = add_appointment(contact, NOW, "Site visit")
    changes = {"status": ["confirmed", "noshow"]}
    add_event(contact, "appointment_changed", appointment=booked, changes=changes, actor_kind="ghl", actor_name="")
    assert tell() == ["GHL marked Site visit as no-show was confirmed"]


def test_a_call_reads_as_a_call(tell, contact, location, add_event):
    note = Note.objects.create(contact=contact, location=location, title="Call, 6 min, left voicemail", body="Hello")
    add_event(contact, "note_added", note=note)
    assert tell() == ["Dana Whitlock logged a call, 6 min left voicemail"]


def test_pinning_is_no_change_of_the_text(tell, contact, location, add_event):
    note = Note.objects.create(contact=contact, location=location, body="Gate code")
    add_event(contact, "note_changed", note=note, changes={"pinned": [False, True]})
    assert tell() == ["Dana Whitlock pinned a note"]


# --- small changes read as one ----------------------------------------------------------------------------------------


def test_tags_of_one_hand_read_as_one(tell, contact, add_event):
    add_event(contact, "tags_changed", changes={"tags": [["a"], ["a", "b"]]}, happened_at=ago(minutes=9))
    add_event(contact, "tags_changed", changes={"tags": [["a", "b"], ["b", "c"]]}, happened_at=ago(minutes=3))
    assert tell() == ["Dana Whitlock added tags b, c and removed tag a"]


def test_edits_of_two_people_stay_apart(tell, contact, add_event):
    add_event(contact, "contact_changed", changes={"city": ["", "Gary"]}, happened_at=ago(minutes=2))
    add_event(contact, "contact_changed", changes={"state": ["", "IN"]}, happened_at=ago(minutes=1), actor_name="Priya")
    assert tell() == ["Priya changed State", "Dana Whitlock changed City"]


def test_edits_of_a_machine_fold_within_a_day(tell, contact, add_event):
    ghl = {"actor_kind": "ghl", "actor_name": ""}
    for hours, key in ((5, "city"), (4, "state"), (30, "source")):
        add_event(contact, "contact_changed", changes={key: ["", "x"]}, happened_at=ago(hours=hours), **ghl)
    assert tell() == ["GHL changed 2 fields City, State", "GHL changed Source"]


def test_contacts_are_not_mixed_up(contact, add_contact, add_event):
    other = add_contact("Nadia Quist")
    events = [
        add_event(one, "contact_changed", changes={"city": ["", "Gary"]}, happened_at=NOW) for one in (other, contact)
    ]
    assert len(timeline.lines_of(events, contact.location)) == 2


def test_without_folding_there_is_a_line_for_each_event(contact, add_event):
    first = add_event(contact, "erp_event", title="Invoice 8841 paid", actor_kind="erp", happened_at=NOW)
    second = add_event(contact, "tags_changed", cause=first, happened_at=NOW)
    third = add_event(contact, "contact_changed", changes={"city": ["", "Gary"]}, happened_at=NOW)
    fourth = add_event(contact, "contact_changed", changes={"state": ["", "IN"]}, happened_at=NOW)
    lines = timeline.lines_of([fourth, third, second, first], contact.location, folds=False)
    assert [line.event for line in lines] == [fourth, third, second, first]


# --- noise ------------------------------------------------------------------------------------------------------------


def test_machines_that_talk_to_themselves_are_behind_a_count(contact, add_event, as_user, ana):
    for number in range(23):
        at = ago(minutes=number)
        add_event(contact, "contact_changed", changes={"city": ["", str(number)]}, actor_kind="system", happened_at=at)
    same = {"phone": ["(312) 555-0148", "+13125550148"]}
    add_event(contact, "contact_changed", changes=same, actor_kind="ghl", actor_name="", happened_at=ago(minutes=30))
    shown = as_user(ana).get(f"/contacts/{contact.pk}/history/", headers=HTMX).content.decode()
    assert "Show 24 system events" in shown


def test_what_ghl_really_changed_is_no_noise(tell, contact, add_event):
    add_event(contact, "contact_changed", changes={"city": ["Gary", "Chicago"]}, actor_kind="ghl", actor_name="")
    add_event(contact, "contact_deleted", actor_kind="system", actor_name="")
    lines, _, _ = timeline.page(contact)
    assert not any(line.is_noise for line in lines)


# --- what led to what -------------------------------------------------------------------------------------------------


@pytest.fixture
def paid(contact, add_event, add_task, northgate, location):
    """An invoice was paid, a rule matched, a task was made, GHL confirmed it."""
    erp = add_event(contact, "erp_event", title="Invoice 8841 paid", detail="$12,400.00", actor_kind="erp",
                    actor_name="Halden account", link="https://erp.example/8841", happened_at=NOW)  # fmt: skip
    rule = add_event(contact, "rule_run", title="Paid follow-up v3", detail="1 of 2 conditions", actor_kind="rule",
                     cause=erp, happened_at=NOW + timedelta(seconds=1))  # fmt: skip
    task = add_task(contact, "Send warranty pack")
    change = Change.objects.create(
        business=northgate, location=location, contact=contact, task=task, kind="task", verb="create",
        state="confirmed", sent_at=NOW + timedelta(seconds=3), settled_at=NOW + timedelta(seconds=7),
    )  # fmt: skip
    add_event(contact, "task_added", task=task, change=change, cause=rule, actor_kind="rule",
              happened_at=NOW + timedelta(seconds=2))  # fmt: skip
    return erp


def test_a_chain_stands_in_one_line_and_unfolds(tell, contact, paid):
    assert tell() == ["Invoice 8841 paid led to a task from ERP"]
    line = timeline.page(contact)[0][0]
    assert [(step.words, step.state) for step in line.steps] == [
        ("Invoice 8841 paid, $12,400.00", ""),
        ("Rule “Paid follow-up v3” matched", ""),
        ("Task “Send warranty pack” sent to GHL", ""),
        ("GHL confirmed the task", "done"),
    ]
    assert [(step.at - NOW).seconds for step in line.steps] == [0, 1, 3, 7]


def test_one_kind_alone_says_what_it_came_from(tell, contact, paid):
    assert [line.split(" because ")[-1] for line in tell(kind="tasks")] == ["of Invoice 8841 paid"]


def test_a_late_effect_is_news_of_its_own(tell, contact, paid, add_event):
    later = {"actor_kind": "rule", "actor_name": "Later", "happened_at": NOW + timedelta(hours=2)}
    add_event(contact, "tags_changed", changes={"tags": [[], ["paid"]]}, cause=paid, **later)
    assert tell()[0] == "Rule Later added tag paid because of Invoice 8841 paid"


def test_causes_in_a_circle_end(contact, add_event):
    first = add_event(contact, "rule_run", title="One", actor_kind="rule")
    second = add_event(contact, "rule_run", title="Two", actor_kind="rule", cause=first)
    HistoryEvent.objects.filter(pk=first.pk).update(cause=second)
    assert timeline.lines_of(list(HistoryEvent.objects.filter(contact=contact)), contact.location) is not None


def test_what_it_led_to_elsewhere_is_not_told_here(contact, add_contact, add_event):
    first = add_event(contact, "erp_event", title="Order", actor_kind="erp")
    add_event(add_contact("Secret Person"), "tags_changed", changes={"tags": [[], ["hidden"]]}, cause=first)
    assert timeline.page(contact)[0][0].steps == []


@pytest.mark.parametrize("link, is_shown", [("https://erp.example/1", True), ("javascript:alert(1)", False)])
def test_a_link_is_one_that_is_safe_to_follow(contact, add_event, as_user, ana, link, is_shown):
    add_event(contact, "erp_event", title="Order", actor_kind="erp", link=link)
    shown = as_user(ana).get(f"/contacts/{contact.pk}/history/", headers=HTMX).content.decode()
    assert (link in shown) is is_shown


@pytest.mark.parametrize("state, last", [
    ("confirmed", "GHL confirmed it"), ("refused", "GHL refused it"), ("cancelled", "Taken back"),
    ("sending", "Sent to GHL"),
])  # fmt: skip
def test_an_edit_tells_how_far_it_has_come(contact, ana, state, last):
    change = contact.edit(by=ana, city="Gary")
    settled = None if state == "sending" else timezone.now()
    Change.objects.filter(pk=change.pk).update(state=state, sent_at=timezone.now(), settled_at=settled)
    steps = timeline.page(contact)[0][0].steps
    assert steps[0].words == "Made here" and steps[-1].words == last


def test_an_edit_that_led_to_something_stands_by_itself(tell, contact, add_event):
    first = add_event(contact, "contact_changed", changes={"city": ["", "Gary"]}, happened_at=ago(minutes=3))
    rule = {"actor_kind": "rule", "actor_name": "By city", "cause": first}
    add_event(contact, "tags_changed", changes={"tags": [[], ["north"]]}, happened_at=ago(minutes=3), **rule)
    add_event(contact, "contact_changed", changes={"state": ["", "IN"]}, happened_at=ago(minutes=2))
    assert tell() == ["Dana Whitlock changed State", "Dana Whitlock changed City which led to changed tags"]
