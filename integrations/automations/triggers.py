"""What a rule can begin with. A trigger in a rule is {"kind": …} and what the kind's inputs say."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import Q
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from contacts.models import ActorKind, Appointment, Business, Contact, CustomField, HistoryEvent, Note, Task
from integrations.automations import lists
from integrations.automations.inputs import Input
from integrations.catalogue import entries
from integrations.models import ErpEvent

Line = HistoryEvent.Kind

# GHL's triggers that lead to a line of history: the line has the old and new values and who did it, and comes once.
BY_LINES: dict[str, tuple[str, ...]] = {
    "ContactCreate": (Line.CONTACT_ADDED,),
    "ContactUpdate": (Line.CONTACT_CHANGED,),
    "ContactDelete": (Line.CONTACT_DELETED,),
    "ContactDndUpdate": (Line.CONTACT_CHANGED,),
    "ContactTagUpdate": (Line.TAGS_CHANGED,),
    "NoteCreate": (Line.NOTE_ADDED,),
    "NoteUpdate": (Line.NOTE_CHANGED,),
    "NoteDelete": (Line.NOTE_DELETED,),
    "TaskCreate": (Line.TASK_ADDED,),
    "TaskComplete": (Line.TASK_DONE,),
    "TaskDelete": (Line.TASK_DELETED,),
    "AppointmentCreate": (Line.APPOINTMENT_BOOKED,),
    "AppointmentUpdate": (Line.APPOINTMENT_MOVED, Line.APPOINTMENT_CHANGED),
    "AppointmentDelete": (Line.APPOINTMENT_DELETED,),
}
ONLY_FIELDS = {"ContactDndUpdate": ("dnd", "dnd_settings")}
DECLARED = ("invoice.created", "invoice.paid", "invoice.overdue", "order.placed", "order.shipped", "order.cancelled",
            "customer.sent", "task.sent", "note.sent")  # fmt: skip
SENT = {"customer.sent": lazy("Customer sent"), "task.sent": lazy("Task sent"), "note.sent": lazy("Note sent")}
RECENT = 2000  # events of the ERP that are looked through for types
ANYBODY = (ActorKind.PERSON, ActorKind.GHL, ActorKind.ERP, ActorKind.SYSTEM)  # but no rule
MOST_DAYS = 3650


@dataclass(frozen=True)
class Choice:
    """One line of the picker: `trigger` is how a rule begins with it."""

    trigger: dict[str, Any]
    title: str
    group: str
    words: str


@dataclass(frozen=True)
class Lines:
    """The lines of history that a trigger waits for."""

    kinds: tuple[str, ...]
    by: tuple[str, ...] = ANYBODY
    changed: tuple[str, ...] = ()  # at least one of these keys; () is whatever
    becomes: tuple[str, ...] = ()  # the new value of the first of them
    custom: str = ""  # a custom field that changed, by its key

    def fits(self, line):
        if line.kind not in self.kinds or line.actor_kind not in self.by:
            return False
        if self.custom:
            parts = {part for side in line.changes.get("custom_values", ()) for part in side or {}}
            return (
                bool(parts)
                and custom_fields(self.custom).filter(location=line.location_id, remote_id__in=parts).exists()
            )
        if not self.changed:
            return True
        news = [line.changes[key][1] for key in self.changed if key in line.changes]
        return bool(news) and (not self.becomes or news[0] in self.becomes)


def custom_fields(name: str) -> Any:
    """Those of any location that are called so, by their key or their name."""
    return CustomField.objects.filter(Q(key__in=[name, f"contact.{name}"]) | Q(name__iexact=name))


def key_of(name: str, line_kind: str) -> str:
    """The key of a record's values that is called so: owner is owner_remote_id. "" for none."""
    model = {"note": Note, "task": Task, "appointment": Appointment}.get(line_kind.split("_")[0], Contact)
    name = "_".join(name.lower().split())
    return next((key for key in (name, f"{name}_remote_id") if key in model.VALUES), "")


class Trigger:
    """A kind of trigger. `inputs` are its form; `gives` the parts of the scope that texts and conditions can use."""

    kind: ClassVar[str]
    label: ClassVar[Any]
    inputs: ClassVar[tuple[Input, ...]] = ()
    gives: ClassVar[tuple[str, ...]] = ("contact", "business", "today")
    is_by_clock: ClassVar[bool] = False

    def say(self, trigger: dict[str, Any], business: Business | None = None) -> str:
        """The trigger in words that follow "When": "an invoice is paid"."""
        raise NotImplementedError

    def lines(self, trigger: dict[str, Any]) -> Lines | None:
        """The lines of history it waits for; None where it waits for something else."""
        return None

    def check(self, trigger: dict[str, Any], business: Business) -> list[tuple[str, str]]:
        """(input, sentence) of what is wrong."""
        found = ((each.name, each.check(trigger.get(each.name), business)) for each in self.inputs)
        return [(name, sentence) for name, sentence in found if sentence]

    def choices(self, business: Business) -> Iterable[Choice]:
        yield Choice({"kind": self.kind}, str(self.label), _("By the clock"), self.kind)

    def gives_with(self, trigger: dict[str, Any]) -> tuple[str, ...]:
        return self.gives


class Erp(Trigger):
    kind = "erp"
    label = lazy("An ERP event")
    inputs = (Input("type", lazy("Type"), required=True, takes_fields=False, help=lazy("For example invoice.paid")),)
    gives = ("event", *Trigger.gives)

    def say(self, trigger, business=None):
        said = trigger.get("type") or "…"
        if said in SENT:
            return {
                "customer.sent": _("the ERP sends a customer"),
                "task.sent": _("the ERP sends a task"),
                "note.sent": _("the ERP sends a note"),
            }[said]
        return _("the ERP says “%(type)s”") % {"type": said}

    def choices(self, business):
        for each in dict.fromkeys([*self.seen(business), *DECLARED]):
            title = str(SENT.get(each) or type_in_words(each))
            yield Choice({"kind": self.kind, "type": each}, title, "ERP", f"{each} erp event")

    def seen(self, business):
        recent = ErpEvent.objects.of_business(business).order_by("-pk").values_list("type", flat=True)[:RECENT]
        return sorted(set(recent))


def type_in_words(event_type: str) -> str:
    """invoice.paid → Invoice paid"""
    words = " ".join(event_type.replace(".", " ").replace("_", " ").replace("-", " ").split())
    return words[:1].upper() + words[1:]


HAPPENS = {
    Line.CONTACT_ADDED: lazy("a contact is added"),
    Line.CONTACT_CHANGED: lazy("fields of a contact change"),
    Line.CONTACT_DELETED: lazy("a contact is deleted"),
    Line.CONTACT_RESTORED: lazy("a contact comes back"),
    Line.TAGS_CHANGED: lazy("the tags of a contact change"),
    Line.NOTE_ADDED: lazy("a note is added"),
    Line.NOTE_CHANGED: lazy("a note changes"),
    Line.NOTE_DELETED: lazy("a note is deleted"),
    Line.NOTE_RESTORED: lazy("a note comes back"),
    Line.TASK_ADDED: lazy("a task is added"),
    Line.TASK_CHANGED: lazy("a task changes"),
    Line.TASK_DONE: lazy("a task is done"),
    Line.TASK_REOPENED: lazy("a task is opened again"),
    Line.TASK_DELETED: lazy("a task is deleted"),
    Line.TASK_RESTORED: lazy("a task comes back"),
    Line.APPOINTMENT_BOOKED: lazy("an appointment is booked"),
    Line.APPOINTMENT_MOVED: lazy("an appointment is moved"),
    Line.APPOINTMENT_CHANGED: lazy("an appointment changes"),
    Line.APPOINTMENT_DELETED: lazy("an appointment is deleted"),
    Line.APPOINTMENT_RESTORED: lazy("an appointment comes back"),
}


def actors(business: Business) -> list[tuple[str, Any]]:
    return [(each.value, each.label) for each in ActorKind]


def line_kinds(business: Business) -> list[tuple[str, Any]]:
    return [(each.value, each.label) for each in Line if each not in (Line.ERP_EVENT, Line.RULE_RUN)]


class OfLine(Trigger):
    kind = "line"
    label = lazy("Something in a contact’s history")
    inputs = (
        Input("line", lazy("What"), "choice", True, takes_fields=False, choices=line_kinds),
        Input("changed", lazy("Only when this field changed"), takes_fields=False, help=lazy("For example email")),
        Input("by", lazy("Only when done by"), "choices", takes_fields=False, choices=actors,
              help=lazy("Without a choice: by anybody but rules")),
    )  # fmt: skip
    gives = ("event", "old", "new", "task", "note", "appointment", *Trigger.gives)

    def say(self, trigger, business=None):
        said = str(HAPPENS.get(trigger.get("line", ""), "…"))
        if trigger.get("changed"):
            field = trigger["changed"].replace("_", " ")
            said = _("%(said)s, among it the field “%(field)s”") % {"said": said, "field": field}
        if trigger.get("by"):
            who = _(" or ").join(str(dict(ActorKind.choices).get(one, one)) for one in trigger["by"])
            said = _("%(said)s, done by %(who)s") % {"said": said, "who": who}
        return said

    def lines(self, trigger):
        kind, name = trigger.get("line", ""), (trigger.get("changed") or "").strip()
        key = key_of(name, kind)
        return Lines((kind,), tuple(trigger.get("by") or ANYBODY), (key,) if key else (), custom="" if key else name)

    def check(self, trigger, business):
        found = super().check(trigger, business)
        name = (trigger.get("changed") or "").strip()
        ours = custom_fields(name).filter(location__business=business)
        if name and not key_of(name, trigger.get("line") or "") and not ours.exists():
            found.append(("changed", _("No field is called %(name)s.") % {"name": name}))
        return found

    def choices(self, business):
        for key, words in line_kinds(business):
            yield Choice({"kind": self.kind, "line": key}, str(words), _("History"), f"{key} line history")

    def gives_with(self, trigger):
        about = trigger.get("line", "").split("_")[0]
        return tuple(part for part in self.gives if part not in ("task", "note", "appointment") or part == about)


class Webhook(Trigger):
    kind = "webhook"
    label = lazy("Something in GHL")
    inputs = (
        Input("type", lazy("Type"), "choice", True, takes_fields=False,
              choices=lambda business: [(one.kind, one.title) for one in entries.triggers().values()]),
    )  # fmt: skip
    gives = ("event", *Trigger.gives)

    def say(self, trigger, business=None):
        known = entries.trigger(trigger.get("type", ""))
        title = known.title if known else "…"
        return _("this happens in GHL: %(what)s") % {"what": title[:1].lower() + title[1:]}

    def lines(self, trigger):
        kinds = BY_LINES.get(trigger.get("type", ""))
        return Lines(kinds, changed=ONLY_FIELDS.get(trigger["type"], ())) if kinds else None

    def choices(self, business):
        for each in entries.triggers().values():
            words = f"{each.words} ghl webhook"
            yield Choice({"kind": self.kind, "type": each.kind}, each.title, f"GHL: {each.group}", words)

    def gives_with(self, trigger):
        kinds = BY_LINES.get(trigger.get("type", ""))
        if not kinds:
            return self.gives
        about = kinds[0].split("_")[0]
        more = (about,) if about in ("task", "note", "appointment") else ()
        return ("event", "old", "new", *more, *Trigger.gives)


def weekdays(business: Business) -> list[tuple[str, Any]]:
    return [(str(number), WEEKDAYS[number]) for number in range(7)]


class Schedule(Trigger):
    kind = "schedule"
    label = lazy("At a time of day")
    inputs = (
        Input("at", lazy("Time"), "time", True, takes_fields=False, default="09:00",
              help=lazy("By the clock of the contact’s location, like 09:00")),
        Input("days", lazy("Days"), "choices", True, takes_fields=False, choices=weekdays),
        Input("list", lazy("For the contacts of this list"), "list", True, takes_fields=False,
              help=lazy("The filter of a contact list")),
    )  # fmt: skip
    is_by_clock = True

    def say(self, trigger, business=None):
        days = dict(weekdays(business))
        chosen = sorted(trigger.get("days") or [])
        when = _("every day") if len(chosen) == 7 else _("on %(days)s") % {"days": ", ".join(
            str(days.get(day, day)) for day in chosen) or "…"}  # fmt: skip
        said = _("it is %(at)s %(when)s") % {"at": trigger.get("at") or "…", "when": when}
        listed = lists.in_words(business, trigger["list"]) if business and trigger.get("list") else "…"
        return _("%(time)s, for every contact where %(list)s") % {"time": said, "list": listed}

    def check(self, trigger, business):
        found = super().check(trigger, business)
        at = str(trigger.get("at") or "")
        if at and not _is_clock(at):
            found.append(("at", _("Time: write hours and minutes, like 09:00.")))
        if wrong := lists.check(business, str(trigger["list"])) if trigger.get("list") else "":
            found.append(("list", wrong))
        return found


def _is_clock(text):
    hours, colon, minutes = text.partition(":")
    is_figures = text.isascii() and hours.isdigit() and minutes.isdigit() and len(minutes) == 2
    return bool(colon) and is_figures and int(hours) < 24 and int(minutes) < 60


class ByDays(Trigger):
    """So many days after something should have happened."""

    is_by_clock = True
    least = 1

    def days(self, trigger):
        return int(trigger.get("days") or 0)

    def check(self, trigger, business):
        found = super().check(trigger, business)
        if not found and not self.least <= self.days(trigger) <= MOST_DAYS:
            words = _("Days: write a number from %(least)d to %(most)d.")
            found.append(("days", words % {"least": self.least, "most": MOST_DAYS}))
        return found


class Overdue(ByDays):
    kind = "overdue"
    label = lazy("A task is overdue")
    inputs = (Input("days", lazy("For so many days"), "number", True, takes_fields=False, default="1"),)
    gives = ("task", *Trigger.gives)
    least = 0

    def say(self, trigger, business=None):
        if not (days := self.days(trigger)):
            return _("a task becomes overdue")
        return ngettext("a task is overdue by %(n)d day", "a task is overdue by %(n)d days", days) % {"n": days}


class Quiet(ByDays):
    kind = "quiet"
    label = lazy("Nothing happened with a contact")
    inputs = (Input("days", lazy("For so many days"), "number", True, takes_fields=False, default="30"),)

    def say(self, trigger, business=None):
        days = self.days(trigger)
        words = ngettext(
            "nothing happened with a contact for %(n)d day", "nothing happened with a contact for %(n)d days", days
        )
        return words % {"n": days}


class NoShow(Trigger):
    kind = "no_show"
    label = lazy("Somebody did not come to an appointment")
    gives = ("event", "old", "new", "appointment", *Trigger.gives)

    def say(self, trigger, business=None):
        return _("somebody did not come to an appointment")

    def lines(self, trigger):
        kinds = (Line.APPOINTMENT_CHANGED, Line.APPOINTMENT_MOVED)
        return Lines(kinds, changed=("status",), becomes=("noshow", "no-show", "no_show"))

    def choices(self, business):
        yield Choice({"kind": self.kind}, str(self.label), _("Appointments"), "no show noshow no_show appointment")


class Button(Trigger):
    kind = "button"
    label = lazy("Somebody presses a button on a contact’s page")
    inputs = (Input("label", lazy("What the button says"), required=True, takes_fields=False),)
    gives = ("event", *Trigger.gives)

    def say(self, trigger, business=None):
        words = _("somebody presses “%(label)s” on a contact’s page")
        return words % {"label": trigger.get("label") or "…"}

    def choices(self, business):
        yield Choice({"kind": self.kind}, str(self.label), _("By hand"), "button manual hand")


KINDS: dict[str, Trigger] = {
    each.kind: each for each in (Erp(), OfLine(), Webhook(), Schedule(), Overdue(), Quiet(), NoShow(), Button())
}


def of(trigger: dict[str, Any]) -> Trigger | None:
    return KINDS.get(trigger.get("kind", "")) if isinstance(trigger, dict) else None


def find(business: Business, text: str = "") -> list[Choice]:
    """What a rule of this business can begin with, for a picker: what has all these words."""
    wanted = text.lower().split()
    every = (choice for kind in KINDS.values() for choice in kind.choices(business))
    return [one for one in every if all(word in f"{one.title} {one.group} {one.words}".lower() for word in wanted)]
