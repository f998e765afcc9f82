"""A token that works, whoever asks and however many ask at once.

GHL's refresh tokens are single-use. So one caller renews: they hold the row's lease, everybody else keeps using the old
token while it lives, or waits for the new one. The new pair is stored before it is used, and only over the version it
was made from. A late answer finds another version and is turned away.

With grace 0 an answer we did not wait for is lost for good, so we wait for two thirds of the lease, however slow GHL
is: longer than for any other request, and always ended before somebody else may take the lease.
"""

import logging
import random
import threading
import time
from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from integrations import crypto
from integrations.access import incidents
from integrations.ghl import errors, oauth
from integrations.ghl.breaker import Breaker
from integrations.ghl.client import GhlClient
from integrations.ghl.transport import Transport
from integrations.models import Agency, Connection
from integrations.models.token_holder import TokenHolder
from rankr_dash.shared_redis import shared_redis

log = logging.getLogger(__name__)

RENEW_AT = 0.8  # of a token's life: a token endpoint that is away for hours then costs nothing
LOOK_AGAIN_S = 30
# Seconds to the next try. The first are within the 30 s in which GHL repeats its answer to the same refresh token.
PAUSES_S = (1, 4, 15, 30, 60, 120, 300)
SUSPENDED_PAUSES_S = (60, 120, 300, 600, 1200, 1800, 3600)
OUR_FAULT_PAUSE_S = 120
WORTH_WAITING_S = 3
MOST_AT_ONCE = 20  # renewals that one sweep starts: after an outage they come back spread over minutes

NO_ANSWER = gettext_noop("GHL did not answer when we renewed our access. We ask again by ourselves.")
LAST_ONE = gettext_noop(
    "GHL does not renew our access any more. What we have works until it ends; then somebody must reconnect."
)
REFUSED = gettext_noop("GHL no longer accepts our access. An admin of the GHL account may have removed the app.")
SUSPENDED = gettext_noop("GHL says this account is not active at the moment. We look again by ourselves.")
DENIED = gettext_noop("GHL does not let us into this account any more.")
STATIC_REFUSED = gettext_noop(
    "GHL no longer accepts this Private Integration Token. It was replaced or deleted in GHL."
)
GONE = gettext_noop("This connection was removed here.")
CANNOT_OPEN = gettext_noop("The stored access to GHL cannot be opened on this server, so it has to be given anew.")
KEY_MISSING = gettext_noop("A key is missing in ENCRYPTION_KEYS, so stored access to GHL cannot be opened.")
BAD_CLIENT = gettext_noop("GHL refuses this server's own client id or secret, so no access can be renewed.")

Status = TokenHolder.Status


class ConnectionParked(errors.GhlError):
    """Nobody can call GHL for this location until an admin reconnects it."""

    plain = gettext_noop(
        "This account is not connected to GHL at the moment. Your edit waits here until it is reconnected."
    )


class AccessPending(errors.GhlError):
    """There is no token just now, and one is being looked for. Nothing was sent."""

    is_temporary = True
    plain = gettext_noop("Our access to GoHighLevel is being renewed. We try again by ourselves.")


class _LeaseLost(Exception):
    """Somebody else renews by now."""


class TokenSource:
    """`valid_token` for one client: asks the database again only when the token is due, was rejected, or is half a
    minute old, so that a disconnect is noticed soon."""

    def __init__(self, connection_id):
        self.connection_id = connection_id
        self._token, self._good_until = None, 0.0
        self._lock = threading.Lock()

    def __call__(self, rejected=None):
        with self._lock:
            if self._token is None or rejected == self._token or time.monotonic() > self._good_until:
                self._token = valid_token(self.connection_id, rejected)
                self._good_until = time.monotonic() + LOOK_AGAIN_S
            return self._token


def valid_token(connection_id, rejected=None):
    """The access token to send now. `rejected` is one that GHL just refused with 401: it is never returned again."""
    return _token_of(Connection, connection_id, rejected)


def company_token(agency_id, rejected=None):
    """The same for an agency's own access."""
    return _token_of(Agency, agency_id, rejected)


def mint(agency, remote_id):
    """A pair for one location of the agency, made from the agency's own access: no person is needed."""
    token = company_token(agency.pk)
    try:
        return _location_token(agency, token, remote_id)
    except errors.TokenRejected:
        return _location_token(agency, company_token(agency.pk, rejected=token), remote_id)


def knock(token, remote_id):
    """None when GHL lets this token into the location, else its refusal. Whatever is temporary is raised."""
    transport = Transport(settings.GHL_API_BASE, token=lambda rejected=None: token, timeout=settings.GHL_TIMEOUT_S)
    try:
        GhlClient(transport, remote_id).location()
    except errors.ScopeMissing:
        return None
    except (errors.TokenRejected, errors.LocationDenied, errors.NotFound) as refusal:
        return refusal
    finally:
        transport.close()
    return None


def denied(connection):
    """GHL has answered a call of ours with LocationDenied. True when it really does not let us in, and the connection
    is parked: suspended, when it comes back by itself, or waiting for a person."""
    connection.refresh_from_db()
    if not connection.is_active:
        return True
    try:
        refusal = knock(opened(connection), connection.location.remote_id)
    except errors.GhlError:
        return False  # the next call tells
    if refusal is None or isinstance(refusal, errors.TokenRejected):
        return False  # it was about that one call; and a rejected token is renewed by the next
    if connection.is_static and not getattr(refusal, "suspended", False):
        connection.park(Status.NEEDS_REAUTH, DENIED, version=connection.token_version)
    elif connection.park(Status.SUSPENDED, SUSPENDED, connection.token_version, renew_at=timezone.now(), renew_tries=0):
        renew_if_due(Connection, connection.pk)  # the token endpoint knows whether it is that
    _settle(connection)
    return True


def opened(holder, name="access_token"):
    """One of its tokens. What cannot be opened parks it, unless it is the server that lacks a key."""
    try:
        return getattr(holder, name)
    except crypto.KeyMissing as missing:
        # Not the connection's fault, and all is well again once the key is back: nothing is parked for it.
        log.error("%s: %s", _name(holder), missing)
        incidents.open_incident(None, "access", KEY_MISSING)
        raise AccessPending(KEY_MISSING, retry_after=OUR_FAULT_PAUSE_S) from None
    except crypto.CannotOpen as trouble:
        log.error("%s: parked: %s", _name(holder), trouble)
        holder.park(Status.NEEDS_REAUTH, CANNOT_OPEN, version=holder.token_version)
        raise ConnectionParked(CANNOT_OPEN) from None


# --- what is due ------------------------------------------------------------------------------------------------------


def due_connections():
    """Those to renew without anybody calling: idle, suspended, in doubt, or left behind by a renewer that died."""
    return _due(Connection)


def due_agencies():
    return _due(Agency)


def renew_if_due(model, pk):
    """What a sweeper's ring does. Nothing, when somebody has renewed meanwhile."""
    holder = _waiting(model).filter(pk=pk).first()
    if holder and holder.take_lease():
        renew(holder)


def renew_now(model, pk):
    """Renew, due or not. AccessPending when somebody else is at it: what they find out is the answer."""
    holder = model.objects.get(pk=pk)
    if not holder.take_lease():
        raise AccessPending(retry_after=1)
    renew(holder)


def _due(model):
    return list(_waiting(model).order_by("expires_at", "pk").values_list("pk", flat=True)[:MOST_AT_ONCE])


def _waiting(model):
    now = timezone.now()
    left_behind = Q(refresh_sent_at__isnull=False, lease_until__lt=now)
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    return model.objects.filter(free, Q(renew_at__lte=now) | left_behind, status__in=model.RENEWABLE)


# --- one token --------------------------------------------------------------------------------------------------------


def _token_of(model, pk, rejected):
    # A renewer may die and keep its lease, and the next one needs a whole renewal.
    patience = time.monotonic() + 2 * settings.WORK_LEASE_S
    while True:
        holder = model.objects.filter(pk=pk).first()
        if holder is None:
            raise ConnectionParked(GONE)
        if not holder.is_active:
            raise ConnectionParked(holder.status_reason)
        token = opened(holder)
        if holder.is_static:
            return _static_token(holder, token, rejected)
        refused, now = token == rejected, timezone.now()
        lives = not refused and holder.lives_at(now)
        if lives and _later(holder.renew_at, now):
            return token
        if _is_worth_trying(holder, refused, now) and holder.take_lease():
            renew(holder, refused)
            continue
        if lives:
            return token
        pause = (holder.renew_at - now).total_seconds() if holder.renew_tries and _later(holder.renew_at, now) else 0.1
        if pause > WORTH_WAITING_S or time.monotonic() > patience:
            raise AccessPending(retry_after=pause)
        time.sleep(min(pause, 0.1))


def _is_worth_trying(holder, refused, now):
    """Not while the pause after a failure lasts: fifty callers without a token would ask fifty times. But when the last
    token we can ever have is refused, there is nothing to wait for."""
    return not holder.renew_tries or not _later(holder.renew_at, now) or (refused and holder.is_losing_access)


def _static_token(connection, token, rejected):
    if token == rejected:
        connection.park(Status.NEEDS_REAUTH, STATIC_REFUSED, version=connection.token_version)
        raise ConnectionParked(STATIC_REFUSED)
    return token


# --- renewing ---------------------------------------------------------------------------------------------------------


def renew(holder, refused=False):
    """Get a new pair, and leave the row saying how that went. The caller holds the lease; afterwards it is free.

    `refused`: GHL has just refused the access token, so it is worth nothing even if it seems to live.
    """
    if holder.refresh_sent_at:
        log.warning("%s: an earlier renewal was not heard of; the same refresh token goes once more", _name(holder))
    if holder.is_static:
        return _look_again(holder, opened(holder))
    try:
        grant = _refreshed(holder)
    except _LeaseLost:
        log.warning("%s: somebody else renews by now", _name(holder))
    except oauth.GrantDead:
        _lost(holder, refused)
    except oauth.GrantRefused as refusal:
        _refused(holder, refusal)
    except ConnectionParked:
        log.warning("%s: the stored pair cannot be opened", _name(holder))
    except errors.GhlError as trouble:
        _put_off(holder, trouble)
    else:
        _arrived(holder, grant)


def store(holder, grant, version):
    """Save a new pair over `version`. False when another pair has been stored meanwhile."""
    values = grant_values(holder, grant) | {"lease_until": None}
    if _comes_back(holder):  # the token endpoint has let us in; whether the account does too is asked next
        values |= {"renew_at": _in(_suspended_pause(holder)), "renew_tries": holder.renew_tries + 1}
    else:
        values |= holder.standing(Status.ACTIVE, "")
    stored = holder.row().filter(token_version=version).update(**values, token_version=version + 1)
    if not stored:
        log.warning("%s: a newer token pair was already stored", _name(holder))
    return stored == 1


def grant_values(holder, grant):
    """The columns that a grant decides."""
    now = timezone.now()
    ends = now + timedelta(seconds=grant.expires_in)
    values = {
        **holder.sealed(grant.access_token, grant.refresh_token),
        "token_obtained_at": now,
        "expires_at": ends,
        "renew_at": _renewal_between(now, ends),
        "renew_tries": 0,
        "refresh_sent_at": None,
    }
    if grant.scopes and isinstance(holder, Connection):
        values["scopes"] = list(grant.scopes)
    return values


def _refreshed(holder):
    refresh_token = opened(holder, "refresh_token")
    if not refresh_token:
        raise oauth.GrantDead("there is no refresh token")
    if not settings.GHL_CLIENT_ID or not settings.GHL_CLIENT_SECRETS:
        refusal = oauth.GrantRefused("no client id or secret is set")
        refusal.is_client = True
        raise refusal
    with _breaker().watch("token"):
        if not holder.write_leased(refresh_sent_at=timezone.now()):
            raise _LeaseLost
        grant = oauth.refresh(
            settings.GHL_API_BASE,
            settings.GHL_CLIENT_ID,
            settings.GHL_CLIENT_SECRETS,
            refresh_token,
            user_type="Company" if isinstance(holder, Agency) else "Location",
            timeout=settings.WORK_LEASE_S * 2 / 3,
        )
    return grant if grant.refresh_token else replace(grant, refresh_token=refresh_token)


def _arrived(holder, grant):
    stored = store(holder, grant, holder.token_version)
    incidents.close_incident(None, "access", reason=BAD_CLIENT)
    if stored and _comes_back(holder):
        holder.refresh_from_db()
        _look_again(holder, grant.access_token)
    _settle(holder)


def _put_off(holder, trouble):
    """Nothing came of it for now. After `maybe_done` nobody knows whether the refresh token is used up."""
    values = {"lease_until": None, "renew_tries": holder.renew_tries + 1}
    pauses = SUSPENDED_PAUSES_S if holder.status == Status.SUSPENDED else PAUSES_S
    pause = max(pauses[min(holder.renew_tries, len(pauses) - 1)], trouble.retry_after or 0)
    values["renew_at"] = _in(pause)
    if not trouble.maybe_done:
        values["refresh_sent_at"] = holder.refresh_sent_at  # as before this try
    elif holder.status == Status.ACTIVE:
        values |= holder.standing(Status.UNKNOWN, NO_ANSWER)
    holder.write_leased(**values)
    log.warning("%s: token not renewed: %s", _name(holder), type(trouble).__name__)


def _lost(holder, refused):
    """GHL refuses the refresh token. Who else has a way in? Only when nobody has, a person must reconnect."""
    if not holder.row().filter(token_version=holder.token_version).exists():
        log.warning("%s: refresh token refused, but it was renewed", _name(holder))
        return
    try:
        grant = _minted(holder)
    except oauth.GrantRefused as refusal:
        return _refused(holder, refusal)
    except errors.GhlError as trouble:
        # The agency is the last way in, so nothing is lost before it has answered.
        holder.refresh_sent_at = holder.refresh_sent_at or timezone.now()
        return _put_off(holder, trouble)
    if grant:
        log.warning("%s: refresh token refused, a new pair was made from the agency's access", _name(holder))
        return _arrived(holder, grant)
    if holder.status != Status.SUSPENDED and not refused and holder.lives_at(timezone.now()):
        log.warning("%s: refresh token refused, the access token still lives", _name(holder))
        at_its_end = holder.expires_at - holder.margin
        holder.end_lease(Status.UNKNOWN, LAST_ONE, renew_at=at_its_end, renew_tries=holder.renew_tries + 1)
    else:
        log.warning("%s: refresh token refused", _name(holder))
        holder.end_lease(Status.NEEDS_REAUTH, REFUSED)
    _settle(holder)


def _minted(holder):
    """A pair from the agency's access; None when there is no such way."""
    if not isinstance(holder, Connection) or holder.agency is None or not holder.agency.is_active:
        return None
    try:
        return mint(holder.agency, holder.location.remote_id)
    except ConnectionParked:
        return None
    except errors.GhlError as trouble:
        if trouble.is_temporary or getattr(trouble, "is_suspended", False):
            raise
    log.warning("%s: the agency's access cannot open this location", _name(holder))
    return None


def _refused(holder, refusal):
    """Refused, and the refresh token may still be good."""
    if refusal.is_client:
        log.error("GHL refuses this server's client id or secret")
        incidents.open_incident(None, "access", BAD_CLIENT)
        later = {"renew_at": _in(OUR_FAULT_PAUSE_S), "renew_tries": holder.renew_tries + 1}
        holder.write_leased(refresh_sent_at=holder.refresh_sent_at, lease_until=None, **later)
    elif refusal.is_suspended:
        log.warning("%s: suspended by GHL", _name(holder))
        tries = holder.renew_tries + 1 if holder.status == Status.SUSPENDED else 1
        pause = _suspended_pause(holder)
        holder.end_lease(Status.SUSPENDED, SUSPENDED, renew_at=_in(pause), renew_tries=tries)
    else:
        _put_off(holder, refusal)
    _settle(holder)


def _look_again(connection, token):
    """A suspended account: does it let us in with this token?"""
    try:
        refusal = knock(token, connection.location.remote_id)
    except errors.GhlError as trouble:
        return _put_off(connection, trouble)
    suspended = getattr(refusal, "suspended", False) or (connection.is_static and not _is_rejected(refusal))
    if refusal is None:
        due = None if connection.is_static else _renewal_between(connection.token_obtained_at, connection.expires_at)
        connection.end_lease(Status.ACTIVE, "", renew_at=due, renew_tries=0)
        log.info("%s: no longer suspended", _name(connection))
    elif suspended:
        pause = _suspended_pause(connection)
        tries = connection.renew_tries + 1
        connection.end_lease(Status.SUSPENDED, SUSPENDED, renew_at=_in(pause), renew_tries=tries)
    else:
        connection.end_lease(Status.NEEDS_REAUTH, STATIC_REFUSED if connection.is_static else DENIED)
    _settle(connection)


def _is_rejected(refusal):
    return isinstance(refusal, errors.TokenRejected)


def _comes_back(holder):
    """An agency has no account of its own to knock at."""
    return holder.status == Status.SUSPENDED and isinstance(holder, Connection)


def _suspended_pause(holder):
    tries = holder.renew_tries if holder.status == Status.SUSPENDED else 0
    return SUSPENDED_PAUSES_S[min(tries, len(SUSPENDED_PAUSES_S) - 1)]


def _settle(holder):
    if isinstance(holder, Connection):
        incidents.settle_access(holder.pk)


def _name(holder):
    return f"{holder._meta.model_name} {holder.pk}"


# --- moments ----------------------------------------------------------------------------------------------------------


def _renewal_between(obtained, ends):
    return obtained + (ends - obtained) * random.uniform(RENEW_AT - 0.05, RENEW_AT + 0.05)


def _in(seconds):
    """So many seconds from now, and up to half as many more: those who failed together do not come back together."""
    return timezone.now() + timedelta(seconds=seconds * random.uniform(1, 1.5))


def _later(moment, now):
    return moment is not None and moment > now


def _location_token(agency, token, remote_id):
    return oauth.location_token(
        settings.GHL_API_BASE, token, agency.company_id, remote_id, settings.GHL_TIMEOUT_S, breaker=_breaker()
    )


def _breaker():
    """One for the token host: it is everybody's, and no location's fault."""
    key = f"ghl:{settings.GHL_CLIENT_ID}:token"
    return Breaker(shared_redis(), key, probe_s=settings.WORK_LEASE_S)
