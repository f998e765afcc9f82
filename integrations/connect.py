"""Connecting a GHL location to a Business: by OAuth, or with a Private Integration Token."""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from contacts.models import Location, Role
from integrations import sync
from integrations.ghl import errors, oauth, scopes
from integrations.ghl.client import GhlClient
from integrations.ghl.transport import Transport
from integrations.models import ConnectAttempt, Connection
from integrations.tokens import grant_values

CALLBACK = "/connections/callback/"
READ_ONLY = "GHL granted read access only, so contacts can be read here but not changed."


class CannotConnect(Exception):
    """The message says why in a sentence, and what to do."""


# --- OAuth --------------------------------------------------------------------------------------------------------


def begin(user, business, session_key, location=None):
    """The address of GHL's consent page, for one attempt of this user in this session."""
    if not settings.GHL_CLIENT_ID or not settings.GHL_CLIENT_SECRETS:
        raise CannotConnect("This server has no GHL app yet: GHL_CLIENT_ID and GHL_CLIENT_SECRET are not set.")
    state = secrets.token_urlsafe(32)
    ConnectAttempt.objects.create(
        state_hash=_hash(state), session_hash=_hash(session_key), user=user, business=business, location=location
    )
    return oauth.authorize_url(
        settings.GHL_MARKETPLACE_BASE, settings.GHL_CLIENT_ID, redirect_uri(), wanted_scopes(), state
    )


def finish(user, session_key, state, code):
    """Exchange the code GHL sent us back with. A forged or late return is refused and stores nothing."""
    attempts = ConnectAttempt.objects.select_related("business", "location")
    attempt = attempts.filter(state_hash=_hash(state or "")).first()
    if (
        attempt is None
        or attempt.user_id != user.pk
        or attempt.session_hash != _hash(session_key)
        or attempt.business.role_of(user) != Role.ADMIN
    ):
        raise CannotConnect("This answer from GHL does not belong to a connection you started here. Start again.")
    if not attempt.use():
        raise CannotConnect("This connection attempt was used already or took longer than ten minutes. Start again.")
    if not code:
        raise CannotConnect("GHL sent no permission: nothing was connected.")
    try:
        grant = oauth.exchange_code(
            settings.GHL_API_BASE, settings.GHL_CLIENT_ID, settings.GHL_CLIENT_SECRETS, redirect_uri(), code,
            user_type="Location", timeout=settings.GHL_TIMEOUT_S,
        )  # fmt: skip
    except errors.GhlError as trouble:
        raise CannotConnect(f"GHL did not finish the connection. {trouble.plain}") from trouble
    if not grant.location_id:
        raise CannotConnect("GHL gave access to the agency, not to a sub-account. Choose one sub-account.")
    if attempt.location and attempt.location.remote_id != grant.location_id:
        raise CannotConnect(f"That was another sub-account. To reconnect, choose {attempt.location} on GHL's page.")
    return _store(attempt.business, user, grant.location_id, Connection.Kind.OAUTH, grant=grant)


def redirect_uri():
    return settings.PUBLIC_URL + CALLBACK


def wanted_scopes():
    return settings.GHL_SCOPES or list(scopes.WANTED)


# --- Private Integration Token ------------------------------------------------------------------------------------


def with_token(user, business, token, location_id):
    """Connect with a Private Integration Token, after trying it. GHL tells nobody its scopes: we find out by asking."""
    token, location_id = token.strip(), location_id.strip()
    if not token or not location_id:
        raise CannotConnect("Both the token and the location id are needed.")
    found = probe(token, location_id)
    return _store(business, user, location_id, Connection.Kind.PIT, token=token, scopes=found)


def probe(token, location_id):
    """The scopes this token turns out to have. One cheap read each; write scopes cannot be tried without writing."""
    transport = Transport(settings.GHL_API_BASE, token=lambda rejected=None: token, timeout=settings.GHL_TIMEOUT_S)
    client = GhlClient(transport, location_id)
    try:
        client.search_contacts(page_limit=1)
    except errors.TokenRejected as refused:
        raise CannotConnect(
            "GHL does not accept this token. Copy it again from Settings → Private Integrations."
        ) from refused
    except errors.LocationDenied as refused:
        raise CannotConnect("This token belongs to another location. Check the location id.") from refused
    except errors.ScopeMissing as refused:
        raise CannotConnect("This token may not read contacts. Give it at least “View Contacts” in GHL.") from refused
    except errors.GhlError as trouble:
        raise CannotConnect(f"The token could not be tried. {trouble.plain}") from trouble
    now = timezone.now()
    granted = {"contacts.readonly"}
    tries = {
        "locations.readonly": client.location,
        "users.readonly": client.users,
        "locations/customFields.readonly": client.custom_fields,
        "locations/tags.readonly": client.tags,
        "calendars.readonly": client.calendars,
        "businesses.readonly": lambda: client.businesses(limit=1, skip=0),
        "locations/tasks.readonly": lambda: client.search_tasks(limit=1),
        "calendars/events.readonly": lambda: client.calendar_events("none", now, now + timedelta(minutes=1)),
        # An id that cannot exist: with the scope GHL says "not found", without it "not authorized".
        "contacts.write": lambda: client.delete_contact("rankr-scope-check-0"),
    }
    for scope, attempt in tries.items():
        try:
            attempt()
        except (errors.ScopeMissing, errors.LocationDenied):
            continue
        except (errors.NotFound, errors.Invalid):
            pass
        except errors.GhlError as trouble:
            raise CannotConnect(f"The token could not be tried. {trouble.plain}") from trouble
        granted.add(scope)
    transport.close()
    return sorted(granted)


# --- both ---------------------------------------------------------------------------------------------------------


def disconnect(connection):
    """Forget the tokens, keep the data."""
    connection.park(Connection.Status.DISCONNECTED, "Disconnected here by an admin.")
    Connection.objects.filter(pk=connection.pk).update(
        status=Connection.Status.DISCONNECTED,
        status_reason="Disconnected here by an admin.",
        sealed_access_token="",
        sealed_refresh_token="",
    )
    connection.refresh_from_db()


def _store(business, user, location_id, kind, grant=None, token="", scopes=()):
    """Create or replace in place: a location keeps its data and its one Connection, and has one Business only."""
    with transaction.atomic():
        try:
            with transaction.atomic():
                location, _ = Location.objects.get_or_create(remote_id=location_id, defaults={"business": business})
        except IntegrityError:
            location = Location.objects.get(remote_id=location_id)
        if location.business_id != business.pk:
            raise CannotConnect("This GHL location is already connected to another business.")
        connection = Connection.objects.select_for_update().filter(location=location).first()
        connection = connection or Connection(location=location)
        values = grant_values(connection, grant) if grant else {
            **connection.sealed(token),
            "token_obtained_at": timezone.now(),
            "scopes": list(scopes),
            "expires_at": None,
            "renew_at": None,
        }  # fmt: skip
        values |= {
            "kind": kind,
            "status": Connection.Status.ACTIVE,
            "status_reason": "",
            "status_since": timezone.now(),
            "token_version": connection.token_version + 1,
            "lease_until": None,
            "connected_by": user,
            "connected_at": timezone.now(),
        }
        if grant:
            values |= {"company_id": grant.company_id or "", "installer_id": grant.user_id or ""}
        for name, value in values.items():
            setattr(connection, name, value)
        connection.save()
        _say_what_is_editable(location, connection)
    sync.start(connection)
    return connection


def _say_what_is_editable(location, connection):
    location.is_editable = connection.has_scope("contacts.write")
    location.not_editable_because = "" if location.is_editable else READ_ONLY
    location.save(update_fields=["is_editable", "not_editable_because"])


def _hash(text):
    return hashlib.sha256(text.encode()).hexdigest()
