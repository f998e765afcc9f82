"""Where GHL posts its events. GHL sends again only after a 429: every other failure would lose the event for good."""

import logging

from django.db import DatabaseError
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from integrations import events, tasks
from integrations.ghl import signature

log = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def ghl(request):
    try:
        event = events.receive(request.body, request.headers.get(signature.HEADER))
    except events.Unsigned:
        return HttpResponse("not signed by GHL\n", status=401, content_type="text/plain")
    except events.Unreadable:
        return HttpResponse("not an event\n", status=400, content_type="text/plain")
    except DatabaseError as trouble:
        log.error("a webhook could not be stored: %s", type(trouble).__name__)
        return HttpResponse("come again\n", status=429, content_type="text/plain", headers={"Retry-After": "60"})
    if event:
        tasks.ring(tasks.handle_event, event.pk)
    return HttpResponse("stored\n", content_type="text/plain")
