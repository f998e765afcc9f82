"""An invitation's way to the person: the link, the message, and the session that remembers it until they are in."""

import logging

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from contacts.models import Invitation

SESSION_KEY = "invitation"
SEND_NOTHING = ("console.EmailBackend", "dummy.EmailBackend")

log = logging.getLogger(__name__)


def link_of(invitation):
    return settings.PUBLIC_URL + reverse("contacts:invitation", args=[invitation.token])


def send(invitation):
    """Whether a message with the link is on its way."""
    if settings.EMAIL_BACKEND.endswith(SEND_NOTHING):
        return False
    subject = _("%(person)s invites you to %(business)s on Rankr")
    subject %= {"person": invitation.invited_by, "business": invitation.business}
    body = render_to_string("contacts/team_invitation.txt", {"invitation": invitation, "link": link_of(invitation)})
    try:
        send_mail(" ".join(subject.split()), body, None, [invitation.email])
    except OSError as trouble:  # smtplib's own errors are among these
        log.warning("invitation %s could not be mailed: %s", invitation.pk, type(trouble).__name__)
        return False
    return True


def keep(request, invitation):
    """Remember it in the session, so that its secret need not be in any further address."""
    request.session[SESSION_KEY] = invitation.token


def kept(request):
    """The invitation that brought this person here, while it can be used."""
    token = request.session.get(SESSION_KEY) if request else None
    if not token:
        return None
    return Invitation.objects.open().select_related("business", "invited_by").filter(token=token).first()


def accept(request, invitation, user):
    request.session.pop(SESSION_KEY, None)
    return invitation.accept(user)
