from django.dispatch import receiver

from contacts.models import BulkAction, Change, Contact
from contacts.signals import bulk_waiting, change_recorded, contact_opened
from contacts.tasks import work_bulk
from integrations import tasks
from integrations.models import Connection
from integrations.reading import sync
from integrations.writing import writeback


@receiver(change_recorded, sender=Change)
def hurry_the_push(sender, change, **kwargs):
    delivery = writeback.delivery_for(change)
    if delivery:
        tasks.ring_delivery(delivery)


@receiver(bulk_waiting, sender=BulkAction)
def hurry_the_bulk_action(sender, action, **kwargs):
    tasks.ring(work_bulk, action.pk)


@receiver(contact_opened, sender=Contact)
def read_a_stale_contact_again(sender, contact, **kwargs):
    if Connection.objects.working().filter(location_id=contact.location_id).exists() and sync.is_stale(contact):
        run = sync.start_contact(contact)
        if run:
            tasks.ring_run(run)
