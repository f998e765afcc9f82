"""From the list to a contact and on to the next: the way along the list, and a look without leaving it."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from contacts.models import Contact, Note
from contacts.views import walk

PART = {"HX-Request": "true"}


@pytest.fixture
def people(add_contact):
    return {name: add_contact(name, tags=["x"] if name != "Cal" else []) for name in ("Amy", "Bea", "Cal", "Dan")}


def links(response):
    """The names of the contacts before and after, and where the links lead."""
    page = response.content.decode()
    found = {way: re.search(rf'href="([^"]*)" data-{way}', page) for way in ("previous", "next")}
    return {way: match[1].replace("&amp;", "&") if match else "" for way, match in found.items()}


def name_at(url):
    return Contact.objects.get(pk=url.split("/")[2]).name if url else ""


def walk_to(client, url):
    """The way on from an address of a contact page."""
    parts = urlsplit(url)
    return client.get(f"{parts.path}walk/?{parts.query}", headers=PART)


def test_the_list_leads_along_itself(client_of_ana, people):
    page = client_of_ana.get("/contacts/?tag=x").content.decode()
    url = re.search(r'class="table__link" href="([^"]*)" dir="auto">Bea', page)[1].replace("&amp;", "&")
    assert "/walk/?" in client_of_ana.get(url).content.decode()
    response = walk_to(client_of_ana, url)
    assert "2 of 3" in response.content.decode()
    way = links(response)
    assert (name_at(way["previous"]), name_at(way["next"])) == ("Amy", "Dan")
    end = walk_to(client_of_ana, way["next"])
    assert name_at(links(end)["next"]) == "" and name_at(links(end)["previous"]) == "Bea"


@pytest.mark.parametrize("sort", ["name", "recent", "quietest", "overdue", "added", "appointment"])
def test_along_every_order_there_and_back(sort, client_of_ana, add_contact, add_task, add_appointment):
    now = timezone.now()
    for number in range(6):
        contact = add_contact(f"Same {number % 2}", last_activity_at=now, remote_created_at=now)
        if number % 2:
            add_task(contact, due_at=now - timedelta(days=number))
            add_appointment(contact, now + timedelta(days=number))
    page = client_of_ana.get(f"/contacts/?sort={sort}").content.decode()
    order = [int(pk) for pk in re.findall(r'id="contact-(\d+)"', page)]
    url, seen = f"/contacts/{order[0]}/?list=sort%3D{sort}", []
    while url:
        seen.append(int(url.split("/")[2]))
        last, url = url, links(walk_to(client_of_ana, url))["next"]
    assert seen == order
    back = []
    while last:
        back.append(int(last.split("/")[2]))
        last = links(walk_to(client_of_ana, last))["previous"]
    assert back == order[::-1]


def test_the_place_stays_when_an_edit_moves_the_contact(client_of_ana, people):
    """Cal is renamed and loses what the list asks for; the way goes on from where Cal was."""
    response = walk_to(client_of_ana, f"/contacts/{people['Bea'].pk}/?list=tag%3Dx")
    here = response["HX-Replace-Url"]
    bea = people["Bea"]
    bea.first_name, bea.tags = "Zoe", []
    bea.save()
    way = links(walk_to(client_of_ana, here))
    assert (name_at(way["previous"]), name_at(way["next"])) == ("Amy", "Dan")


def test_a_reload_keeps_what_else_the_address_says(client_of_ana, people):
    here = walk_to(client_of_ana, f"/contacts/{people['Bea'].pk}/?list=tag%3Dx&pane=work")["HX-Replace-Url"]
    assert parse_qs(urlsplit(here).query)["pane"] == ["work"]


def test_a_long_list_is_not_counted(client_of_ana, people, monkeypatch):
    monkeypatch.setattr(walk, "COUNTED", 2)
    response = walk_to(client_of_ana, f"/contacts/{people['Bea'].pk}/?list=")
    assert " of " not in response.content.decode() and name_at(links(response)["next"]) == "Cal"


@pytest.mark.parametrize("at", ["x", "WyJhIiwxXQ", "%00", "W10"])
def test_a_place_that_is_none_is_found_again(at, client_of_ana, people):
    response = walk_to(client_of_ana, f"/contacts/{people['Bea'].pk}/?list=sort%3Drecent&at={at}")
    assert response.status_code == 200


@pytest.mark.parametrize("query", ["owner=9999", "sort=x", "view=999", "%00", "q=" + "x" * 500])
def test_any_list_can_be_named(query, client_of_ana, people):
    response = client_of_ana.get(f"/contacts/{people['Bea'].pk}/walk/", {"list": query}, headers=PART)
    assert response.status_code == 200


def test_without_a_list_there_is_no_way(client_of_ana, contact):
    assert "/walk/" not in client_of_ana.get(contact.get_absolute_url()).content.decode()


def test_no_stranger_walks_through_ours(as_user, cy, people):
    for part in ("walk", "peek"):
        assert as_user(cy).get(f"/contacts/{people['Bea'].pk}/{part}/", headers=PART).status_code == 404


def test_neighbours_are_ones_own(as_user, ana, people, add_contact, cy):
    location = cy.businesses.get().locations.create(remote_id="locInitech")
    add_contact("Bella", location=location)
    response = walk_to(as_user(ana), f"/contacts/{people['Bea'].pk}/?list=")
    assert name_at(links(response)["next"]) == "Cal"


# --- a look at one ----------------------------------------------------------------------------------------------------


def test_a_peek_shows_what_matters(client_of_ana, contact, dana, add_task, add_appointment, add_event):
    contact.owner, contact.city = dana, "Chicago"
    contact.save()
    add_task(contact, "Send the estimate", due_at=timezone.now() - timedelta(days=2))
    add_appointment(contact, timezone.now() + timedelta(days=1))
    Note.objects.create(location=contact.location, contact=contact, body="Gate code <b>4471</b><script>", pinned=True)
    add_event(contact, kind="task_done")
    page = client_of_ana.get(f"/contacts/{contact.pk}/peek/", headers=PART).content.decode()
    for words in ("Marisol Okonkwo", "Dana Whitlock", "Chicago", "(312) 555-0148", "Send the estimate", "2 days late",
                  "Tomorrow", "Gate code <b>4471</b>", "insurance"):  # fmt: skip
        assert words in page, words
    assert "<script>" not in page


def test_a_peek_at_somebody_of_whom_little_is_known(client_of_ana, add_contact):
    page = client_of_ana.get(f"/contacts/{add_contact().pk}/peek/", headers=PART).content.decode()
    assert "Unnamed contact" in page and "Nothing to do." in page and "Nothing has happened yet." in page


def test_a_peek_without_htmx_is_the_contact(client_of_ana, contact):
    assert client_of_ana.get(f"/contacts/{contact.pk}/peek/")["Location"] == contact.get_absolute_url()
