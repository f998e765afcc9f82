"""Connecting a GHL location to a Business: by OAuth, or with a Private Integration Token."""

import hashlib
import json
import secrets
import time
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from contacts.models import Location, Role
from integrations import crypto
from integrations.access import incidents, tokens
from integrations.ghl import errors, oauth, scopes
from integrations.ghl.client import GhlClient
from integrations.ghl.transport import Transport
from integrations.models import Agency, ConnectAttempt, Connection
from integrations.reading import sync

CALLBACK = "/connections/callback/"


# With these GHL lets us open further locations of an agency that has installed Rankr as a whole.
AGENCY_SCOPES = ("oauth.readonly", "oauth.write")
STASH = "an installation that waits for its confirmation"
NOT_YOURS = gettext_lazy("This answer from GHL does not belong to a connection you started here. Start again.")
TAKEN = gettext_lazy("This GHL location is already connected to another business.")
NOT_TRIED = gettext_noop("The token could not be tried. %(why)s")
NO_AGENCY_SCOPES = gettext_lazy(
    "GHL gave access to the agency, but not leave to open its locations (oauth.readonly and oauth.write). "
    "Connect again and allow both, or choose one sub-account."
)


class CannotConnect(Exception):
    """The message says why in a sentence, and what to do; `why` says it in two words to the log."""

    def __init__(self, sentence, why="refused"):
        super().__init__(sentence)
        self.why = why


# --- OAuth --------------------------------------------------------------------------------------------------------


def begin(user, business, session_key, location=None):
    """The address of GHL's consent page, for one attempt of this user in this session."""
    if not settings.GHL_CLIENT_ID or not settings.GHL_CLIENT_SECRETS:
        raise CannotConnect(_("This server has no GHL app yet: GHL_CLIENT_ID and GHL_CLIENT_SECRET are not set."))
    state = secrets.token_urlsafe(32)
    ConnectAttempt.objects.create(
        state_hash=_hash(state), session_hash=_hash(session_key), user=user, business=business, location=location
    )
    return oauth.authorize_url(
        settings.GHL_MARKETPLACE_BASE, settings.GHL_CLIENT_ID, redirect_uri(), wanted_scopes(), state
    )


def finish(user, session_key, state, code):
    """Exchange the code GHL sent us back with: the connection, or the agency when GHL gave access to the whole of it
    and somebody must say which locations are meant. A forged or late return is refused and stores nothing."""
    attempts = ConnectAttempt.objects.select_related("business", "location")
    attempt = attempts.filter(state_hash=_hash(state or "")).first()
    if attempt is None:
        raise CannotConnect(NOT_YOURS, "unknown state")
    if attempt.user_id != user.pk or attempt.session_hash != _hash(session_key or ""):
        raise CannotConnect(NOT_YOURS, "somebody else's state")
    if attempt.business.role_of(user) != Role.ADMIN:
        raise CannotConnect(NOT_YOURS, "no admin any more")
    if not attempt.use():
        sentence = _("This connection attempt was used already or took longer than ten minutes. Start again.")
        raise CannotConnect(sentence, "used or expired state")
    if not code:
        raise CannotConnect(_("GHL sent no permission: nothing was connected."), "no code")
    return _exchange(attempt, user, code)


def stash(code):
    """What the browser keeps while the person signs in and decides. It opens here only, for ten minutes."""
    return crypto.seal(json.dumps([code, int(time.time())]), STASH)


def unstashed(sealed):
    """The code, or None when there is none or it has grown too old."""
    try:
        code, since = json.loads(crypto.unseal(sealed, STASH))
    except (crypto.CannotOpen, ValueError):
        return None
    return code if time.time() - since < ConnectAttempt.LIFETIME.total_seconds() else None


def finish_install(user, session_key, business, code):
    """As `finish`, for an installation that began in GHL's marketplace and that an admin has confirmed here."""
    attempt = ConnectAttempt(user=user, business=business, session_hash=_hash(session_key or ""))
    attempt.state_hash, attempt.used_at = _hash(code), timezone.now()  # the hash is unique: a code is tried once
    try:
        with transaction.atomic():
            attempt.save()
    except IntegrityError:
        raise CannotConnect(_("This installation was confirmed already."), "code used already") from None
    return _exchange(attempt, user, code)


def redirect_uri():
    return settings.PUBLIC_URL + CALLBACK


def wanted_scopes():
    return settings.GHL_SCOPES or [*scopes.WANTED, *AGENCY_SCOPES]


def _exchange(attempt, user, code):
    try:
        grant = oauth.exchange_code(
            settings.GHL_API_BASE, settings.GHL_CLIENT_ID, settings.GHL_CLIENT_SECRETS, redirect_uri(), code,
            user_type="Location", timeout=settings.GHL_TIMEOUT_S,
        )  # fmt: skip
    except (errors.GhlError, ValueError) as trouble:
        plain = _(getattr(trouble, "plain", "")) or _("This server has no GHL app yet.")
        sentence = _("GHL did not finish the connection. %(why)s") % {"why": plain}
        raise CannotConnect(sentence, type(trouble).__name__) from trouble
    if not grant.location_id:
        agency = keep_agency(attempt.business, user, grant)
        return connect_by_agency(agency, user, attempt.location.remote_id) if attempt.location else agency
    if attempt.location and attempt.location.remote_id != grant.location_id:
        sentence = _("That was another sub-account. To reconnect, choose %(location)s on GHL's page.")
        raise CannotConnect(sentence % {"location": attempt.location}, "another location")
    return _store(attempt.business, user, grant.location_id, Connection.Kind.OAUTH, grant=grant)


# --- agencies -----------------------------------------------------------------------------------------------------


def keep_agency(business, user, grant):
    """Store an agency's access for this Business, in the place of an older one."""
    if not grant.company_id:
        raise CannotConnect(_("GHL did not say which agency this access is for. Start again."), "no company")
    with transaction.atomic():
        agency = Agency.objects.select_for_update().filter(business=business, company_id=grant.company_id).first()
        agency = agency or Agency(business=business, company_id=grant.company_id)
        now = timezone.now()
        values = tokens.grant_values(agency, grant) | {
            "status": Agency.Status.ACTIVE, "status_reason": "", "status_since": now, "lease_until": None,
            "token_version": agency.token_version + 1, "connected_by": user, "connected_at": now,
        }  # fmt: skip
        for name, value in values.items():
            setattr(agency, name, value)
        agency.save()
    return agency


def connect_by_agency(agency, user, remote_id, name=""):
    """Connect one location with the agency's access: nobody has to agree again."""
    known = Location.objects.filter(remote_id=remote_id).first()
    if known and known.business_id != agency.business_id:
        raise CannotConnect(TAKEN, "location of another business")
    try:
        grant = tokens.mint(agency, remote_id)
    except tokens.ConnectionParked as parked:
        sentence = _("GHL no longer accepts the agency's access. Connect the agency again.")
        raise CannotConnect(sentence, "agency parked") from parked
    except errors.ScopeMissing as refused:
        raise CannotConnect(NO_AGENCY_SCOPES, "no agency scopes") from refused
    except errors.GhlError as trouble:
        sentence = _("GHL did not open this location. %(why)s") % {"why": _(trouble.plain)}
        raise CannotConnect(sentence, type(trouble).__name__) from trouble
    return _store(agency.business, user, remote_id, Connection.Kind.OAUTH, grant=grant, agency=agency, name=name)


# --- Private Integration Token ------------------------------------------------------------------------------------


def with_token(user, business, token, location_id):
    """Connect with a Private Integration Token, after trying it. GHL tells nobody its scopes: we find out by asking."""
    token, location_id = token.strip(), location_id.strip()
    if not token or not location_id:
        raise CannotConnect(_("Both the token and the location id are needed."))
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
            _("GHL does not accept this token. Copy it again from Settings → Private Integrations.")
        ) from refused
    except errors.LocationDenied as refused:
        raise CannotConnect(_("This token belongs to another location. Check the location id.")) from refused
    except errors.ScopeMissing as refused:
        raise CannotConnect(
            _("This token may not read contacts. Give it at least “View Contacts” in GHL.")
        ) from refused
    except errors.GhlError as trouble:
        raise CannotConnect(_(NOT_TRIED) % {"why": _(trouble.plain)}) from trouble
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
        "calendars/events.write": lambda: client.delete_event("rankr-scope-check-0"),
    }
    for scope, attempt in tries.items():
        try:
            attempt()
        except (errors.ScopeMissing, errors.LocationDenied):
            continue
        except (errors.NotFound, errors.Invalid):
            pass
        except errors.GhlError as trouble:
            raise CannotConnect(_(NOT_TRIED) % {"why": _(trouble.plain)}) from trouble
        granted.add(scope)
    transport.close()
    return sorted(granted)


# --- both ---------------------------------------------------------------------------------------------------------


def disconnect(connection):
    """Forget the tokens, keep the data. With its last location the agency's own access is forgotten too."""
    agency = connection.agency
    connection.forget(Connection.Status.DISCONNECTED, gettext_noop("Disconnected here by an admin."), agency=None)
    incidents.settle_access(connection.pk)
    forget_if_unused(agency)


def forget_if_unused(agency):
    if agency is not None:
        Agency.objects.filter(pk=agency.pk, connections=None).delete()


def _store(business, user, location_id, kind, grant=None, token="", scopes=(), agency=None, name=""):
    """Create or replace in place: a location keeps its data and its one Connection, and has one Business only."""
    with transaction.atomic():
        try:
            with transaction.atomic():
                location, __ = Location.objects.get_or_create(
                    remote_id=location_id, defaults={"business": business, "name": name}
                )
        except IntegrityError:
            location = Location.objects.get(remote_id=location_id)
        if location.business_id != business.pk:
            raise CannotConnect(TAKEN, "location of another business")
        connection = Connection.objects.select_for_update().filter(location=location).first()
        connection = connection or Connection(location=location)
        before = connection.agency
        if agency is None and before and grant and before.company_id == grant.company_id:
            agency = before
        values = tokens.grant_values(connection, grant) if grant else {
            **connection.sealed(token),
            "token_obtained_at": timezone.now(),
            "scopes": list(scopes),
            "expires_at": None,
            "renew_at": None,
            "renew_tries": 0,
            "refresh_sent_at": None,
        }  # fmt: skip
        values |= {
            "kind": kind,
            "agency": agency,
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
        connection.say_what_is_editable()
    if before != agency:
        forget_if_unused(before)
    incidents.settle_access(connection.pk)
    sync.start(connection)
    return connection


def _hash(text):
    return hashlib.sha256(text.encode()).hexdigest()
