"""Which tasks a page is about: URL parameters ⇄ query. The task list and the queue share it."""

from dataclasses import dataclass, field

from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import access
from contacts.listing.filters import MAX_TEXT, number, people
from contacts.models import Business, RemoteUser
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

    def apply(self, tasks, user):
        if self.business:
            tasks = tasks.filter(location__business=self.business)
        if self.q:
            tasks = tasks.filter(title__icontains=self.q)
        if self.person:
            return tasks.filter(assignee__in=self.person.pks)
        # By primary keys: by way of `assignee__user` Postgres reads everybody's tasks.
        me = list(RemoteUser.objects.filter(user=user).values_list("pk", flat=True)) if self.who == "mine" else []
        return tasks.filter(assignee__in=me) if self.who == "mine" else tasks

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
