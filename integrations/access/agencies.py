"""The locations of an agency whose own access we hold: which there are, and connecting some of them."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from contacts.models import Location
from integrations.access import connect, tokens
from integrations.ghl import errors, oauth
from integrations.models import Connection

FREE, HERE, ELSEWHERE = "free", "here", "elsewhere"


@dataclass(frozen=True)
class Place:
    """One location of the agency. `state`: free to connect, connected here, or with another business of this server."""

    remote_id: str
    name: str
    address: str
    state: str

    def matches(self, words):
        return words.casefold() in f"{self.name} {self.address}".casefold()


def places(agency):
    """The locations that have the app installed, by name. Raises CannotConnect with a sentence."""
    try:
        installed = [one for one in _locations(agency) if one.is_installed]
    except tokens.ConnectionParked as parked:
        sentence = _("GHL no longer accepts the agency's access. Connect the agency again.")
        raise connect.CannotConnect(sentence, "agency parked") from parked
    except errors.ScopeMissing as refused:
        raise connect.CannotConnect(connect.NO_AGENCY_SCOPES, "no agency scopes") from refused
    except errors.GhlError as trouble:
        sentence = _("The agency's locations could not be read. %(why)s") % {"why": _(trouble.plain)}
        raise connect.CannotConnect(sentence) from trouble
    ids = [one.id for one in installed]
    owners = dict(Location.objects.filter(remote_id__in=ids).values_list("remote_id", "business_id"))
    working = set(
        Connection.objects.working().filter(location__remote_id__in=ids).values_list("location__remote_id", flat=True)
    )

    def state(remote_id):
        if owners.get(remote_id, agency.business_id) != agency.business_id:
            return ELSEWHERE
        return HERE if remote_id in working else FREE

    found = [Place(one.id, one.name or one.id, one.address, state(one.id)) for one in installed]
    return sorted(found, key=lambda place: (place.name.casefold(), place.remote_id))


def connect_places(agency, user, remote_ids):
    """Connect those of these locations that are free. (connections, sentences about those that could not be)."""
    free = {place.remote_id: place for place in places(agency) if place.state == FREE}
    connected, refusals = [], []
    for remote_id in remote_ids:
        if remote_id not in free:
            continue  # connected by a second click, or never one of this agency's
        try:
            connected.append(connect.connect_by_agency(agency, user, remote_id, free[remote_id].name))
        except connect.CannotConnect as refusal:
            refusals.append(f"{free[remote_id].name}: {refusal}")
    return connected, refusals


def _locations(agency):
    def ask(token):
        app_id = settings.GHL_CLIENT_ID.partition("-")[0]
        return oauth.installed_locations(
            settings.GHL_API_BASE, token, agency.company_id, app_id, timeout=settings.GHL_TIMEOUT_S
        )

    token = tokens.company_token(agency.pk)
    try:
        return ask(token)
    except errors.TokenRejected:
        return ask(tokens.company_token(agency.pk, rejected=token))
