"""The command palette: whom and what a few letters find, for whom."""

import pytest

from contacts.models import Contact, ContactView


@pytest.fixture
def ana_reads(as_user, ana):
    return as_user(ana)


def palette(client, **params):
    response = client.get("/palette/", params)
    assert response.status_code == 200
    return response.content.decode()


def test_it_finds_people_by_what_the_list_finds_them_by(ana_reads, contact):
    for q in ("okonkwo", "marisol@example.com", "(312) 555-0148", "insurance"):
        assert contact.get_absolute_url() in palette(ana_reads, q=q), q


def test_people_of_others_are_not_found(as_user, cy, contact):
    assert contact.get_absolute_url() not in palette(as_user(cy), q="okonkwo")
    assert contact.name not in palette(as_user(cy), contact=contact.pk)


def test_a_deleted_person_is_not_found(ana_reads, ana, contact):
    contact.delete_here(by=ana, undo_s=0)
    assert contact.get_absolute_url() not in palette(ana_reads, q="okonkwo")


def test_many_people_lead_on_to_the_list(ana_reads, location):
    for number in range(9):
        Contact.objects.create(location=location, first_name="Sam", last_name=f"Hill {number}")
    page = palette(ana_reads, q="sam hill")
    assert page.count('role="option"') == 8 and 'data-href="/contacts/?q=sam+hill"' in page


def test_without_a_word_the_last_people_come_first(ana_reads, ana, contact, location):
    other = Contact.objects.create(location=location, first_name="Ray", last_name="Halden")
    for one in (contact, other):
        ContactView.look(ana, one)
    page = palette(ana_reads)
    assert page.index("Ray Halden") < page.index("Marisol Okonkwo") < page.index("Pages")


def test_nobody_sees_where_others_have_been(ana_reads, max_, contact):
    ContactView.look(max_, contact)
    assert contact.name not in palette(ana_reads)


@pytest.mark.parametrize("name, sees", [("ana", set()), ("max_", {"reports"}), ("ada", {"reports", "team"})])
def test_pages_are_those_of_the_role(name, sees, request, as_user):
    page = palette(as_user(request.getfixturevalue(name)))
    for word, address in (("team", '"/team/"'), ("connections", '"/connections/"'), ("health", '"/health/"')):
        assert (address in page) is ("team" in sees), word


def test_pages_and_views_are_found_by_their_names(ana_reads):
    assert 'data-href="/tasks/"' in palette(ana_reads, q="task")
    assert "view=overdue" in palette(ana_reads, q="overdue")
    assert 'data-href="/preferences/"' in palette(ana_reads, q="time zone")


def test_a_contact_that_is_open_can_be_written_to(ana_reads, contact, location):
    assert "New note" in palette(ana_reads, contact=contact.pk) and "New note" not in palette(ana_reads)
    location.is_editable = False
    location.save()
    assert "New note" not in palette(ana_reads, contact=contact.pk)


def test_another_business_can_be_chosen_if_there_is_one(ana_reads, ana, second_business):
    assert f"Look at {second_business.name}" in palette(ana_reads)
    ana_reads.post("/switch/", {"business": second_business.pk})
    assert "Look at all businesses" in palette(ana_reads)
    assert f"Look at {second_business.name}" not in palette(ana_reads)


@pytest.mark.parametrize("q", ["<b>", "\x00", "x" * 5000, "%", "𝔘", "' or 1=1"])
def test_odd_words_find_nothing_and_break_nothing(q, ana_reads):
    page = palette(ana_reads, q=q)
    assert "<b>" not in page


@pytest.mark.parametrize("number", ["x", "-1", "9" * 30, "²"])
def test_an_odd_contact_is_no_contact(number, ana_reads):
    assert "New note" not in palette(ana_reads, contact=number)


def test_it_says_how_much_it_found(ana_reads, contact):
    assert 'data-said="1 result"' in palette(ana_reads, q="okonkwo")
    assert 'data-said="No results"' in palette(ana_reads, q="qqqqqq")
