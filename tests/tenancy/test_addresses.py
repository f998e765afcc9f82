"""Who may not. Every address of ours is tried with Northgate's rows by people who have no business there.

An address that is missing from ADDRESSES fails here by its name: say in one line what it takes and who may use it.
"""

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver, resolve, reverse

from tests.tenancy.addresses import ADDRESSES, ADMINS, CANARY, DUE, EDITS, MANAGERS, OURS, PLAINLY, SIGNED, WITH_A_ROW
from tests.tenancy.asking import (
    ask,
    body_of,
    changes_since,
    everything,
    finds_nothing,
    is_sent_to_sign_in,
    methods_of,
    signed_in,
    tried,
    url_of,
)
from tests.tenancy.conftest import filled

pytestmark = pytest.mark.django_db

READ_ONLY = "Ours may only look at GHL."


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
    assert around == {"healthz", "static/css/all.css", "account/", "admin/", ""}


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
                    and not address.fleeting
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


def test_staff_find_no_page_for_managers(ana, ours):
    assert tried(MANAGERS, signed_in(ana), ours, finds_nothing) == []


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


# --- ids of ours in forms of theirs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name, of, body, status", [
    ("contacts:contact_owner", ["contact"], {"assignee": "@colleague"}, 422),
    ("contacts:task_add", ["contact"], {"title": "x", "due": DUE, "assignee": "@colleague"}, 422),
    ("contacts:task_edit", ["task"], {"title": "x", "due": DUE, "assignee": "@colleague"}, 422),
    ("contacts:appointment_book", ["contact"], {"start": DUE, "length": "30", "calendar": "@calendar"}, 422),
    ("contacts:task_bulk", [], {"task": "@task", "act": "next_week", "preview": "1"}, 302),
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
