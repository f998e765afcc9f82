"""Who may not. Every address of ours is tried with Northgate's rows by people who have no business there.

An address that is missing from ADDRESSES fails here by its name: say in one line what it takes and who may use it.
"""

from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver, resolve, reverse
from django.utils import timezone

from contacts.models import (
    Appointment,
    Business,
    Change,
    Company,
    Contact,
    CustomField,
    HistoryEvent,
    Invitation,
    Location,
    Note,
    RemoteUser,
    Tag,
    Task,
    User,
)
from contacts.models.business import BusinessQuerySet, InvitationQuerySet, MembershipQuerySet
from contacts.models.change import ChangeQuerySet
from contacts.models.contact import ContactQuerySet
from contacts.models.location import LocationQuerySet, OfLocationQuerySet
from contacts.models.mirrored import MirroredQuerySet
from integrations.models import Agency, Connection, InboundEvent, Incident
from integrations.models.connection import ConnectionQuerySet

pytestmark = pytest.mark.django_db

CANARY = "zorblax"  # stands in every text of Northgate's, and in nothing that anybody else may see
READ_ONLY = "Ours may only look at GHL."
OUR_ROWS = {"contacts", "integrations", "account"}


@dataclass(frozen=True)
class Address:
    """`of` names the rows of `ours` that stand in the address, or the words themselves. `body` is what somebody who may
    would post there (@name is the number of a row), None where nothing is posted."""

    of: tuple = ()
    reads: bool = True
    body: dict | None = None
    admins: bool = False
    edits: bool = False  # writes towards GHL, so a read-only location refuses it
    public: bool = False  # opened by a secret, not by a membership

    @property
    def takes_a_row(self):
        return bool(self.of)


def page(*of, **more):
    return Address(of, **more)


def act(*of, **body):
    return Address(of, reads=False, body=body)


def edit(*of, reads=False, **body):
    return Address(of, reads=reads, body=body, edits=True)


def admin_act(*of, **body):
    return Address(of, reads=False, body=body, admins=True)


DUE = "2031-05-05T10:00"
ADDRESSES = {
    "contacts:today": page(),
    "contacts:list": page(),
    "contacts:new_contact": page(body={"first_name": "Eve", "location": "@location"}, edits=True),
    "contacts:tasks": page(),
    "contacts:task_line": page("task"),
    "contacts:companies": page(),
    "contacts:company": page("company"),
    "contacts:outbox": page(),
    "contacts:outbox_progress": page("refused"),
    "contacts:outbox_retry_all": edit("refused"),
    "contacts:outbox_ignore_all": act("refused", because="Eve says so"),
    "contacts:team": page(admins=True),
    "contacts:invite": admin_act("business", email="eve@example.com", role="admin"),
    "contacts:invitation_resend": admin_act("invitation"),
    "contacts:invitation_withdraw": admin_act("invitation"),
    "contacts:member_role": admin_act("membership", role="staff"),
    "contacts:member_remove": admin_act("membership"),
    "contacts:member_in_ghl": admin_act("membership", "location", remote_user="@colleague"),
    "contacts:invited": page(body={}, public=True),
    "contacts:invitation": page("token", public=True),
    "contacts:new_business": page(body={"name": "Another"}),
    "contacts:switch_business": act(business="@business"),
    "contacts:contact": page("contact"),
    "contacts:contact_title": page("contact"),
    "contacts:contact_state": page("contact"),
    "contacts:contact_owner": edit("contact", assignee="@colleague"),
    "contacts:contact_delete": edit("contact", reads=True),
    "contacts:contact_fields": page("contact"),
    "contacts:contact_field": edit("contact", "first_name", value="Eve"),
    "contacts:tags_add": edit("contact", tag="eve"),
    "contacts:tag_remove": edit("contact", tag="insurance"),
    "contacts:contact_history": page("contact"),
    "contacts:contact_pinned": page("contact"),
    "contacts:note_add": edit("contact", body="Eve was here"),
    "contacts:note_edit": edit("note", reads=True, body="Eve was here"),
    "contacts:note_pin": edit("note", pinned="true"),
    "contacts:note_delete": edit("note"),
    "contacts:contact_tasks": page("contact"),
    "contacts:contact_appointments": page("contact"),
    "contacts:task_add": edit("contact", title="Eve was here", due=DUE, assignee="@colleague"),
    "contacts:task_complete": edit("task", completed="true"),
    "contacts:task_move": edit("task", to="next_week"),
    "contacts:task_edit": edit("task", reads=True, title="Eve was here", due=DUE, assignee="@colleague"),
    "contacts:task_delete": edit("task"),
    "contacts:change": page("refused"),
    "contacts:change_retry": edit("refused"),
    "contacts:change_keep_mine": edit("conflict"),
    "contacts:change_keep_original": edit("conflict"),
    "contacts:change_make_anew": edit("gone"),
    # These two take back what was done here and send nothing to GHL, so they stay open in a read-only location.
    "contacts:change_keep_theirs": act("refused"),
    "contacts:change_undo": act("deletion"),
    "integrations:connections": page(admins=True),
    "integrations:connect": admin_act(business="@business"),
    "integrations:callback": page(),
    "integrations:install": page(body={"business": "@business"}),
    "integrations:agency": page("agency", body={"location": "locNorthgate0000002"}, admins=True),
    "integrations:forget_agency": admin_act("agency"),
    "integrations:with_token": page(
        body={"business": "@business", "token": "pit-none", "location_id": "none"}, admins=True
    ),
    "integrations:reconnect": admin_act("connection"),
    "integrations:disconnect": admin_act("connection"),
    "integrations:sync_now": admin_act("connection"),
    "integrations:health": page(admins=True),
    "integrations:connection_health": page("connection", admins=True),
    "integrations:replay_events": admin_act("connection"),
    "integrations:replay_event": admin_act("connection", "event"),
    "integrations:accept_losses": admin_act("connection"),
    "integrations:status": page(),
    "integrations:banner": page(),
    "integrations:contact_freshness": page("contact", "tasks"),
    "integrations:refresh_contact": act("contact"),
}
SIGNED = {
    "integrations:webhook": "/webhooks/ghl/",
    "integrations:webhooks/ghl": "/webhooks/ghl",
}  # GHL's signature opens
WAYS = {
    "plainly": {},
    "by htmx": {"HX-Request": "true"},
    "boosted": {"HX-Request": "true", "HX-Boosted": "true"},
}
PLAINLY = {"plainly": {}}
OURS, PUBLIC = [{name: one for name, one in ADDRESSES.items() if one.public is public} for public in (False, True)]
WITH_A_ROW = {name: one for name, one in OURS.items() if one.takes_a_row}
ADMINS = {name: one for name, one in OURS.items() if one.admins}
EDITS = {name: one for name, one in OURS.items() if one.edits}


# --- Northgate, with the canary in every text -------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def quick_and_alone(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.GHL_API_BASE = settings.GHL_MARKETPLACE_BASE = "http://127.0.0.1:9"
    settings.GHL_CLIENT_ID, settings.GHL_CLIENT_SECRETS = "app", ["secret"]


def filled(row, **values):
    """Save the row with the canary in each of its texts that nothing depends on."""
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    return row


@pytest.fixture
def ours(quick_and_alone, northgate, location, contact, ana, max_, ada):
    said = f"said {CANARY}"
    filled(northgate, name=f"Northgate {CANARY}")
    for person in (ana, max_, ada):
        filled(person, name=f"{person.name} {CANARY}")
    filled(location, name=f"Main street {CANARY}", contacts_checked_at=timezone.now())
    company = Company.objects.create(location=location, remote_id="comNorthgate", name=f"Acme {CANARY}", city=said)
    colleague = RemoteUser.objects.create(
        location=location, remote_id="usrColleague", name=f"Dana {CANARY}", email=f"{CANARY}@example.com"
    )
    me = RemoteUser.objects.create(location=location, remote_id="usrAna", name=f"Ana {CANARY}", user=ana)
    Tag.objects.create(location=location, name=f"tag {CANARY}")
    custom = CustomField.objects.create(location=location, remote_id="fldRoof", name=f"Roof {CANARY}", data_type="TEXT")
    filled(
        contact, last_name=CANARY, company=company, company_name=company.name, owner=me, city=said, website=said,
        email=f"marisol.{CANARY}@example.com", tags=["insurance", f"tag {CANARY}"], custom_values={"fldRoof": said},
    )  # fmt: skip
    when = timezone.now()
    of = {"location": location, "contact": contact}
    task = Task.objects.create(**of, remote_id="tskOne", title=said, body=said, due_at=when, assignee=me)
    hidden = Task.objects.create(**of, remote_id="tskTwo", title=said, due_at=when, assignee=me)
    note = Note.objects.create(**of, remote_id="notOne", title=said, body=said, pinned=False, author=me)
    Appointment.objects.create(
        **of, remote_id="aptOne", title=said, address=said, notes=said, assignee=me,
        starts_at=when + timedelta(minutes=5), ends_at=when + timedelta(minutes=35),
    )  # fmt: skip
    undecided = {
        "business": northgate, "location": location, "contact": contact, "kind": "contact", "verb": "update",
        "values": {"city": said}, "before": {"city": said}, "theirs": {"city": said}, "made_by": ana,
        "settled_at": when, "sentence": said, "technical": said,
    }  # fmt: skip
    refused = Change.objects.create(**undecided, state="refused")
    conflict = Change.objects.create(**undecided, state="conflict")
    gone = Change.objects.create(**undecided, state="refused", failure="NotFound")
    HistoryEvent.objects.create(**of, kind="note_added", note=note, actor_kind="person", actor_name=f"Dana {CANARY}")
    connection = Connection(location=location, kind="oauth", status_reason=said, connected_by=ada)
    for name, value in connection.sealed("access", "refresh").items():
        setattr(connection, name, value)
    filled(connection, expires_at=when + timedelta(days=1), renew_at=when + timedelta(days=1), scopes=[CANARY])
    event = InboundEvent.objects.create(
        event_id="evtOne", kind="ContactUpdate", remote_location_id=location.remote_id, body=said.encode(), reason=said,
        outcome="failed", finished_at=when,
    )  # fmt: skip
    Incident.objects.create(connection=connection, kind="guard", reason=said)
    agency = Agency(business=northgate, company_id=f"com{CANARY}", status_reason=said, connected_by=ada)
    for name, value in agency.sealed("company access", "company refresh").items():
        setattr(agency, name, value)
    filled(agency, expires_at=when + timedelta(days=1), renew_at=when + timedelta(days=1))
    invitation = Invitation.objects.create(business=northgate, email=f"{CANARY}@example.com", invited_by=ada)
    return SimpleNamespace(
        business=northgate, location=location, contact=contact, company=company, colleague=colleague, task=task,
        note=note, refused=refused, conflict=conflict, gone=gone,
        deletion=hidden.delete_here(by=ana, undo_s=600), connection=connection, agency=agency,
        event=event,
        invitation=invitation, token=invitation.token, membership=northgate.memberships.get(user=max_), custom=custom,
    )  # fmt: skip


@pytest.fixture
def theirs(quick_and_alone, cy):
    """Cy's own world, so that nothing is refused for being empty."""
    initech = Business.objects.get(name="Initech")
    location, other = (
        Location.objects.create(business=initech, remote_id=f"locInitech{n}", name="Initech", time_zone="UTC")
        for n in (1, 2)
    )
    colleague = RemoteUser.objects.create(location=location, remote_id="usrCy", name="Cy", user=cy)
    contact = Contact.objects.create(location=location, remote_id="conInitech", first_name="Peter", city="Austin")
    task = Task.objects.create(location=location, contact=contact, title="Reports", due_at=timezone.now())
    note = Note.objects.create(location=location, contact=contact, body="Printer")
    return SimpleNamespace(
        business=initech, location=location, other=other, contact=contact, task=task, note=note, colleague=colleague,
        membership=initech.memberships.get(user=cy),
    )  # fmt: skip


def signed_in(user):
    client = Client(raise_request_exception=False)
    if user:
        client.force_login(user)
    return client


# --- asking -----------------------------------------------------------------------------------------------------------


def url_of(name, address, ours):
    named = [getattr(ours, each, each) for each in address.of]
    return reverse(name, args=[getattr(each, "pk", each) for each in named])


def body_of(address, ours):
    rows = address.body or {}
    return {k: getattr(ours, v[1:]).pk if str(v).startswith("@") else v for k, v in rows.items()}


def methods_of(address):
    return {"GET": address.reads, "HEAD": address.reads, "POST": address.body is not None}


def ask(client, method, name, address, ours, headers=None):
    data = body_of(address, ours) if method == "POST" else None
    return getattr(client, method.lower())(url_of(name, address, ours), data, headers=headers)


def tried(addresses, client, ours, verdict, ways=WAYS):
    """Ask every address in every way; the sentences of `verdict` about the answers, and about what was changed.

    `verdict(answer, address, is_offered)` says what is wrong with one answer, or nothing.
    """
    wrong, count, before = [], 0, everything()
    for name, address in addresses.items():
        with transaction.atomic():
            for method, is_offered in methods_of(address).items():
                for way, headers in ways.items():
                    answer = ask(client, method, name, address, ours, headers)
                    count += 1
                    if problem := verdict(answer, address, is_offered):
                        wrong.append(f"{name} {method} {way}: {problem}")
            if changed := changes_since(before):
                wrong.append(f"{name} changed {', '.join(changed)}")
            transaction.set_rollback(True)
    print(f"{len(addresses)} addresses, {count} requests")
    return wrong


def everything():
    """All rows of ours there are."""
    models = [model for model in apps.get_models() if model._meta.app_label in OUR_ROWS]
    return {model: list(model._base_manager.order_by("pk").values_list()) for model in models}


def changes_since(before):
    return [model._meta.label for model, rows in everything().items() if rows != before[model]]


def finds_nothing(answer, address, is_offered):
    """404; a method that the address does not have is refused before anybody looks for a row."""
    expected = 404 if is_offered else 405
    return "" if answer.status_code == expected else f"answered {answer.status_code}, not {expected}"


def is_sent_to_sign_in(answer, address, is_offered):
    target = answer.get("Location") or answer.get("HX-Redirect", "")
    if target.startswith(reverse(settings.LOGIN_URL)) and answer.status_code in (200, 302):
        return "answered with content" if answer.content else ""
    return "" if answer.status_code == (404 if is_offered else 405) else f"answered {answer.status_code}"


# --- the matrix -------------------------------------------------------------------------------------------------------


def named_addresses(resolver=None, prefix=""):
    """namespace:name of every address of our apps; one without a name is named by its route."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLPattern):
            if prefix:
                yield f"{prefix}:{pattern.name or pattern.pattern}"
        elif pattern.namespace in ("contacts", "integrations"):
            yield from named_addresses(pattern, pattern.namespace)


def test_every_address_is_in_the_table():
    known = {*ADDRESSES, *SIGNED}
    assert set(named_addresses()) - known == set(), "say in ADDRESSES who may use these"
    assert known - set(named_addresses()) == set(), "these are no more"


def test_no_other_room_has_addresses():
    """What is included beside our two apps has its own door: allauth's, Django's admin, and a page without rows."""
    around = {str(pattern.pattern) for pattern in get_resolver().url_patterns}
    assert around == {"healthz", "account/", "admin/", ""}


def test_every_address_with_a_row_in_it_is_tried_with_a_row(ours):
    for name, address in ADDRESSES.items():
        assert len(resolve(url_of(name, address, ours)).captured_kwargs) == len(address.of), name


def test_those_who_may_do_all_of_it(ada, ours):
    """Else the refusals below would prove nothing."""
    client = signed_in(ada)
    for name, address in OURS.items():
        for method in [method for method, is_offered in methods_of(address).items() if is_offered]:
            with transaction.atomic():
                before = everything()
                answer = ask(client, method, name, address, ours)
                if name == "integrations:with_token" and method == "POST":
                    assert answer.status_code == 422  # it is tried at GHL, which is away here
                    continue
                assert answer.status_code in (200, 204, 302), f"{name} {method} answered {answer.status_code}"
                if (
                    method == "POST"
                    and address.takes_a_row
                    and name not in ("integrations:reconnect", "integrations:agency")
                ):
                    assert changes_since(before), f"{name} did nothing"
                transaction.set_rollback(True)


def test_a_stranger_finds_nothing(cy, theirs, ours):
    assert tried(WITH_A_ROW, signed_in(cy), ours, finds_nothing) == []


def test_somebody_without_any_business_finds_nothing(ours, django_user_model):
    nobody = django_user_model.objects.create_user("nobody@example.com", "x")
    assert tried(WITH_A_ROW, signed_in(nobody), ours, finds_nothing, ways=PLAINLY) == []


def test_somebody_who_left_finds_nothing(ana, ours):
    ours.business.memberships.get(user=ana).end()
    assert tried(WITH_A_ROW, signed_in(ana), ours, finds_nothing, ways=PLAINLY) == []


def test_somebody_signed_out_is_sent_to_sign_in(ours):
    assert tried(OURS, signed_in(None), ours, is_sent_to_sign_in) == []


def test_staff_and_managers_find_no_page_for_admins(ana, max_, ours):
    for user in (ana, max_):
        assert tried(ADMINS, signed_in(user), ours, finds_nothing) == []


def test_staff_may_edit_contacts(ana, ours):
    client = signed_in(ana)
    for name, address in EDITS.items():
        with transaction.atomic():
            before = everything()
            answer = client.post(url_of(name, address, ours), body_of(address, ours))
            assert answer.status_code == 302, name
            assert changes_since(before), name
            transaction.set_rollback(True)


def test_a_form_of_another_site_is_refused(ada, ours):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    for name, address in ADDRESSES.items():
        if address.body is not None:
            before = everything()
            assert client.post(url_of(name, address, ours), body_of(address, ours)).status_code == 403, name
            assert not changes_since(before), name


# --- the secret of an invitation --------------------------------------------------------------------------------------


def test_an_invitation_lets_nobody_in_but_the_person_it_is_for(cy, theirs, ours):
    client = signed_in(cy)
    assert client.get(reverse("contacts:invitation", args=[ours.token])).status_code == 302
    before = everything()
    assert client.post(reverse("contacts:invited")).status_code == 403
    assert not changes_since(before)


@pytest.mark.parametrize("token, status", [("guessed", 410), ("0", 410), ("%00", 404)])
def test_a_guessed_invitation_opens_nothing(token, status, client, ours):
    answer = client.get(f"/invitations/{token}/")
    assert answer.status_code == status
    assert CANARY not in answer.content.decode()


@pytest.mark.parametrize("path", SIGNED.values())
@pytest.mark.parametrize("signature", [None, "", "forged", "Zm9yZ2Vk"])
def test_nobody_but_ghl_brings_events(signature, path, ada, ours):
    body = {"type": "ContactDelete", "locationId": ours.location.remote_id, "id": ours.contact.remote_id}
    headers = {} if signature is None else {"X-GHL-Signature": signature}
    for client in (signed_in(None), signed_in(ada)):
        before = everything()
        assert client.post(path, body, content_type="application/json", headers=headers).status_code == 401
        assert client.get(path).status_code == 405
        kept = [] if signature is None else ["integrations.QuarantinedEvent"]  # in case GHL has changed its key
        assert [label for label in changes_since(before) if label not in kept] == []


# --- lists ------------------------------------------------------------------------------------------------------------


def questions(ours):
    """(address, query) of every list and search, each of which shows something of Northgate's to its people."""
    contact = ours.contact
    lists = [{}, {"q": "Marisol"}, {"q": contact.phone}, {"owner": ours.colleague.pk}, {"company": ours.company.pk}]
    lists += [{"tag": "insurance"}, {"overdue": 1}, {"upcoming": 1}, {"no_next_step": 1}, {"quiet": 1}]
    lists += [{"sort": order} for order in ("recent", "quietest", "overdue", "added", "appointment")]
    yield from (("contacts:list", query) for query in lists)
    yield from (("contacts:today", query) for query in ({}, {"who": "everyone"}))
    people = [{"who": who} for who in ("mine", "everyone", ours.colleague.pk)]
    groups = [{"who": "everyone", "group": group} for group in ("overdue", "today", "later", "none")]
    yield from (("contacts:tasks", query) for query in [*people, {"business": ours.business.pk}, *groups])
    yield from (("contacts:companies", query) for query in ({}, {"q": "Acme"}))
    outbox = [{}, {"who": "everyone"}, {"who": "everyone", "only": "undecided"}, {"only": "unsettled"}]
    yield from (("contacts:outbox", query) for query in outbox)
    alone = "contacts:team contacts:new_contact contacts:new_business contacts:invited integrations:connections"
    alone += (
        " integrations:with_token integrations:status integrations:banner integrations:callback integrations:health"
    )
    yield from ((name, {}) for name in alone.split())


def leaks(client, ours):
    """Where a page, or the part of it that htmx asks for, shows something of Northgate's."""
    found = []
    for name, query in questions(ours):
        for way in ("plainly", "by htmx"):
            headers = WAYS[way]
            answer = client.get(reverse(name), query, headers=headers)
            assert answer.status_code < 500, f"{name} {query} {way}"
            if CANARY in answer.content.decode():
                found.append(f"{name} {query} {way}")
    return found


def test_lists_and_searches_show_a_stranger_nothing_of_ours(cy, theirs, ours):
    assert leaks(signed_in(cy), ours) == []


def test_nor_when_the_session_names_our_business(cy, theirs, ours):
    client = signed_in(cy)
    session = client.session
    session["business_id"] = ours.business.pk
    session.save()
    assert leaks(client, ours) == []


def test_they_do_show_it_to_our_own_people(ada, ours):
    shown = {found.split(" ")[0] for found in leaks(signed_in(ada), ours)}
    assert shown >= {f"contacts:{name}" for name in ("list", "today", "tasks", "companies", "outbox", "team")}
    assert shown >= {"integrations:connections", "integrations:health"}


def test_the_same_person_elsewhere_is_not_told_of(cy, theirs, ours):
    """The contact page links to the same person in other businesses: only in those of the reader."""
    filled(theirs.contact, email=ours.contact.email.replace(CANARY, "x"), phone=ours.contact.phone)
    page = signed_in(cy).get(theirs.contact.get_absolute_url()).content.decode()
    assert CANARY not in page
    assert ours.contact.get_absolute_url() not in page


def test_staff_see_no_outbox_of_one_another_and_managers_do(max_, northgate, ours):
    bea = User.objects.create_user("bea@example.com", "correct horse", name="Bea")
    northgate.memberships.create(user=bea, role="staff")
    assert f"said {CANARY}" not in signed_in(bea).get("/outbox/?who=everyone").content.decode()
    assert f"said {CANARY}" not in signed_in(max_).get("/outbox/").content.decode()
    assert f"said {CANARY}" in signed_in(max_).get("/outbox/?who=everyone").content.decode()


# --- ids of ours in forms of theirs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name, of, body, status", [
    ("contacts:contact_owner", ["contact"], {"assignee": "@colleague"}, 422),
    ("contacts:task_add", ["contact"], {"title": "x", "due": DUE, "assignee": "@colleague"}, 422),
    ("contacts:task_edit", ["task"], {"title": "x", "due": DUE, "assignee": "@colleague"}, 422),
    ("contacts:new_contact", [], {"first_name": "Eve", "location": "@location"}, 422),
    ("contacts:new_contact", [], {"first_name": "Eve", "location": "=location", "owner": "@colleague"}, 422),
    ("contacts:switch_business", [], {"business": "@business"}, 404),
    ("contacts:member_in_ghl", ["membership", "@location"], {"remote_user": "@colleague"}, 404),
    ("contacts:member_in_ghl", ["membership", "location"], {"remote_user": "@colleague"}, 422),
    ("contacts:member_in_ghl", ["@membership", "location"], {"remote_user": "=colleague"}, 404),
    ("integrations:connect", [], {"business": "@business"}, 404),
    ("integrations:with_token", [], {"business": "@business", "token": "t", "location_id": "l"}, 422),
])  # fmt: skip
def test_a_row_of_ours_in_a_form_of_theirs_is_refused(name, of, body, status, cy, theirs, ours):
    """@ marks a row of ours, = one of theirs."""

    def row(word, default):
        return getattr({"@": ours, "=": theirs}.get(word[0], default), word.lstrip("@=")).pk

    url = reverse(name, args=[row(word, theirs) for word in of])
    values = {key: row(value, None) if value[0] in "@=" else value for key, value in body.items()}
    client = signed_in(cy)
    before = everything()
    answer = client.post(url, values)
    assert answer.status_code == status
    assert CANARY not in answer.content.decode()
    assert not changes_since(before)


def test_a_custom_field_of_ours_is_none_of_theirs(cy, theirs, ours):
    url = reverse("contacts:contact_field", args=[theirs.contact.pk, f"custom-{ours.custom.pk}"])
    assert signed_in(cy).post(url, {"value": "x"}).status_code == 404


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:x"])
def test_next_leads_to_no_other_site(elsewhere, cy, theirs):
    client = signed_in(cy)
    tag = reverse("contacts:tags_add", args=[theirs.contact.pk])
    answers = [
        client.post(tag, {"tag": "one", "next": elsewhere}),
        client.post("/switch/", {"business": "", "next": elsewhere}),
    ]
    assert [answer["Location"] for answer in answers] == [theirs.contact.get_absolute_url(), "/"]


# --- a location that may only be read ---------------------------------------------------------------------------------


@pytest.fixture
def read_only(ours):
    return filled(ours.location, is_editable=False, not_editable_because=READ_ONLY)


def test_a_read_only_location_refuses_every_edit_and_says_why(ana, ours, read_only):
    def is_refused(answer, address, is_offered):
        if not is_offered or answer.wsgi_request.method != "POST":
            return ""
        words = answer.content.decode()
        return "" if answer.status_code == 403 and READ_ONLY in words else f"answered {answer.status_code}"

    assert tried(EDITS, signed_in(ana), ours, is_refused) == []


def test_a_read_only_contact_is_shown_whole(ana, ours, read_only):
    page = signed_in(ana).get(ours.contact.get_absolute_url()).content.decode()
    for shown in (ours.contact.email, ours.task.title, ours.note.body, ours.company.name, READ_ONLY):
        assert shown in page


def test_the_same_row_is_editable_again_when_the_location_is(ana, ours, read_only):
    filled(ours.location, is_editable=True)
    assert signed_in(ana).post(reverse("contacts:tags_add", args=[ours.contact.pk]), {"tag": "x"}).status_code == 302


# --- can this fail? ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("door, method, betrayed", [
    (ContactQuerySet, "visible_to", "contacts:contact GET plainly"),
    (ContactQuerySet, "visible_to", "contacts:contact_field changed contacts.Change"),
    (MirroredQuerySet, "visible_to", "contacts:note_edit GET by htmx"),
    (MirroredQuerySet, "visible_to", "contacts:task_delete POST plainly"),
    (OfLocationQuerySet, "visible_to", "contacts:company GET plainly"),
    (ChangeQuerySet, "visible_to", "contacts:change_undo POST plainly"),
    (ConnectionQuerySet, "administered_by", "integrations:disconnect POST plainly"),
    (BusinessQuerySet, "administered_by", "contacts:invite POST plainly"),
    (MembershipQuerySet, "administered_by", "contacts:member_remove POST plainly"),
    (InvitationQuerySet, "administered_by", "contacts:invitation_withdraw POST plainly"),
])  # fmt: skip
def test_an_open_door_is_noticed(door, method, betrayed, cy, theirs, ours, monkeypatch):
    monkeypatch.setattr(door, method, lambda rows, user: rows.all(), raising=False)
    name = betrayed.split()[0]
    wrong = tried({name: ADDRESSES[name]}, signed_in(cy), ours, finds_nothing)
    assert any(sentence.startswith(betrayed) for sentence in wrong), wrong


@pytest.mark.parametrize("door, page", [
    (OfLocationQuerySet, "contacts:companies"),
    (LocationQuerySet, "contacts:new_contact"),
    (BusinessQuerySet, "contacts:list"),
    (ConnectionQuerySet, "integrations:connections"),
])  # fmt: skip
def test_a_list_with_an_open_door_is_noticed(door, page, cy, theirs, ours, monkeypatch):
    for method in ("visible_to", "administered_by"):
        monkeypatch.setattr(door, method, lambda rows, user: rows.all(), raising=False)
    found = leaks(signed_in(cy), ours)
    assert any(leak.startswith(page) for leak in found), found
