"""Telling a colleague."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from contacts.day import reminders
from integrations.automations.actions import people
from integrations.automations.actions.base import Action, CannotDo, Done, Plan, contact_of, short
from integrations.automations.inputs import OWNER, Input, colleagues


class Notify(Action):
    """In the bell of the page, and by e-mail to those who want reminders so."""

    key = "notify"
    label = lazy("Tell a colleague")
    group = lazy("People")
    calls = 0
    inputs = (
        Input("who", lazy("Whom"), "choice", required=True, default=OWNER, takes_fields=False, choices=colleagues),
        Input("text", lazy("What"), required=True),
    )

    def say(self, values, business=None):
        return _("tell %(who)s “%(text)s”") % {
            "who": self.word("who", values, business), "text": short(values.get("text"))}  # fmt: skip

    def plan(self, values, scene):
        contact = contact_of(scene, may_be_deleted=True)
        text = " ".join((values.get("text") or "").split())[:300]
        if not text:
            raise CannotDo(_("The text is empty once it is filled in."))
        told = people.of_ours(values.get("who") or OWNER, contact)

        def act(by):
            reminders.say(told, text, contact)
            return Done()

        return Plan(self.say(values, scene.business), self.calls, act)
