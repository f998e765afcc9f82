from django.db import models
from django.urls import reverse
from django.utils.translation import gettext as _

from contacts.models.location import Location, OfLocationQuerySet


class Company(models.Model):
    """The GHL *business* object a contact belongs to; never the tenant."""

    location = models.ForeignKey(Location, models.CASCADE, related_name="companies")
    remote_id = models.CharField(max_length=64)
    name = models.CharField(max_length=300, blank=True)
    phone = models.CharField(max_length=60, blank=True)
    email = models.CharField(max_length=254, blank=True)
    website = models.CharField(max_length=500, blank=True)
    address = models.CharField(max_length=500, blank=True)
    city = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=200, blank=True)
    postal_code = models.CharField(max_length=40, blank=True)
    country = models.CharField(max_length=60, blank=True)

    objects = OfLocationQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "companies"
        constraints = [models.UniqueConstraint(fields=["location", "remote_id"], name="company_once")]
        ordering = ["name", "pk"]

    def __str__(self):
        return self.name or _("Unnamed company")

    def get_absolute_url(self):
        return reverse("contacts:company", args=[self.pk])
