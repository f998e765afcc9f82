"""What a list of contacts shows: URL parameters ⇄ query ⇄ chips. The list, exports and saved views share it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from django.db.models import Exists, Min, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.http import urlencode

from contacts import access, search
from contacts.models import Appointment, Company, RemoteUser, Task
from contacts.paging import Order

MAX_TEXT = 200
MAX_TAGS = 20  # each is one condition; more is a mistake, not a question
MAX_DAYS = 3650
NEVER = datetime(9999, 1, 1, tzinfo=UTC)


def _open_tasks():
    return Task.objects.present().filter(completed=False, contact=OuterRef("pk"))


def _upcoming(now):
    return Appointment.objects.upcoming(now).filter(contact=OuterRef("pk"))


def _oldest_overdue(now):
    oldest = _open_tasks().filter(due_at__lt=now).order_by().values("contact").annotate(oldest=Min("due_at"))
    return Coalesce(Subquery(oldest.values("oldest")), NEVER)


def _next_appointment(now):
    return Coalesce(Subquery(_upcoming(now).order_by("starts_at").values("starts_at")[:1]), NEVER)


def _added(now):
    return Coalesce("remote_created_at", "created_at")


ORDERS = {
    "name": Order("sort_name", "By name"),
    "recent": Order("last_activity_at", "Newest activity first", descending=True, is_time=True),
    "quietest": Order("last_activity_at", "Oldest activity first", is_time=True),
    "overdue": Order("oldest_overdue", "Oldest overdue first", is_time=True, annotation=_oldest_overdue),
    "added": Order("added_at", "Recently added", descending=True, is_time=True, annotation=_added),
    "appointment": Order("next_start", "Next appointment first", is_time=True, annotation=_next_appointment),
}


@dataclass(frozen=True)
class Person:
    """Somebody who owns contacts: the same person may be a RemoteUser in several locations."""

    value: str
    name: str
    pks: frozenset = frozenset()


@dataclass(frozen=True)
class Chip:
    """One condition as words, and the parameters of the list without it."""

    lead: str
    value: str
    without: str


@dataclass(frozen=True)
class ContactFilter:
    """Conditions are joined by "and"; several owners by "or". Unknown values are dropped and named in `problems`."""

    q: str = ""
    owners: tuple[Person, ...] = ()
    tags: tuple[str, ...] = ()
    company: Company | None = None
    overdue: bool = False
    upcoming: bool = False
    no_next_step: bool = False
    quiet: int | None = None
    sort: str = "name"
    user: object = field(default=None, repr=False)
    problems: tuple[str, ...] = field(default=(), compare=False)

    FLAGS = {
        "overdue": ("a task is", "overdue"),
        "upcoming": ("an appointment is", "coming up"),
        "no_next_step": ("there is", "no next step"),
    }

    @classmethod
    def from_params(cls, params, request):
        """Read what a URL asks for, within what this request may see."""
        return _Reader(params, request).read()

    def apply(self, contacts, now=None):
        now = now or timezone.now()
        contacts = contacts.present()
        if self.q:
            contacts = search.matching(contacts, self.q)
        if self.owners:
            contacts = contacts.filter(self._owned())
        if self.tags:
            contacts = contacts.filter(tags__contains=list(self.tags))
        if self.company:
            contacts = contacts.filter(company=self.company)
        if self.overdue:
            contacts = contacts.filter(Exists(_open_tasks().filter(due_at__lt=now)))
        if self.upcoming:
            contacts = contacts.filter(Exists(_upcoming(now)))
        if self.no_next_step:
            contacts = contacts.filter(~Exists(_open_tasks()), ~Exists(_upcoming(now)))
        if self.quiet:
            contacts = contacts.filter(last_activity_at__lt=now - timedelta(days=self.quiet))
        return contacts

    @property
    def order(self):
        return ORDERS[self.sort]

    @property
    def is_empty(self):
        """True when nothing is filtered out; the order does not matter."""
        return not self.chips()

    def params(self):
        """The query string that leads here again: only what differs from the plain list."""
        return urlencode(self.pairs())

    def pairs(self):
        """The same as (name, value), for hidden inputs."""
        pairs = [("q", self.q)] if self.q else []
        pairs += [("owner", person.value) for person in self.owners]
        pairs += [("tag", tag) for tag in self.tags]
        if self.company:
            pairs.append(("company", self.company.pk))
        pairs += [(flag, 1) for flag in self.FLAGS if getattr(self, flag)]
        if self.quiet:
            pairs.append(("quiet", self.quiet))
        if self.sort != "name":
            pairs.append(("sort", self.sort))
        return pairs

    def with_(self, **values):
        return replace(self, **values)

    def chips(self):
        """The filter as the parts of a sentence: "Contacts where owner is Dana and tag is insurance"."""
        chips = []

        def add(lead, value, **without):
            chips.append(Chip(lead, value, replace(self, **without).params()))

        if self.q:
            add("text matches", self.q, q="")
        if self.owners:
            add("owner is", " or ".join(person.name for person in self.owners), owners=())
        for tag in self.tags:
            add("tag is", tag, tags=tuple(other for other in self.tags if other != tag))
        if self.company:
            add("company is", str(self.company), company=None)
        for flag, (lead, value) in self.FLAGS.items():
            if getattr(self, flag):
                add(lead, value, **{flag: False})
        if self.quiet:
            add("nothing happened for", f"{self.quiet} day{'' if self.quiet == 1 else 's'}", quiet=None)
        return chips

    def _owned(self):
        owned = Q(owner__in=set().union(*(person.pks for person in self.owners)))
        for person in self.owners:
            if person.value == "me":
                owned |= Q(owner__user=self.user)
            elif person.value == "none":
                owned |= Q(owner=None)
        return owned


ME = Person("me", "me")
NOBODY = Person("none", "nobody")


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


class _Reader:
    """One reading of the parameters: collects the values that are usable, and a sentence for each that is not."""

    def __init__(self, params, request):
        self.params = params
        self.request = request
        self.problems = []

    def read(self):
        values = {
            "q": self.text("q", "The search text"),
            "owners": self.owners(),
            "tags": self.tags(),
            "company": self.company(),
            "quiet": self.quiet(),
            "sort": self.sort(),
            **{flag: self.flag(flag) for flag in ContactFilter.FLAGS},
        }
        return ContactFilter(**values, user=self.request.user, problems=tuple(self.problems))

    def text(self, name, noun):
        return self.shortened(self.params.get(name, ""), noun)

    def shortened(self, text, noun):
        text = " ".join(text.replace("\x00", " ").split())
        if len(text) > MAX_TEXT:
            self.problems.append(f"{noun} was longer than {MAX_TEXT} letters; only the beginning is used.")
        return text[:MAX_TEXT].strip()

    def owners(self):
        chosen, unknown = [], False
        known: Callable = {pk: person for person in people(self.request) for pk in person.pks}.get
        for value in self.params.getlist("owner"):
            if not value:
                continue
            person = {"me": ME, "none": NOBODY}.get(value) or known(number(value))
            unknown = unknown or person is None
            if person and person not in chosen:
                chosen.append(person)
        if unknown:
            self.problems.append("An owner in this address is not known here, so that part was left out.")
        return tuple(chosen)

    def tags(self):
        tags = dict.fromkeys(self.shortened(tag, "A tag").lower() for tag in self.params.getlist("tag"))
        tags.pop("", None)
        if len(tags) > MAX_TAGS:
            self.problems.append(f"More than {MAX_TAGS} tags were asked for; the first {MAX_TAGS} are used.")
        return tuple(tags)[:MAX_TAGS]

    def company(self):
        value = self.params.get("company", "")
        if not value:
            return None
        pk = number(value)
        company = access.in_scope(self.request, Company.objects).filter(pk=pk).first() if pk else None
        if company is None:
            self.problems.append("The company in this address is not known here, so that part was left out.")
        return company

    def quiet(self):
        value = self.params.get("quiet", "")
        if not value:
            return None
        days = number(value, MAX_DAYS)
        if days is None:
            self.problems.append(f"“Quiet for” takes a number of days from 1 to {MAX_DAYS:,}, so it was left out.")
        return days

    def flag(self, name):
        value = self.params.get(name, "")
        if value not in ("", "1"):
            lead, word = ContactFilter.FLAGS[name]
            self.problems.append(f"“{lead} {word}” can only be on or off, so it was left out.")
        return value == "1"

    def sort(self):
        value = self.params.get("sort", "")
        if value and value not in ORDERS:
            self.problems.append("This list cannot be sorted that way; it is sorted by name.")
        return value if value in ORDERS else "name"


def number(text, highest=2**63 - 1):
    """A whole number from 1 to `highest`, or None."""
    if len(text) > 19 or not text.isascii() or not text.isdigit():
        return None
    number = int(text)
    return number if 1 <= number <= highest else None
