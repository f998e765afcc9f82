"""Every answer in the words, by the clock and by the customs of the person who asks."""

import time

from django.utils import timezone, translation

from contacts import localised
from contacts.models.preferences import zone_named

BROWSER_ZONE = "time_zone"  # a cookie that static/js/theme.js sets


def as_they_read(get_response):
    """What the person chose; where they chose nothing, what their browser says."""

    def answer(request):
        request.began_at = time.time()  # what changes from now on an open page must hear of
        user = request.user
        mine = user if user.is_authenticated else None
        language = language_of(request, mine)
        way = localised.Way(
            language.split("-")[0],
            (mine and mine.region) or localised.region_asked_for(request.headers.get("Accept-Language", "")),
            mine.hours if mine else "",
            mine.week_start if mine else "",
        )
        with timezone.override(zone_of(request, mine)), translation.override(language), localised.using(way):
            return get_response(request)

    return answer


def zone_of(request, user):
    return (user and user.zone) or browser_zone(request) or timezone.get_default_timezone()


def browser_zone(request):
    return zone_named(request.COOKIES.get(BROWSER_ZONE, ""))


def language_of(request, user):
    return (user and user.chosen_language) or translation.get_language_from_request(request)
