"""What a list of contacts can be narrowed by. Each condition knows its parameters, its words and its question.

A question is about the contact's own row, or an EXISTS beside it: so the lists' indexes keep their order.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import ClassVar

from django.db.models import Exists, OuterRef, Q, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual, IExact, In
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from contacts.models import Appointment, Company, RemoteUser, Task

MAX_TAGS = 20  # each is one condition; more is a mistake, not a question
MAX_FIELDS = 10
MAX_DAYS = 3650
NO_VALUE = ["", "[]", "{}"]  # what GHL leaves behind where a custom field was cleared


@dataclass(frozen=True)
class Person:
    """Somebody who owns contacts: the same person may be a RemoteUser in several locations."""

    value: str
    name: str
    pks: frozenset = frozenset()


@dataclass(frozen=True)
class FieldChoice:
    """A custom field by its name: several locations may each have their own of it, as (location, remote id)."""

    value: str
    name: str
    places: frozenset = frozenset()


def open_tasks():
    return Task.objects.present().filter(completed=False, contact=OuterRef("pk"))


def upcoming(now):
    return Appointment.objects.upcoming(now).filter(contact=OuterRef("pk"))


def days(number):
    return ngettext("%(count)s day", "%(count)s days", number) % {"count": number}


def _either(one, other):
    return _("%(one)s or %(other)s") % {"one": one, "other": other}


class Condition:
    """One part of the sentence. `NAMES` are its parameters; `is_single`: asked for again, it replaces itself."""

    NAMES: ClassVar[tuple[str, ...]] = ()
    is_single: ClassVar[bool] = True

    @classmethod
    def read(cls, reader):
        """The conditions of this kind in the address."""
        raise NotImplementedError

    def pairs(self):
        raise NotImplementedError

    def words(self):
        """(lead, value): "owner is", "Dana"."""
        raise NotImplementedError

    def where(self, user, now: datetime):
        raise NotImplementedError


@dataclass(frozen=True)
class Owned(Condition):
    """Several owners are joined by "or"."""

    people: tuple[Person, ...]
    NAMES = ("owner",)
    is_single = False

    @classmethod
    def read(cls, reader):
        people = reader.people("owner")
        return [cls(people)] if people else []

    def pairs(self):
        return [("owner", person.value) for person in self.people]

    def words(self):
        return _("owner is"), reduce(_either, (str(person.name) for person in self.people))

    def where(self, user, now):
        owned = Q(owner__in=set().union(*(person.pks for person in self.people)))
        for person in self.people:
            if person.value == "me":
                # By their numbers: of a subquery Postgres cannot tell how few rows it leaves.
                owned |= Q(owner__in=list(RemoteUser.objects.filter(user=user).values_list("pk", flat=True)))
            elif person.value == "none":
                owned |= Q(owner=None)
        return owned


@dataclass(frozen=True)
class Tagged(Condition):
    tag: str
    NAMES = ("tag",)
    is_single = False

    @classmethod
    def read(cls, reader):
        return [cls(tag) for tag in reader.texts(cls.NAMES[0], gettext_noop("A tag"), MAX_TAGS, gettext_noop("tags"))]

    def pairs(self):
        return [(self.NAMES[0], self.tag)]

    def words(self):
        return _("tag is"), self.tag

    def where(self, user, now):
        return Q(tags__contains=[self.tag])


@dataclass(frozen=True)
class NotTagged(Tagged):
    NAMES = ("not_tag",)

    def words(self):
        return _("tag is not"), self.tag

    def where(self, user, now):
        return ~Q(tags__contains=[self.tag])


@dataclass(frozen=True)
class OfCompany(Condition):
    company: Company
    NAMES = ("company",)

    @classmethod
    def read(cls, reader):
        company = reader.company()
        return [cls(company)] if company else []

    def pairs(self):
        return [("company", self.company.pk)]

    def words(self):
        return _("company is"), str(self.company)

    def where(self, user, now):
        return Q(company=self.company)


class Flag(Condition):
    """Something that is so. Without its parameter nothing is said about it."""

    WORDS: ClassVar[tuple[str, str]]

    @classmethod
    def read(cls, reader):
        return [cls()] if reader.flag(cls.NAMES[0], cls.WORDS) else []

    def pairs(self):
        return [(self.NAMES[0], 1)]

    def words(self):
        return tuple(map(_, self.WORDS))


@dataclass(frozen=True)
class Overdue(Flag):
    NAMES = ("overdue",)
    WORDS = (gettext_noop("a task is"), gettext_noop("overdue"))

    def where(self, user, now):
        return Exists(open_tasks().filter(due_at__lt=now))


@dataclass(frozen=True)
class Upcoming(Flag):
    NAMES = ("upcoming",)
    WORDS = (gettext_noop("an appointment is"), gettext_noop("coming up"))

    def where(self, user, now):
        return Exists(upcoming(now))


@dataclass(frozen=True)
class NoNextStep(Flag):
    NAMES = ("no_next_step",)
    WORDS = (gettext_noop("there is"), gettext_noop("no next step"))

    def where(self, user, now):
        return ~Exists(open_tasks()) & ~Exists(upcoming(now))


@dataclass(frozen=True)
class Quiet(Condition):
    days: int
    NAMES = ("quiet",)
    LEAD: ClassVar[str] = gettext_noop("nothing happened for")
    NOUN: ClassVar[str] = gettext_noop("Quiet for")

    @classmethod
    def read(cls, reader):
        number = reader.number(cls.NAMES[0], cls.NOUN, MAX_DAYS)
        return [cls(number)] if number else []

    def pairs(self):
        return [(self.NAMES[0], self.days)]

    def words(self):
        return _(self.LEAD), days(self.days)

    def where(self, user, now):
        return Q(last_activity_at__lt=now - timedelta(days=self.days))


@dataclass(frozen=True)
class AddedWithin(Quiet):
    NAMES = ("added",)
    LEAD = gettext_noop("added within the last")
    NOUN = gettext_noop("Added within")

    def where(self, user, now):
        added = Coalesce("remote_created_at", "created_at")
        return Q(GreaterThanOrEqual(added, Value(now - timedelta(days=self.days))))


class Known(Condition):
    """Whether a way to reach the person is known."""

    LEAD: ClassVar[str]
    PROBLEM: ClassVar[str]

    @classmethod
    def read(cls, reader):
        known = reader.yes_or_no(cls.NAMES[0], cls.PROBLEM)
        return [] if known is None else [cls(known)]

    def pairs(self):
        return [(self.NAMES[0], int(self.is_known))]

    def words(self):
        return _(self.LEAD), _("known") if self.is_known else _("missing")

    def where(self, user, now):
        missing = Q(**{self.NAMES[0]: ""})
        return ~missing if self.is_known else missing


@dataclass(frozen=True)
class EmailKnown(Known):
    is_known: bool
    NAMES = ("email",)
    LEAD = gettext_noop("e-mail is")
    PROBLEM = gettext_noop("The e-mail can only be known or missing, so that part was left out.")


@dataclass(frozen=True)
class PhoneKnown(Known):
    is_known: bool
    NAMES = ("phone",)
    LEAD = gettext_noop("phone is")
    PROBLEM = gettext_noop("The phone can only be known or missing, so that part was left out.")


class Same(Condition):
    """A text field that says just this, in capitals or not."""

    LEAD: ClassVar[str]
    NOUN: ClassVar[str]

    @classmethod
    def read(cls, reader):
        text = reader.text(cls.NAMES[0], cls.NOUN)
        return [cls(text)] if text else []

    def pairs(self):
        return [(self.NAMES[0], self.text)]

    def words(self):
        return _(self.LEAD), self.text

    def where(self, user, now):
        return Q(**{f"{self.NAMES[0]}__iexact": self.text})


@dataclass(frozen=True)
class FromSource(Same):
    text: str
    NAMES = ("source",)
    LEAD = gettext_noop("source is")
    NOUN = gettext_noop("The source")


@dataclass(frozen=True)
class OfType(Same):
    text: str
    NAMES = ("type",)
    LEAD = gettext_noop("type is")
    NOUN = gettext_noop("The type")


@dataclass(frozen=True)
class FieldIs(Condition):
    """A custom field holds just this, or with no text: holds nothing. `field=12&is=Metal`, in pairs."""

    field: FieldChoice
    text: str
    NAMES = ("field", "is")
    is_single = False

    @classmethod
    def read(cls, reader):
        return [cls(field, text) for field, text in reader.custom_fields("field", "is", MAX_FIELDS)]

    def pairs(self):
        return [("field", self.field.value), ("is", self.text)]

    def words(self):
        return _("%(field)s is") % {"field": self.field.name}, self.text or _("empty")

    def where(self, user, now):
        return reduce(or_, (Q(location=location) & self._held(key) for location, key in sorted(self.field.places)))

    def _held(self, key):
        value = Coalesce(KeyTextTransform(key, "custom_values"), Value(""), output_field=TextField())
        if not self.text:
            return Q(In(value, NO_VALUE))
        # Of several choices one is enough.
        return Q(IExact(value, self.text)) | Q(custom_values__contains={key: [self.text]})


KINDS: tuple[type[Condition], ...] = (
    Owned, Tagged, NotTagged, OfCompany, Overdue, Upcoming, NoNextStep, Quiet, AddedWithin, EmailKnown, PhoneKnown,
    FromSource, OfType, FieldIs,
)  # fmt: skip
