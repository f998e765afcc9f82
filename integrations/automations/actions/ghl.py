"""What only GHL itself can do: by any operation of the catalogue, some of them under a name of their own."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from contacts.models import Business
from integrations.automations import offered
from integrations.automations.actions import people
from integrations.automations.actions.base import Action, CannotDo, Done, Plan, contact_of, short
from integrations.automations.inputs import OWNER, Input
from integrations.automations.inputs import people as who_works_there
from integrations.catalogue import entries, executor
from integrations.catalogue.titles import label_of
from integrations.catalogue.values import BadValues, build
from integrations.models import Connection

GROUP = "GHL"


class ByOperation(Action):
    """Carried out by the catalogue's executor: the step waits for it to end."""

    group = GROUP
    calls = 1
    operation: ClassVar[str] = ""

    def operation_of(self, values: Mapping[str, Any]) -> str:
        return self.operation

    def request(self, values: Mapping[str, Any], scene: Any) -> dict[str, Any]:
        """{"params": …, "body": …} as the operation wants them."""
        raise NotImplementedError

    def plan(self, values, scene):
        operation = entries.operation(self.operation_of(values))
        if operation is None:
            raise CannotDo(_("GHL no longer offers this operation."))
        connection = connection_of(scene)
        if reason := entries.why_not(operation, connection):
            raise CannotDo(reason)
        request = self.request(values, scene)
        try:
            build(operation, request, connection.location.remote_id)
        except BadValues as bad:
            raise CannotDo(str(bad)) from None

        def act(by):
            asked = executor.ask(connection, operation.key, request, cause=scene.step)
            return Done(operation=asked)

        return Plan(self.say(values, scene.business), self.calls, act)


def connection_of(scene):
    """The contact's; without a contact, that of the only location."""
    rows = Connection.objects.filter(location__business=scene.business).select_related("location__business")
    if scene.contact is not None:
        found = rows.filter(location=scene.contact.location_id).first()
    else:
        several = list(rows[:2])
        found = several[0] if len(several) == 1 else None
        if len(several) > 1:
            raise CannotDo(_("It is not known in which location this is to be done."))
    if found is None:
        raise CannotDo(_("No location is connected."))
    return found


class NotInGhlYet(CannotDo):
    """The contact is still on its way to GHL: worth another look."""


def remote_id(scene):
    contact = contact_of(scene)
    if contact.remote_id is None:
        raise NotInGhlYet(_("The contact is not in GHL yet."))
    return contact.remote_id


class OfWorkflow(ByOperation):
    inputs = (
        Input("workflow", lazy("Workflow"), "offered", required=True, choices=offered.workflows, offered="workflows"),
        Input("name", lazy("What it is called"), takes_fields=False, help=lazy("Only for reading, beside an id")),
    )

    def named(self, values, business):
        return short(values.get("name") or self.word("workflow", values, business))

    def request(self, values, scene):
        params = {"contactId": remote_id(scene), "workflowId": (values.get("workflow") or "").strip()}
        return {"params": params, "body": {}}


class AddToWorkflow(OfWorkflow):
    key = "add_to_workflow"
    label = lazy("Add to a workflow")
    operation = "contacts.add-contact-to-workflow"

    def say(self, values, business=None):
        return _("add the contact to the workflow “%(name)s”") % {"name": self.named(values, business)}


class RemoveFromWorkflow(OfWorkflow):
    key = "remove_from_workflow"
    label = lazy("Remove from a workflow")
    operation = "contacts.delete-contact-from-workflow"

    def say(self, values, business=None):
        return _("remove the contact from the workflow “%(name)s”") % {"name": self.named(values, business)}


class OfCampaign(ByOperation):
    inputs = (
        Input("campaign", lazy("Campaign"), "offered", required=True, choices=offered.campaigns, offered="campaigns"),
        Input("name", lazy("What it is called"), takes_fields=False, help=lazy("Only for reading, beside an id")),
    )

    def named(self, values, business):
        return short(values.get("name") or self.word("campaign", values, business))

    def request(self, values, scene):
        return {"params": {"contactId": remote_id(scene), "campaignId": (values.get("campaign") or "").strip()}}


class AddToCampaign(OfCampaign):
    key = "add_to_campaign"
    label = lazy("Add to a campaign")
    operation = "contacts.add-contact-to-campaign"

    def say(self, values, business=None):
        return _("add the contact to the campaign “%(name)s”") % {"name": self.named(values, business)}


class RemoveFromCampaign(OfCampaign):
    key = "remove_from_campaign"
    label = lazy("Remove from a campaign")
    operation = "contacts.remove-contact-from-campaign"

    def say(self, values, business=None):
        return _("remove the contact from the campaign “%(name)s”") % {"name": self.named(values, business)}


class AddFollower(ByOperation):
    key = "add_follower"
    label = lazy("Add a follower")
    operation = "contacts.add-followers-contact"
    inputs = (Input("who", lazy("Who"), "choice", required=True, default=OWNER, choices=who_works_there),)

    def say(self, values, business=None):
        return _("let %(who)s follow the contact") % {"who": self.word("who", values, business)}

    def request(self, values, scene):
        who = people.in_ghl(values.get("who") or OWNER, contact_of(scene))
        if who is None:
            raise CannotDo(_("The contact has no owner."))
        return {"params": {"contactId": remote_id(scene)}, "body": {"followers": [who.remote_id]}}


class RemoveFollower(AddFollower):
    key = "remove_follower"
    label = lazy("Remove a follower")
    operation = "contacts.remove-followers-contact"

    def say(self, values, business=None):
        return _("let %(who)s follow the contact no longer") % {"who": self.word("who", values, business)}


def statuses(business):
    words = (("open", lazy("Open")), ("won", lazy("Won")), ("lost", lazy("Lost")), ("abandoned", lazy("Abandoned")))
    return list(words)


class UpdateOpportunity(ByOperation):
    key = "update_opportunity"
    label = lazy("Change an opportunity")
    operation = "opportunities.update-opportunity"
    needs_contact = False
    inputs = (
        Input("id", lazy("Opportunity"), required=True, default="{{ event.id }}", help=lazy("Its id in GHL")),
        Input("status", lazy("Status"), "choice", choices=statuses),
        Input("stage", lazy("Stage"), "offered", choices=offered.stages, offered="pipelines"),
        Input("value", lazy("Value"), help=lazy("An amount, like {{ event.amount }}")),
        Input("name", lazy("New name")),
    )
    NAMES: ClassVar[dict[str, str]] = {
        "status": "status", "stage": "pipelineStageId", "value": "monetaryValue", "name": "name",
    }  # fmt: skip

    def check(self, values, business):
        found = super().check(values, business)
        if not any(values.get(name) for name in self.NAMES):
            found.append(("status", _("Say what is to change.")))
        return found

    def say(self, values, business=None):
        boxes = {each.name: each for each in self.inputs}
        words = {name: boxes[name].word_for(values[name], business) for name in self.NAMES if values.get(name)}
        parts = [f"{boxes[name].label}: {short(said)}" for name, said in words.items()]
        return _("change the opportunity (%(what)s)") % {"what": ", ".join(parts) or "…"}

    def request(self, values, scene):
        body = {theirs: values[name] for name, theirs in self.NAMES.items() if values.get(name)}
        return {"params": {"id": (values.get("id") or "").strip()}, "body": body}


class AnyOperation(ByOperation):
    """`values` are {"key": "contacts.create-note", "params.contactId": …, "body.body": …}; the id of the contact is
    filled in where the operation asks for one and none is said."""

    key = "operation"
    label = lazy("Anything else GHL can do")
    needs_contact = False

    def operation_of(self, values):
        return str(values.get("key") or "")

    def inputs_with(self, values, business: Business):
        operation = entries.operation(self.operation_of(values))
        first = Input("key", _("Operation"), required=True, takes_fields=False)
        if operation is None:
            return (first,)
        ours = set(operation.location)
        boxes = [first]
        for each in operation.parameters:
            if (each.where, each.name) not in ours:
                needed = each.required and each.name != "contactId"
                boxes.append(Input(f"params.{each.name}", each.label, "text", needed))
        body = operation.body or {}
        if "properties" in body:
            boxes += [
                Input(f"body.{name}", label_of(name), _kind(schema), name in body.get("required", []))
                for name, schema in body["properties"].items()
                if ("body", name) not in ours
            ]
        elif operation.body is not None:
            boxes.append(Input("body", _("Body"), "long", operation.body_required))
        return tuple(
            box if box.name != "body.contactId" else Input(box.name, box.label, box.kind, required=False)
            for box in boxes
        )

    def check(self, values, business):
        if entries.operation(self.operation_of(values)) is None:
            return [("key", _("Choose an operation from the list."))]
        return super().check(values, business)

    def say(self, values, business=None):
        operation = entries.operation(self.operation_of(values))
        title = operation.title if operation else "…"
        said = [f"{label_of(name.partition('.')[2])}: {short(value)}" for name, value in values.items() if "." in name]
        details = f" ({', '.join(said[:4])})" if said else ""
        return _("do this in GHL: %(what)s") % {"what": title[:1].lower() + title[1:]} + details

    def request(self, values, scene):
        request: dict[str, Any] = {"params": {}}
        for name, value in values.items():
            part, dot, key = name.partition(".")
            if dot and value not in ("", None):
                request.setdefault(part, {})[key] = value
            elif name == "body" and value:
                request["body"] = value
        self._with_contact(request, values, scene)
        return request

    def _with_contact(self, request, values, scene):
        operation = entries.operation(self.operation_of(values))
        asks = any(each.name == "contactId" for each in operation.parameters)
        if asks and not request["params"].get("contactId"):
            request["params"]["contactId"] = remote_id(scene)
        properties = (operation.body or {}).get("properties", {})
        required = (operation.body or {}).get("required", [])
        if "contactId" in properties and "contactId" in required and not request.get("body", {}).get("contactId"):
            request.setdefault("body", {})["contactId"] = remote_id(scene)


def _kind(schema):
    return "long" if schema.get("type") in ("object", "array") else "text"
