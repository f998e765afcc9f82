"""How a person wants the pages: what they may choose from, each with what it would be otherwise."""

from datetime import datetime
from functools import lru_cache
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from contacts import localised
from contacts.frame.middleware import browser_zone
from contacts.models import User

AREAS = (
    "Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific",
)  # fmt: skip
SAMPLE = datetime(2026, 11, 23, 14, 20)


class PreferencesForm(forms.ModelForm):
    language = forms.ChoiceField(label=_("Language"), required=False)
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        help_text=_("Tasks and appointments keep their location’s clock; where it differs from yours, it is named."),
    )
    region = forms.ChoiceField(label=_("Dates and numbers as in"), required=False)

    class Meta:
        model = User
        fields = ("language", "time_zone", "region", "hours", "week_start", "theme", "single_keys", "reminders_by_mail")
        labels = {
            "hours": _("Clock"),
            "week_start": _("The week starts on"),
            "theme": _("Theme"),
            "single_keys": _("Single-key shortcuts, such as J, K and N"),
            "reminders_by_mail": _("Remind me of my tasks by e-mail, too"),
        }

    def __init__(self, *args, request, **options):
        super().__init__(*args, **options)
        if len(settings.LANGUAGES) > 1:
            self.fields["language"].choices = [("", _("As this browser")), *settings.LANGUAGES]
        else:
            del self.fields["language"]
        browser = browser_zone(request)
        as_browser = _("As this browser, %(zone)s") % {"zone": place(browser.key)} if browser else _("As this browser")
        self.fields["time_zone"].choices = [("", as_browser), *zones()]
        language = (get_language() or "en").split("-")[0]
        regions = localised.regions(language)
        region = localised.region_asked_for(request.headers.get("Accept-Language", ""), language)
        self.fields["region"].choices = [
            ("", _("As this browser, %(region)s") % {"region": dict(regions).get(region, region)}),
            *regions,
        ]

        self.fields["region"].help_text = _("Now: %(sample)s") % {"sample": sample()}


def sample():
    """What the choices look like."""
    return f"{localised.long_day_and_year(SAMPLE)}, {localised.clock(SAMPLE)} · {localised.number(12402.5)}"


@lru_cache(maxsize=1)
def zones():
    """[(area, [(zone, place)])], and UTC."""
    by_area = {area: [] for area in AREAS}
    for name in sorted(available_timezones()):
        area = name.partition("/")[0]
        if area in by_area and name != area:
            by_area[area].append((name, place(name)))
    return [*by_area.items(), ("UTC", "UTC")]


def place(zone):
    """Indiana, Knox for America/Indiana/Knox."""
    return ", ".join(part.replace("_", " ") for part in zone.split("/")[1:]) or zone
