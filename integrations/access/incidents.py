"""What a person must know about: one incident, one message, from when until when.

Incidents about access follow from the rows: whoever changes a connection's status may say so here at once, and the
sweeper finds what nobody said. Telling is work like any other: a leased row, and a claim before the message leaves.
"""

import logging
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import timezone

from contacts.models import Role
from integrations import crypto
from integrations.access import standing
from integrations.models import Agency, Connection, Incident

log = logging.getLogger(__name__)

ACCESS = Incident.Kind.ACCESS
Status = Connection.Status
PARKED = (Status.NEEDS_REAUTH, Status.SUSPENDED, Status.UNINSTALLED)
TELL_AFTER = timedelta(minutes=5)  # without any token: a token endpoint that is back sooner bothers nobody
MAIL_PAUSES_S = (30, 60, 120, 300, 900, 1800, 3600)


def open_incident(connection, kind, reason):
    """The open incident of this kind, opened now if need be. Without a connection the whole server is meant."""
    about = {"connection": connection, "kind": kind, "closed_at": None}
    if known := Incident.objects.filter(**about).first():
        return known
    try:
        with transaction.atomic():
            incident = Incident.objects.create(**about, reason=reason)
    except IntegrityError:  # another process was first
        return Incident.objects.filter(**about).first()
    log.warning("incident %s opened: %s of %s", incident.pk, kind, _whose(connection))
    return incident


def close_incident(connection, kind, reason="", by=None):
    """True when this call closed it. With `reason`, only one that was opened for this reason."""
    found = Incident.objects.open().filter(connection=connection, kind=kind)
    found = found.filter(reason=reason) if reason else found
    closed = found.update(closed_at=timezone.now(), closed_by=by)
    if closed:
        log.info("incident of kind %s of %s closed", kind, _whose(connection))
    return closed > 0


def watch_access():
    """Open and close what follows from how the connections stand. Every sweep does this."""
    for connection in _in_trouble().exclude(incidents__in=_about_access()).select_related("location__business"):
        open_incident(connection, ACCESS, connection.status_reason or standing.of(connection).happened)
    for connection in Connection.objects.exclude(pk__in=_in_trouble()).filter(incidents__in=_about_access()):
        close_incident(connection, ACCESS)
    _look_for_keys()


def settle_access(connection_id):
    """The same for one connection, at once."""
    connection = Connection.objects.select_related("location__business").filter(pk=connection_id).first()
    if connection is None:
        return
    if _in_trouble().filter(pk=connection_id).exists():
        open_incident(connection, ACCESS, connection.status_reason or standing.of(connection).happened)
    else:
        close_incident(connection, ACCESS)


def _in_trouble():
    """Connections a person should know about. A renewal that fails while the old token works is none of these."""
    losing = Q(status=Status.UNKNOWN, refresh_sent_at=None)
    without_token = Q(renew_tries__gt=0, expires_at__lt=timezone.now() - TELL_AFTER, status__in=Connection.USABLE)
    return Connection.objects.filter(Q(status__in=PARKED) | losing | without_token)


def _about_access():
    return Incident.objects.open().filter(kind=ACCESS)


def _look_for_keys():
    """A server-wide incident about a missing key ends when every stored value can be opened again."""
    if not (about := Incident.objects.open().filter(kind=ACCESS, connection=None).first()):
        return
    if "ENCRYPTION_KEYS" in about.reason and not _missing_keys():
        close_incident(None, ACCESS)


def _missing_keys():
    used = set()
    for model in (Connection, Agency):
        for column in model.SEALED:
            used |= {crypto.key_of(sealed) for sealed in model.objects.values_list(column, flat=True) if sealed}
    return used - set(crypto.key_ring())


# --- showing ----------------------------------------------------------------------------------------------------------


def notices(connections):
    """What people must know of these connections, the worst first."""
    connections = list(connections.select_related("location__business"))
    found = [standing.of(connection) for connection in connections]
    others = Incident.objects.open().filter(connection__in=connections).exclude(kind=ACCESS)
    others = others.select_related("connection__location").order_by("opened_at")
    found = [one for one in found if one.is_notice] + [standing.of_incident(incident) for incident in others]
    return sorted(found, key=lambda notice: notice.state != "disconnected")


# --- telling ----------------------------------------------------------------------------------------------------------


def waiting_incidents():
    return list(Incident.objects.due().order_by("pk").values_list("pk", flat=True)[:100])


def tell(pk):
    """Mail the people concerned, once. A mail server that is away puts it off; an incident that is over is not told."""
    incident = Incident.objects.claim(pk)
    if incident is not None:
        incident.work(partial(_tell, incident), give_up=partial(_told, incident))


def _tell(incident):
    if incident.closed_at is not None:
        return _told(incident)
    people = concerned(incident)
    if not people:
        log.error("incident %s: there is nobody to tell", incident.pk)
        return _told(incident)
    try:
        message(incident, people).send()
    except OSError as trouble:  # smtplib's own errors are among these
        pause = MAIL_PAUSES_S[min(incident.attempts, len(MAIL_PAUSES_S)) - 1]
        log.warning("incident %s: not mailed: %s", incident.pk, type(trouble).__name__)
        incident.release(next_at=timezone.now() + timedelta(seconds=pause))
    else:
        _told(incident)
        log.info("incident %s: told %s people", incident.pk, len(people))


def _told(incident):
    incident.release(finished_at=timezone.now())


def concerned(incident):
    """Addresses: the Business's admins, or whoever runs the server."""
    people = get_user_model().objects.filter(is_active=True).exclude(email="")
    if incident.connection is not None:
        business = incident.connection.location.business
        people = people.filter(memberships__business=business, memberships__role=Role.ADMIN)
        return sorted(people.values_list("email", flat=True))
    admins = [admin[1] for admin in settings.ADMINS]
    return sorted(admins or people.filter(is_superuser=True).values_list("email", flat=True))


def message(incident, people):
    """One message to all of them, so that either everybody is told or nobody is."""
    words = standing.of_incident(incident)
    needed_by = standing.local(words.needed_by, words.connection) if words.needed_by else ""
    context = {"words": words, "needed_by": needed_by, "link": settings.PUBLIC_URL + words.path}
    subject = f"{words.title}: {words.connection.location}" if words.connection else words.title
    subject = " ".join(f"Rankr: {subject}".split())
    mail = EmailMultiAlternatives(subject, render_to_string("integrations/mail/incident.txt", context), to=people)
    mail.attach_alternative(render_to_string("integrations/mail/incident.html", context), "text/html")
    return mail


def _whose(connection):
    return f"connection {connection.pk}" if connection else "the server"
