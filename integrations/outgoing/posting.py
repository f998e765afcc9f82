import json
from datetime import UTC, datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.models import Business
from integrations.models import OutgoingDelivery, OutgoingHook

MOST_BYTES = 256 * 1024


class TooLarge(ValueError):
    """More than one message may carry; the message says so in words."""


def hooks_of(business: Business) -> Any:
    """The addresses that are told what happens in this business, by name."""
    return OutgoingHook.objects.told().filter(business=business).order_by("name", "pk")


def post(hook: OutgoingHook, type: str, data: dict[str, Any], cause: str) -> OutgoingDelivery:
    """Tell this address `data` as an event of this type, once for each `cause`. It goes out after the commit.

    A second call with the same cause gives the first one's row. Raises TooLarge.
    """
    body = message(type, data, timezone.now())
    wanted = {"type": type, "body": body}
    return OutgoingDelivery.objects.get_or_create(hook=hook, cause=cause, defaults=wanted)[0]


def message(type: str, data: dict[str, Any], at: datetime) -> str:
    """The body of a message, as it is signed and sent."""
    told = {"type": type, "timestamp": at.astimezone(UTC).isoformat(timespec="milliseconds"), "data": data}
    body = json.dumps(told, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":"))
    if len(body.encode()) > MOST_BYTES:
        raise TooLarge(_("This is more than the 256 kB that one message may carry."))
    return body
