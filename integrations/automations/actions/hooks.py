"""Telling the ERP."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from contacts.models import Business, Contact
from integrations import outgoing
from integrations.api import answers
from integrations.api.dressing import dressed_contacts
from integrations.automations.actions.base import Action, CannotDo, Done, Plan, contact_of, short
from integrations.automations.inputs import Input
from integrations.outgoing.posting import TooLarge


def hooks(business: Business) -> list[tuple[str, str]]:
    return [(str(hook.pk), str(hook)) for hook in outgoing.hooks_of(business)]


class CallWebhook(Action):
    """What it tells: the contact as our API does, with the ERP's own references, and the values of `data`, a list of
    {"field", "value"}."""

    key = "call_webhook"
    label = lazy("Tell the ERP (call a webhook)")
    group = "ERP"
    calls = 0
    inputs = (
        Input("hook", lazy("Webhook"), "choice", required=True, takes_fields=False, choices=hooks),
        Input("type", lazy("Type"), required=True, help=lazy("What the ERP is told has happened, like note.created")),
        Input("data", lazy("Values"), "pairs"),
    )

    def check(self, values, business):
        found = super().check(values, business)
        for at, pair in enumerate(values.get("data") or []):
            if not isinstance(pair, dict) or not str(pair.get("field") or "").strip():
                found.append((f"data.{at}", _("Say which field.")))
        return found

    def say(self, values, business=None):
        return _("tell “%(type)s” to %(hook)s") % {
            "type": short(values.get("type")),
            "hook": (self.word("hook", values, business) if business else _("the ERP")) or "…",
        }

    def plan(self, values, scene):
        contact = contact_of(scene, may_be_deleted=True)
        hook = outgoing.hooks_of(scene.business).filter(pk=int(values.get("hook") or 0)).first()
        if hook is None:
            raise CannotDo(_("This webhook is switched off or was removed."))
        kind = (values.get("type") or "").strip()[:60]
        if not kind:
            raise CannotDo(_("The type is empty once it is filled in."))

        def act(by):
            data = {str(pair["field"]).strip(): pair.get("value") for pair in values.get("data") or []}
            try:
                outgoing.post(hook, kind, {"contact": _told(contact), **data}, cause=scene.step)
            except TooLarge as large:
                raise CannotDo(str(large)) from None
            return Done()

        return Plan(self.say(values, scene.business), self.calls, act)


def _told(contact):
    row = dressed_contacts(Contact.objects.filter(pk=contact.pk))[0]
    return answers.ContactOut(**row.told).model_dump(mode="json")
