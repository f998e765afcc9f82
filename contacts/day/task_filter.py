"""Which tasks a page is about: URL parameters ⇄ query. The task list and the queue share it."""

from dataclasses import dataclass, field

from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import access
from contacts.day import agenda
from contacts.listing.filters import MAX_TEXT, number, people
from contacts.models import Business, RemoteUser, Task
from contacts.paging import Order

BY_DATE = Order("due_at", gettext_lazy("Oldest first"), is_time=True)
BY_AGE = Order("created_at", gettext_lazy("Oldest first"), is_time=True)


@dataclass(frozen=True)
class TaskFilter:
    """Whose tasks, of which business, with which words. `who` is mine, everyone, or a person's number."""

    who: str = "mine"
    person: object = None
    business: Business | None = None
    q: str = ""
    problems: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def from_params(cls, params, request):
        problems = []
        who, person = params.get("who", "") or "mine", None
        if who not in ("mine", "everyone"):
            person = next((p for p in people(request) if number(who) in p.pks), None)
            if person is None:
                who = "mine"
                problems.append(_("That person is not known here; these are your tasks."))
            else:
                who = person.value
        business = None
        if params.get("business"):
            pk = number(params["business"])
            business = next((b for b in access.businesses_of(request) if b.pk == pk), None)
            if business is None:
                problems.append(_("That business is not one of yours, so that part was left out."))
        q = " ".join(params.get("q", "").replace("\x00", " ").split())
        if len(q) > MAX_TEXT:
            words = _("The words to find were longer than %(most)s letters; only the beginning is used.")
            problems.append(words % {"most": MAX_TEXT})
        return cls(who, person, business, q[:MAX_TEXT], tuple(problems))

    def lanes(self, group, locations, user, now):
        """The open tasks of one group, within these locations."""
        tasks = Task.objects.open()
        if self.q:
            tasks = tasks.filter(title__icontains=self.q)
        if self.business:
            locations = [location for location in locations if location.business_id == self.business.pk]
        return agenda.in_lanes(tasks, group, locations, now, self._people(user))

    def _people(self, user):
        """Whose tasks, as GHL users; None for everyone's."""
        if self.person:
            return self.person.pks
        return RemoteUser.objects.filter(user=user).values("pk") if self.who == "mine" else None

    def query(self, **changes):
        values = {
            "who": self.who,
            "business": self.business.pk if self.business else "",
            "q": self.q,
            **changes,
        }
        return urlencode({name: value for name, value in values.items() if value and (name, value) != ("who", "mine")})


def order_of(group):
    return BY_AGE if group == "none" else BY_DATE
