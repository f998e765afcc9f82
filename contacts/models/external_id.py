from django.db import models, transaction
from django.db.models import Q

from contacts.models.business import Business
from contacts.models.contact import Contact
from contacts.models.note import Note
from contacts.models.task import Task


class ExternalIdQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(business__memberships__user=user) if user.is_authenticated else self.none()

    def of_business(self, business):
        return self.filter(business=business)


class ExternalId(models.Model):
    """What another system of the business, its ERP, calls one of our records: one name, one record.

    A contact may have several names in one system, for the ERP may keep a person twice. `system` beginning with @ is
    not a name the ERP gave but what it told of somebody without one: an e-mail address, a phone number.
    """

    business = models.ForeignKey(Business, models.CASCADE, related_name="external_ids")
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="external_ids")
    task = models.ForeignKey(Task, models.CASCADE, null=True, blank=True, related_name="external_ids")
    note = models.ForeignKey(Note, models.CASCADE, null=True, blank=True, related_name="external_ids")
    kind = models.CharField(max_length=12, choices=[("contact", "Contact"), ("task", "Task"), ("note", "Note")])
    system = models.CharField(max_length=40)
    value = models.CharField(max_length=300)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ExternalIdQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["business", "-id"], condition=Q(kind="contact"), name="external_id_latest")]
        constraints = [
            models.UniqueConstraint(fields=["business", "kind", "system", "value"], name="external_id_once"),
            models.CheckConstraint(
                name="external_id_names_its_record",
                condition=Q(kind="contact", task=None, note=None)
                | Q(kind="task", task__isnull=False, note=None)
                | Q(kind="note", note__isnull=False, task=None),
            ),
        ]

    def __str__(self):
        return f"{self.kind} {self.system} of contact {self.contact_id}"

    @property
    def record(self):
        return getattr(self, self.kind)

    @classmethod
    def give(cls, record, system, value):
        """From now on this name means this record; whatever it meant before."""
        contact = record.person
        of = {"contact": contact, "task": None, "note": None} | {record.KIND: record}
        key = {"business_id": contact.business_id, "kind": record.KIND, "system": system, "value": value}
        with transaction.atomic():
            return cls.objects.update_or_create(**key, defaults=of)[0]
