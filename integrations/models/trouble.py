from django.db import models
from django.utils import timezone

from integrations.models.connection import Connection
from integrations.monitoring.operations import words_for


class Trouble(models.Model):
    """One line of a connection's error log: an operation that failed in one way within one hour, and how often.

    `last` is the newest of these exchanges: status, trace id and GHL's own sentences, never a token or a value.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="troubles")
    hour = models.DateTimeField()
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=200)
    error = models.CharField(max_length=40)
    times = models.PositiveIntegerField(default=1)
    last = models.JSONField(default=dict, blank=True)
    last_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "hour", "method", "path", "error"], name="trouble_once_an_hour"
            )
        ]
        indexes = [models.Index(fields=["connection", "-last_at"], name="trouble_latest")]

    def __str__(self):
        return f"{self.error} of {self.method} {self.path}, {self.times} times"

    @property
    def doing(self):
        """What we were at, in words."""
        return words_for(self.method, self.path)
