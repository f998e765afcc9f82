"""What a list of contacts shows: URL parameters ⇄ query ⇄ chips. The list, exports, bulk actions and views share it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import reduce
from operator import and_, or_

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.http import QueryDict
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from contacts import access
from contacts.listing import search
from contacts.listing.conditions import KINDS, Condition, FieldChoice, Person
from contacts.models import Appointment, Company, CustomField, RemoteUser, Task
from contacts.paging import BestFirst, ByFirstOf, Order

MAX_TEXT = 200
MAX_GROUPS = 5
NEVER = datetime(9999, 1, 1, tzinfo=UTC)


def _overdue_tasks(now):
    return Task.objects.present().filter(completed=False, due_at__lt=now)


def _added(now):
    return Coalesce("remote_created_at", "created_at")


ORDERS = {
    "name": Order("sort_name", gettext_lazy("By name")),
    "recent": Order("last_activity_at", gettext_lazy("Newest activity first"), descending=True, is_time=True),
    "quietest": Order("last_activity_at", gettext_lazy("Oldest activity first"), is_time=True),
    "overdue": ByFirstOf.of("oldest_overdue", gettext_lazy("Oldest overdue first"), _overdue_tasks, "due_at", NEVER),
    "added": Order("added_at", gettext_lazy("Recently added"), descending=True, is_time=True, annotation=_added),
    "appointment": ByFirstOf.of(
        "next_start", gettext_lazy("Next appointment first"), Appointment.objects.upcoming, "starts_at", NEVER
    ),
}


@dataclass(frozen=True)
class Chip:
    """One condition as words, and the parameters of the list without it."""

    lead: str
    value: str
    without: str


@dataclass(frozen=True)
class ContactFilter:
    """(A and B) or (C and D): the conditions of a group are joined by "and", the groups by "or".

    The search text narrows them all. `view` is the key of the view this began as, see list_views. Unknown values are
    dropped and named in `problems`.
    """

    q: str = ""
    groups: tuple[tuple[Condition, ...], ...] = ()
    sort: str = "name"
    view: str = ""
    user: object = field(default=None, repr=False, compare=False)
    problems: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def of(cls, *conditions, **more):
        return cls(groups=(conditions,) if conditions else (), **more)

    @classmethod
    def from_params(cls, params, request):
        """Read what a URL asks for, within what this request may see."""
        return _Reader(params, request).read()

    @classmethod
    def from_query(cls, query, request):
        return cls.from_params(QueryDict(query), request)

    def apply(self, contacts, now=None):
        now = now or timezone.now()
        contacts = contacts.present()
        if self.q:
            contacts = search.matching(contacts, self.q)
        groups = [[_as_q(condition.where(self.user, now)) for condition in group] for group in self.groups]
        if len(groups) == 1:
            return contacts.filter(*groups[0])
        return contacts.filter(reduce(or_, (reduce(and_, group) for group in groups))) if groups else contacts

    @property
    def order(self):
        """By name, a search has those first whose name begins with what was typed."""
        lead = search.fold(self.q)
        return (
            BestFirst.of("sort_name", lead, gettext_lazy("By name"))
            if lead and self.sort == "name"
            else ORDERS[self.sort]
        )

    @property
    def is_empty(self):
        """True when nothing is filtered out; the order does not matter."""
        return not self.q and not self.groups

    def params(self):
        """The query string that leads here again: only what differs from the plain list."""
        return urlencode(self.pairs())

    def pairs(self):
        """The same as (name, value), for hidden inputs."""
        pairs = [("view", self.view)] if self.view else []
        if self.q:
            pairs.append(("q", self.q))
        for number, group in enumerate(self.groups, 1):
            pairs += [(prefix(number) + name, value) for condition in group for name, value in condition.pairs()]
        # Beside a view the order is always said: the view alone means the view as it was saved.
        if self.sort != "name" or self.view:
            pairs.append(("sort", self.sort))
        return pairs

    def with_(self, **values):
        return replace(self, **values)

    def adding(self, condition, group):
        """With one more condition in this group, counted from 1; one past the last begins a new group."""
        groups = [list(conditions) for conditions in self.groups] + [[]]
        kind = type(condition)
        kept = [one for one in groups[group - 1] if not (kind.is_single and type(one) is kind)]
        groups[group - 1] = sorted([*kept, condition], key=lambda one: KINDS.index(type(one)))
        return replace(self, groups=_without_empty(groups))

    def chips(self):
        """All parts of the sentence: "Contacts where owner is Dana and tag is insurance"."""
        found = [Chip(_("text matches"), self.q, replace(self, q="").params())] if self.q else []
        return found + [chip for chips in self.sentence() for chip in chips]

    def sentence(self):
        """The chips of each group."""
        return [
            [Chip(*condition.words(), self._without(at, condition).params()) for condition in group]
            for at, group in enumerate(self.groups)
        ]

    def _without(self, at, condition):
        groups = [list(group) for group in self.groups]
        groups[at].remove(condition)
        return replace(self, groups=_without_empty(groups))


def prefix(group):
    """The first group's parameters stand alone, those of the second are "2.tag"."""
    return f"{group}." if group > 1 else ""


def _without_empty(groups):
    return tuple(tuple(group) for group in groups if group)


def _as_q(where):
    return where if isinstance(where, Q) else Q(where)


ME = Person("me", gettext_lazy("me"))
NOBODY = Person("none", gettext_lazy("nobody"))


def people(request):
    """Who may own contacts in this scope, each person once, by name; read once per request."""
    if not hasattr(request, "_people"):
        request._people = _people(access.in_scope(request, RemoteUser.objects))
    return request._people


def _people(remote_users):
    groups = {}
    for row in remote_users.order_by("name", "pk"):
        key = ("user", row.user_id) if row.user_id else ("email", row.email.lower()) if row.email else ("pk", row.pk)
        groups.setdefault(key, []).append(row)
    return [Person(str(rows[0].pk), str(rows[0]), frozenset(row.pk for row in rows)) for rows in groups.values()]


def custom_fields(request):
    """The custom fields of this scope, each name once; read once per request."""
    if not hasattr(request, "_custom_fields"):
        groups = {}
        for row in access.in_scope(request, CustomField.objects).order_by("name", "pk"):
            groups.setdefault(row.name.casefold(), []).append(row)
        request._custom_fields = [
            FieldChoice(str(rows[0].pk), rows[0].name, frozenset((row.location_id, row.remote_id) for row in rows))
            for rows in groups.values()
        ]
    return request._custom_fields


class _Reader:
    """One reading of the parameters: collects the values that are usable, and a sentence for each that is not."""

    def __init__(self, params, request):
        self.params = params
        self.request = request
        self.problems = []
        self.prefix = ""

    def read(self):
        q = self.text("q", gettext_noop("The search text"))
        groups = []
        for number in self.numbers():
            self.prefix = prefix(number)
            groups.append([condition for kind in KINDS for condition in kind.read(self)])
        self.prefix = ""
        return ContactFilter(
            q=q, groups=_without_empty(groups), sort=self.sort(), view=self.view(), user=self.request.user,
            problems=tuple(dict.fromkeys(self.problems)),
        )  # fmt: skip

    def numbers(self):
        """The groups in this address."""
        found = {int(name.split(".")[0]) for name in self.params if re.fullmatch(r"[1-9]\d?\.\w+", name)} - {1}
        if len(found) >= MAX_GROUPS:
            words = _("More than %(most)s groups were asked for; the first %(most)s are used.")
            self.problems.append(words % {"most": MAX_GROUPS})
        return [1, *sorted(found)[: MAX_GROUPS - 1]]

    def value(self, name):
        return self.params.get(self.prefix + name, "")

    def values(self, name):
        return self.params.getlist(self.prefix + name)

    def text(self, name, noun):
        return self.shortened(self.value(name), noun)

    def shortened(self, text, noun):
        text = " ".join(text.replace("\x00", " ").split())
        if len(text) > MAX_TEXT:
            words = _("%(what)s was longer than %(most)s letters; only the beginning is used.")
            self.problems.append(words % {"what": _(noun), "most": MAX_TEXT})
        return text[:MAX_TEXT].strip()

    def texts(self, name, noun, most, nouns):
        texts = dict.fromkeys(self.shortened(text, noun).lower() for text in self.values(name))
        texts.pop("", None)
        if len(texts) > most:
            words = _("More than %(most)s %(what)s were asked for; the first %(most)s are used.")
            self.problems.append(words % {"what": _(nouns), "most": most})
        return tuple(texts)[:most]

    def people(self, name):
        chosen, unknown = [], False
        values = [value for value in self.values(name) if value]
        known: Callable = {pk: person for person in (people(self.request) if values else ()) for pk in person.pks}.get
        for value in values:
            person = {"me": ME, "none": NOBODY}.get(value) or known(number(value))
            unknown = unknown or person is None
            if person and person not in chosen:
                chosen.append(person)
        if unknown:
            self.problems.append(_("An owner in this address is not known here, so that part was left out."))
        return tuple(chosen)

    def company(self):
        """By its number, or as somebody types it: by its name."""
        value = self.text("company", gettext_noop("The company"))
        if not value:
            return None
        companies = access.in_scope(self.request, Company.objects)
        pk = number(value)
        company = companies.filter(pk=pk).first() if pk else None
        company = company or companies.filter(name__iexact=value).order_by("pk").first()
        if company is None:
            self.problems.append(_("The company in this address is not known here, so that part was left out."))
        return company

    def custom_fields(self, name, text_name, most):
        """(field, text) for each that is asked for: the two come in pairs."""
        texts = self.values(text_name)
        asked = [(value, texts[at] if at < len(texts) else "") for at, value in enumerate(self.values(name)) if value]
        known = {field.value: field for field in (custom_fields(self.request) if asked else ())}
        found = dict.fromkeys(
            (known[value], self.shortened(text, gettext_noop("The value of a field")))
            for value, text in asked
            if value in known
        )
        if any(value not in known for value, _ in asked) or len(found) > most:
            self.problems.append(_("A field in this address is not known here, so that part was left out."))
        return list(found)[:most]

    def number(self, name, noun, highest):
        value = self.value(name)
        if not value:
            return None
        days = number(value, highest)
        if days is None:
            words = _("“%(what)s” takes a number of days from 1 to %(highest)s, so it was left out.")
            self.problems.append(words % {"what": _(noun), "highest": f"{highest:,}"})
        return days

    def flag(self, name, words):
        value = self.value(name)
        if value not in ("", "1"):
            what = " ".join(map(_, words))
            self.problems.append(_("“%(what)s” can only be on or off, so it was left out.") % {"what": what})
        return value == "1"

    def yes_or_no(self, name, problem):
        value = self.value(name)
        if value not in ("", "0", "1"):
            self.problems.append(_(problem))
        return {"1": True, "0": False}.get(value)

    def sort(self):
        value = self.value("sort")
        if value and value not in ORDERS:
            self.problems.append(_("This list cannot be sorted that way; it is sorted by name."))
        return value if value in ORDERS else "name"

    def view(self):
        """What is no key of a view is nobody's, and list_views says so."""
        value = self.value("view")
        return value if re.fullmatch(r"[a-z0-9-]{1,20}", value) else ""


def number(text, highest=2**63 - 1):
    """A whole number from 1 to `highest`, or None."""
    if len(text) > 19 or not text.isascii() or not text.isdigit():
        return None
    number = int(text)
    return number if 1 <= number <= highest else None
