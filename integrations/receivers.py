from functools import partial

from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver

from contacts.models import BulkAction, Change, Contact
from contacts.signals import bulk_waiting, change_recorded, contact_opened
from contacts.tasks import work_bulk
from integrations import tasks
from integrations.automations.bell import operation_waiting, runs_waiting
from integrations.models import Connection, OperationRun, OutgoingDelivery, OutgoingHook, RuleRun
from integrations.reading import sync
from integrations.writing import writeback


@receiver(change_recorded, sender=Change)
def hurry_the_push(sender, change, **kwargs):
    delivery = writeback.delivery_for(change)
    if delivery:
        tasks.ring_delivery(delivery)


@receiver(change_recorded, sender=Change)
def hurry_to_tell_the_erp(sender, change, **kwargs):
    if not change.bulk_id and OutgoingHook.objects.told().filter(business=change.business_id).exists():
        tasks.ring(tasks.tell_outgoing, change.pk)


@receiver(post_save, sender=OutgoingDelivery)
def hurry_the_message(sender, instance, created, **kwargs):
    if created:
        transaction.on_commit(partial(tasks.ring, tasks.deliver_outgoing, instance.hook_id))


@receiver(runs_waiting, sender=RuleRun)
def hurry_the_rules(sender, pks, **kwargs):
    for pk in pks:
        tasks.ring(tasks.run_rule, pk)


@receiver(operation_waiting, sender=OperationRun)
def hurry_the_operation(sender, pk, **kwargs):
    tasks.ring(tasks.run_operation, pk)


@receiver(bulk_waiting, sender=BulkAction)
def hurry_the_bulk_action(sender, action, **kwargs):
    tasks.ring(work_bulk, action.pk)


@receiver(contact_opened, sender=Contact)
def read_a_stale_contact_again(sender, contact, **kwargs):
    if Connection.objects.working().filter(location_id=contact.location_id).exists() and sync.is_stale(contact):
        run = sync.start_contact(contact)
        if run:
            tasks.ring_run(run)
