"""The frame around every page: which businesses, which role, what waits."""

from dataclasses import dataclass, field

from django.utils import timezone
from django.utils.functional import cached_property

from contacts import access
from contacts.models import Change, Membership, Role, Task


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
        mine = Membership.objects.filter(user=self.request.user)
        if self.business:
            mine = mine.filter(business=self.business)
        roles = set(mine.values_list("role", flat=True))
        return next((role for role in (Role.ADMIN, Role.MANAGER, Role.STAFF) if role in roles), None)

    @cached_property
    def counts(self):
        user = self.request.user
        mine = access.in_scope(self.request, Task.objects).filter(assignee__user=user).open()
        changes = access.in_scope(self.request, Change.objects, "business").filter(made_by=user)
        return {
            "today": mine.filter(due_at__lt=timezone.now()).count(),
            "tasks": mine.count(),
            "queued": changes.unsettled().count(),
            "refused": changes.undecided().count(),
        }


def frame(request):
    user = getattr(request, "user", None)
    return {"frame": Frame(request)} if user is not None and user.is_authenticated else {}
