from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contacts.models.leased import Leased, LeasedQuerySet
from integrations.models.connection import Connection


class IncidentQuerySet(LeasedQuerySet):
    def open(self):
        return self.filter(closed_at=None)


class Incident(Leased):
    """Something that a person must know about, once, from when until when. The work on this row is telling them.

    `connection` is null when the whole server is concerned. `finished_at` says when everybody had been told.
    """

    class Kind(models.TextChoices):
        ACCESS = "access", _("GHL does not let us in")
        GUARD = "guard", _("GHL seems to have lost many records")
        GAP = "gap", _("Webhooks are missing")
        SIGNATURE = "signature", _("Webhooks are signed with a key we do not know")

    connection = models.ForeignKey(Connection, models.CASCADE, null=True, blank=True, related_name="incidents")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    reason = models.TextField(blank=True)
    opened_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = IncidentQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind"], condition=models.Q(closed_at=None), name="incident_open_once"
            ),
            models.UniqueConstraint(
                fields=["kind"],
                condition=models.Q(closed_at=None, connection=None),
                name="incident_of_server_open_once",
            ),
        ]
        indexes = [models.Index(fields=["connection", "-opened_at"], name="incident_of_connection")]

    def __str__(self):
        return f"{self.kind} of connection {self.connection_id} since {self.opened_at:%Y-%m-%d %H:%M}"
