"""How a connection stands, in words: what happened, what it costs, and the one thing to do about it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from integrations.models import Connection, Incident

Status = Connection.Status

SAFE = gettext_noop("Saved data stays readable, and edits wait here until then.")
WORKS = gettext_noop("Until then everything works as always.")
MEANWHILE = gettext_noop("Meanwhile everything works as always.")
BY_ITSELF = gettext_noop("Saved data stays readable, and edits wait here until it answers again.")


@dataclass(frozen=True)
class Words:
    """`state` is a word of templates/ui/_status.html. `action` names the one thing to do; empty: there is only waiting,
    and `again_at` says until when. `needed_by` is when waiting any longer begins to cost something."""

    state: str
    title: str
    happened: str = ""
    costs: str = ""
    action: str = ""
    since: datetime | None = None
    again_at: datetime | None = None
    needed_by: datetime | None = None
    connection: Any = None
    path: str = ""

    @property
    def is_notice(self):
        """Whoever looks at any page should know."""
        return self.state in ("disconnected", "attention")


def of(connection):
    """How GHL lets us into this location at the moment."""
    words = {"happened": _(connection.status_reason), "since": connection.status_since, "connection": connection}
    words["path"] = path_of(connection)
    again = _("Replace the token") if connection.is_static else _("Reconnect")
    status = connection.status
    if status == Status.NEEDS_REAUTH:
        return Words("disconnected", _("Needs reconnecting"), costs=_(SAFE), action=again, **words)
    if status == Status.UNINSTALLED:
        return Words("disconnected", _("Removed in GHL"), costs=_(SAFE), action=_("Install again"), **words)
    if status == Status.DISCONNECTED:
        return Words("disconnected", _("Disconnected"), costs=_(SAFE), action=again, **words)
    if status == Status.SUSPENDED:
        return Words("attention", _("Suspended by GHL"), costs=_(BY_ITSELF), again_at=connection.renew_at, **words)
    if connection.is_losing_access:
        by = connection.expires_at
        return Words("attention", _("Reconnect soon"), costs=_(WORKS), action=again, needed_by=by, **words)
    if status == Status.UNKNOWN:
        return Words("healthy", _("Renewing our access"), costs=_(MEANWHILE), again_at=connection.renew_at, **words)
    if connection.wants_new_token:
        words |= {"happened": _(GROWN_OLD), "since": connection.token_obtained_at}
        return Words("attention", _("Replace the token"), action=again, **words)
    return Words("healthy", _("Healthy"), connection=connection, path=words["path"])


GROWN_OLD = gettext_noop(
    "GHL advises a new Private Integration Token every 90 days, and removes one that was not used for 90 days. "
    "This one is older than 80."
)
# kind: (title, what it costs, what to do) of incidents that are not about access.
OTHERS = {
    Incident.Kind.GUARD: (
        gettext_noop("GHL seems to have lost many records"),
        gettext_noop("Nothing was deleted here. Reading goes on, and deletions wait for a person."),
        gettext_noop("Look and decide"),
    ),
    Incident.Kind.GAP: (
        gettext_noop("GHL’s messages are missing"),
        gettext_noop("Changes made in GHL arrive by checking: within minutes instead of seconds."),
        gettext_noop("See the connection"),
    ),
    Incident.Kind.SIGNATURE: (
        gettext_noop("GHL’s messages bear a signature we do not know"),
        gettext_noop(
            "They are kept but not believed, so changes arrive by checking: within minutes instead of seconds."
        ),
        gettext_noop("Check GHL_WEBHOOK_PUBLIC_KEYS"),
    ),
}
SERVER_ACCESS = (
    gettext_noop("No access to GHL can be renewed"),
    gettext_noop("Accounts stop working one after the other, within a day. Nothing is lost."),
    gettext_noop("Check GHL_CLIENT_ID, GHL_CLIENT_SECRET and ENCRYPTION_KEYS"),
)


def of_incident(incident):
    """The words of one incident, for the banner and the message."""
    connection = incident.connection
    if incident.kind == Incident.Kind.ACCESS and connection is not None:
        words = of(connection)
        if words.is_notice:
            return words
        # No token at all, and the token endpoint is away: it is GHL's turn.
        about = {"connection": connection, "path": path_of(connection), "again_at": connection.renew_at}
        return Words(
            "attention", _("GHL does not answer"), _(incident.reason), _(BY_ITSELF), since=incident.opened_at, **about
        )
    title, costs, action = map(_, OTHERS.get(incident.kind, SERVER_ACCESS))
    path = path_of(connection) if connection is not None else reverse("admin:integrations_connection_changelist")
    return Words(
        "attention", title, _(incident.reason), costs, action,
        since=incident.opened_at, connection=connection, path=path,
    )  # fmt: skip


def path_of(connection):
    return f"{reverse('integrations:connections')}#connection-{connection.pk}"


def local(moment, connection):
    """The moment on the clock of the location, for messages that are read anywhere."""
    try:
        zone = ZoneInfo(connection.location.time_zone)
    except (ValueError, KeyError, OSError):
        zone = ZoneInfo("UTC")
    return f"{moment.astimezone(zone):%a %d %b, %H:%M} ({zone.key})"
