"""Search: what finds whom, exactly or with typing errors, for whom, and by which index."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.listing import search
from contacts.models import Business, Company, Contact, Location, SearchWord
from contacts.views.listing import PAGE
from rankr_dash.bench.filling import insert
from rankr_dash.bench.visits import plan
from tests.conftest import member

LIST = "/contacts/"


def names(response):
    found = re.findall(r'class="table__link" href="[^"]*" dir="auto">([^<]*)</a>', response.content.decode())
    return [unescape(name) for name in found]


@pytest.fixture
def find(client_of_ana):
    """The names that a search of Ana's shows, in order."""
    return lambda typed, **more: names(client_of_ana.get(LIST, {"q": typed, **more}))


@pytest.fixture
def add(add_contact, django_capture_on_commit_callbacks):
    """Adds a contact whose words are learnt, as they are once it is committed."""

    def add(name="", **values):
        with django_capture_on_commit_callbacks(execute=True):
            return add_contact(name, **values)

    return add


# --- what finds whom --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "(312) 555-0148", "312-555-0148", "312.555.0148", "3125550148", "+1 312 555 0148", "+13125550148",
        "001 312 555 0148", "1-312-555-0148", "555 0148", "5550148", "marisol 555-0148", "312 555 0148 okonkwo",
    ],
)  # fmt: skip
@pytest.mark.parametrize("stored", ["+13125550148", "(312) 555-0148", "312.555.0148", "1 312 555 0148"])
def test_a_phone_is_found_however_it_is_written(typed, stored, find, add_contact):
    add_contact("Marisol Okonkwo", phone=stored)
    add_contact("Ray Halden", phone="+17735550181")
    assert find(typed) == ["Marisol Okonkwo"]


@pytest.mark.parametrize("typed", ["0171 2345678", "+49 171 2345678", "+49 (0)171 234 5678", "0049171 2345678"])
@pytest.mark.parametrize("stored", ["+491712345678", "0171 2345678"])
def test_a_phone_of_another_country_too(typed, stored, find, add_contact, location):
    location.time_zone = "Europe/Berlin"
    location.save()
    add_contact("Jürgen", phone=stored)
    assert find(typed) == ["Jürgen"]


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Óscar Ødegård", "oscar odegard"), ("Oscar Odegard", "ÓSCAR ØDEGÅRD"), ("Łukasz Đorđević", "lukasz dordevic"),
        ("Gül Işık", "isik"), ("Zoë Straße", "zoe strasse"), ("Seán O’Brien", "o'brien"), ("Sean O'Brien", "obrien"),
        ("Иван Петров", "ИВАН"), ("田中 太郎", "田中"),
    ],
)  # fmt: skip
def test_accents_and_capitals_do_not_matter(name, typed, find, add_contact):
    add_contact(name)
    add_contact("Ray Halden")
    assert find(typed) == [name]


def test_every_word_must_be_there_wherever_it_stands(find, add_contact, location):
    company = Company.objects.create(location=location, remote_id="co1", name="Halden & Pryce")
    add_contact("Ray Marsh", company=company, tags=["insurance"], email="ray@example.com")
    add_contact("Ray Quill", tags=["insurance"])
    assert find("insurance pryce") == ["Ray Marsh"]
    assert find("insurance ray") == ["Ray Marsh", "Ray Quill"]
    assert find("example.com insurance quill") == []


@pytest.mark.parametrize("typed", ["100%", "a_b", "50%_", "c\\d"])
def test_signs_are_themselves(typed, find, add_contact):
    add_contact(f"Deal {typed} Roofing")
    add_contact("Deal 100 aXb 50 5000 c/d cd Roofing")
    assert find(typed) == [f"Deal {typed} Roofing"]


@pytest.mark.parametrize("typed", ["%", "_", "%%%", "\\", "*", "@", "🔥"])
def test_signs_alone_find_nobody(typed, find, add_contact):
    add_contact("Marisol Okonkwo", email="marisol@example.com")
    assert find(typed) == []


def test_less_than_three_letters_must_begin_a_word(find, add_contact):
    add_contact("Marisol Okonkwo")
    add_contact("Thomas Amaro")
    assert find("ma") == ["Marisol Okonkwo"]
    assert find("ok") == ["Marisol Okonkwo"]
    assert find("amar") == ["Thomas Amaro"]
    assert find("mas") == ["Thomas Amaro"]


def test_two_hundred_letters_and_a_hundred_words_are_a_search_like_any_other(find, add_contact):
    add_contact("Marisol " + "x" * 190)
    assert find("x" * 190) == ["Marisol " + "x" * 190]
    assert find("a b " * 50) == []


def test_those_whose_name_begins_so_come_first(find, add_contact):
    for name in ("Aaron Ray", "Ray Zuse", "Bo Rayner", "Ray Adams", "Murray Bell"):
        add_contact(name)
    assert find("ray") == ["Ray Adams", "Ray Zuse", "Aaron Ray", "Bo Rayner", "Murray Bell"]


@pytest.mark.parametrize("sort", ["name", "recent", "added", "overdue", "appointment"])
def test_the_pages_of_a_search_show_everybody_once(sort, client_of_ana, add_contact, monkeypatch):
    monkeypatch.setattr("contacts.views.listing.PAGE", 3)
    monkeypatch.setattr("contacts.paging.NEAR", 4)
    wanted = {add_contact(f"{name} {number}").name for number in range(5) for name in ("Ray", "Aaron Ray", "Ada")}
    seen, address = [], f"{LIST}?q=ra&sort={sort}"
    while address:
        page = client_of_ana.get(address)
        seen += names(page)
        more = re.search(r'href="(\?[^"]*)" hx-get="[^"]*" hx-target="#list-more"', page.content.decode())
        address = more and LIST + more[1].replace("&amp;", "&")
    assert sorted(seen) == sorted(name for name in wanted if "Ray" in name)


def test_a_contact_is_found_by_what_it_became(find, contact):
    contact.last_name, contact.tags = "Nwosu", ["warranty"]
    contact.save()
    assert find("nwosu warranty") == ["Marisol Nwosu"]
    assert find("okonkwo") == []


# --- typing errors ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "okonkow", "oknkwo", "okonnkwo", "okomkwo", "pkonkwo", "marsiol", "marisol okonko", "marizol okonkvo",
        "okomk", "haldn", "insurence", "marisol@exmaple.com", "mraisol@example.com", "ÓKÓNKVO",
    ],
)  # fmt: skip
def test_a_typing_error_still_leads_to_the_contact(typed, client_of_ana, add):
    add("Marisol Okonkwo", company_name="Halden & Pryce", email="marisol@example.com", tags=["insurance"])
    add("Ray Zuse")
    page = client_of_ana.get(LIST, {"q": typed})
    assert "No exact match" in page.content.decode()
    assert names(page) == ["Marisol Okonkwo"]


def test_what_was_found_exactly_is_not_mixed_with_what_is_similar(client_of_ana, add):
    add("Ray Johnson")
    add("Ray Johnsen")
    page = client_of_ana.get(LIST, {"q": "johnson"})
    assert names(page) == ["Ray Johnson"]
    assert "No exact match" not in page.content.decode()


def test_several_spellings_that_are_equally_near_are_all_offered(client_of_ana, add):
    add("Ray Johnson")
    add("Ada Johnsen")
    page = client_of_ana.get(LIST, {"q": "johnsan"})
    assert names(page) == ["Ada Johnsen", "Ray Johnson"]
    assert "johnsen or johnson" in page.content.decode()


@pytest.mark.parametrize("typed", ["qqzzxx", "ray okonkwo", "12", "3125550000", "mar", "%", "a" * 200])
def test_where_nothing_comes_near_nobody_is_offered(typed, client_of_ana, add):
    add("Marisol Okonkwo", phone="+13125550148")
    add("Ray Halden")
    page = client_of_ana.get(LIST, {"q": f"{typed} "})
    assert "No exact match" not in page.content.decode()
    assert typed == "mar" or names(page) == []


def test_similar_contacts_obey_the_filters_and_cannot_be_selected(client_of_ana, add):
    add("Marisol Okonkwo", tags=["insurance"])
    add("Marisol Quill")
    page = client_of_ana.get(LIST, {"q": "marsiol", "tag": "insurance"})
    assert names(page) == ["Marisol Okonkwo"]
    assert 'name="contact"' not in page.content.decode()


def test_the_words_of_others_are_never_offered(client_of_ana, add, django_capture_on_commit_callbacks):
    other = Business.objects.create(name="Initech")
    there = Location.objects.create(business=other, remote_id="locInitech")
    with django_capture_on_commit_callbacks(execute=True):
        Contact.objects.create(location=there, first_name="Marisol", last_name="Okonkwo")
    add("Ray Halden")
    page = client_of_ana.get(LIST, {"q": "okonkow"}).content.decode()
    assert "No exact match" not in page and "okonkwo" not in page
    assert SearchWord.objects.filter(word="okonkwo").values_list("business", flat=True).get() == other.pk


def test_a_word_is_kept_once_and_only_if_it_can_be_mistyped(add, northgate):
    for _ in range(2):
        add("Bo Okonkwo", phone="+13125550148", email="bo22@example.com", tags=["x" * 41])
    words = SearchWord.objects.filter(business=northgate).values_list("word", flat=True)
    assert sorted(words) == ["example", "okonkwo"]


# --- for whom ---------------------------------------------------------------------------------------------------------


def test_a_search_stays_within_ones_businesses(as_user, add_contact, location):
    add_contact("Marisol Okonkwo")
    other = Business.objects.create(name="Initech")
    there = Location.objects.create(business=other, remote_id="locInitech")
    Contact.objects.create(location=there, first_name="Marisol", last_name="Nwosu")
    eve = member(other, "Eve", "staff")
    assert names(as_user(eve).get(LIST, {"q": "marisol"})) == ["Marisol Nwosu"]
    location.business.join(eve, "staff")
    assert names(as_user(eve).get(LIST, {"q": "marisol"})) == ["Marisol Nwosu", "Marisol Okonkwo"]


def test_a_deleted_contact_is_not_found(find, contact):
    Contact.objects.filter(pk=contact.pk).update(deleted_at=contact.created_at)
    assert find("marisol") == []


# --- by which index ---------------------------------------------------------------------------------------------------


@pytest.fixture
def thirty_thousand(location):
    """Enough that Postgres itself prefers an index where there is a good one. Half belong to somebody else."""
    other = Location.objects.create(business=Business.objects.create(name="Initech"), remote_id="locInitech")
    first = "(ARRAY['aaron', 'marisol', 'ray', 'zoe', 'bo'])[1 + n % 5]"
    last = "substr(md5(n::text), 1, 7)"
    place = "CASE n % 2 WHEN 0 THEN {} ELSE {} END"
    insert(
        Contact,
        {
            "location_id": place.format(location.pk, other.pk),
            "business_id": place.format(location.business_id, other.business_id),
            "first_name": first, "last_name": last, "sort_name": f"{first} || ' ' || {last}",
            "search_text": f"' ' || {first} || ' ' || {last} || ' ' || (3125550000 + n) || ' roofing'"
            " || CASE n % 20 WHEN 1 THEN ' theirs' ELSE '' END",
            "updated_at": "now()",
        },
        "generate_series(1, 30000) n",
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT gin_clean_pending_list('contact_search')")  # as autovacuum does after a large load
        cursor.execute("ANALYZE contacts_contact")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("marisol", PAGE), ("zoe", PAGE), ("roofing", PAGE), ("theirs", 0), ("c4ca", None), ("3125550148", 1),
        ("r", PAGE), ("zo", PAGE), ("bo", PAGE), ("qqq", 0), ("x" * 200, 0), ("312 555 01", PAGE),
        ("zoe 55 roof", None),
    ],
)  # fmt: skip
def test_no_search_reads_the_whole_table(typed, found, client_of_ana, thirty_thousand, monkeypatch):
    monkeypatch.setattr("contacts.paging.NEAR", 200)
    with CaptureQueriesContext(connection) as asked:
        shown = names(client_of_ana.get(LIST, {"q": typed}))
    assert found is None or len(shown) == found
    searches = [
        one["sql"] for one in asked if re.search("search_text.* LIKE", one["sql"]) and "COUNT(" not in one["sql"]
    ]
    assert searches
    nodes = [node for sql in searches for node in plan(sql)]
    assert not [
        node for node in nodes if node["Node Type"] == "Seq Scan" and node["Relation Name"] == "contacts_contact"
    ]
    indexes = {node.get("Index Name") for node in nodes}
    assert indexes & {"contact_search", "contact_by_name"}


def test_words_that_only_others_use_are_looked_up_in_the_search_index(thirty_thousand, location):
    with CaptureQueriesContext(connection) as asked:
        assert search.matching(Contact.objects.filter(business=location.business), "theirs").count() == 0
    assert "contact_search" in {node.get("Index Name") for node in plan(asked[0]["sql"])}
