import pytest

from integrations import merge_fields
from integrations.merge_fields import BadText


def test_values_are_put_in_and_what_is_not_there_is_written_as_nothing():
    scope = {"event": {"number": 8841, "customer": {"name": "Acme"}}, "contact": {"first_name": "Ana"}}
    text = "Invoice {{ event.number }} of {{ event.customer.name }}, {{ contact.first_name }}{{ contact.pet }}."
    assert merge_fields.fill_in(text, scope) == "Invoice 8841 of Acme, Ana."


def test_a_text_without_merge_fields_stays_as_it_is():
    assert merge_fields.fill_in("100 % { of } it", {}) == "100 % { of } it"


def test_a_default_stands_in_for_what_is_not_there():
    assert merge_fields.fill_in('Hi {{ contact.first_name | default: "there" }}', {"contact": {}}) == "Hi there"


def test_the_names_in_a_text_are_told():
    text = "{% if event.paid %}{{ contact.first_name }}{% endif %}{{ event.customer.name | upcase }}"
    assert merge_fields.names_in(text) == ["contact.first_name", "event.customer.name", "event.paid"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ contact.first_name", "braces"),
        ("{% if %}x{% endif %}", "braces"),
        ("{{ contact.first_name | shout }}", "shout"),
        ("{% include 'secrets' %}", "include"),
        ("x" * 10_001, "too long"),
    ],
)
def test_a_text_that_makes_no_sense_is_told_why_before_it_is_used(text, said):
    with pytest.raises(BadText, match=said):
        merge_fields.check(text)


@pytest.mark.parametrize(
    "text",
    [
        "{% for i in (1..99999999) %}x{% endfor %}",
        "{% for i in (1..900) %}{{ event.long }}{% endfor %}",
        "{% assign a = event.long %}{% for i in (1..900) %}{% assign a = a | append: a %}{% endfor %}{{ a }}",
    ],
)
def test_a_text_that_would_grow_without_end_is_stopped(text):
    with pytest.raises(BadText, match="too long"):
        merge_fields.fill_in(text, {"event": {"long": "x" * 1000}})


def test_a_text_reaches_nothing_of_python(settings):
    scope = {"event": {"number": 1}}
    for text in ("{{ event.__class__ }}", "{{ event.keys }}", "{{ event.number.real.__class__ }}"):
        assert merge_fields.fill_in(text, scope) == ""


def test_of_a_contact_its_fields_are_told_in_words(contact):
    told = merge_fields.about(contact)
    assert told["first_name"] == contact.first_name
    assert told["email"] == contact.email
    assert told["name"] == str(contact)
