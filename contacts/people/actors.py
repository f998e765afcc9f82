"""Those who do things: our people, GHL's users, and the machines. Whoever is both ours and GHL's is one of them."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.models import ActorKind, HistoryEvent, RemoteUser, User

OTHERS = "others"


@dataclass(frozen=True)
class Actor:
    """`value` names it in an address. `names` are (location, name) as which GHL's users stand in the history."""

    value: str
    name: str
    user_id: int | None = None
    names: frozenset = frozenset()
    kind: str = ""
    remote_pks: frozenset = frozenset()

    def parts(self, events, location_ids):
        """Their events in these locations, as querysets of which each is read along one index."""
        for location_id in location_ids:
            names = sorted(name for known_in, name in self.names if known_in == location_id)
            here = events.filter(location=location_id)
            if self.user_id:
                yield here.filter(user=self.user_id)
            if self.value == OTHERS:
                yield here.filter(actor_kind=ActorKind.GHL).exclude(actor_name__in=["", *names])
            elif self.kind:
                yield here.filter(**self._machine())
            else:
                yield from (here.filter(actor_kind=ActorKind.GHL, actor_name=name) for name in names)

    def _machine(self):
        if self.kind == ActorKind.GHL:
            return {"actor_kind": self.kind, "actor_name": ""}
        return {"actor_kind": self.kind, "user": None}


IN_GHL = Actor("ghl", gettext_lazy("GHL, nobody named"), kind=ActorKind.GHL)
LEFT = Actor("left", gettext_lazy("Former users"), kind=ActorKind.PERSON)
MACHINES = (
    IN_GHL,
    Actor("rule", gettext_lazy("Rules"), kind=ActorKind.RULE),
    Actor("erp", "ERP", kind=ActorKind.ERP),
    Actor("system", gettext_lazy("Rankr itself"), kind=ActorKind.SYSTEM),
    LEFT,
)


class Actors:
    """Everybody who may have done something in these locations, read once."""

    def __init__(self, locations):
        self.location_ids = [location.pk for location in locations]
        remote = RemoteUser.objects.filter(location__in=self.location_ids).order_by("name", "pk")
        self.remote_users = list(remote.values_list("pk", "name", "email", "user", "location", named=True))
        members = User.objects.filter(memberships__business__in={location.business_id for location in locations})
        self.users = {user.pk: self._user(user) for user in members.distinct().order_by("name", "email")}
        self.in_ghl = [self._in_ghl(rows) for rows in self._unlinked()]
        self._by_name = {pair: actor for actor in self.in_ghl for pair in actor.names}
        self._by_name |= {pair: actor for actor in self.users.values() for pair in actor.names}
        self._left = {}
        # Notes keep the name their author had; it may have changed since.
        self.others = Actor(OTHERS, _("Other GHL users"), names=frozenset(self._by_name))

    def __iter__(self):
        yield from self.users.values()
        yield from self.in_ghl
        yield self.others
        yield from MACHINES

    def named(self, value):
        """The one an address names, or None. One who has left is known by what they did here."""
        known = next((actor for actor in self if actor.value == value), None)
        if known is None and value[:1] == "u" and value[1:].isascii() and value[1:].isdigit() and len(value) < 19:
            done = HistoryEvent.objects.filter(user=value[1:], location__in=self.location_ids)
            if event := done.select_related("user").first():
                known = Actor(value, str(event.user), event.user_id)
        return known

    def of(self, location_id, user_id, actor_kind, actor_name):
        """Who stands behind these columns of an event."""
        if user_id:
            left = Actor(f"u{user_id}", actor_name or _("A former user"), user_id)
            return self.users.get(user_id) or self._left.setdefault(user_id, left)
        if actor_kind == ActorKind.GHL and actor_name:
            return self._by_name.get((location_id, actor_name), self.others)
        return next(machine for machine in MACHINES if machine.kind == actor_kind)

    def of_remote_user(self, pk):
        return next((actor for actor in (*self.users.values(), *self.in_ghl) if pk in actor.remote_pks), None)

    def _user(self, user):
        names, pks = self._known_as([row for row in self.remote_users if row.user == user.pk])
        return Actor(f"u{user.pk}", str(user), user.pk, names, remote_pks=pks)

    def _in_ghl(self, rows):
        names, pks = self._known_as(rows)
        return Actor(f"g{rows[0].pk}", rows[0].name or _("Unknown GHL user"), names=names, remote_pks=pks)

    @staticmethod
    def _known_as(rows):
        return frozenset((row.location, row.name) for row in rows if row.name), frozenset(row.pk for row in rows)

    def _unlinked(self):
        """The rows of each GHL user of no account here, once for all locations: known again by e-mail."""
        groups = {}
        for row in self.remote_users:
            if row.user not in self.users:
                groups.setdefault(row.email.lower() or row.pk, []).append(row)
        return groups.values()
