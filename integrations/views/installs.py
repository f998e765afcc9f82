"""Coming back from GHL's consent page: an attempt that began here, or an installation that began in its marketplace."""

import logging

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from contacts.models import Business
from integrations import tasks
from integrations.access import connect
from integrations.models import Agency, ConnectAttempt
from integrations.reading import sync

log = logging.getLogger(__name__)

COOKIE = "installation"
LONGEST_CODE = 1000  # characters; GHL's have 40


@require_safe
@never_cache
def callback(request):
    """Where GHL sends people back. Code and state leave the address bar with the redirect."""
    code, state = request.GET.get("code", ""), request.GET.get("state", "")
    if code and not state and len(code) <= LONGEST_CODE and "error" not in request.GET:
        response = redirect("integrations:install")
        keep(response, connect.stash(code))
        return response
    if not request.user.is_authenticated:
        return redirect_to_login(reverse("integrations:connections"), resolve_url(settings.LOGIN_URL))
    if "error" in request.GET:
        code = ""
    return _arrive(request, lambda: connect.finish(request.user, request.session.session_key, state, code))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def install(request):
    """An installation that began in GHL's marketplace: nothing is bound before an admin here has said to what."""
    code = waiting_code(request)
    if code is None:
        messages.error(request, _("No installation is waiting here: they are kept for ten minutes. Start it again."))
        return _back(request)
    if request.method != "POST":
        businesses = Business.objects.administered_by(request.user)
        return render(request, "integrations/install.html", {"businesses": businesses})
    if "cancel" in request.POST:
        messages.success(request, _("Nothing was connected."))
        response = _back(request)
    else:
        business = request.POST.get("business", "")
        mine = Business.objects.administered_by(request.user)
        business = get_object_or_404(mine, pk=business if business.isdecimal() else None)
        finish = connect.finish_install
        response = _arrive(request, lambda: finish(request.user, request.session.session_key, business, code))
    response.delete_cookie(COOKIE, path=reverse("integrations:connections"))
    return response


def waiting_code(request):
    """The code of an installation this browser has brought, not older than ten minutes."""
    return connect.unstashed(request.COOKIES.get(COOKIE, ""))


def keep(response, sealed):
    """In the browser, because nobody may be signed in yet, and strangers must not fill our tables."""
    response.set_cookie(
        COOKIE, sealed, max_age=ConnectAttempt.LIFETIME, path=reverse("integrations:connections"),
        secure=settings.IS_HTTPS, httponly=True, samesite="Lax",
    )  # fmt: skip


def _arrive(request, finish):
    try:
        arrived = finish()
    except connect.CannotConnect as refusal:
        log.warning("user %s: not connected: %s", request.user.pk, refusal.why)
        messages.error(request, str(refusal))
        return _back(request)
    if isinstance(arrived, Agency):
        return redirect("integrations:agency", arrived.pk)
    tasks.ring_run(sync.start(arrived))
    messages.success(request, _("Connected. Contacts appear within seconds, notes follow."))
    return redirect("integrations:connections")


def _back(request):
    """To the connections, for whoever may see that page."""
    is_admin = Business.objects.administered_by(request.user).exists()
    return redirect("integrations:connections" if is_admin else "contacts:today")
