"""The contact list: rows, search, order, pages, what each person may see, and why it can be empty."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from contacts.access import SESSION_KEY
from contacts.models import Contact, ContactFreshness, Location
from contacts.views import listing

LIST = "/contacts/"


def names(response):
    """The contacts of an answer, in order."""
    return re.findall(r'class="table__link" href="[^"]*" dir="auto">([^<]*)</a>', response.content.decode())


def more_of(response):
    """Where "Show more" leads, or None."""
    found = re.search(r'href="(\?[^"]*)" hx-get="[^"]*" hx-target="#list-more"', response.content.decode())
    return found and LIST + found[1].replace("&amp;", "&")


def test_a_row_says_what_is_going_on(client_of_ana, contact, dana, add_task, add_appointment, add_event):
    now = timezone.now()
    contact.owner, contact.company_name = dana, "Halden & Pryce"
    contact.tags = ["estimate-sent", "insurance", "referral", "warranty"]
    contact.save()
    add_task(contact, due_at=now - timedelta(days=2))
    add_task(contact, due_at=now + timedelta(days=2))
    add_task(contact, completed=True, due_at=now - timedelta(days=9))
    add_appointment(contact, now + timedelta(days=3))
    add_event(contact, happened_at=now - timedelta(days=5), kind="task_done")
    add_event(contact, happened_at=now - timedelta(hours=1))
    ContactFreshness.objects.create(contact=contact, location=contact.location, record_at=now - timedelta(minutes=3))
    page = client_of_ana.get(LIST).content.decode()
    for words in (
        "Marisol Okonkwo", "Halden &amp; Pryce", "Dana Whitlock", "estimate-sent", "insurance", "+2", "1 overdue",
        "Note by Dana", "3 min",
    ):  # fmt: skip
        assert words in page, words
    assert re.search(r'data-label="Open tasks">2 ', page)
    assert "No next step" not in re.search(r"<tbody>.*</tbody>", page, re.S)[0]


def test_a_contact_with_nothing_ahead_says_so(client_of_ana, contact, add_appointment):
    add_appointment(contact, timezone.now() + timedelta(days=1), status="cancelled")
    page = client_of_ana.get(LIST).content.decode()
    assert "No next step" in re.search(r"<tbody>.*</tbody>", page, re.S)[0]


def test_a_late_check_is_marked(client_of_ana, contact, location):
    location.contacts_checked_at = timezone.now() - timedelta(minutes=41)
    location.save()
    page = client_of_ana.get(LIST).content.decode()
    assert "is-warn" in page and "41 min" in page


def test_deleted_contacts_are_not_listed(client_of_ana, contact, add_contact):
    add_contact("Ray Halden", deleted_at=timezone.now())
    assert names(client_of_ana.get(LIST)) == ["Marisol Okonkwo"]


def test_names_that_look_like_html_stay_text(client_of_ana, add_contact):
    add_contact("<script>alert(1)</script>", tags=["<b>x"])
    page = client_of_ana.get(LIST).content.decode()
    assert "<script>alert(1)" not in page and "<b>x" not in page


@pytest.mark.parametrize(
    "typed",
    ["marisol", "OKONKWO mari", "marisol@example.com", "(312) 555-0148", "+1 312 555 0148", "3125550148", "insurance"],
)
def test_search_finds_by(typed, client_of_ana, contact, add_contact):
    add_contact("Ray Halden", phone="+17735550181")
    assert names(client_of_ana.get(LIST, {"q": typed})) == ["Marisol Okonkwo"]


def test_search_ignores_accents(client_of_ana, add_contact):
    add_contact("Óscar Ødegård")
    assert names(client_of_ana.get(LIST, {"q": "oscar odegard"})) == ["Óscar Ødegård"]


def test_the_orders(client_of_ana, add_contact, add_task, add_appointment):
    now = timezone.now()
    day = timedelta(days=1)
    bea = add_contact("Bea", last_activity_at=now - 3 * day, remote_created_at=now - day)
    cal = add_contact("Cal", last_activity_at=now - 1 * day, remote_created_at=now - 9 * day)
    add_contact("Amy", last_activity_at=now - 2 * day, remote_created_at=now - 5 * day)
    add_task(bea, due_at=now - 2 * day)
    add_task(cal, due_at=now - 5 * day)
    add_task(cal, due_at=now - 1 * day)
    add_appointment(cal, now + 5 * day)
    add_appointment(bea, now + 2 * day)
    expected = {
        "name": ["Amy", "Bea", "Cal"],
        "recent": ["Cal", "Amy", "Bea"],
        "quietest": ["Bea", "Amy", "Cal"],
        "overdue": ["Cal", "Bea", "Amy"],
        "added": ["Bea", "Amy", "Cal"],
        "appointment": ["Bea", "Cal", "Amy"],
    }
    assert {sort: names(client_of_ana.get(LIST, {"sort": sort})) for sort in expected} == expected


@pytest.mark.parametrize("sort", ["name", "recent", "quietest", "overdue", "added", "appointment"])
def test_pages_show_everybody_once(sort, client_of_ana, add_contact, add_task, add_appointment, monkeypatch):
    monkeypatch.setattr(listing, "PAGE", 3)
    now = timezone.now()
    for number in range(11):
        # Many ties: the same name, the same moment.
        contact = add_contact(f"Same {number % 2}", last_activity_at=now, remote_created_at=now, source=str(number))
        if number % 3 == 0:
            add_task(contact, due_at=now - timedelta(days=1))
            add_appointment(contact, now + timedelta(days=1))
    seen, url = [], f"{LIST}?sort={sort}"
    while url:
        response = client_of_ana.get(url)
        seen += re.findall(r'id="contact-(\d+)"', response.content.decode())
        url = more_of(response)
    assert len(seen) == 11 and len(set(seen)) == 11


def test_show_more_answers_rows_only(client_of_ana, add_contact, monkeypatch):
    monkeypatch.setattr(listing, "PAGE", 2)
    for number in range(3):
        add_contact(f"Contact {number}")
    url = more_of(client_of_ana.get(LIST))
    response = client_of_ana.get(url, headers={"HX-Request": "true", "HX-Target": "list-more"})
    assert names(response) == ["Contact 2"]
    assert response.content.strip().startswith(b"<tr") or b"<table" not in response.content
    assert b"list-more" not in response.content


def test_a_row_made_meanwhile_moves_nothing(client_of_ana, add_contact, monkeypatch):
    monkeypatch.setattr(listing, "PAGE", 2)
    for name in ("Bea", "Cal", "Dan"):
        add_contact(name)
    url = more_of(client_of_ana.get(LIST))
    add_contact("Amy")
    assert names(client_of_ana.get(url)) == ["Dan"]


def test_htmx_gets_the_part_and_a_clean_address(client_of_ana, contact):
    response = client_of_ana.get(
        LIST, {"q": "mari", "owner": "", "sort": "name"}, headers={"HX-Request": "true", "HX-Target": "list"}
    )
    assert b"<html" not in response.content and names(response) == ["Marisol Okonkwo"]
    assert response["HX-Push-Url"] == "/contacts/?q=mari"
    assert b'id="list-count"' in response.content


def test_the_count_is_said_without_counting_everything(client_of_ana, add_contact, monkeypatch):
    monkeypatch.setattr(listing, "PAGE", 2)
    for number in range(5):
        add_contact(f"Contact {number}")
    assert client_of_ana.get(LIST).context["count"] == "about 5"
    assert client_of_ana.get(LIST, {"q": "contact 3"}).context["count"] == "1"


def test_it_costs_the_same_few_queries_for_two_and_for_thirty(
    client_of_ana, dana, add_contact, add_task, add_appointment, add_event, django_assert_max_num_queries
):
    now = timezone.now()

    def add(count):
        for number in range(count):
            contact = add_contact(f"Contact {number}", owner=dana, tags=["a", "b"])
            add_task(contact, due_at=now - timedelta(days=1))
            add_appointment(contact, now + timedelta(days=1))
            add_event(contact)

    def cost():
        with django_assert_max_num_queries(11) as queries:
            client_of_ana.get(LIST, headers={"HX-Request": "true", "HX-Target": "list"})
        return len(queries)

    add(2)
    few = cost()
    add(28)
    assert cost() == few


def test_several_businesses_are_told_apart(client_of_ana, contact, second_location, add_contact):
    add_contact("Ines Caldeira", location=second_location)
    response = client_of_ana.get(LIST)
    assert names(response) == ["Ines Caldeira", "Marisol Okonkwo"]
    assert b"contact-table__business" in response.content


def test_one_chosen_business_hides_the_other(client_of_ana, contact, second_location, second_business, add_contact):
    add_contact("Ines Caldeira", location=second_location)
    session = client_of_ana.session
    session[SESSION_KEY] = second_business.pk
    session.save()
    response = client_of_ana.get(LIST)
    assert names(response) == ["Ines Caldeira"]
    assert b"contact-table__business" not in response.content


# --- who may not ------------------------------------------------------------------------------------------------------


def test_a_stranger_sees_nobody(as_user, cy, contact):
    assert names(as_user(cy).get(LIST)) == []
    assert names(as_user(cy).get(LIST, {"q": "marisol"})) == []


def test_nobody_looks_without_signing_in(client, db):
    assert client.get(LIST).status_code == 302


def test_a_business_of_others_in_the_session_counts_for_nothing(as_user, cy, contact, northgate):
    client = as_user(cy)
    session = client.session
    session[SESSION_KEY] = northgate.pk
    session.save()
    assert names(client.get(LIST)) == []


# --- the five ways to be empty ----------------------------------------------------------------------------------------


def test_empty_because_filtered_says_how_many_are_hidden(client_of_ana, contact):
    page = client_of_ana.get(LIST, {"q": "nobody like this"}).content.decode()
    assert "No contact matches" in page and "1 contact hidden" in page and "Clear filters" in page


def test_empty_because_ghl_has_none(client_of_ana, location):
    location.contacts_checked_at = timezone.now()
    location.save()
    assert "There are no contacts yet" in client_of_ana.get(LIST).content.decode()


def test_empty_because_nothing_was_fetched_yet(client_of_ana, location):
    assert "Contacts are being fetched" in client_of_ana.get(LIST).content.decode()


def test_empty_because_nothing_is_connected(as_user, ada, ana):
    assert "No GHL account is connected" in as_user(ada).get(LIST).content.decode()
    assert "Ask an admin" in as_user(ana).get(LIST).content.decode()


def test_empty_because_one_belongs_nowhere(as_user, ana, contact):
    ana.memberships.all().delete()
    page = as_user(ana).get(LIST).content.decode()
    assert "not a member of a business" in page and "Marisol" not in page


def test_the_last_page_may_have_become_empty(client_of_ana, add_contact, monkeypatch):
    monkeypatch.setattr(listing, "PAGE", 1)
    add_contact("Amy")
    bea = add_contact("Bea")
    url = more_of(client_of_ana.get(LIST))
    Contact.objects.filter(pk=bea.pk).update(deleted_at=timezone.now())
    assert "Back to the first" in client_of_ana.get(url).content.decode()


def test_locations_in_two_states_still_count_as_being_fetched(client_of_ana, location, northgate):
    Location.objects.create(business=northgate, remote_id="loc2", contacts_checked_at=timezone.now())
    assert "Contacts are being fetched" in client_of_ana.get(LIST).content.decode()
