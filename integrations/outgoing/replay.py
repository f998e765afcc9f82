"""Tells a part of the past once more: what was told then, and what was not because nobody was to be told."""

import time

from django.db import transaction
from django.utils import timezone

from contacts.models import Location
from contacts.paging import Order, page_over
from integrations.models import OutgoingHook
from integrations.outgoing import telling

AT_ONCE = 500
IN_A_ROW_S = 15
HAPPENED = Order("happened_at", "", is_time=True)
_DONE = {"replay_since": None, "replay_until": None, "replay_after": ""}


def start(hook, since):
    """Whatever this address was told since then goes out again, at once. What it was not told is found by `go_on`."""
    with transaction.atomic():
        OutgoingHook.objects.filter(pk=hook.pk).update(replay_since=since, replay_until=timezone.now(), replay_after="")
        return hook.deliveries.filter(created_at__gte=since).send_again()


def go_on():
    """Look through the past for those who wait for it, some of it at a time."""
    until = time.monotonic() + IN_A_ROW_S
    waiting = OutgoingHook.objects.told().exclude(replay_since=None)
    for pk in waiting.values_list("pk", flat=True):
        while time.monotonic() < until and _some(pk):
            pass


def _some(pk):
    """True when there is more."""
    with transaction.atomic():
        waiting = OutgoingHook.objects.select_for_update(skip_locked=True).exclude(replay_since=None)
        hook = waiting.filter(pk=pk, is_on=True).first()
        if hook is None:
            return False
        lines = telling.told_lines([hook.business_id]).filter(
            happened_at__gte=hook.replay_since, created_at__lte=hook.replay_until
        )
        locations = Location.objects.filter(business=hook.business_id).values_list("pk", flat=True)
        parts = [lines.filter(location=location) for location in locations]
        page = page_over(parts, HAPPENED, hook.replay_after, AT_ONCE, _loaded)
        telling.tell([(line, hook) for line in page.rows if hook.wants(telling.kinds.of(line))])
        place = {"replay_after": page.after} if page.after else _DONE
        OutgoingHook.objects.filter(pk=pk).update(**place)
        return bool(page.after)


def _loaded(rows):
    return rows.select_related("location", "user")
