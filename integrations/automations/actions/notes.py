"""Notes, and lines of history alone."""

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from contacts.models import HistoryEvent, Note
from contacts.open_pages import live
from integrations.automations.actions.base import Action, CannotDo, Done, Plan, contact_of, short
from integrations.automations.inputs import Input

GROUP = lazy("Notes")
WHICH = [("event", lazy("The note of the event")), ("newest", lazy("The newest one that contains"))]


def which(business):
    return WHICH


def text_of(values):
    body = (values.get("body") or "").strip()
    if not body:
        raise CannotDo(_("The text is empty once it is filled in."))
    return body


class CreateNote(Action):
    key = "create_note"
    label = lazy("Write a note")
    group = GROUP
    inputs = (
        Input("body", lazy("Text"), "long", required=True),
        Input("title", lazy("Title")),
    )

    def say(self, values, business=None):
        return _("write the note “%(text)s”") % {"text": short(values.get("title") or values.get("body"))}

    def plan(self, values, scene):
        contact = contact_of(scene)
        title = (values.get("title") or "").strip()[:300]
        note = Note(contact=contact, location=contact.location, title=title, body=text_of(values))
        return Plan(self.say(values), self.calls, lambda by: Done(note.create(by=by)))


class UpdateNote(Action):
    key = "update_note"
    label = lazy("Change a note")
    group = GROUP
    inputs = (
        Input("which", lazy("Which note"), "choice", default="event", takes_fields=False, choices=which),
        Input("like", lazy("That contains")),
        Input("body", lazy("New text"), "long", required=True),
    )

    def check(self, values, business):
        found = super().check(values, business)
        if values.get("which") == "newest" and not str(values.get("like") or "").strip():
            found.append(("like", _("Say what the note contains.")))
        return found

    def say(self, values, business=None):
        if values.get("which") == "newest":
            which = _("the newest note with “%(text)s”") % {"text": short(values.get("like"))}
        else:
            which = _("the note of the event")
        return _("change %(note)s to “%(text)s”") % {"note": which, "text": short(values.get("body"))}

    def plan(self, values, scene):
        rows = Note.objects.present().filter(contact=contact_of(scene)).select_related("contact__location", "location")
        if values.get("which") == "newest":
            note = rows.filter(body__icontains=values["like"].strip()).order_by("-pk").first()
        else:
            note = rows.filter(pk=(scene.scope.get("note") or {}).get("pk")).first()
        if note is None:
            raise CannotDo(_("There is no such note."))
        body = text_of(values)
        return Plan(self.say(values), self.calls, lambda by: Done(note.edit(by=by, body=body)))


class LinkToHistory(Action):
    """The mission's "sync with ERP notes": what the ERP told stands in the history, as a line that links to it."""

    key = "link_to_history"
    label = lazy("Write a line in the history")
    group = lazy("History")
    calls = 0
    inputs = (
        Input("title", lazy("Line"), required=True, default="{{ event.title }}"),
        Input("detail", lazy("Behind it")),
        Input("link", lazy("Link"), default="{{ event.link }}", help=lazy("Where it stands in the ERP")),
    )

    def say(self, values, business=None):
        return _("write the line “%(title)s” in the contact’s history") % {"title": short(values.get("title"))}

    def plan(self, values, scene):
        contact = contact_of(scene)
        title = " ".join((values.get("title") or "").split())[:300]
        if not title:
            raise CannotDo(_("The line is empty once it is filled in."))
        link = (values.get("link") or "").strip()[:1000]
        if link and not link.startswith(("https://", "http://")):
            raise CannotDo(_("The link is no web address."))

        def act(by):
            HistoryEvent.objects.create(
                location_id=contact.location_id, contact=contact, kind=HistoryEvent.Kind.ERP_EVENT,
                actor_kind=by.kind, actor_name=str(by), cause=by.cause, happened_at=timezone.now(),
                title=title, detail=(values.get("detail") or "").strip()[:300], link=link,
            )  # fmt: skip
            live.tell(contact.business_id, [contact.pk], ["contact"])
            return Done()

        return Plan(self.say(values), self.calls, act)
