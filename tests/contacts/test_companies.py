"""Companies: the list, one company with its people, and who may look."""

import re

import pytest
from django.utils import timezone

from contacts.models import Company
from contacts.views import companies


@pytest.fixture
def add_company(location):
    def add(name, **values):
        values = {"location": location, "remote_id": name, **values}
        return Company.objects.create(name=name, **values)

    return add


def names(response):
    return re.findall(r'class="table__link" href="[^"]*" dir="auto">([^<]*)</a>', response.content.decode())


def test_the_list_counts_the_people(as_user, ana, add_company, add_contact):
    halden = add_company("Halden & Pryce", phone="+13125550100", city="Chicago")
    add_company("Caldeira Bakery")
    add_contact("Ray", company=halden)
    add_contact("Gone", company=halden, deleted_at=timezone.now())
    response = as_user(ana).get("/companies/")
    assert names(response) == ["Caldeira Bakery", "Halden &amp; Pryce"]
    assert '<td class="num" data-label="Contacts">1</td>' in response.content.decode()


def test_finding_one(as_user, ana, add_company):
    add_company("Halden & Pryce")
    add_company("Caldeira Bakery")
    client = as_user(ana)
    assert names(client.get("/companies/", {"q": "bakery"})) == ["Caldeira Bakery"]
    assert b"No company is called that" in client.get("/companies/", {"q": "%\x00"}).content


def test_pages_show_every_company_once(as_user, ana, add_company, monkeypatch):
    monkeypatch.setattr(companies, "PAGE", 2)
    for number in range(5):
        add_company(f"Company {number}")
    url, seen = "/companies/", []
    while url:
        response = as_user(ana).get(url)
        seen += names(response)
        found = re.search(r'href="(\?[^"]*after[^"]*)"', response.content.decode())
        url = found and "/companies/" + found[1].replace("&amp;", "&")
    assert seen == [f"Company {number}" for number in range(5)]


def test_a_company_shows_its_details_and_people(as_user, ana, add_company, add_contact):
    halden = add_company("Halden & Pryce", email="office@example.com", address="12 W Lake St", city="Chicago")
    add_contact("Ray Halden", company=halden, tags=["lead"])
    add_contact("Ines Caldeira")
    page = as_user(ana).get(halden.get_absolute_url()).content.decode()
    for words in ("office@example.com", "12 W Lake St", "Ray Halden", "lead"):
        assert words in page, words
    assert "Ines Caldeira" not in page


def test_a_company_without_people_says_so(as_user, ana, add_company):
    assert b"Nobody belongs" in as_user(ana).get(add_company("Empty").get_absolute_url()).content


def test_no_companies_at_all(as_user, ana, location):
    assert b"No companies" in as_user(ana).get("/companies/").content


def test_a_stranger_finds_nothing(as_user, cy, add_company):
    halden = add_company("Halden & Pryce")
    assert names(as_user(cy).get("/companies/")) == []
    assert as_user(cy).get(halden.get_absolute_url()).status_code == 404
