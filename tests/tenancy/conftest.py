"""Northgate, with the canary in every text, and Cy's own world beside it."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from contacts.models import (
    Appointment,
    BulkAction,
    Business,
    Calendar,
    Change,
    Company,
    Contact,
    CustomField,
    Draft,
    ExternalId,
    HistoryEvent,
    Invitation,
    Location,
    Mention,
    Note,
    Reminder,
    RemoteUser,
    SavedView,
    Tag,
    Task,
)
from integrations.models import (
    Agency,
    ApiKey,
    Automations,
    Connection,
    ErpEvent,
    FieldMapping,
    InboundEvent,
    Incident,
    OperationRun,
    OutgoingDelivery,
    OutgoingHook,
    Rule,
    RuleRun,
    Stranger,
)
from tests.tenancy.addresses import (
    CANARY,
    MAPPED,
)


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
    twin = Contact.objects.create(location=location, remote_id="conTwin", first_name=CANARY, last_name=CANARY)
    when = timezone.now()
    of = {"location": location, "contact": contact}
    task = Task.objects.create(**of, remote_id="tskOne", title=said, body=said, due_at=when, assignee=me)
    hidden = Task.objects.create(**of, remote_id="tskTwo", title=said, due_at=when, assignee=me)
    note = Note.objects.create(**of, remote_id="notOne", title=said, body=said, pinned=False, author=me)
    calendar = Calendar.objects.create(location=location, remote_id="calOne", name=f"Visits {CANARY}")
    appointment = Appointment.objects.create(
        **of, calendar=calendar, remote_id="aptOne", title=said, address=said, notes=said, assignee=me,
        starts_at=when + timedelta(minutes=5), ends_at=when + timedelta(minutes=35),
    )  # fmt: skip
    reminder = Reminder.objects.create(user=ada, task=task, at=when)
    undecided = {
        "business": northgate, "location": location, "contact": contact, "kind": "contact", "verb": "update",
        "values": {"city": said}, "before": {"city": said}, "theirs": {"city": said}, "made_by": ana,
        "settled_at": when, "sentence": said, "technical": said,
    }  # fmt: skip
    refused = Change.objects.create(**undecided, state="refused")
    conflict = Change.objects.create(**undecided, state="conflict")
    gone = Change.objects.create(**undecided, state="refused", failure="NotFound")
    HistoryEvent.objects.create(**of, kind="note_added", note=note, actor_kind="person", actor_name=f"Dana {CANARY}")
    drafted = {"user": ada, "contact": contact, "texts": {"body": said}}
    Draft.objects.create(**drafted, kind="call")
    Draft.objects.create(**drafted, kind="note", note=note)
    mention = Mention.objects.create(user=ada, contact=contact, note=note, made_by=ana)
    connection = Connection(location=location, kind="oauth", status_reason=said, connected_by=ada)
    for name, value in connection.sealed("access", "refresh").items():
        setattr(connection, name, value)
    filled(connection, expires_at=when + timedelta(days=1), renew_at=when + timedelta(days=1), scopes=[CANARY])
    event = InboundEvent.objects.create(
        event_id="evtOne", kind="ContactUpdate", remote_location_id=location.remote_id, body=said.encode(), reason=said,
        outcome="failed", finished_at=when,
    )  # fmt: skip
    Incident.objects.create(connection=connection, kind="guard", reason=said)
    operation_run = OperationRun.objects.create(
        connection=connection, key="contacts.add-tags", sentence=said, finished_at=when,
        values={"params": {"contactId": contact.remote_id}, "body": {"tags": [said]}}, answer={"tags": [said]},
    )  # fmt: skip
    agency = Agency(business=northgate, company_id=f"com{CANARY}", status_reason=said, connected_by=ada)
    for name, value in agency.sealed("company access", "company refresh").items():
        setattr(agency, name, value)
    filled(agency, expires_at=when + timedelta(days=1), renew_at=when + timedelta(days=1))
    api_key, _, _ = ApiKey.objects.make(northgate, said, ["read"], ada)
    customer = {"business": northgate, "system": "erp", "reference": f"CUST {CANARY}"}
    sent = {"key": api_key, "kind": "event", "type": "invoice.paid", "occurred_at": when, "finished_at": when}
    ErpEvent.objects.create(**customer, **sent, idempotency_key="1", outcome="unmatched", body={"title": said})
    failed = ErpEvent.objects.create(
        **customer, **sent, idempotency_key="2", outcome="failed", reason=said, body={"title": said}
    )
    link = ExternalId.objects.create(business=northgate, contact=contact, kind="contact", system="erp", value=said)
    addressed = {"name": said, "url": f"https://{CANARY}.example.com", "sentence": said}
    hook = OutgoingHook.objects.make(northgate, ada, **addressed)
    hook_off = OutgoingHook.objects.make(northgate, ada, **addressed, is_on=False, off_because=said)
    message = OutgoingDelivery.objects.create(
        hook=hook, type="task.completed", cause="line 1", state="dead", finished_at=when, sentence=said, answer=said,
        body=f'{{"type": "task.completed", "data": {{"contact": {{"id": 1, "name": "{said}"}}}}}}',
    )  # fmt: skip
    mapping = FieldMapping.objects.create(business=northgate, number=2, lines=MAPPED, made_by=ada)
    retired_mapping = FieldMapping.objects.create(
        business=northgate, number=1, lines=MAPPED, state="retired", previewed=mapping.mark, previewed_at=when
    )
    invitation = Invitation.objects.create(business=northgate, email=f"{CANARY}@example.com", invited_by=ada)
    actions = [{"do": "create_note", "values": {"body": said}}]
    spec = {"trigger": {"kind": "erp", "type": "invoice.paid"}, "conditions": {"any": []}, "actions": actions}
    rule = Rule.objects.make(northgate, said, spec, ada)
    rule.current.tried()
    button = Rule.objects.make(northgate, said, spec | {"trigger": {"kind": "button", "label": said}}, ada)
    button.current.tried()
    button.switch_on()
    run = {"rule": rule, "version": rule.current, "business": northgate, "contact": contact, "sentence": said}
    Automations.pause(northgate, ada, said)
    shared = {"owner": ana, "business": northgate, "params": f"tag=tag+{CANARY}&sort=name", "is_shared": True}
    many = {"made_by": ana, "business": northgate, "kind": "add_tags", "values": {"tags": [f"tag {CANARY}"]}}
    return SimpleNamespace(
        view=SavedView.objects.create(**shared, name=said),
        deleted_view=SavedView.objects.create(**shared, name=said, deleted_at=when),
        bulk=BulkAction.objects.create(**many, picked=[contact.pk], total=1),
        bulk_done=BulkAction.objects.create(**many, total=1, changed=1, outcome="complete", finished_at=when),
        business=northgate, location=location, contact=contact, twin=twin, company=company,
        colleague=colleague, task=task,
        note=note, mention=mention, refused=refused, conflict=conflict, gone=gone,
        deletion=hidden.delete_here(by=ana, undo_s=600), connection=connection, agency=agency,
        mapping=mapping, retired_mapping=retired_mapping,
        api_key=api_key, erp_event=failed, hook=hook, hook_off=hook_off, message=message, link=link,
        stranger=Stranger.objects.create(**customer, name=said, email=f"{CANARY}@example.com", reason=said),
        ignored_stranger=Stranger.objects.create(
            **customer | {"reference": f"OLD {CANARY}"}, ignored_at=when, ignored_by=ada, ignored_because=said
        ),
        rule=rule, button=button, rule_run=RuleRun.objects.create(**run, cause="erp 1", state="staged"),
        failed_run=RuleRun.objects.create(**run, cause="erp 2", state="failed", finished_at=when),
        event=event, operation_run=operation_run, appointment=appointment, calendar=calendar, reminder=reminder,
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
