"""Who is to hear of which task when. A row for each, written before anybody is told, so that nobody is told twice."""

import logging
from collections import Counter, defaultdict
from datetime import datetime, time, timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import Exists, F, OuterRef
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from contacts.day import agenda
from contacts.models import Location, Reminder, RemoteUser, Task

log = logging.getLogger(__name__)

AHEAD = timedelta(minutes=2)  # rows are there before their time, however long the clock's tick
LATEST = timedelta(minutes=30)  # what came in later than that is overdue, not a reminder
MORNING, NOON = time(8), time(12)
AT_ONCE = 500
MOST_OF_ONE = 10_000  # tasks of one person


def fall_due(now):
    """A row for each task that is due about now and belongs to one of our users."""
    # Named one by one, so that the index on place and due date is entered for each.
    places = list(Location.objects.values_list("pk", flat=True))
    due = Task.objects.open().filter(location__in=places, due_at__gt=now - LATEST, due_at__lte=now + AHEAD)
    known = Reminder.objects.filter(task=OuterRef("pk"), user=OuterRef("assignee__user"), at=OuterRef("due_at"))
    due = due.filter(assignee__user__is_active=True).filter(~Exists(known))
    rows = due.values_list("pk", "due_at", "assignee__user")[:AT_ONCE]
    Reminder.objects.bulk_create(
        [Reminder(task_id=pk, at=due_at, user_id=user) for pk, due_at, user in rows], ignore_conflicts=True
    )


def say_good_morning(now):
    """Once a day and user, by the clock of the user or of most of their locations. Days without tasks are quiet."""
    said = set(
        Reminder.objects.filter(task=None, text="", at__gt=now - timedelta(hours=20)).values_list("user", flat=True)
    )
    for user, zone in zones_of_people().items():
        local = now.astimezone(zone)
        if user.pk in said or not MORNING <= local.time() < NOON:
            continue
        at = datetime.combine(local.date(), MORNING, tzinfo=zone)
        late, today = counts(user, now)
        closed = None if late or today else now
        Reminder.objects.bulk_create([Reminder(user=user, at=at, closed_at=closed)], ignore_conflicts=True)


def zones_of_people():
    """User → zone, for those a GHL user is linked to."""
    zones, people = defaultdict(Counter), {}
    linked = RemoteUser.objects.filter(user__is_active=True, is_active=True).select_related("user", "location")
    for one in linked.filter(location__business__memberships__user=F("user")):
        people[one.user_id] = one.user
        zones[one.user_id][one.location.zone] += 1
    return {people[pk]: people[pk].zone or found.most_common(1)[0][0] for pk, found in zones.items()}


def counts(user, now):
    """(overdue, today) of a user's own tasks."""
    locations = list(Location.objects.visible_to(user))
    mine = RemoteUser.objects.filter(user=user).values("pk")
    due = (agenda.in_lanes(Task.objects.open(), group, locations, now, mine) for group in ("overdue", "today"))
    return tuple(lanes.count(MOST_OF_ONE) for lanes in due)


def say(users, text, contact=None, link=""):
    """Tell these users something now: in the bell, and by e-mail to those who want reminders so."""
    now = timezone.now()
    told = {"contact": contact, "text": text[:300], "link": link, "at": now}
    Reminder.objects.bulk_create([Reminder(user=user, **told) for user in users])


def to_mail(now):
    """Primary keys of what should go out by e-mail now."""
    return list(mailable(now).values_list("pk", flat=True)[:AT_ONCE])


def mailable(now):
    return Reminder.objects.ringing(now).filter(user__reminders_by_mail=True, mailed_at=None, snoozed_until=None)


def mail(pk):
    """Send one reminder; of two callers only the first does."""
    now = timezone.now()
    reminder = mailable(now).filter(pk=pk).select_related("user", "task__contact__location", "contact").first()
    if reminder is None or not Reminder.objects.of(reminder.user).filter(pk=pk).exists():
        return
    # Marked before it is sent: one that is lost is better than one that comes again and again.
    if not Reminder.objects.filter(pk=pk, mailed_at=None).update(mailed_at=now):
        return
    late, today = (0, 0) if reminder.task or reminder.text else counts(reminder.user, now)
    context = {"reminder": reminder, "late": late, "today": today, "root": settings.PUBLIC_URL}
    try:
        with translation.override(reminder.user.chosen_language or settings.LANGUAGE_CODE):
            task = reminder.task
            subject = (
                _("Due now: %(title)s") % {"title": task.title} if task else reminder.text or _("Your tasks today")
            )
            body = render_to_string("contacts/reminder.txt", context)
        send_mail(" ".join(subject.split())[:150], body, None, [reminder.user.email])
    except OSError as trouble:  # smtplib's own errors are among these
        log.warning("reminder %s could not be mailed: %s", pk, type(trouble).__name__)


def tell(user, now):
    """(those ringing, those among them nobody has been told yet). Telling counts once, in whichever tab asks first."""
    ringing = Reminder.objects.of(user).ringing(now)
    rows = list(ringing.select_related("task__contact", "task__location", "contact__location").distinct()[:20])
    fresh = []
    for row in rows:
        if row.told_at is None and Reminder.objects.filter(pk=row.pk, told_at=None).update(told_at=now):
            fresh.append(row)
    return rows, fresh
