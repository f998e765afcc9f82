"""Where GHL posts its events. GHL sends again only after a 429: every other failure would lose the event for good."""

import logging

from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from integrations import tasks
from integrations.ghl import signature
from integrations.news import events

log = logging.getLogger(__name__)

MOST_BYTES = 6_000_000


@csrf_exempt
@require_POST
def ghl(request):
    try:
        body = request.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            return _answer(413, "too large")
        event = events.receive(body, request.headers.get(signature.HEADER))
    except events.Unsigned:
        return _answer(401, "not signed by GHL")
    except Exception as trouble:
        log.error("a webhook could not be kept: %s", type(trouble).__name__)
        return _answer(429, "come again", {"Retry-After": "60"})
    if event:
        tasks.ring(tasks.handle_event, event)
    return _answer(200, "stored")


def _answer(status, words, headers=None):
    return HttpResponse(f"{words}\n", status=status, content_type="text/plain", headers=headers)
