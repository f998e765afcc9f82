"""What happens at Northgate is told to Northgate's ERP: once, signed, and not what the ERP did itself."""

import base64
import hashlib
import hmac
import textwrap
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.models import ActorKind, Appointment, Business, Contact, ExternalId, HistoryEvent, Location, Machine, Note
from contacts.models import Task as ContactTask
from integrations.erp import webhook_signature
from integrations.models import Connection, FieldMapping, OutgoingDelivery, OutgoingHook, SyncRun
from integrations.outgoing import hooks_of, kinds, post, telling
from integrations.outgoing.posting import TooLarge
from tests.integrations.outgoing.conftest import tell

pytestmark = pytest.mark.django_db


def line(contact, kind="contact_changed", **values):
    values = {"actor_kind": ActorKind.PERSON, "changes": {"city": ["", "Chicago"]}} | values
    return HistoryEvent.objects.create(location_id=contact.location_id, contact=contact, kind=kind, **values)


def test_what_a_person_does_is_told_with_the_record_and_its_names(hook, ear, contact, ana):
    ExternalId.give(contact, "erp", "CUST-1042")
    task = ContactTask(contact=contact, location=contact.location, title="Call back", due_at=timezone.now())
    task.create(by=ana)
    ExternalId.give(task, "erp", "T-77")
    tell()
    ear.heard.clear()
    task.edit(by=ana, completed=True)
    tell()
    (told,) = ear.told
    assert told["type"] == "task.completed"
    data = told["data"]
    assert data["task"]["title"] == "Call back" and data["task"]["completed"] is True
    assert data["task"]["references"] == [{"system": "erp", "value": "T-77"}]
    assert data["contact"]["references"] == [{"system": "erp", "value": "CUST-1042"}]
    assert data["contact"]["id"] == contact.pk and data["contact"]["ghl_id"] == contact.remote_id
    assert data["changes"] == {"completed": [False, True]}
    assert data["by"] == {"kind": "person", "name": "Ana"}
    row = OutgoingDelivery.objects.get(type="task.completed")
    assert (row.state, row.status, row.tries) == ("delivered", 204, 1)


def test_it_is_signed_as_the_standard_says(hook, ear, contact):
    line(contact)
    tell()
    (one,) = ear.heard
    signed = b".".join([one.headers["webhook-id"].encode(), one.headers["webhook-timestamp"].encode(), one.body])
    key = base64.b64decode(hook.secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert one.headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(one.headers["webhook-timestamp"]) - time.time()) < 60
    assert one.headers["webhook-id"].startswith("msg_")


def test_the_signature_is_that_of_the_standards_own_example():
    signed = webhook_signature.sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_secret_is_rotated_both_sign(hook, ear, contact, ada):
    old = hook.secret
    hook.rotate(ada)
    line(contact)
    tell()
    (one,) = ear.heard
    uid, at = one.headers["webhook-id"], int(one.headers["webhook-timestamp"])
    signatures = [webhook_signature.sign(secret, uid, at, one.body) for secret in (hook.secret, old)]
    assert one.headers["webhook-signature"].split(" ") == signatures
    OutgoingHook.objects.update(old_until=timezone.now())
    line(contact)
    tell()
    assert " " not in ear.heard[1].headers["webhook-signature"]


def test_a_line_is_told_once_however_often_the_history_is_followed(hook, ear, contact):
    line(contact)
    for _time in range(3):
        tell()
    assert len(ear.heard) == 1


def test_only_what_it_wants_to_hear_is_told(hook, ear, contact):
    OutgoingHook.objects.update(kinds=["note.created"])
    line(contact)
    note = Note.objects.create(contact=contact, location=contact.location, body="Hello")
    line(contact, "note_added", note=note, changes={})
    tell()
    assert [told["type"] for told in ear.told] == ["note.created"]
    assert ear.told[0]["data"]["note"]["body"] == "Hello"


def test_another_business_hears_nothing(hook, ear, contact, cy):
    initech = Business.objects.get(name="Initech")
    place = Location.objects.create(business=initech, remote_id="locInitech", name="Initech", time_zone="UTC")
    line(Contact.objects.create(location=place, first_name="Peter"))
    tell()
    assert ear.heard == [] and not OutgoingDelivery.objects.exists()


def test_what_the_erp_did_itself_is_not_told_to_it(hook, ear, contact):
    contact.edit(by=Machine(ActorKind.ERP, "Northwind"), city="Chicago")
    tell()
    assert ear.heard == []


def test_what_a_rule_did_because_of_the_erp_is_told_only_to_who_asks_for_it(hook, ear, contact):
    paid = line(contact, "erp_event", actor_kind=ActorKind.ERP, changes={})
    run = line(contact, "rule_run", actor_kind=ActorKind.RULE, changes={}, cause=paid)
    line(contact, actor_kind=ActorKind.RULE, cause=run)
    tell()
    assert ear.heard == []
    OutgoingHook.objects.update(hears_own_effects=True)
    effect = line(contact, actor_kind=ActorKind.RULE, cause=run)
    tell()
    assert [told["data"]["line"] for told in ear.told] == [effect.pk]


def test_what_a_rule_did_for_another_reason_is_told(hook, ear, contact):
    run = line(contact, "rule_run", actor_kind=ActorKind.RULE, changes={}, cause=line(contact))
    line(contact, actor_kind=ActorKind.RULE, cause=run)
    tell()
    assert [told["data"]["by"]["kind"] for told in ear.told] == ["person", "rule"]


def test_what_ghl_had_when_it_was_first_read_is_no_news(hook, ear, contact):
    found = {"actor_kind": ActorKind.GHL, "changes": {}}
    line(contact, "contact_added", **found)
    tell()
    assert ear.heard == []
    ghl = Connection.objects.create(location=contact.location, kind="oauth", status="disconnected")
    now = timezone.now()
    SyncRun.objects.create(connection=ghl, kind="full", outcome="complete", finished_at=now)
    new = line(contact, "contact_added", **found, happened_at=now - timedelta(days=2))  # found late, after an outage
    tell()
    assert [told["data"]["line"] for told in ear.told] == [new.pk]


def test_what_happened_before_it_was_made_or_switched_on_is_not_told(hook, ear, contact, ada):
    hook.switch_off(ada)
    line(contact)
    hook.switch_on(ada)
    tell()
    assert ear.heard == []


@pytest.mark.parametrize(
    "status, kind",
    [
        ("noshow", "appointment.no_show"),
        ("confirmed", "appointment.confirmed"),
        ("cancelled", "appointment.cancelled"),
        ("odd", "appointment.updated"),
    ],
)
def test_an_appointment_says_what_became_of_it(hook, ear, contact, status, kind):
    booked = Appointment.objects.create(contact=contact, location=contact.location, title="Visit", status=status)
    line(contact, "appointment_changed", appointment=booked, changes={"status": ["booked", status]})
    tell()
    assert [told["type"] for told in ear.told] == [kind]


def test_what_is_too_large_is_told_in_short(hook, ear, contact):
    line(contact, changes={"source": ["", "x" * 300_000]})
    tell()
    (told,) = ear.told
    assert told["data"]["is_short"] and told["data"]["contact"] == {"id": contact.pk}


def test_every_kind_of_line_that_is_told_can_be_chosen():
    assert set(kinds.OF_LINE.values()) <= set(kinds.ALL)


def test_a_rule_tells_an_address_by_itself_and_once(hook, ear, contact, northgate):
    assert list(hooks_of(northgate)) == [hook]
    first = post(hook, "invoice.chased", {"number": "8841"}, cause="rule run 1, step 2")
    again = post(hook, "invoice.chased", {"number": "8841"}, cause="rule run 1, step 2")
    assert first.pk == again.pk
    tell()
    assert [(told["type"], told["data"]) for told in ear.told] == [("invoice.chased", {"number": "8841"})]


def test_a_rule_is_told_when_its_message_is_too_large(hook):
    with pytest.raises(TooLarge, match="256 kB"):
        post(hook, "big", {"text": "x" * 300_000}, cause="rule run 1, step 2")


def test_what_is_switched_off_is_told_nothing(hook, ear, contact, northgate, ada):
    line(contact)
    hook.switch_off(ada)
    tell()
    assert ear.heard == [] and list(hooks_of(northgate)) == []


def test_the_example_in_the_docs_believes_us_and_nobody_else(hook, ear, contact, settings):
    docs = (settings.BASE_DIR / "docs" / "erp-api.md").read_text()
    example = docs[docs.index("    import base64") : docs.index("Answer with any 2xx")]
    known: dict = {}
    exec(textwrap.dedent(example), known)
    line(contact)
    tell()
    (one,) = ear.heard
    assert known["is_from_rankr"](hook.secret, one.headers, one.body)
    assert not known["is_from_rankr"](hook.secret, one.headers, one.body + b" ")
    assert not known["is_from_rankr"](hook.secret, {**one.headers, "webhook-timestamp": "1"}, one.body)
    assert not known["is_from_rankr"](webhook_signature.new_secret(), one.headers, one.body)


def test_the_docs_name_every_type(settings):
    docs = (settings.BASE_DIR / "docs" / "erp-api.md").read_text()
    for kind in kinds.ALL:
        noun, _, verb = kind.partition(".")
        (row,) = [row for row in docs.splitlines() if row.startswith(f"| `{noun}.` |")]
        assert f"`{verb}`" in row


@pytest.fixture
def outward(northgate, ana):
    """Northgate's field mapping tells its ERP of two fields."""
    lines = [
        {"erp": "mail", "contact": "email", "direction": "both"},
        {"erp": "town", "contact": "city", "direction": "out", "steps": ["upper"]},
        {"erp": "name", "contact": "first_name"},
    ]
    version = FieldMapping.begin(northgate, lines, ana)
    version.tried(ana, version.mark)
    version.activate(ana)


def test_what_the_field_mapping_sends_out_is_told_by_the_erps_own_names(hook, ear, contact, outward):
    Contact.objects.filter(pk=contact.pk).update(city="Chicago")
    line(contact)
    tell()
    assert ear.told[0]["data"]["mapped"] == {"mail": "marisol@example.com", "town": "CHICAGO"}


def test_without_a_mapping_nothing_is_mapped(hook, ear, contact):
    line(contact)
    tell()
    assert "mapped" not in ear.told[0]["data"]


def test_many_lines_cost_as_many_queries_as_few(hook, location, outward):
    def cost(count):
        for number in range(count):
            line(Contact.objects.create(location=location, remote_id=f"con{count}-{number}", first_name="A"))
        with CaptureQueriesContext(connection) as asked:
            telling.follow()
        return len(asked)

    assert cost(2) == cost(40)
    assert OutgoingDelivery.objects.count() == 42
