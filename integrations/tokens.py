"""A token that works, whoever asks and however many ask at once.

GHL's refresh tokens are single-use. So one caller renews: they hold the row's lease, everybody else keeps using the old
token while it lives, or waits for the new one. The new pair is stored before it is used, and only over the version it
was made from.
"""

import logging
import random
import threading
import time
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from integrations.ghl import errors, oauth
from integrations.models import Connection

log = logging.getLogger(__name__)

RENEW_AT = 0.8  # of a token's life: a token endpoint that is away for hours then costs nothing
MARGIN = timedelta(seconds=60)  # a token that ends this soon is not handed out
RETRY_AFTER = timedelta(seconds=30)
LOOK_AGAIN_S = 30


class ConnectionParked(errors.GhlError):
    """Nobody can call GHL for this location until an admin reconnects it."""

    plain = "This account is not connected to GHL at the moment. Your edit waits here until it is reconnected."


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
    patience = time.monotonic() + settings.WORK_LEASE_S
    while True:
        connection = Connection.objects.get(pk=connection_id)
        if not connection.is_active:
            raise ConnectionParked(connection.status_reason)
        token = connection.access_token
        if connection.kind == Connection.Kind.PIT:
            return _static_token(connection, token, rejected)
        now = timezone.now()
        usable = token != rejected and _later(connection.expires_at, now + MARGIN)
        if usable and _later(connection.renew_at, now):
            return token
        if _take_lease(connection):
            renew(connection)
        elif usable:
            return token
        elif time.monotonic() > patience:
            raise errors.Unavailable("GHL's token could not be renewed in time.")
        else:
            time.sleep(0.1)


def renew(connection):
    """Exchange the refresh token for a new pair. The caller holds the lease; whatever happens, it is given back."""
    version = connection.token_version
    try:
        grant = oauth.refresh(
            settings.GHL_API_BASE,
            settings.GHL_CLIENT_ID,
            settings.GHL_CLIENT_SECRETS,
            connection.refresh_token,
            user_type="Location",
            timeout=settings.GHL_TIMEOUT_S,
        )
    except oauth.GrantDead:
        # Somebody may have renewed while we were being refused: then the refusal is about an old token.
        parked = connection.park(
            Connection.Status.NEEDS_REAUTH,
            "GHL no longer accepts our access. An admin of the GHL account may have removed the app.",
            version=version,
        )
        log.warning("connection %s: refresh token refused%s", connection.pk, "" if parked else ", but it was renewed")
    except oauth.GrantRefused as refusal:
        connection.park(Connection.Status.SUSPENDED, refusal.plain, version=version)
        log.warning("connection %s: suspended by GHL", connection.pk)
    except errors.GhlError as trouble:
        later = timezone.now() + RETRY_AFTER
        Connection.objects.filter(pk=connection.pk, token_version=version).update(lease_until=None, renew_at=later)
        log.warning("connection %s: token not renewed: %s", connection.pk, type(trouble).__name__)
        if not _later(connection.expires_at, timezone.now() + MARGIN):
            raise
    else:
        store(connection, grant, version)


def store(connection, grant, version):
    """Save a new pair over `version`. False when another pair has been stored meanwhile."""
    values = grant_values(connection, grant)
    stored = Connection.objects.filter(pk=connection.pk, token_version=version).update(
        **values, token_version=version + 1, lease_until=None
    )
    if not stored:
        log.warning("connection %s: a newer token pair was already stored", connection.pk)
    return stored == 1


def grant_values(connection, grant):
    """The columns of a connection that a grant decides."""
    now = timezone.now()
    life = timedelta(seconds=grant.expires_in)
    jitter = random.uniform(RENEW_AT - 0.05, RENEW_AT + 0.05)
    values = {
        **connection.sealed(grant.access_token, grant.refresh_token),
        "token_obtained_at": now,
        "expires_at": now + life,
        "renew_at": now + life * jitter,
    }
    if grant.scopes:
        values["scopes"] = list(grant.scopes)
    return values


def _later(moment, now):
    return moment is not None and moment > now


def _static_token(connection, token, rejected):
    if token == rejected:
        connection.park(
            Connection.Status.NEEDS_REAUTH,
            "GHL no longer accepts this Private Integration Token. It was replaced or deleted in GHL.",
            version=connection.token_version,
        )
        raise ConnectionParked(connection.status_reason)
    return token


def _take_lease(connection):
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    return (
        Connection.objects.filter(free, pk=connection.pk, token_version=connection.token_version).update(
            lease_until=now + timedelta(seconds=settings.WORK_LEASE_S)
        )
        == 1
    )
