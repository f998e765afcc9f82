"""What one line of a contact list shows. A page of contacts costs the same few queries, however many they are."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, OuterRef, Q, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contacts import access
from contacts.models import ActorKind, Appointment, Contact, HistoryEvent, Location, Task
from contacts.paging import Among

SHOWN_TAGS = 2
FRESH_FOR = timedelta(minutes=15)  # several syncs have been missed by then
# Large values that no line shows.
UNREAD = ("snapshot", "custom_values", "dnd_settings", "search_text")

DONE_BY = {
    "contact_added": gettext_noop("Contact added"),
    "contact_changed": gettext_noop("Fields changed"),
    "contact_restored": gettext_noop("Restored"),
    "tags_changed": gettext_noop("Tags changed"),
    "note_added": gettext_noop("Note"),
    "note_changed": gettext_noop("Note changed"),
    "note_deleted": gettext_noop("Note deleted"),
    "note_restored": gettext_noop("Note restored"),
    "task_added": gettext_noop("Task added"),
    "task_changed": gettext_noop("Task changed"),
    "task_done": gettext_noop("Task done"),
    "task_reopened": gettext_noop("Task reopened"),
    "task_deleted": gettext_noop("Task deleted"),
    "task_restored": gettext_noop("Task restored"),
    "appointment_booked": gettext_noop("Booked"),
    "appointment_moved": gettext_noop("Booking moved"),
    "appointment_changed": gettext_noop("Booking changed"),
    "appointment_deleted": gettext_noop("Booking cancelled"),
    "appointment_restored": gettext_noop("Booking restored"),
}
WRITTEN = ("note_added", "note_changed")  # who wrote matters more here than room in the line


@dataclass
class Row:
    contact: Contact
    open_tasks: int = 0
    overdue: int = 0
    appointment: Appointment | None = None
    event: HistoryEvent | None = None
    is_late: bool = False

    @property
    def tags(self):
        return self.contact.tags[:SHOWN_TAGS]

    @property
    def more_tags(self):
        return max(len(self.contact.tags) - SHOWN_TAGS, 0)

    @property
    def company(self):
        """The company's name, unless it already stands in for the person's."""
        company = self.contact.company
        name = self.contact.company_name or (company.name if company else "")
        return "" if name == self.contact.name else name

    @property
    def has_next_step(self):
        return bool(self.open_tasks or self.appointment)

    @property
    def activity(self):
        return activity_of(self.event) if self.event else ""

    @property
    def active_at(self):
        return self.event.happened_at if self.event else self.contact.last_activity_at

    @property
    def checked_at(self):
        return checked_at(self.contact)


def activity_of(event):
    """Note by Dana; Task done; Fields changed by a rule."""
    words = _(DONE_BY[event.kind]) if event.kind in DONE_BY else event.get_kind_display()
    if event.kind in WRITTEN and event.actor_kind == ActorKind.PERSON and event.actor_name.strip():
        return _("%(what)s by %(who)s") % {"what": words, "who": event.actor_name.split()[0]}
    if event.actor_kind in (ActorKind.RULE, ActorKind.ERP):
        who = event.get_actor_kind_display() if event.actor_kind == ActorKind.ERP else _("a rule")
        return _("%(what)s by %(who)s") % {"what": words, "who": who}
    return words


def checked_at(contact):
    """When this contact was last compared with GHL: by itself or with its location."""
    freshness = getattr(contact, "freshness", None)
    moments = [freshness.record_at if freshness else None, contact.location.contacts_checked_at]
    return max((moment for moment in moments if moment), default=None)


def contacts_of(request):
    """The contacts this request is about, named by business so that the lists' indexes apply."""
    return Contact.objects.filter(business__in=access.businesses_in_scope(request))


def among(request, is_all=False):
    """The same for `page_of`: what a list of contacts was chosen from. `is_all`: nothing was left out."""
    businesses = access.businesses_in_scope(request)
    parts = [Contact.objects.present().filter(business=business) for business in businesses]
    rows = contacts_of(request).present()
    return Among(rows, parts, is_all, Location.objects.filter(business__in=businesses).values_list("pk", flat=True))


def for_rows(contacts):
    return contacts.select_related("owner", "company", "location", "business", "freshness").defer(*UNREAD)


def rows_of(contacts, now):
    """One Row for each contact, in the same order."""
    rows = {contact.pk: Row(contact) for contact in contacts}
    if not rows:
        return []
    tasks = Task.objects.present().filter(contact__in=rows, completed=False).order_by().values("contact")
    for counted in tasks.annotate(open=Count("pk"), late=Count("pk", filter=Q(due_at__lt=now))):
        rows[counted["contact"]].open_tasks = counted["open"]
        rows[counted["contact"]].overdue = counted["late"]
    upcoming = Appointment.objects.upcoming(now).filter(contact__in=rows)
    for appointment in upcoming.order_by("contact", "starts_at").distinct("contact"):
        rows[appointment.contact_id].appointment = appointment
    for event in latest_events(rows):
        rows[event.contact_id].event = event
    for row in rows.values():
        row.is_late = row.checked_at is not None and row.checked_at < now - FRESH_FOR
    return list(rows.values())


def latest_events(pks):
    """The newest line of history of each contact: one look into the index for each, however long the histories."""
    newest = HistoryEvent.objects.filter(contact=OuterRef("pk")).order_by("-happened_at", "-pk").values("pk")[:1]
    contacts = Contact.objects.filter(pk__in=pks).annotate(newest=Subquery(newest))
    return HistoryEvent.objects.filter(pk__in=contacts.values("newest"))


def spans_businesses(request):
    """Whether lines must say which business they belong to."""
    return access.current_business(request) is None and len(access.businesses_of(request)) > 1
