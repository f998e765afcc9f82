"""The frame around every page: which businesses, which role, what waits."""

from dataclasses import dataclass, field

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.functional import cached_property

from contacts import access
from contacts.frame import places
from contacts.models import Change, Role, Task


@dataclass
class Frame:
    request: object = field(repr=False)

    @cached_property
    def businesses(self):
        return access.businesses_of(self.request)

    @cached_property
    def business(self):
        return access.current_business(self.request)

    @cached_property
    def role(self):
        """The highest role among the businesses in view."""
        mine = access.memberships_of(self.request)
        roles = {membership.role for membership in mine if self.business in (None, membership.business)}
        return next((role for role in (Role.ADMIN, Role.MANAGER, Role.STAFF) if role in roles), None)

    @property
    def rail(self):
        return self._counted(places.RAIL)

    @property
    def admin_rail(self):
        return self._counted(places.ADMIN_RAIL)

    def _counted(self, listed):
        """[(place, how many wait there)]"""
        return [(place, self.counts.get(place.count)) for place in places.places_for(self.role, listed)]

    @property
    def outbox(self):
        return places.OUTBOX

    @property
    def mine(self):
        """Pages about the person, for the menu under their picture."""
        return places.places_for(self.role, places.MINE)

    @property
    def keyed(self):
        """The places that a letter after G leads to."""
        return [place for place in places.places_for(self.role) if place.key]

    @property
    def asked_at(self):
        """Seconds since 1970, as static/js/live-events.js reads them."""
        return f"{self.request.began_at:.3f}"

    @cached_property
    def counts(self):
        mine = Task.objects.filter(assignee__in=access.me_in_ghl(self.request)).open()
        businesses = access.businesses_in_scope(self.request)
        changes = Change.objects.filter(business__in=businesses, made_by=self.request.user).holding()
        return {
            "today": _at_most(mine.filter(due_at__lt=timezone.now())),
            "tasks": _at_most(mine),
            **changes.aggregate(
                queued=Count("pk", filter=Q(state__in=Change.UNSETTLED)),
                refused=Count("pk", filter=Q(state__in=Change.UNDECIDED)),
            ),
        }


def _at_most(rows, most=99):
    """More than that nobody reads, and every page would wait for it."""
    count = rows[: most + 1].count()
    return count if count <= most else f"{most}+"


def frame(request):
    user = getattr(request, "user", None)
    return {"frame": Frame(request)} if user is not None and user.is_authenticated else {}
