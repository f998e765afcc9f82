"""Values that somebody mapped become a request, or sentences an admin understands."""

import pytest

from integrations.catalogue import entries, samples
from integrations.catalogue.values import BadValues, build

HERE = "locNorthgate0000001"


def request(key, params=None, body=None):
    return build(entries.operation(key), {"params": params or {}, "body": body or {}}, HERE)


def said(key, params=None, body=None):
    with pytest.raises(BadValues) as bad:
        request(key, params, body)
    return dict(bad.value.problems)


TASK = {"title": "Call", "dueDate": "2026-11-24T10:00:00Z", "completed": "no"}


def test_texts_become_what_the_operation_wants():
    asked = request("contacts.create-task", {"contactId": "con1"}, TASK)
    assert (asked.method, asked.path) == ("POST", "/contacts/con1/tasks")
    assert asked.json == {"title": "Call", "dueDate": "2026-11-24T10:00:00Z", "completed": False}
    assert request("contacts.add-tags", {"contactId": "c"}, {"tags": "hot, roof"}).json == {"tags": ["hot", "roof"]}


def test_a_slip_is_told_in_a_sentence_at_its_place():
    told = said("contacts.create-task", {}, {**TASK, "title": "", "dueDate": "2026-13-40", "completed": "perhaps"})
    assert told == {
        "params.contactId": "Contact id is missing.",
        "body.title": "Title is missing.",
        "body.dueDate": "Due date: 2026-13-40 is no date.",
        "body.completed": "Completed: perhaps should be yes or no.",
    }


def test_one_of_a_few_words_is_told_with_the_words():
    told = said("opportunities.update-opportunity-status", {"id": "opp"}, {"status": "winning"})
    assert told["body.status"].startswith("Status: winning is none of open, won, lost")


def test_a_name_the_operation_does_not_know_is_not_sent():
    told = said("contacts.create-note", {"contactId": "c", "note": "x"}, {"body": "Hello", "colour": "red"})
    assert set(told) == {"params.note", "body.colour"}


@pytest.mark.parametrize("key", ["businesses.create-business", "contacts.upsert-contact", "locations.create-tag"])
def test_the_location_is_ours_whatever_was_given(key):
    operation = entries.operation(key)
    values = samples.values_for(operation)
    for where, name in operation.location:
        values["body" if where == "body" else "params"][name] = "locSomebodyElse"
    asked = build(operation, values, HERE)
    assert "locSomebodyElse" not in f"{asked.path} {asked.params} {asked.json}"
    assert HERE in f"{asked.path} {asked.params} {asked.json}"


@pytest.mark.parametrize("id_", ["..", ".", " "])
def test_no_id_leads_to_another_path(id_):
    assert "params.contactId" in said("contacts.get-contact", {"contactId": id_})


def test_a_slash_in_an_id_stays_in_its_place():
    assert request("contacts.get-contact", {"contactId": "a/../b"}).path == "/contacts/a%2F..%2Fb"


def test_an_emptied_list_is_sent_and_a_value_not_given_is_not():
    assert request("contacts.update-contact", {"contactId": "c"}, {"tags": []}).json == {"tags": []}
    assert request("contacts.update-contact", {"contactId": "c"}, {"city": "", "email": None}).json == {"city": ""}


def test_too_much_is_refused_before_it_is_sent():
    assert said("contacts.create-note", {"contactId": "c"}, {"body": "x" * 300_000})["body"].startswith("This is too")
