"""What our sign-in does other than allauth's."""

import logging

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib import messages
from django.shortcuts import resolve_url
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.people import invitations

log = logging.getLogger(__name__)


class Adapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": gettext_lazy("This e-mail address and password do not belong together."),
        "email_taken": gettext_lazy("This e-mail address has an account already. Sign in instead."),
        "too_many_login_attempts": gettext_lazy("That was wrong too often. Wait five minutes, or reset the password."),
        "rate_limited": gettext_lazy("That was too often in a short time. Wait a minute."),
    }

    def get_login_redirect_url(self, request):
        """An invitation that waits comes first."""
        waits = invitations.kept(request)
        return resolve_url("contacts:invited") if waits else super().get_login_redirect_url(request)

    def logout(self, request):
        """Signing out empties the session; somebody who opened an invitation as the wrong person still needs it."""
        invitation = invitations.kept(request)
        super().logout(request)
        if invitation:
            invitations.keep(request, invitation)

    def format_email_subject(self, subject):
        return f"Rankr: {subject}"

    def send_mail(self, template_prefix, email, context):
        """A mail server that is away must not undo a sign-up, so it is a message instead of an error."""
        try:
            super().send_mail(template_prefix, email, context)
        except OSError as trouble:  # smtplib's own errors are among these
            log.warning("%s could not be mailed: %s", template_prefix, type(trouble).__name__)
            if request := context.get("request") or self.request:
                text = _(
                    "The message to %(email)s could not be sent: the mail server did not take it. Try again later."
                )
                messages.error(request, text % {"email": email})
