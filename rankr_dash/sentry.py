"""Error reports for whoever runs the server, when SENTRY_DSN is set: where it broke and why, and nothing about people.

Sentry's own scrubber lets `refresh_token` and `access_token` through, and by default the variables of every frame are
sent. So: no variables, no request, no breadcrumbs, and every text is cleaned like a line of the log.
"""

import sentry_sdk
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.scrubber import DEFAULT_DENYLIST, EventScrubber

from integrations.ghl.errors import without_personal
from rankr_dash.logs import ROW

HIDDEN = [*DEFAULT_DENYLIST, "access_token", "refresh_token", "client_secret", "code", "state", "body"]


def start(dsn, **options):
    sentry_sdk.init(
        dsn,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        event_scrubber=EventScrubber(denylist=HIDDEN, recursive=True),
        before_send=without_people,
        default_integrations=True,
        auto_enabling_integrations=False,
        integrations=[DjangoIntegration(), CeleryIntegration(), LoggingIntegration(event_level=None)],
        **options,
    )


def without_people(event, hint):
    """Our addresses carry codes of invitations and of GHL: of a request the route's name (`transaction`) is enough."""
    for name in ("request", "user", "breadcrumbs", "extra"):
        event.pop(name, None)
    for raised in event.get("exception", {}).get("values", []):
        raised["value"] = _clean(raised.get("value") or "")
    return event


def _clean(text):
    return without_personal(ROW.sub("DETAIL: [left out]", text))
