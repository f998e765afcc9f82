from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Preferences(models.Model):
    """How one person wants the pages. Columns of User, so they cost no query; what is empty follows the browser."""

    class Theme(models.TextChoices):
        SYSTEM = "", _("As the system")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    class Hours(models.TextChoices):
        USUAL = "", _("As usual in the region")
        TWELVE = "12", _("12 hours, 2:20 pm")
        TWENTY_FOUR = "24", _("24 hours, 14:20")

    class WeekStart(models.TextChoices):
        USUAL = "", _("As usual in the region")
        MONDAY = "0", _("Monday")
        SATURDAY = "5", _("Saturday")
        SUNDAY = "6", _("Sunday")

    language = models.CharField(max_length=10, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)
    region = models.CharField(max_length=2, blank=True)
    hours = models.CharField(max_length=2, blank=True, choices=Hours.choices)
    week_start = models.CharField(max_length=1, blank=True, choices=WeekStart.choices)
    theme = models.CharField(max_length=5, blank=True, choices=Theme.choices)
    single_keys = models.BooleanField(default=True)
    reminders_by_mail = models.BooleanField(default=False)
    shows_empty_fields = models.BooleanField(default=False)

    class Meta:
        abstract = True

    @property
    def chosen_language(self):
        """One that is still there; "" when the browser decides."""
        return self.language if self.language in dict(settings.LANGUAGES) else ""

    @property
    def zone(self):
        """The zone this person chose; None when the browser decides."""
        return zone_named(self.time_zone)


def zone_named(name):
    """None for a name that no clock knows."""
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        return None
