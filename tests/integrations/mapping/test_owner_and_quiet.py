"""Who owns a contact, and whether it is not to be disturbed, as the ERP says it."""

import pytest

from contacts.models import Location, RemoteUser
from integrations.mapping import applying, suggest
from integrations.mapping.lines import check, read_all
from integrations.mapping.preview import dry_run, pasted
from integrations.mapping.targets import targets_of
from tests.integrations.mapping.test_applying import sent

pytestmark = pytest.mark.django_db

OWNER = {"erp": "fields.rep", "contact": "owner", "direction": "both", "empty": "clear"}
QUIET = {"erp": "fields.no_contact", "contact": "dnd", "direction": "both"}


@pytest.fixture
def dana(location):
    RemoteUser.objects.create(
        location=location, remote_id="usrGone", name="Gone", email="gone@x.example", is_active=False
    )
    return RemoteUser.objects.create(location=location, remote_id="usrDana", name="Dana Reyes", email="dana@x.example")


@pytest.mark.parametrize("said", ["DANA@x.example", " dana reyes "])
def test_the_owner_is_found_by_address_or_name(said, erp, contact, dana, mapped):
    mapped(OWNER)
    became = sent(erp, rep=said)
    contact.refresh_from_db()
    assert (became["reason"], contact.owner) == ("", dana)
    assert contact.changes.get().values == {"owner_remote_id": "usrDana"}
    sent(erp, rep=dana.email)
    assert contact.changes.count() == 1
    sent(erp, rep="")
    contact.refresh_from_db()
    assert contact.owner is None


@pytest.mark.parametrize("said", ["nobody@x.example", "gone@x.example", "Eli", "theirs@x.example"])
def test_whoever_is_unknown_there_is_said_and_the_rest_is_taken(said, erp, contact, dana, northgate, mapped):
    other = Location.objects.create(business=northgate, remote_id="locTwo", name="Two")
    RemoteUser.objects.create(location=other, remote_id="usrTheirs", name="Eli B", email="theirs@x.example")
    contact.edit(by=None, owner=dana)
    mapped(OWNER, {"erp": "fields.town", "contact": "city"})
    became = sent(erp, rep=said, town="Chicago")
    contact.refresh_from_db()
    assert (contact.owner, contact.city) == (dana, "Chicago")
    assert became["reason"] == f"fields.rep: No GHL user of this location is “{said}”."


def test_of_two_namesakes_the_address_decides(erp, contact, dana, location, mapped):
    RemoteUser.objects.create(location=location, remote_id="usrTwo", name="Dana Reyes", email="other@x.example")
    mapped(OWNER)
    assert "send the e-mail" in sent(erp, rep="Dana Reyes")["reason"]


@pytest.mark.parametrize(("said", "is_quiet"), [(True, True), ("Yes", True), (1, True), (False, False), ("off", False)])
def test_yes_and_no_in_whatever_form(said, is_quiet, erp, contact, mapped):
    contact.edit(by=None, dnd=not is_quiet)
    mapped(QUIET)
    sent(erp, no_contact=said)
    contact.refresh_from_db()
    assert contact.dnd is is_quiet


def test_what_is_neither_is_said(erp, contact, mapped):
    mapped(QUIET)
    assert sent(erp, no_contact="perhaps")["reason"] == "fields.no_contact: “perhaps” is neither yes nor no."


def test_a_new_contact_has_them_from_the_start(erp, location, dana, northgate, mapped):
    version = mapped({"erp": "first_name", "contact": "first_name"}, OWNER, QUIET)
    told = pasted(
        northgate, '{"reference": "N", "first_name": "Zoe", "fields": {"rep": "Dana Reyes", "no_contact": 1}}'
    )
    row = dry_run(version, told).rows[0]
    assert [(one.label, one.new) for one in row.differences][1:] == [("Owner", "Dana Reyes"), ("Do not disturb", "Yes")]
    erp.send("/customers", {"reference": "N", "first_name": "Zoe", "fields": {"rep": "Dana Reyes", "no_contact": 1}})
    zoe = location.contacts.get(first_name="Zoe")
    assert (zoe.owner, zoe.dnd) == (dana, True)
    assert zoe.changes.get().values["owner_remote_id"] == "usrDana"


def test_they_are_told_to_the_erp(contact, dana):
    contact.owner, lines = dana, read_all([OWNER, QUIET])
    assert applying.outward_of(contact, lines) == {"fields.rep": "dana@x.example", "fields.no_contact": False}
    word = {"do": "lookup", "table": {"Y": "yes", "N": "no"}}
    assert applying.outward_of(contact, read_all([{**QUIET, "steps": [word]}])) == {"fields.no_contact": "N"}


def test_what_a_person_chose_can_be_kept(erp, contact, dana, max_, mapped, location):
    contact.edit(by=max_, owner=RemoteUser.objects.create(location=location, remote_id="usrEli", name="Eli"))
    mapped({**OWNER, "conflict": "person"})
    sent(erp, rep="Dana Reyes")
    contact.refresh_from_db()
    assert contact.owner.name == "Eli"


def test_a_default_that_fits_nobody_is_refused(northgate, dana):
    lines = read_all(
        [{**OWNER, "empty": "default", "default": "Nobody"}, {**QUIET, "empty": "default", "default": "x"}]
    )
    assert [one.sentence for one in check(lines, targets_of(northgate))] == [
        "“Nobody”: No GHL user of this business is called that.", "“x”: “x” is neither yes nor no.",
    ]  # fmt: skip
    assert check(read_all([{**OWNER, "empty": "default", "default": "dana@x.example"}]), targets_of(northgate)) == []


def test_they_are_suggested(erp, contact, dana, northgate):
    sent(erp, sales_rep="dana@x.example", opt_out="no")
    found = suggest.suggestions(suggest.seen_fields(northgate), [], targets_of(northgate))
    assert {("fields.sales_rep", "owner"), ("fields.opt_out", "dnd")} <= {(o.line.erp, o.line.contact) for o in found}
