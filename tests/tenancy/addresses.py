"""Every address of ours, what it takes and who may use it."""

from dataclasses import dataclass

from integrations.models.field_mapping import fingerprint

CANARY = "zorblax"  # stands in every text of Northgate's, and in nothing that anybody else may see
MAPPED = [{"erp": f"fields.{CANARY}", "contact": "email"}]


@dataclass(frozen=True)
class Address:
    """`of` names the rows of `ours` that stand in the address, or the words themselves. `body` is what somebody who may
    would post there (@name is the number of a row), None where nothing is posted."""

    of: tuple = ()
    reads: bool = True
    body: dict | None = None
    admins: bool = False
    managers: bool = False  # and admins
    edits: bool = False  # writes towards GHL, so a read-only location refuses it
    public: bool = False  # opened by a secret, not by a membership
    fleeting: bool = False  # what is posted there is forgotten within seconds
    shared: bool = False  # only words stand in it, the same for everybody: whoever may sees their own there

    @property
    def takes_a_row(self):
        return bool(self.of) and not self.shared


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
    "contacts:today_seen": act(),
    "contacts:list": page(),
    "contacts:list_add": page(),
    "contacts:list_columns": page(body={"list": "", "column": "city"}),
    "contacts:view_add": act(name="Eve", list="tag=eve", team="@business"),
    "contacts:view_first": act(view="mine"),
    "contacts:view_move": act(move="1 mine", list=""),
    "contacts:view_save": act("view", list="tag=eve"),
    "contacts:view_rename": act("view", name="Eve"),
    "contacts:view_share": act("view", team=""),
    "contacts:view_delete": act("view"),
    "contacts:view_restore": act("deleted_view"),
    # What is chosen there and may not be seen or changed is left alone.
    "contacts:bulk_form": act(kind="add_tags", picked="@contact"),
    "contacts:bulk_preview": act(kind="add_tags", tag="eve", picked="@contact"),
    "contacts:bulk_start": act(kind="add_tags", tag="eve", picked="@contact"),
    "contacts:bulk_action": page("bulk"),
    "contacts:bulk_stop": act("bulk"),
    "contacts:bulk_undo": act("bulk"),
    "contacts:bulk_put_away": act("bulk_done"),
    "contacts:export": act(picked="@contact"),
    "contacts:contact_peek": page("contact"),
    "contacts:contact_walk": page("contact"),
    "contacts:new_contact": page(body={"first_name": "Eve", "location": "@location"}, edits=True),
    "contacts:tasks": page(),
    "contacts:task_line": page("task"),
    # A task of a read-only location is left out and said so; the others are changed.
    "contacts:task_bulk": act(task="@task", act="next_week"),
    "contacts:task_bulk_undo": act(changes="@refused"),
    "contacts:through": page(),
    "contacts:through_start": act(group="today", who="everyone"),
    "contacts:through_done": act(task="@task"),
    "contacts:through_move": act(task="@task", to="tomorrow"),
    "contacts:through_skip": act(task="@task"),
    "contacts:through_leave": act(),
    "contacts:reminders": page(),
    "contacts:reminder_snooze": act("reminder"),
    "contacts:reminder_close": act("reminder"),
    "contacts:calendar": page(),
    "contacts:companies": page(),
    "contacts:company": page("company"),
    "contacts:all_history": page(managers=True),
    "contacts:history_export": page(managers=True),
    "contacts:reports": page(managers=True),
    "contacts:report_rows": page(managers=True),
    "contacts:report_table": page("ageing", managers=True, shared=True),
    "contacts:print_history": page("contact"),
    "contacts:as_of": page("contact"),
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
    "contacts:contact_meta": page("contact"),
    "contacts:contact_editing": Address(("contact",), body={"record": "note:1"}, fleeting=True),
    "contacts:live": page(),
    "contacts:rail": page(),
    "contacts:contact_owner": edit("contact", assignee="@colleague"),
    "contacts:contact_delete": edit("contact", reads=True),
    "contacts:contact_fields": page("contact"),
    "contacts:contact_field": edit("contact", "first_name", value="Eve"),
    "contacts:empty_fields": act("contact", show="1"),
    "contacts:time_zones": page(),
    "contacts:countries": page(),
    "contacts:contact_people": page("contact"),
    "contacts:same_person": act("contact", "twin", "different"),
    "contacts:contact_duplicates": page("contact"),
    "contacts:compare": page("contact", "twin"),
    "contacts:compare_copy": edit("contact", "twin", "first_name"),
    "contacts:tags_add": edit("contact", tag="eve"),
    "contacts:palette": page(),
    "contacts:preferences": page(body={"hours": "24"}),
    "contacts:preferences_theme": act(theme="dark"),
    "contacts:preferences_keys": act(),
    "contacts:tag_remove": edit("contact", tag="insurance"),
    "contacts:contact_history": page("contact"),
    "contacts:contact_pinned": page("contact"),
    "contacts:note_add": edit("contact", body="Eve was here"),
    "contacts:call_add": edit("contact", outcome="Spoke", body="Eve was here"),
    "contacts:contact_composer": page("contact"),
    # What is typed stays here, so it is kept in a read-only location too.
    "contacts:contact_draft": act("contact", "call", body="Eve was here"),
    "contacts:contact_draft_discard": act("contact", "call"),
    "contacts:mentionable": page("contact"),
    "contacts:mention_seen": act("mention"),
    "contacts:note_draft": act("note", body="Eve was here"),
    "contacts:note_draft_discard": act("note"),
    "contacts:note_edit": edit("note", reads=True, body="Eve was here"),
    "contacts:note_pin": edit("note", pinned="true"),
    "contacts:note_delete": edit("note"),
    "contacts:contact_tasks": page("contact"),
    "contacts:contact_appointments": page("contact"),
    "contacts:appointment_book": edit("contact", reads=True, start=DUE, length="30", calendar="@calendar"),
    "contacts:appointment_clock": page("contact"),
    "contacts:appointment_edit": edit("appointment", reads=True, start=DUE, length="30", calendar="@calendar"),
    "contacts:appointment_mark": edit("appointment", status="confirmed"),
    "contacts:appointment_delete": edit("appointment"),
    "contacts:appointment_about": page("appointment"),
    "contacts:appointment_whom": page(),
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
    "integrations:operations": page(admins=True),
    "integrations:operation": page(
        "locations.delete-tag", body={"connection": "@connection", "params.tagId": "t"}, admins=True, shared=True
    ),
    "integrations:trigger": page("ContactCreate", admins=True, shared=True),
    "integrations:operation_run": page("operation_run", admins=True),
    "integrations:connection_health": page("connection", admins=True),
    "integrations:replay_events": admin_act("connection"),
    "integrations:replay_event": admin_act("connection", "event"),
    "integrations:accept_losses": admin_act("connection"),
    "integrations:erp": page(admins=True),
    "integrations:new_key": page(body={"business": "@business", "name": "Eve", "scopes": "read"}, admins=True),
    "integrations:rotate_key": admin_act("api_key"),
    "integrations:revoke_key": admin_act("api_key"),
    "integrations:matching": page("business", body={"way_0": "email"}, admins=True),
    "integrations:outgoing": page(admins=True),
    "integrations:new_outgoing": page(
        body={"business": "@business", "name": "Eve", "url": "https://eve.example.com", "kinds": "task.completed"},
        admins=True,
    ),
    "integrations:outgoing_hook": page("hook", admins=True),
    "integrations:edit_outgoing": page(
        "hook", body={"name": "Eve", "url": "https://eve.example.com", "kinds": "task.completed"}, admins=True
    ),
    "integrations:rotate_outgoing": admin_act("hook"),
    "integrations:test_outgoing": admin_act("hook"),
    "integrations:outgoing_on": admin_act("hook_off"),
    "integrations:outgoing_off": admin_act("hook"),
    "integrations:remove_outgoing": admin_act("hook"),
    "integrations:retry_outgoing": admin_act("hook"),
    "integrations:replay_outgoing": admin_act("hook", hours="24"),
    "integrations:outgoing_delivery": page("message", admins=True),
    "integrations:retry_outgoing_delivery": admin_act("message"),
    "integrations:rules": page(managers=True),
    "integrations:recipes": page(managers=True),
    "integrations:new_rule": admin_act(business="@business", recipe="invoice-paid"),
    "integrations:pause_rules": admin_act("business"),
    "integrations:resume_rules": admin_act("business"),
    "integrations:rule": page("rule", managers=True),
    "integrations:edit_rule": page("rule", body={"name": "Eve"}, admins=True),
    "integrations:rule_triggers": page("rule", admins=True),
    "integrations:rule_actions": page("rule", admins=True),
    "integrations:rule_offered": page("rule", "workflows", admins=True),
    "integrations:try_rule": page("rule", body={}, admins=True),
    "integrations:switch_on_rule": admin_act("rule"),
    "integrations:pause_rule": admin_act("button"),
    "integrations:delete_rule": admin_act("rule"),
    "integrations:rule_back": admin_act("rule", "1"),
    "integrations:rule_runs": page(managers=True),
    "integrations:approve_runs": admin_act(rule="@rule"),
    "integrations:decline_runs": admin_act(rule="@rule"),
    "integrations:replay_runs": admin_act(rule="@rule"),
    "integrations:run": page("rule_run", managers=True),
    "integrations:approve_run": admin_act("rule_run"),
    "integrations:decline_run": admin_act("rule_run"),
    "integrations:replay_run": admin_act("failed_run"),
    "integrations:contact_rules": page("contact"),
    "integrations:press_rule": edit("contact", "button"),
    "integrations:mappings": page("business", admins=True),
    "integrations:mapping_begin": admin_act("business"),
    "integrations:mapping_import": page("business", body={"text": "rankr_mapping: 1\nlines: []"}, admins=True),
    "integrations:mapping": page("mapping", admins=True),
    "integrations:mapping_line": page(
        "mapping", body={"erp": "eve", "contact": "city", "was": fingerprint(MAPPED)}, admins=True
    ),
    "integrations:mapping_whom": page("mapping", admins=True),
    "integrations:mapping_lines": admin_act("mapping", act="remove", n="0", was=fingerprint(MAPPED)),
    "integrations:mapping_preview": page("mapping", body={"source": "last", "count": "20"}, admins=True),
    "integrations:mapping_activate": admin_act("retired_mapping"),
    "integrations:mapping_put_away": admin_act("mapping"),
    "integrations:mapping_export": page("mapping", admins=True),
    "integrations:unmatched": page(managers=True),
    "integrations:linked": page(managers=True),
    "integrations:unlink": Address(("contact", "link"), reads=False, body={}, managers=True),
    "integrations:stranger": page("stranger", managers=True),
    "integrations:link_stranger": Address(("stranger",), reads=False, body={"contact": "@contact"}, managers=True),
    "integrations:create_from_stranger": Address(
        ("stranger",), reads=False, body={"location": "@location"}, managers=True
    ),
    "integrations:ignore_stranger": Address(("stranger",), reads=False, body={"because": "Eve"}, managers=True),
    "integrations:notice_stranger": Address(("ignored_stranger",), reads=False, body={}, managers=True),
    "integrations:try_erp_event_again": Address(("erp_event",), reads=False, body={}, managers=True),
    "integrations:status": page(),
    "integrations:banner": page(),
    "integrations:contact_status": page("contact"),
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
MANAGERS = {name: one for name, one in OURS.items() if one.managers}
EDITS = {name: one for name, one in OURS.items() if one.edits}
