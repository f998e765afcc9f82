"""The pages of a mapping: for admins of the business, everything by hand that the file says too."""

import json

import pytest

from contacts.models import Contact, ExternalId, Location
from integrations.models import ErpEvent, FieldMapping
from tests.integrations.erp.conftest import event
from tests.integrations.mapping.conftest import CUSTOMER

pytestmark = pytest.mark.django_db

CITY = {"erp": "fields.town", "contact": "city"}
HTMX = {"HX-Request": "true"}


@pytest.fixture
def admin(as_user, ada):
    return as_user(ada)


@pytest.fixture
def draft(northgate, ada):
    return FieldMapping.begin(northgate, [{"erp": "email", "contact": "email"}, CITY], ada)


def at(version, rest=""):
    return f"/erp/mapping/versions/{version.pk}/{rest}"


def words(answer):
    return answer.content.decode()


# --- versions ---------------------------------------------------------------------------------------------------------


def test_the_first_draft_begins_with_what_goes_by_its_name_today(admin, northgate, fields, erp, contact):
    erp.send("/customers", {**CUSTOMER, "fields": {"tier": "Gold", "City": "Chicago", "shoe_size": 4}})
    page = admin.get(f"/erp/mapping/{northgate.pk}/")
    assert "Nothing is mapped" in words(page)
    answer = admin.post(f"/erp/mapping/{northgate.pk}/begin/")
    draft = FieldMapping.objects.get()
    assert answer["Location"] == at(draft)
    assert [(line["erp"], line["contact"]) for line in draft.lines] == [
        ("first_name", "first_name"), ("last_name", "last_name"), ("email", "email"), ("phone", "phone"),
        ("company", "company_name"), ("fields.City", "city"), ("fields.tier", "custom:contact.tier"),
    ]  # fmt: skip
    assert "fields.shoe_size" in words(admin.get(at(draft)))


def test_a_draft_is_tried_out_activated_and_brought_back(admin, northgate, draft, contact, ada):
    refused = admin.post(at(draft, "activate/"), follow=True)
    assert "Try this version out first" in words(refused)
    told = {"source": "pasted", "text": json.dumps({**CUSTOMER, "fields": {"town": "Chicago"}})}
    shown = words(admin.post(at(draft, "preview/"), told))
    assert "Activate version 1" in shown and "Chicago" in shown
    admin.post(at(draft, "activate/"))
    assert FieldMapping.active_of(northgate) == draft
    admin.post(f"/erp/mapping/{northgate.pk}/begin/")
    second = FieldMapping.objects.exclude(pk=draft.pk).get()
    assert (second.lines, second.made_from) == (draft.lines, draft)
    second.rewrite([CITY], second.mark)
    admin.post(at(second, "preview/"), told)
    admin.post(at(second, "activate/"))
    page = words(admin.get(f"/erp/mapping/{northgate.pk}/"))
    assert "1 difference from version 1" in page and "Go back to version 1" in page
    admin.post(at(draft, "activate/"))
    assert FieldMapping.active_of(northgate) == draft


def test_looking_at_the_page_of_a_dry_run_is_not_trying_it_out(admin, draft):
    assert "Activate" not in words(admin.get(at(draft, "preview/")))
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_without_events_a_dry_run_asks_for_test_data(admin, draft):
    answer = admin.post(at(draft, "preview/"), {"source": "last", "count": "50"})
    assert (answer.status_code, "Paste test data instead" in words(answer)) == (422, True)


def test_a_dry_run_of_a_mapping_in_disorder_says_what_to_put_right(admin, draft):
    FieldMapping.objects.filter(pk=draft.pk).update(lines=[{"erp": "x", "contact": "custom:contact.gone"}])
    answer = admin.post(at(draft, "preview/"), {"source": "pasted", "text": json.dumps(CUSTOMER)})
    assert (answer.status_code, "No location of this business has a field" in words(answer)) == (409, True)


def test_one_may_stop_using_a_mapping(admin, draft, ada, northgate):
    draft.tried(ada, draft.mark)
    draft.activate(ada)
    admin.post(at(draft, "put-away/"))
    assert FieldMapping.active_of(northgate) is None


# --- lines ------------------------------------------------------------------------------------------------------------


def line(draft, act="save", n="", **told):
    return {"act": act, "n": n, "was": draft.mark, "direction": "in", "empty": "leave", "conflict": "erp", **told}


def test_a_line_is_added_with_a_step(admin, draft, fields):
    form = line(draft, "add", erp="fields.tier", contact="custom:contact.tier", add="lookup")
    shown = words(admin.post(at(draft, "line/"), form, headers=HTMX))
    assert 'name="step-0-table"' in shown
    form |= {"act": "save", "step": ["lookup"], "step-0-table": "A = Gold\r\nB = Silver", "step-0-otherwise": "keep"}
    answer = admin.post(at(draft, "line/"), form, headers=HTMX)
    assert answer["HX-Retarget"] == "#mapping-lines"
    draft.refresh_from_db()
    assert draft.lines[2] == {
        "erp": "fields.tier", "contact": "custom:contact.tier",
        "steps": [{"do": "lookup", "table": {"A": "Gold", "B": "Silver"}, "otherwise": "keep"}],
    }  # fmt: skip


def test_what_was_typed_stays_beside_the_sentence(admin, draft):
    answer = admin.post(at(draft, "line/"), line(draft, erp="fields.x", contact="city"), headers=HTMX)
    assert answer.status_code == 422
    assert "City is written by line 2 already." in words(answer) and 'value="fields.x"' in words(answer)


def test_a_line_is_changed_moved_removed_and_brought_back(admin, draft):
    admin.post(at(draft, "line/"), line(draft, n="1", erp="fields.city", contact="city"))
    draft.refresh_from_db()
    assert draft.lines[1]["erp"] == "fields.city"
    for act, number, left in (("up", "1", ["fields.city", "email"]), ("remove", "0", ["email"])):
        admin.post(at(draft, "lines/"), {"act": act, "n": number, "was": draft.mark})
        draft.refresh_from_db()
        assert [one["erp"] for one in draft.lines] == left
    admin.post(at(draft, "lines/"), {"act": "undo"})
    draft.refresh_from_db()
    assert [one["erp"] for one in draft.lines] == ["fields.city", "email"]


def test_who_has_not_seen_the_last_change_changes_nothing(admin, draft):
    answer = admin.post(at(draft, "lines/"), {"act": "remove", "n": "0", "was": "older"}, follow=True)
    assert "Somebody has changed this draft meanwhile" in words(answer)
    draft.refresh_from_db()
    assert len(draft.lines) == 2


def test_a_version_that_is_not_open_is_only_read(admin, draft, ada):
    draft.tried(ada, draft.mark)
    draft.activate(ada)
    assert "Remove the line" not in words(admin.get(at(draft)))
    admin.post(at(draft, "line/"), line(draft, erp="a", contact="state"))
    admin.post(at(draft, "lines/"), {"act": "remove", "n": "0", "was": draft.mark})
    draft.refresh_from_db()
    assert len(draft.lines) == 2


def test_beside_each_line_stands_what_it_makes_of_a_real_event(admin, draft, contact, erp):
    erp.send("/customers", {**CUSTOMER, "fields": {"town": "Boston"}})
    erp.send("/events", event())
    newest, first = (ErpEvent.objects.order_by(order).first() for order in ("-pk", "pk"))
    assert "not sent" in words(admin.get(at(draft), {"event": newest.pk}))
    page = words(admin.get(at(draft), {"event": first.pk}, headers=HTMX))
    assert '<b dir="auto" title="Boston">Boston</b>' in page and "stands here already" in page
    typed = line(draft, "try", erp="fields.town", contact="city", event=first.pk, step=["upper"])
    assert "BOSTON" in words(admin.post(at(draft, "line/"), typed, headers=HTMX))
    typed["step"] = ["number"]
    assert "is not a number" in words(admin.post(at(draft, "line/"), typed, headers=HTMX))


def test_a_chosen_contact_is_shown_with_what_the_erp_told_of_them_last(admin, draft, contact, erp, location):
    erp.send("/customers", {**CUSTOMER, "fields": {"town": "Boston"}})
    erp.send("/customers", {"reference": "C-2", "first_name": "Zoe", "fields": {"town": "Springfield"}})
    found = words(admin.get(at(draft, "whom/"), {"who": "marisol"}))
    assert f'"person": "{contact.pk}"' in found and "Zoe" not in found
    assert "No contact matches." in words(admin.get(at(draft, "whom/"), {"who": "nobody at all"}))
    page = words(admin.get(at(draft), {"person": contact.pk, "event": ""}, headers=HTMX))
    assert "as the ERP told of them" in page
    assert "Boston" in page and "Springfield</b>" not in page
    last = ErpEvent.objects.latest("pk")
    page = words(admin.get(at(draft), {"person": contact.pk, "event": last.pk}, headers=HTMX))
    assert "Springfield</b>" in page, "an event chosen after the contact"


def test_a_chosen_contact_of_whom_the_erp_told_nothing_is_shown_with_test_data(admin, draft, contact):
    page = words(admin.get(at(draft), {"person": contact.pk}))
    assert "&quot;town&quot;: &quot;&quot;" in page, "what the lines ask for"
    typed = {"person": contact.pk, "sample": '{"email": "new@example.com", "fields": {"town": "Reno"}}'}
    page = words(admin.get(at(draft), typed, headers=HTMX))
    assert 'title="Reno">Reno</b>' in page and "new@example.com</b>" in page
    assert "Line 1: this is not JSON." in words(admin.get(at(draft), typed | {"sample": "{"}))
    assert "fields.town" in words(admin.get(at(draft), typed | {"sample": '{"fields": {"town": {"a": 1}}}'}))
    live = line(draft, "try", erp="fields.town", contact="city", step=["upper"], **typed)
    assert "RENO" in words(admin.post(at(draft, "line/"), live, headers=HTMX))
    contact.refresh_from_db()
    assert contact.city != "Reno"


def test_the_form_of_a_line_comes_with_the_table_of_the_same_moment(admin, draft, contact):
    """Two requests that cross each other cannot leave a form of one contact in the table of another."""
    page = words(admin.get(at(draft), {"n": "1", "person": contact.pk}, headers=HTMX))
    assert 'id="mapping-lines"' in page and 'id="line-1"' in page
    assert page.count("mapping__form") == 1 and 'value="fields.town"' in page
    page = words(admin.get(at(draft), {"new": "1", "erp": "fields.x"}, headers=HTMX))
    assert 'value="fields.x"' in page and page.count('class="table__row"') == 2


def test_a_contact_of_another_business_is_not_shown(admin, draft, cy, location):
    theirs = Location.objects.create(business=cy.businesses.get(), remote_id="locI", name="Initech")
    stranger = Contact.objects.create(location=theirs, first_name="Peter", email="peter@initech.example")
    assert "Peter" not in words(admin.get(at(draft, "whom/"), {"who": "peter"}))
    assert "Peter" not in words(admin.get(at(draft), {"person": stranger.pk}))


def test_alike_names_are_suggested_and_taken_when_confirmed(admin, draft, contact, erp, fields):
    told = {"zip": "60601", "customer_limit": "x", "since": "30.11.2026", "tier": "gold", "limit": "1.250,50"}
    erp.send("/customers", {**CUSTOMER, "fields": told})
    page = words(admin.get(at(draft)))
    assert page.count('name="erp" value="fields.') == 4
    chosen = ["fields.zip", "fields.since", "fields.tier", "fields.limit"]
    admin.post(at(draft, "lines/"), {"act": "suggest", "erp": chosen, "was": draft.mark})
    draft.refresh_from_db()
    assert {one["erp"]: (one["contact"], one.get("steps")) for one in draft.lines[2:]} == {
        "fields.zip": ("postal_code", None),
        "fields.since": ("custom:contact.since", [{"do": "date", "form": "DD.MM.YYYY"}]),
        "fields.tier": ("custom:contact.tier", [{"do": "lookup", "table": {"gold": "Gold"}, "otherwise": "refuse"}]),
        "fields.limit": ("custom:contact.limit", [{"do": "number", "decimal": ","}]),
    }


# --- files ------------------------------------------------------------------------------------------------------------


def test_it_goes_out_as_a_file_and_comes_in_as_a_draft(admin, draft, northgate):
    assert 'href="' + at(draft, "export/?form=json") + '"' in words(admin.get(at(draft)))
    file = admin.get(at(draft, "export/"))
    assert file["Content-Disposition"] == 'attachment; filename="mapping-northgate-roofing-v1.yaml"'
    admin.post(f"/erp/mapping/{northgate.pk}/import/", {"text": words(file)})
    draft.refresh_from_db()
    assert draft.state == "retired"
    assert FieldMapping.objects.open().get().lines == draft.lines


def test_a_file_in_disorder_says_where(admin, northgate):
    answer = admin.post(f"/erp/mapping/{northgate.pk}/import/", {"text": "rankr_mapping: 1\nlines:\n- erp: x"})
    assert (answer.status_code, "Line 3: Say which field of the contact it is." in words(answer)) == (422, True)
    assert not FieldMapping.objects.exists()


# --- who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rest", ["", "line/", "preview/", "export/"])
def test_only_admins_of_the_business_find_it(rest, draft, ana, max_, cy, as_user):
    for person in (ana, max_, cy):
        assert as_user(person).get(at(draft, rest)).status_code == 404


def test_another_business_events_are_not_looked_at(admin, draft, strange_erp, cy):
    strange_erp.send("/customers", {"reference": "X", "first_name": "Zorblax", "fields": {"zorblax": "1"}})
    theirs = ErpEvent.objects.get()
    assert "orblax" not in words(admin.get(at(draft), {"event": theirs.pk}))
    assert not ExternalId.objects.filter(business=draft.business).exists()
