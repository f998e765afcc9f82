"""Views of the contact list: what everybody has, what people save, who may change it, and which columns stand there."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from contacts.models import Business, CustomField, ListHabits, Membership, Role, SavedView

LIST = "/contacts/"
PART = {"HX-Request": "true", "HX-Target": "list"}


def names(response):
    return re.findall(r'class="table__link" href="[^"]*" dir="auto">([^<]*)</a>', response.content.decode())


def current(response):
    """(name of the view that is shown, whether it was changed)."""
    pattern = r'view-tabs__tab"[^>]*aria-current="page"( data-changed)?>.*?<span dir="auto">([^<]*)'
    found = re.search(pattern, response.content.decode(), re.S)
    return found[2], bool(found[1])


@pytest.fixture
def people(add_contact):
    add_contact("Bea", tags=["insurance"])
    add_contact("Cal")


@pytest.fixture
def insurance(ana, northgate):
    """Ana's own view."""
    return SavedView.objects.create(owner=ana, business=northgate, name="Insurance", params="tag=insurance&sort=name")


@pytest.fixture
def shared(ana, northgate):
    return SavedView.objects.create(
        owner=ana, business=northgate, name="Claims", params="tag=insurance&sort=name", is_shared=True
    )


def test_a_list_is_saved_under_a_name(client_of_ana, ana, people):
    response = client_of_ana.post("/contacts/views/add/", {"name": " Insurance  claims ", "list": "tag=insurance"})
    view = SavedView.objects.get()
    assert (view.name, view.params, view.owner, view.is_shared) == (
        "Insurance claims", "tag=insurance&sort=name", ana, False,
    )  # fmt: skip
    shown = client_of_ana.get(response["Location"])
    assert names(shown) == ["Bea"] and current(shown) == ("Insurance claims", False)


def test_its_address_alone_leads_to_it(client_of_ana, people, insurance):
    assert names(client_of_ana.get(f"{LIST}?view={insurance.pk}")) == ["Bea"]


def test_a_changed_view_says_so_and_can_be_saved(client_of_ana, people, insurance):
    changed = f"view={insurance.pk}&not_tag=insurance&sort=name"
    response = client_of_ana.get(f"{LIST}?{changed}")
    assert names(response) == ["Cal"] and current(response) == ("Insurance", True)
    assert b"You changed this view" in response.content and b"Save as new" in response.content
    saved = client_of_ana.post(f"/contacts/views/{insurance.pk}/save/", {"list": changed}, headers=PART)
    assert current(saved) == ("Insurance", False) and names(saved) == ["Cal"]
    insurance.refresh_from_db()
    assert insurance.params == "not_tag=insurance&sort=name"


def test_without_any_condition_it_is_changed_too(client_of_ana, people, insurance):
    response = client_of_ana.get(f"{LIST}?view={insurance.pk}&sort=name")
    assert names(response) == ["Bea", "Cal"] and current(response) == ("Insurance", True)


def test_another_order_changes_a_view_and_a_search_does_not(client_of_ana, people, insurance):
    assert current(client_of_ana.get(f"{LIST}?view={insurance.pk}&tag=insurance&sort=recent"))[1] is True
    assert current(client_of_ana.get(f"{LIST}?view={insurance.pk}&tag=insurance&sort=name&q=bea"))[1] is False


def test_the_views_of_everybody_can_only_be_saved_as_new(client_of_ana, contact):
    page = client_of_ana.get(f"{LIST}?view=overdue&overdue=1&tag=x&sort=overdue").content.decode()
    assert "Save as new" in page and "/save/" not in page


def test_old_addresses_look_like_the_view_they_mean(client_of_ana, contact):
    assert current(client_of_ana.get(f"{LIST}?overdue=1&sort=overdue")) == ("Overdue follow-ups", False)
    assert current(client_of_ana.get(LIST)) == ("All contacts", False)
    assert current(client_of_ana.get(f"{LIST}?tag=x")) == ("All contacts", True)


@pytest.mark.parametrize("key", ["999999", "nothing", "x" * 50, "%00", "-1"])
def test_a_view_that_is_not_there_shows_everybody(key, client_of_ana, contact):
    assert names(client_of_ana.get(f"{LIST}?view={key}")) == ["Marisol Okonkwo"]


def test_a_name_is_needed(client_of_ana, insurance):
    assert client_of_ana.post("/contacts/views/add/", {"name": "  "}, headers=PART).status_code == 422
    rename = f"/contacts/views/{insurance.pk}/rename/"
    assert client_of_ana.post(rename, {"name": "\x00"}, headers=PART).status_code == 422
    assert SavedView.objects.get().name == "Insurance"


def test_deleted_and_brought_back(client_of_ana, people, insurance):
    response = client_of_ana.post(f"/contacts/views/{insurance.pk}/delete/", headers=PART)
    assert current(response) == ("All contacts", False)
    assert f"/contacts/views/{insurance.pk}/restore/".encode() in response.content
    assert b">Insurance<" not in client_of_ana.get(LIST).content
    back = client_of_ana.post(f"/contacts/views/{insurance.pk}/restore/", headers=PART)
    assert current(back) == ("Insurance", False)


# --- a team's views ---------------------------------------------------------------------------------------------------


def test_a_shared_view_is_there_for_the_team_of_that_business(as_user, max_, cy, shared, people):
    page = as_user(max_).get(f"{LIST}?view={shared.pk}")
    assert current(page) == ("Claims", False) and names(page) == ["Bea"]
    assert b"Claims" not in as_user(cy).get(LIST).content


def test_nobody_else_sees_ones_own_view(as_user, max_, ada, insurance):
    assert b">Insurance<" not in as_user(max_).get(LIST).content
    assert b">Insurance<" not in as_user(ada).get(LIST).content


@pytest.mark.parametrize("act", ["save", "rename", "share", "delete", "restore"])
def test_a_shared_view_is_changed_by_its_owner_and_admins_only(act, as_user, ana, max_, ada, cy, shared):
    url, body = f"/contacts/views/{shared.pk}/{act}/", {"name": "New", "list": "tag=b", "team": shared.business_id}
    assert as_user(cy).post(url, body).status_code == 404
    assert as_user(max_).post(url, body).status_code == 404
    assert as_user(ada).post(url, body).status_code == 302


def test_the_menu_offers_only_what_one_may(as_user, max_, shared):
    page = as_user(max_).get(f"{LIST}?view={shared.pk}").content.decode()
    assert "Shared by Ana" in page and "Rename" not in page


def test_sharing_and_keeping_to_oneself(as_user, client_of_ana, max_, northgate, insurance):
    share = f"/contacts/views/{insurance.pk}/share/"
    client_of_ana.post(share, {"team": northgate.pk})
    assert b">Insurance<" in as_user(max_).get(LIST).content
    client_of_ana.post(share, {"team": ""})
    assert b">Insurance<" not in as_user(max_).get(LIST).content


def test_it_is_not_shared_with_a_team_one_is_not_in(client_of_ana, insurance, cy):
    theirs = Business.objects.get(name="Initech")
    answer = client_of_ana.post(f"/contacts/views/{insurance.pk}/share/", {"team": theirs.pk})
    assert answer.status_code == 404
    assert client_of_ana.post("/contacts/views/add/", {"name": "x", "team": theirs.pk}).status_code == 404
    assert not SavedView.objects.filter(business=theirs).exists()


def test_who_leaves_takes_the_own_views_along_and_leaves_the_shared(as_user, ana, max_, northgate, shared, insurance):
    northgate.memberships.get(user=ana).end()
    page = as_user(ana).get(LIST).content
    assert b"Claims" not in page and b">Insurance<" not in page
    ana.delete()
    page = as_user(max_).get(f"{LIST}?view={shared.pk}")
    assert b"somebody who has left" in page.content


def test_people_of_others_in_a_saved_view_stay_unknown(as_user, ana, max_, dana, shared, second_location):
    """A view is read anew by whoever opens it: what they may not see is left out and said."""
    SavedView.objects.filter(pk=shared.pk).update(
        params=f"owner={dana.pk}&sort=name", business=second_location.business
    )
    Membership.objects.create(user=max_, business=second_location.business)
    max_.memberships.get(business=dana.location.business).end()
    page = as_user(max_).get(f"{LIST}?view={shared.pk}").content.decode()
    assert "is not known here" in page and "Dana" not in page


# --- the first view ---------------------------------------------------------------------------------------------------


def test_contacts_opens_with_the_chosen_view(client_of_ana, people, insurance):
    client_of_ana.post("/contacts/views/first/", {"view": insurance.pk})
    assert names(client_of_ana.get(LIST)) == ["Bea"]
    assert names(client_of_ana.get(f"{LIST}?view=all")) == ["Bea", "Cal"]
    assert names(client_of_ana.get(f"{LIST}?q=cal")) == ["Cal"]


def test_a_first_view_that_is_gone_is_forgotten(client_of_ana, people, insurance):
    client_of_ana.post("/contacts/views/first/", {"view": insurance.pk})
    client_of_ana.post(f"/contacts/views/{insurance.pk}/delete/")
    assert names(client_of_ana.get(LIST)) == ["Bea", "Cal"]


def test_somebody_elses_view_cannot_be_the_first(as_user, max_, insurance):
    as_user(max_).post("/contacts/views/first/", {"view": insurance.pk})
    assert not ListHabits.objects.filter(user=max_).exists()


# --- order ------------------------------------------------------------------------------------------------------------


def tab_names(response):
    return re.findall(r'view-tabs__tab".*?<span dir="auto">([^<]*)', response.content.decode(), re.S)


def test_everybody_has_their_own_order_of_the_views(as_user, client_of_ana, max_, contact, shared, insurance):
    first, *rest, claims, own = tab_names(client_of_ana.get(LIST))
    assert (first, claims, own) == ("All contacts", "Claims", "Insurance")
    response = client_of_ana.post("/contacts/views/move/", {"move": f"-1 {insurance.pk}", "list": ""}, headers=PART)
    assert tab_names(response)[-2:] == ["Insurance", "Claims"]
    client_of_ana.post("/contacts/views/move/", {"move": "1 all", "list": ""})
    assert tab_names(client_of_ana.get(LIST)) == [rest[0], "All contacts", *rest[1:], "Insurance", "Claims"]
    assert tab_names(as_user(max_).get(LIST)) == [first, *rest, "Claims"]
    SavedView.objects.create(owner=max_, business=shared.business, name="New", is_shared=True)
    assert tab_names(client_of_ana.get(LIST))[-1] == "New"


def test_the_first_view_has_nowhere_to_go_but_right(client_of_ana, contact):
    page = client_of_ana.get(f"{LIST}?view=all").content.decode()
    assert 'value="1 all"' in page and 'value="-1 all"' not in page


def test_a_view_of_somebody_else_cannot_be_moved(as_user, max_, contact, insurance):
    response = as_user(max_).post("/contacts/views/move/", {"move": f"1 {insurance.pk}"}, headers=PART)
    assert response.status_code == 422 and not ListHabits.objects.exists()


# --- columns ----------------------------------------------------------------------------------------------------------


def heads(response):
    return re.findall(r'scope="col" dir="auto">([^<]*)</th>', response.content.decode())


def test_columns_are_chosen_and_remembered_per_view(client_of_ana, contact):
    contact.city = "Chicago"
    contact.save()
    chosen = {"list": "view=mine&owner=me&sort=name", "column": ["city", "email", "nonsense"]}
    assert client_of_ana.post("/contacts/columns/", chosen).status_code == 302
    assert heads(client_of_ana.get(f"{LIST}?view=mine")) == []  # nobody is mine
    assert "Owner" in heads(client_of_ana.get(LIST))
    chosen["list"] = ""
    part = client_of_ana.post("/contacts/columns/", chosen, headers=PART)
    assert heads(part) == ["City", "E-mail"]
    page = client_of_ana.get(LIST)
    assert heads(page) == ["City", "E-mail"]
    assert ">Chicago<" in page.content.decode() and "marisol@example.com" in page.content.decode()


def test_no_column_at_all_means_the_usual_ones(client_of_ana, contact):
    client_of_ana.post("/contacts/columns/", {"list": "", "column": ["city"]})
    client_of_ana.post("/contacts/columns/", {"list": ""})
    usual = ["Owner", "Tags", "Open tasks", "Next appointment", "Last activity", "Checked"]
    assert heads(client_of_ana.get(LIST)) == usual


def test_a_shared_view_has_its_owners_columns_until_one_chooses(as_user, client_of_ana, max_, contact, shared):
    of_view = {"list": f"view={shared.pk}&tag=insurance&sort=name"}
    client_of_ana.post("/contacts/columns/", of_view | {"column": ["phone"]})
    assert heads(as_user(max_).get(f"{LIST}?view={shared.pk}")) == ["Phone"]
    as_user(max_).post("/contacts/columns/", of_view | {"column": ["city"]})
    assert heads(as_user(max_).get(f"{LIST}?view={shared.pk}")) == ["City"]
    assert heads(client_of_ana.get(f"{LIST}?view={shared.pk}")) == ["Phone"]


def test_every_column_and_custom_fields(client_of_ana, contact, location, dana, add_task, add_appointment):
    CustomField.objects.create(location=location, remote_id="fldRoof", name="Roof", data_type="TEXT")
    price = CustomField.objects.create(location=location, remote_id="fldPrice", name="Price", data_type="MONETORY")
    contact.custom_values = {"fldRoof": "Standing seam", "fldPrice": 48200}
    contact.company_name, contact.owner, contact.source, contact.city = "Halden & Pryce", dana, "Referral", "Chicago"
    contact.remote_created_at = timezone.now() - timedelta(days=1)
    contact.save()
    menu = client_of_ana.get("/contacts/columns/").content.decode()
    keys = re.findall(r'name="column" value="([^"]*)"', menu)
    assert f"field-{price.pk}" in keys and len(keys) == 14
    client_of_ana.post("/contacts/columns/", {"list": "", "column": keys})
    page = client_of_ana.get(LIST).content.decode()
    said = ("Standing seam", "48,200", "Halden &amp; Pryce", "Referral", "Chicago", "(312) 555-0148")
    for words in said:
        assert words in page, words


def test_columns_are_put_in_another_order(client_of_ana, contact):
    post = {"list": "", "column": ["city", "email", "phone"]}
    client_of_ana.post("/contacts/columns/", post)
    part = client_of_ana.post("/contacts/columns/", post | {"move": "-1 phone"}, headers=PART)
    assert heads(part) == ["City", "Phone", "E-mail"]
    form = part.content.decode().split('id="columns-form"')[1]
    assert 'hx-swap-oob="true"' in form and re.search(r'value="-1 phone"[^>]*data-focus', form)
    assert heads(client_of_ana.get(LIST)) == ["City", "Phone", "E-mail"]
    for nonsense in ("-1 city", "1 email", "1 nonsense", "up", ""):  # the ends, and what nobody offers
        post = {"list": "", "column": ["city", "phone", "email"], "move": nonsense}
        assert client_of_ana.post("/contacts/columns/", post).status_code == 302
        assert heads(client_of_ana.get(LIST)) == ["City", "Phone", "E-mail"]


def test_a_field_that_ghl_no_longer_has_is_left_out(client_of_ana, contact, location):
    roof = CustomField.objects.create(location=location, remote_id="fldRoof", name="Roof")
    client_of_ana.post("/contacts/columns/", {"list": "", "column": ["city", f"field-{roof.pk}"]})
    roof.delete()
    assert heads(client_of_ana.get(LIST)) == ["City"]


def test_custom_columns_cost_no_query_a_row(
    client_of_ana, location, add_contact, django_assert_max_num_queries, insurance
):
    roof = CustomField.objects.create(location=location, remote_id="fldRoof", name="Roof")
    client_of_ana.post("/contacts/columns/", {"list": "", "column": ["company", "owner", f"field-{roof.pk}", "city"]})

    def cost():
        with django_assert_max_num_queries(17) as queries:
            client_of_ana.get(LIST, headers=PART)
        return len(queries)

    add_contact("Bea", custom_values={"fldRoof": "Metal"})
    few = cost()
    for number in range(20):
        add_contact(f"Contact {number}", custom_values={"fldRoof": str(number)})
    assert cost() == few


# --- the menu that narrows a list -------------------------------------------------------------------------------------


def test_the_menu_adds_to_the_group_it_was_opened_in(client_of_ana, people, northgate, max_):
    page = client_of_ana.get("/contacts/filter/?group=2&tag=a&2.tag=b").content.decode()
    assert 'name="2.owner"' in page and "tag=a&amp;2.tag=b&amp;2.overdue=1" in page
    fresh = client_of_ana.get("/contacts/filter/?group=2&tag=a").content.decode()
    assert "tag=a&amp;2.overdue=1" in fresh


def test_what_is_said_once_replaces_itself(client_of_ana, people):
    page = client_of_ana.get("/contacts/filter/?group=1&quiet=14&tag=a").content.decode()
    form = re.search(r'<form[^>]*>((?:(?!</form>).)*name="quiet" type="number".*?)</form>', page, re.S)[1]
    assert 'type="hidden" name="quiet"' not in form and 'type="hidden" name="tag" value="a"' in form


@pytest.mark.parametrize("group", ["", "0", "-1", "x", "99", "9" * 30])
def test_any_group_can_be_asked_for(group, client_of_ana, people):
    assert client_of_ana.get(f"/contacts/filter/?group={group}&tag=a").status_code == 200


def test_an_admins_role_elsewhere_counts_for_nothing(as_user, ana, max_, shared, second_business):
    Membership.objects.filter(user=ana, business=second_business).delete()
    Membership.objects.create(user=max_, business=second_business, role=Role.ADMIN)
    assert as_user(max_).post(f"/contacts/views/{shared.pk}/delete/").status_code == 404
