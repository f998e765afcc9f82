"""What can be done to many contacts at once. Each knows its words, whom it would change, and how to do it to one."""

from dataclasses import dataclass, field
from datetime import date

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contacts.day import due
from contacts.listing.filters import people
from contacts.models import BulkAction, NotEditable, RemoteUser, Task

MOST_TAGS = 10
MOST_LETTERS = 200


class Unclear(Exception):
    """What was typed cannot be taken yet; the sentence says why."""


def many(number):
    return ngettext("%(count)s contact", "%(count)s contacts", number) % {"count": f"{number:,}"}


@dataclass(frozen=True)
class Words:
    """Before it is done, for one contact and for several: what they get, and what is so already."""

    gets: tuple[str, str]
    has: tuple[str, str]


@dataclass(frozen=True)
class AddTags:
    KIND = BulkAction.Kind.ADD_TAGS
    REQUESTS = 2  # the tags, and reading back
    tags: tuple[str, ...]

    @classmethod
    def read(cls, data, request):
        tags = [" ".join(tag.replace("\x00", " ").split()).lower() for tag in data.get("tag", "").split(",")]
        tags = tuple(dict.fromkeys(tag for tag in tags if tag))
        if not tags:
            raise Unclear(_("Write the tag first."))
        if len(tags) > MOST_TAGS or any(len(tag) > MOST_LETTERS for tag in tags):
            words = _("%(tags)s tags of %(letters)s letters each are the most at once.")
            raise Unclear(words % {"tags": MOST_TAGS, "letters": MOST_LETTERS})
        return cls(tags)

    @classmethod
    def of(cls, values, request):
        return cls(tuple(values["tags"]))

    @property
    def values(self):
        return {"tags": list(self.tags)}

    @property
    def named(self):
        words = ngettext("tag %(tags)s", "tags %(tags)s", len(self.tags))
        return words % {"tags": ", ".join(self.tags)}

    @property
    def words(self):
        if len(self.tags) == 1:
            return Words(
                (_("contact gets the tag"), _("contacts get the tag")),
                (_("has it already, left alone"), _("have it already, left alone")),
            )
        return Words(
            (_("contact gets the tags"), _("contacts get the tags")),
            (_("has them already, left alone"), _("have them already, left alone")),
        )

    @property
    def doing(self):
        return _("Adding %(tags)s") % {"tags": self.named}

    def done(self, many):
        return _("Added %(tags)s to %(contacts)s") % {"tags": self.named, "contacts": many}

    def button(self, many):
        return _("Tag %(contacts)s") % {"contacts": many}

    def already(self):
        return Q(tags__contains=list(self.tags))

    def obstacle(self, location):
        return ""

    def do(self, contact, by):
        return contact.add_tags(self.tags, by=by)


@dataclass(frozen=True)
class RemoveTags(AddTags):
    KIND = BulkAction.Kind.REMOVE_TAGS

    @property
    def words(self):
        if len(self.tags) == 1:
            return Words(
                (_("contact loses the tag"), _("contacts lose the tag")),
                (_("does not have it, left alone"), _("do not have it, left alone")),
            )
        return Words(
            (_("contact loses the tags"), _("contacts lose the tags")),
            (_("does not have any of them, left alone"), _("do not have any of them, left alone")),
        )

    @property
    def doing(self):
        return _("Removing %(tags)s") % {"tags": self.named}

    def done(self, many):
        return _("Removed %(tags)s from %(contacts)s") % {"tags": self.named, "contacts": many}

    def button(self, many):
        return _("Untag %(contacts)s") % {"contacts": many}

    def already(self):
        return ~Q(tags__overlap=list(self.tags))

    def do(self, contact, by):
        return contact.remove_tags(self.tags, by=by)


@dataclass(frozen=True)
class SetOwner:
    KIND = BulkAction.Kind.OWNER
    REQUESTS = 3  # looking, writing, and reading back
    value: str
    name: str
    of_location: dict = field(hash=False)  # location → that person's RemoteUser there

    @classmethod
    def read(cls, data, request):
        return cls._chosen(data.get("owner", ""), request)

    @classmethod
    def of(cls, values, request):
        return cls._chosen(values["owner"], request)

    @classmethod
    def _chosen(cls, value, request):
        if not value:
            raise Unclear(_("Choose a person first."))
        if value == "none":
            return cls("none", _("nobody"), {})
        person = next((one for one in people(request) if value in {str(pk) for pk in one.pks}), None)
        rows = RemoteUser.objects.filter(pk__in=person.pks if person else (), is_active=True)
        if not rows:
            raise Unclear(_("This person does not work here any more. Choose somebody else."))
        return cls(person.value, person.name, {row.location_id: row for row in rows})

    @property
    def values(self):
        return {"owner": self.value}

    @property
    def words(self):
        return Words(
            (
                _("contact goes to %(person)s") % {"person": self.name},
                _("contacts go to %(person)s") % {"person": self.name},
            ),
            (_("has this owner already, left alone"), _("have this owner already, left alone")),
        )

    @property
    def doing(self):
        return _("Assigning to %(person)s") % {"person": self.name}

    def done(self, many):
        return _("Assigned %(contacts)s to %(person)s") % {"contacts": many, "person": self.name}

    def button(self, many):
        return _("Assign %(contacts)s") % {"contacts": many}

    def already(self):
        if self.value == "none":
            return Q(owner=None)
        return Q(owner__in=[row.pk for row in self.of_location.values()])

    def obstacle(self, location):
        if self.value == "none" or location.pk in self.of_location:
            return ""
        return _("%(person)s does not work in %(location)s.") % {"person": self.name, "location": location}

    def do(self, contact, by):
        if reason := self.obstacle(contact.location):
            raise NotEditable(reason)
        return contact.edit(by=by, owner=self.of_location.get(contact.location_id))


@dataclass(frozen=True)
class AddTask:
    """`assignee` is none, owner (each contact's own), or a person."""

    KIND = BulkAction.Kind.TASK
    REQUESTS = 2  # making it, and reading back
    title: str
    day: date
    assignee: str
    person: SetOwner | None = None

    @classmethod
    def read(cls, data, request):
        title = " ".join(data.get("title", "").replace("\x00", " ").split())
        if not title:
            raise Unclear(_("A task needs a title: GHL keeps none without."))
        if len(title) > 1000:
            raise Unclear(_("This title is too long: 1,000 letters fit."))
        try:
            day = date.fromisoformat(data.get("due", ""))
        except ValueError:
            raise Unclear(_("A task needs a due date, written like 2026-11-30.")) from None
        if not 1970 <= day.year < 9999:
            raise Unclear(_("This year cannot be right: check the date."))
        return cls._made(title, day, data.get("assignee", ""), request)

    @classmethod
    def of(cls, values, request):
        return cls._made(values["title"], date.fromisoformat(values["due"]), values["assignee"], request)

    @classmethod
    def _made(cls, title, day, assignee, request):
        assignee = assignee or "none"
        person = None if assignee in ("none", "owner") else SetOwner._chosen(assignee, request)
        return cls(title, day, assignee, person)

    @property
    def values(self):
        return {"title": self.title, "due": self.day.isoformat(), "assignee": self.assignee}

    @property
    def words(self):
        return Words((_("contact gets the task"), _("contacts get the task")), ("", ""))

    @property
    def doing(self):
        return _("Adding task “%(title)s”") % {"title": self._short}

    def done(self, many):
        return _("Added task “%(title)s” to %(contacts)s") % {"title": self._short, "contacts": many}

    def button(self, many):
        return _("Add the task to %(contacts)s") % {"contacts": many}

    @property
    def _short(self):
        return self.title if len(self.title) <= 60 else f"{self.title[:59]}…"

    def already(self):
        return Q(pk__in=[])

    def obstacle(self, location):
        return self.person.obstacle(location) if self.person else ""

    def do(self, contact, by):
        if reason := self.obstacle(contact.location):
            raise NotEditable(reason)
        assignee = contact.owner if self.assignee == "owner" else None
        if self.person:
            assignee = self.person.of_location.get(contact.location_id)
        task = Task(
            contact=contact, location=contact.location, title=self.title, assignee=assignee,
            due_at=due.at(self.day, contact.location.zone),
        )  # fmt: skip
        return task.create(by=by)


ACTS = {act.KIND: act for act in (AddTags, RemoveTags, SetOwner, AddTask)}
