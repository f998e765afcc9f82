"""What a rule can do: one class for each action, and every operation of GHL's catalogue besides."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from contacts.models import Business
from integrations.automations.actions import appointments, contact, ghl, hooks, notes, tasks, telling
from integrations.automations.actions.base import Action, CannotDo, Done, Plan, Scene
from integrations.catalogue import entries
from integrations.models import Connection

__all__ = ["ACTIONS", "Action", "CannotDo", "Choice", "Done", "Plan", "Scene", "find", "of"]

ACTIONS: dict[str, Action] = {
    each.key: each
    for each in (
        tasks.CreateTask(), tasks.UpdateTask(), tasks.CompleteTask(), tasks.DeleteTask(),
        notes.CreateNote(), notes.UpdateNote(), notes.LinkToHistory(),
        contact.AddTags(), contact.RemoveTags(), contact.UpdateContact(), contact.AssignOwner(),
        ghl.AddFollower(), ghl.RemoveFollower(), ghl.AddToWorkflow(), ghl.RemoveFromWorkflow(), ghl.AddToCampaign(),
        ghl.RemoveFromCampaign(), appointments.CreateAppointment(), appointments.UpdateAppointment(),
        ghl.UpdateOpportunity(), telling.Notify(), hooks.CallWebhook(), ghl.AnyOperation(),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """One line of the picker: `action` is how it begins in a rule. `why_not`: this business cannot use it, and why."""

    action: dict[str, Any]
    title: str
    group: str
    scope: str = ""
    why_not: str = ""


def of(action: dict[str, Any]) -> Action | None:
    return ACTIONS.get(action.get("do", "")) if isinstance(action, dict) else None


def find(business: Business, text: str = "") -> list[Choice]:
    """What has all these words, our own actions first."""
    wanted = text.lower().split()
    return list(_choices(business, wanted))


def _choices(business: Business, wanted: list[str]) -> Iterator[Choice]:
    for each in ACTIONS.values():
        if each.key == "operation":
            continue
        words = f"{each.label} {each.group} {each.key}".lower()
        if all(word in words for word in wanted):
            yield Choice({"do": each.key, "values": {}}, str(each.label), str(each.group))
    connection = Connection.objects.filter(location__business=business).select_related("location").first()
    for operation in entries.operations().values():
        if all(word in operation.words for word in wanted):
            yield Choice(
                {"do": "operation", "values": {"key": operation.key}}, operation.title,
                _("GHL: %(group)s") % {"group": operation.group}, operation.scope,
                entries.why_not(operation, connection),
            )  # fmt: skip
