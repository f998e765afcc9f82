"""A new contact: what must be typed, whom we have already, and what is queued for GHL."""

import pytest

from contacts.models import Change, Contact, RemoteUser

NEW = "/contacts/new/"


@pytest.fixture
def client_of_ana(as_user, ana, location):
    return as_user(ana)


def test_a_contact_is_made_and_queued(client_of_ana, ana, dana):
    response = client_of_ana.post(NEW, {
        "first_name": "Ines", "last_name": "Caldeira", "email": "ines@example.com", "phone": "(312) 555-0199",
        "company_name": "Caldeira Bakery", "owner": dana.pk, "tags": "Lead, warranty,lead ,",
    })  # fmt: skip
    contact = Contact.objects.get()
    assert response.status_code == 302 and response["Location"] == contact.get_absolute_url()
    assert contact.phone == "+13125550199" and contact.tags == ["lead", "warranty"] and contact.owner == dana
    change = Change.objects.get()
    assert (change.verb, change.made_by, change.state) == ("create", ana, "queued")
    assert change.values["email"] == "ines@example.com" and change.values["owner_remote_id"] == dana.remote_id


@pytest.mark.parametrize("typed", [{"email": "a@example.com"}, {"phone": "312 555 0199"}, {"last_name": "Halden"}])
def test_one_of_name_email_or_phone_is_enough(typed, client_of_ana):
    assert client_of_ana.post(NEW, typed).status_code == 302


@pytest.mark.parametrize(
    "typed, words",
    [
        ({}, "needs a name, an e-mail address or a phone number"),
        ({"company_name": "Only a company"}, "needs a name"),
        ({"email": "grace@amankwah"}, "not an e-mail address"),
        ({"phone": "12"}, "cannot be a phone number"),
        ({"phone": "call me"}, "cannot be a phone number"),
        ({"first_name": "x" * 201}, "at most 200"),
        ({"first_name": "A", "tags": "x" * 201}, "200 letters at most"),
        ({"first_name": "A", "owner": "999999"}, "valid choice"),
        ({"first_name": "nul\x00l"}, "Null characters"),
    ],
)
def test_what_cannot_be_taken_is_said_at_the_field(typed, words, client_of_ana):
    response = client_of_ana.post(NEW, {"last_name": "", **typed})
    assert response.status_code == 422 and words in response.content.decode()
    assert not Contact.objects.exists()


def test_what_was_typed_stays(client_of_ana):
    page = client_of_ana.post(NEW, {"first_name": "Ines", "email": "nope"}).content.decode()
    assert 'value="Ines"' in page and 'value="nope"' in page


@pytest.mark.parametrize(
    "typed",
    [
        {"email": "MARISOL@example.com"},
        {"phone": "312-555-0148"},
        {"phone": "+1 (312) 555 0148", "email": "other@x.example"},
    ],
)
def test_somebody_who_is_here_already_is_offered_first(typed, client_of_ana, contact):
    response = client_of_ana.post(NEW, {"first_name": "Mari", **typed})
    page = response.content.decode()
    assert response.status_code == 409 and Contact.objects.count() == 1
    assert "Already here" in page and "Marisol Okonkwo" in page and contact.get_absolute_url() in page
    assert "Create anyway" not in page


def test_create_anyway_needs_an_account_that_allows_it(client_of_ana, contact, location):
    typed = {"first_name": "Mari", "email": contact.email, "anyway": "1"}
    assert client_of_ana.post(NEW, typed).status_code == 409
    location.allow_duplicates = True
    location.save()
    assert client_of_ana.post(NEW, typed).status_code == 302
    assert Contact.objects.count() == 2


def test_create_anyway_is_offered_where_duplicates_are_allowed(client_of_ana, contact, location):
    location.allow_duplicates = True
    location.save()
    response = client_of_ana.post(NEW, {"first_name": "Mari", "email": contact.email})
    assert response.status_code == 409 and "Create anyway" in response.content.decode()


def test_pressing_twice_makes_one(client_of_ana):
    typed = {"first_name": "Ines", "email": "ines@example.com"}
    assert client_of_ana.post(NEW, typed).status_code == 302
    assert client_of_ana.post(NEW, typed).status_code == 409
    assert Contact.objects.count() == 1


def test_the_same_person_in_another_account_is_no_duplicate(client_of_ana, contact, second_location):
    typed = {"location": second_location.pk, "first_name": "Mari", "email": contact.email}
    assert client_of_ana.post(NEW, typed).status_code == 302
    assert Contact.objects.filter(location=second_location).count() == 1


def test_a_deleted_contact_is_no_duplicate(client_of_ana, contact, django_user_model):
    contact.delete_here(by=None, undo_s=0)
    assert client_of_ana.post(NEW, {"first_name": "Mari", "email": contact.email}).status_code == 302


def test_numbers_without_country_code_are_of_the_accounts_country(client_of_ana, location):
    location.time_zone = "Europe/London"
    location.save()
    client_of_ana.post(NEW, {"phone": "020 7946 0018"})
    assert Contact.objects.get().phone == "+442079460018"


def test_with_several_accounts_one_must_be_chosen(client_of_ana, second_location):
    response = client_of_ana.post(NEW, {"first_name": "Ines"})
    assert response.status_code == 422 and not Contact.objects.exists()


def test_the_owner_must_work_in_the_account(client_of_ana, second_location, dana):
    response = client_of_ana.post(NEW, {"location": second_location.pk, "first_name": "Ines", "owner": dana.pk})
    assert response.status_code == 422 and "does not work in" in response.content.decode()


def test_a_read_only_account_is_not_offered(client_of_ana, location, second_location):
    location.is_editable, location.not_editable_because = False, "The token may only read."
    location.save()
    client_of_ana.post(NEW, {"first_name": "Ines"})
    assert Contact.objects.get().location == second_location


def test_nothing_to_write_to_is_explained(client_of_ana, location):
    location.is_editable, location.not_editable_because = False, "The token may only read."
    location.save()
    for response in (client_of_ana.get(NEW), client_of_ana.post(NEW, {"first_name": "Ines"})):
        assert "The token may only read." in response.content.decode()
    assert not Contact.objects.exists()


def test_a_stranger_cannot_add_to_an_account_of_others(as_user, cy, location):
    as_user(cy).post(NEW, {"location": location.pk, "first_name": "Eve"})
    assert not Contact.objects.exists()
    other = cy.businesses.get().locations.create(remote_id="locInitech1")
    cy.businesses.get().locations.create(remote_id="locInitech2")
    owner = RemoteUser.objects.create(location=location, remote_id="u", name="Secret Name")
    response = as_user(cy).post(NEW, {"location": location.pk, "first_name": "Eve"})
    assert response.status_code == 422 and "Secret Name" not in response.content.decode()
    response = as_user(cy).post(NEW, {"location": other.pk, "first_name": "Eve", "owner": owner.pk})
    assert response.status_code == 422 and not Contact.objects.exists()
