"""Duplicates of a contact in its own business: who is suggested and why, side by side, and what becomes of them."""

import pytest

from contacts.duplicates import same_person
from contacts.models import Contact, CustomField, Location, Verdict

HTMX = {"HX-Request": "true"}


@pytest.fixture
def twin(add_contact):
    return add_contact("Marisol Okonkwo", phone="(312) 555-0148", remote_id="conTwin00000000000001")


def found(user, contact):
    return [(one.contact.name, one.why) for one in same_person.duplicates(user, contact)]


@pytest.mark.parametrize(
    "name, values, why",
    [
        ("Bo Halden", {"phone": "312-555-0148"}, "Same phone number"),
        ("Bo Halden", {"email": "Marisol@EXAMPLE.com"}, "Same e-mail"),
        ("Marisol Okonkwo", {"company_name": "Halden & Pryce"}, "Same name and company"),
        ("marisol okonkwo", {}, "Same name"),
        ("Marisól Okonkwo", {}, "Same name"),
        ("Marisol Okonkwa", {}, "Similar name"),
        ("Marisol Okonkwo", {"phone": "+13125550148"}, "Same phone number, same name"),
    ],
)
def test_who_may_be_the_same_and_why(ana, contact, add_contact, name, values, why):
    contact.company_name = "Halden & Pryce"
    contact.save()
    add_contact(name, **values)
    assert found(ana, contact) == [(name, why)]


@pytest.mark.parametrize("name, values", [("Marisol Weaver", {}), ("Marisol", {}), ("Ray Okonkwo", {}), ("", {})])
def test_who_may_not(ana, contact, add_contact, name, values):
    add_contact(name, **values)
    assert found(ana, contact) == []


def test_the_likeliest_comes_first(ana, contact, add_contact):
    add_contact("Marisol Okonkwa")
    add_contact("Marisol Okonkwo")
    add_contact("Bo Halden", email=contact.email)
    add_contact("Ray Halden", email=contact.email, phone=contact.phone)
    names = [name for name, _ in found(ana, contact)]
    assert names == ["Ray Halden", "Bo Halden", "Marisol Okonkwo", "Marisol Okonkwa"]


def test_the_page_asks_for_them_by_itself(as_user, ana, contact, twin):
    client = as_user(ana)
    assert f'hx-get="/contacts/{contact.pk}/duplicates/"' in client.get(contact.get_absolute_url()).content.decode()
    part = client.get(f"/contacts/{contact.pk}/duplicates/", headers=HTMX).content.decode()
    assert "Possible duplicates" in part and f"/contacts/{contact.pk}/duplicates/{twin.pk}/" in part


def test_without_scripts_they_have_a_page(as_user, ana, contact, add_contact):
    client = as_user(ana)
    assert "No duplicates found" in client.get(f"/contacts/{contact.pk}/duplicates/").content.decode()


@pytest.mark.parametrize("word", ["different", "resolved"])
def test_once_decided_they_are_not_suggested_again(as_user, ana, contact, twin, word):
    client = as_user(ana)
    answer = client.post(f"/contacts/{contact.pk}/people/{twin.pk}/{word}/", headers=HTMX).content.decode()
    assert "Possible duplicates" not in answer and "Undo" in answer
    assert found(ana, contact) == found(ana, twin) == []
    client.post(f"/contacts/{contact.pk}/people/{twin.pk}/undecided/")
    assert found(ana, contact) and not Verdict.objects.exists()


def test_people_of_one_business_are_not_linked(as_user, ana, contact, twin):
    assert as_user(ana).post(f"/contacts/{contact.pk}/people/{twin.pk}/same/").status_code == 404


# --- side by side -----------------------------------------------------------------------------------------------------


@pytest.fixture
def beside(as_user, ana, contact, twin):
    def get(user=ana):
        return as_user(user).get(f"/contacts/{contact.pk}/duplicates/{twin.pk}/")

    return get


def test_what_differs_is_marked(beside, contact, twin):
    contact.city, twin.city = "Chicago", "Evanston"
    contact.save()
    twin.save()
    shown = beside().content.decode()
    assert "Chicago" in shown and "Evanston" in shown
    assert "City<span" in shown and "Last name<span" not in shown
    assert "Merge them in GHL" in shown and "cannot be undone" in shown


def test_both_lead_to_ghl(beside, contact, twin):
    shown = beside().content.decode()
    assert contact.url_in_ghl in shown and twin.url_in_ghl in shown


def test_the_one_with_more_to_lose_is_to_be_kept(beside, contact, twin, add_task):
    add_task(twin)
    assert f'Keep <b dir="auto">{twin.name}</b>: more notes' in beside().content.decode()


def test_in_two_ghl_accounts_nothing_can_be_merged(as_user, ana, contact, northgate):
    branch = Location.objects.create(business=northgate, remote_id="locAurora0000000001", name="Aurora branch")
    twin = Contact.objects.create(location=branch, first_name="Marisol", last_name="Okonkwo")
    shown = as_user(ana).get(f"/contacts/{contact.pk}/duplicates/{twin.pk}/").content.decode()
    assert "In two GHL accounts" in shown and "Aurora branch" in shown and "Merge them" not in shown


@pytest.fixture
def copy(as_user, ana, contact, twin):
    def post(slug, user=ana):
        here = f"/contacts/{contact.pk}/duplicates/{twin.pk}/"
        return as_user(user).post(f"{here}copy/{slug}/", {"next": here})

    return post


def test_a_value_is_copied_over_by_an_ordinary_edit(copy, beside, contact, twin, ana):
    twin.city = "Evanston"
    twin.save()
    assert copy("city").status_code == 302
    contact.refresh_from_db()
    change = contact.changes.get()
    assert contact.city == "Evanston" and change.values == {"city": "Evanston"} and change.made_by == ana
    shown = beside().content.decode()
    assert "Queued" in shown and f"/changes/{change.pk}/undo/" in shown


def test_custom_values_and_tags_are_copied_too(copy, contact, twin, location):
    roof = CustomField.objects.create(location=location, remote_id="fldRoof", name="Roof", data_type="TEXT")
    twin.custom_values, twin.tags, contact.tags = {"fldRoof": "Tile"}, ["vip"], ["insurance"]
    twin.save()
    contact.save()
    copy(f"custom-{roof.pk}")
    copy("tags")
    contact.refresh_from_db()
    assert contact.custom_values == {"fldRoof": "Tile"} and contact.tags == ["insurance", "vip"]


def test_the_other_way_round_it_comes_back_to_the_same_page(as_user, ana, contact, twin):
    contact.city = "Chicago"
    contact.save()
    here = f"/contacts/{contact.pk}/duplicates/{twin.pk}/"
    answer = as_user(ana).post(f"/contacts/{twin.pk}/duplicates/{contact.pk}/copy/city/", {"next": here})
    assert answer["Location"] == here
    twin.refresh_from_db()
    assert twin.city == "Chicago"


@pytest.mark.parametrize("slug", ["email", "phone"])
def test_what_ghl_keeps_on_one_contact_only_is_not_copied(copy, contact, twin, slug):
    setattr(twin, slug, {"email": "other@example.com", "phone": "+13125550177"}[slug])
    twin.save()
    answer = copy(slug)
    assert answer.status_code == 403 and "on one contact only" in answer.content.decode()
    assert not contact.changes.exists()


def test_where_ghl_allows_duplicates_it_is(copy, contact, twin, location):
    location.allow_duplicates = True
    location.save()
    twin.email = "other@example.com"
    twin.save()
    copy("email")
    contact.refresh_from_db()
    assert contact.email == "other@example.com"


@pytest.mark.parametrize("slug, status", [("city", 403), ("type", 403), ("nonsense", 404), ("custom-0", 404)])
def test_what_cannot_be_copied_is_refused(copy, contact, twin, slug, status):
    twin.type = "customer"
    twin.save()
    assert copy(slug).status_code == status
    assert not contact.changes.exists()


def test_a_read_only_location_takes_no_copy(copy, beside, contact, twin, location):
    twin.city = "Evanston"
    twin.save()
    location.is_editable, location.not_editable_because = False, "Ours may only look at GHL."
    location.save()
    assert "Ours may only look at GHL." in beside().content.decode()
    assert copy("city").status_code == 403


def test_only_people_of_one_business_stand_beside_one_another(as_user, ana, cy, contact, twin, second_location):
    """Not even for somebody who sees both: another business's values must not be copied by a slip."""
    away = Contact.objects.create(location=second_location, first_name="Marisol", city="Salem")
    client = as_user(ana)
    assert client.get(f"/contacts/{contact.pk}/duplicates/{away.pk}/").status_code == 404
    assert client.post(f"/contacts/{contact.pk}/duplicates/{away.pk}/copy/city/").status_code == 404
    for path in ("", f"{twin.pk}/"):
        assert as_user(cy).get(f"/contacts/{contact.pk}/duplicates/{path}").status_code == 404
    assert as_user(cy).post(f"/contacts/{contact.pk}/duplicates/{twin.pk}/copy/city/").status_code == 404
