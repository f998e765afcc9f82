"""The same person in other businesses: suggested by phone and e-mail, linked by people, seen by who may see both."""

import pytest
from django.db import connection

from contacts.models import Change, Contact, HistoryEvent, Verdict

HTMX = {"HX-Request": "true"}


@pytest.fixture
def other(second_location, contact):
    """Marisol as Harbor Dental knows her: another name, her number in another form."""
    return Contact.objects.create(location=second_location, first_name="M.", last_name="Reyes", phone="312.555.0148")


def page(client, contact):
    return client.get(contact.get_absolute_url()).content.decode()


def decide(client, contact, other, word, headers=HTMX):
    return client.post(f"/contacts/{contact.pk}/people/{other.pk}/{word}/", headers=headers)


@pytest.mark.parametrize(
    "values, why",
    [
        ({"phone": "312.555.0148"}, "Same phone number"),
        ({"phone": "+1 (312) 555-0148"}, "Same phone number"),
        ({"phone": "011 1 312 555 0148"}, "Same phone number"),
        ({"email": "MARISOL@Example.com"}, "Same e-mail"),
        ({"email": "marisol@example.com", "phone": "+13125550148"}, "Same e-mail, same phone number"),
    ],
)
def test_the_same_person_elsewhere_is_suggested(as_user, ana, contact, second_location, values, why):
    contact.phone = "+13125550148"
    contact.save()
    Contact.objects.create(location=second_location, first_name="M.", **values)
    shown = page(as_user(ana), contact)
    assert why in shown and "Same person</button>" in shown and "Harbor Dental" in shown


@pytest.mark.parametrize(
    "values",
    [{"phone": "+443125550148"}, {"phone": "5550148"}, {"email": "marisol@example.org"}, {"first_name": "Marisol"}, {}],
)
def test_others_are_not(as_user, ana, contact, second_location, values):
    Contact.objects.create(location=second_location, **values)
    assert "Also in" not in page(as_user(ana), contact)


def test_empty_values_make_nobody_the_same(as_user, ana, add_contact, second_location):
    nobody = add_contact("", phone="", email="")
    Contact.objects.create(location=second_location, phone="", email="")
    assert "Also in" not in page(as_user(ana), nobody)


def test_a_link_shows_on_both_sides_with_what_is_to_do(as_user, ana, contact, other, add_task):
    add_task(other)
    client = as_user(ana)
    answer = decide(client, contact, other, "same").content.decode()
    assert "Linked: each now shows the other" in answer and "Same person</button>" not in answer
    there = page(client, contact)
    assert other.get_absolute_url() in there and "1 open task" in there
    assert contact.get_absolute_url() in page(client, other)
    verdict = Verdict.objects.get()
    assert (verdict.word, verdict.decided_by) == ("same", ana)


def test_a_link_is_undone_and_unlinked(as_user, ana, contact, other):
    client = as_user(ana)
    answer = decide(client, contact, other, "same").content.decode()
    assert f"/people/{other.pk}/undecided/" in answer  # the toast's Undo
    unlinked = decide(client, other, contact, "undecided").content.decode()
    assert "Unlinked" in unlinked and f"/people/{contact.pk}/same/" in unlinked
    assert not Verdict.objects.exists()


def test_who_is_somebody_else_is_not_suggested_again(as_user, ana, contact, other):
    client = as_user(ana)
    decide(client, contact, other, "different")
    assert "Also in" not in page(client, contact)
    assert "Also in" not in page(client, other)


def test_saying_it_twice_says_it_once(as_user, ana, contact, other):
    for _ in range(2):
        decide(as_user(ana), contact, other, "same")
        decide(as_user(ana), other, contact, "same")
    assert Verdict.objects.count() == 1


def test_without_scripts_it_goes_back_to_the_page(as_user, ana, contact, other):
    assert decide(as_user(ana), contact, other, "same", headers={})["Location"].startswith(contact.get_absolute_url())


def test_nothing_is_merged_nor_told_to_ghl_nor_to_those_who_read_one_history(as_user, ana, contact, other):
    before = [list(Contact.objects.order_by("pk").values_list())]
    decide(as_user(ana), contact, other, "same")
    assert before == [list(Contact.objects.order_by("pk").values_list())]
    assert not Change.objects.exists() and not HistoryEvent.objects.exists()


def test_a_link_works_where_ghl_may_not_be_changed(as_user, ana, contact, other, location):
    location.is_editable = False
    location.save()
    assert decide(as_user(ana), contact, other, "same").status_code == 200


@pytest.mark.parametrize("word", ["resolved", "merged", "undecided2"])
def test_there_are_no_other_words(as_user, ana, contact, other, word):
    assert decide(as_user(ana), contact, other, word).status_code == 404
    assert not Verdict.objects.exists()


def test_nobody_is_the_same_as_themselves(as_user, ana, contact):
    assert decide(as_user(ana), contact, contact, "different").status_code == 404


def test_who_sees_only_one_of_the_two_learns_nothing(as_user, ana, max_, contact, other):
    """Max works for Northgate alone: neither the suggestion nor a link that Ana made shows him Harbor Dental."""
    client = as_user(max_)
    for word in (None, "same"):
        if word:
            decide(as_user(ana), contact, other, word)
        shown = page(client, contact)
        assert "Also in" not in shown and "Harbor" not in shown and str(other.get_absolute_url()) not in shown
        part = client.get(f"/contacts/{contact.pk}/people/", headers=HTMX).content.decode()
        assert "Harbor" not in part and "open task" not in part
    for word in ("same", "different", "undecided"):
        assert decide(client, contact, other, word).status_code == 404
        assert decide(client, other, contact, word).status_code == 404
    assert Verdict.objects.get().decided_by == ana


def test_who_has_left_a_business_sees_its_people_no_more(as_user, ana, contact, other, second_business):
    decide(as_user(ana), contact, other, "same")
    second_business.memberships.get(user=ana).delete()
    assert "Harbor" not in page(as_user(ana), contact)


def test_a_deleted_contact_is_not_shown(as_user, ana, contact, other):
    decide(as_user(ana), contact, other, "same")
    other.delete_here(by=ana, undo_s=60)
    assert "Also in" not in page(as_user(ana), contact)


@pytest.mark.parametrize(
    "look, index",
    [
        (lambda rows: rows.with_email("marisol@example.com"), "contact_by_email"),
        (lambda rows: rows.with_phone("+13125550148"), "contact_by_phone"),
    ],
)
def test_looking_reads_an_index(contact, look, index):
    others = [
        Contact(location=contact.location, business=contact.business, email=f"p{n}@example.com", phone=f"+1312{n:07}")
        for n in range(3000)
    ]
    Contact.objects.bulk_create(others)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE contacts_contact")
    assert index in look(Contact.objects.present().filter(business=contact.business)).explain()


def test_looking_costs_the_same_however_many_are_found(
    as_user, ana, contact, second_location, django_assert_max_num_queries
):
    from contacts.duplicates.same_person import elsewhere

    class Asked:
        user = ana

    for n in range(12):
        Contact.objects.create(location=second_location, first_name=f"M{n}", phone="+13125550148")
    with django_assert_max_num_queries(7):
        linked, suggested = elsewhere(Asked(), contact)
        assert len(suggested) == 8 and not linked
