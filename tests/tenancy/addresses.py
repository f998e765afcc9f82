"""Every address of ours, what it takes and who may use it."""

from dataclasses import dataclass

CANARY = "zorblax"  # stands in every text of Northgate's, and in nothing that anybody else may see


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
