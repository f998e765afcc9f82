"""GHL tells us that the app was installed or removed. Both are hints: they may come twice, late, or in any order.

An INSTALL usually overtakes the person on their way back to us, and then there is nothing to do but to wait. An
UNINSTALL costs a location its tokens, so GHL is asked first: only who is really locked out forgets them.
"""

import json
import logging

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop

from integrations.access import connect, incidents, tokens
from integrations.ghl import errors, oauth
from integrations.models import Agency, Connection

log = logging.getLogger(__name__)

Status = Connection.Status
INSTALLED_AGAIN = gettext_noop("The app is installed in GHL again. Reconnect to go on.")
REMOVED = gettext_noop("Rankr was removed from this account in GHL.")
HANDLED, KEPT, NOT_OURS = "handled", "kept", "not_ours"


def installed(event):
    """(outcome, reason) for a verified INSTALL. Whatever is temporary is raised: the event is then looked at again."""
    said = _said(event)
    if not _is_ours(said):
        return NOT_OURS, "for another app"
    connections = list(_connections(said))
    if not connections:
        return KEPT, "nothing is connected here yet: the person on their way back connects it"
    outcomes = {_come_back(connection) for connection in connections}
    return HANDLED, "; ".join(sorted(outcomes))


def uninstalled(event):
    """(outcome, reason) for a verified UNINSTALL. Without a location it concerns the agency and all it opened."""
    said = _said(event)
    if not _is_ours(said):
        return NOT_OURS, "for another app"
    agencies = [] if said.get("locationId") else list(Agency.objects.filter(company_id=_company(said)))
    connections = list(_connections(said))
    if not agencies and not connections:
        return NOT_OURS, "nothing is connected here"
    outcomes = {_leave(connection) for connection in connections} | {_dismiss(agency) for agency in agencies}
    return HANDLED, "; ".join(sorted(outcomes))


def _come_back(connection):
    if connection.is_static or connection.status not in (Status.UNINSTALLED, Status.NEEDS_REAUTH):
        return "nothing to do"
    if connection.agency and connection.agency.is_active:
        try:
            connect.connect_by_agency(connection.agency, connection.connected_by, connection.location.remote_id)
        except connect.CannotConnect as refusal:
            cause = refusal.__cause__
            if isinstance(cause, errors.GhlError) and cause.is_temporary:
                raise cause from None
            log.warning("connection %s: installed again, but not opened: %s", connection.pk, refusal.why)
        else:
            return "connected again by the agency's access"
    connection.row().filter(status=connection.status).update(status_reason=INSTALLED_AGAIN)
    return "waits for a person to reconnect"


def _leave(connection):
    if connection.is_static:
        return "a Private Integration Token is no part of the app"
    if connection.status in (Status.UNINSTALLED, Status.DISCONNECTED):
        return "forgotten already"
    if not is_locked_out(connection):
        log.warning("connection %s: told that it was uninstalled, but GHL lets us in", connection.pk)
        return "GHL still lets us in"
    connection.forget(Status.UNINSTALLED, REMOVED)
    log.warning("connection %s: uninstalled in GHL, tokens wiped", connection.pk)
    incidents.settle_access(connection.pk)
    return "tokens wiped"


def is_locked_out(connection):
    """True only when GHL has refused both what we have and a renewal of it."""
    connection.refresh_from_db()
    remote_id = connection.location.remote_id
    try:
        token = tokens.opened(connection)
        if connection.lives_at(timezone.now()) and tokens.knock(token, remote_id) is None:
            return False
        if connection.is_active:
            return tokens.knock(tokens.valid_token(connection.pk, rejected=token), remote_id) is not None
        if connection.status == Status.SUSPENDED:
            tokens.renew_now(Connection, connection.pk)
    except tokens.ConnectionParked:
        log.info("connection %s: parked while GHL was asked", connection.pk)
    connection.refresh_from_db()
    return connection.status == Status.NEEDS_REAUTH


def _dismiss(agency):
    if not agency.is_active:
        return "agency forgotten already"
    try:
        token = tokens.company_token(agency.pk)
        try:
            _ask_for_locations(agency, token)
        except errors.TokenRejected:
            _ask_for_locations(agency, tokens.company_token(agency.pk, rejected=token))
    except (tokens.ConnectionParked, errors.TokenRejected, errors.LocationDenied):
        agency.forget(Status.UNINSTALLED, REMOVED)
        log.warning("agency %s: uninstalled in GHL, tokens wiped", agency.pk)
        return "agency's tokens wiped"
    except errors.ScopeMissing:
        pass  # it let us in, and would not answer this
    return "GHL still lets the agency in"


def _ask_for_locations(agency, token):
    app_id = settings.GHL_CLIENT_ID.partition("-")[0]
    oauth.installed_locations(settings.GHL_API_BASE, token, agency.company_id, app_id, timeout=settings.GHL_TIMEOUT_S)


def _connections(said):
    rows = Connection.objects.select_related("location", "agency")
    if location_id := _text(said.get("locationId")):
        return rows.filter(location__remote_id=location_id)
    company = _company(said)
    return rows.filter(company_id=company, agency__isnull=False) if company else rows.none()


def _company(said):
    return _text(said.get("companyId"))


def _is_ours(said):
    """GHL signs for every app with the same key."""
    app = _text(said.get("appId"))
    return not app or app == settings.GHL_CLIENT_ID.partition("-")[0]


def _said(event):
    said = json.loads(bytes(event.body))
    return said if isinstance(said, dict) else {}


def _text(value):
    return value if isinstance(value, str) else ""
