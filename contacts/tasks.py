"""Tasks ring the bell: an id goes in, a flow does the work. What is due stands in the rows."""

from celery import shared_task
from django.utils import timezone

from contacts.day import reminders
from contacts.listing import bulk


@shared_task
def work_bulk(action_id):
    bulk.work(action_id)


@shared_task
def remind():
    now = timezone.now()
    reminders.fall_due(now)
    reminders.say_good_morning(now)
    for pk in reminders.to_mail(now):
        mail_reminder.delay(pk)


@shared_task
def mail_reminder(pk):
    reminders.mail(pk)
