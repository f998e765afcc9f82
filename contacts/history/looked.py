"""What has happened to contacts since somebody last looked at them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from contacts import access
from contacts.models import Contact, ContactView, HistoryEvent
from contacts.rows import UNREAD, activity_of, latest_events

FOR = timedelta(days=30)
VIEWS = 200  # the contacts one looked at last
SHOWN = 8


@dataclass
class Changed:
    contact: Contact
    looked_at: datetime
    event: HistoryEvent | None = None

    @property
    def activity(self):
        return activity_of(self.event) if self.event else ""


def changed_since_looked(request, limit=SHOWN):
    """The contacts one looked at lately that others have changed since, the latest change first. Three queries."""
    views = access.in_scope(request, ContactView.objects, "contact__business")
    views = views.filter(looked_at__gt=timezone.now() - FOR, contact__deleted_at=None).order_by("-looked_at")
    latest = views.values("pk")[:VIEWS]
    by_others = HistoryEvent.objects.filter(contact=OuterRef("contact"), happened_at__gt=OuterRef("looked_at"))
    by_others = by_others.filter(~Q(user=request.user) | Q(user=None))
    changed = ContactView.objects.filter(pk__in=latest, contact__last_activity_at__gt=F("looked_at"))
    changed = changed.filter(Exists(by_others)).order_by("-contact__last_activity_at", "-pk")
    changed = changed.select_related("contact__business", "contact__location")
    found = list(changed.defer(*(f"contact__{name}" for name in UNREAD))[:limit])
    events = {event.contact_id: event for event in latest_events([view.contact_id for view in found])}
    return [Changed(view.contact, view.looked_at, events.get(view.contact_id)) for view in found]
