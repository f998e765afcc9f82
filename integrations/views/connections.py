"""Connecting accounts: admins only; for everyone else these pages do not exist."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from contacts import access
from contacts.models import Business
from integrations import tasks
from integrations.access import connect, standing
from integrations.models import Agency, Connection
from integrations.monitoring import health
from integrations.reading import sync
from integrations.views import installs
from rankr_dash.htmx import answer


class TokenForm(forms.Form):
    business = forms.ModelChoiceField(Business.objects.none(), label=gettext_lazy("Business"), empty_label=None)
    location_id = forms.CharField(
        label=gettext_lazy("Location id"),
        max_length=64,
        help_text=gettext_lazy("In GHL: Settings → Business Profile → Location ID."),
    )
    token = forms.CharField(
        label=gettext_lazy("Private Integration Token"),
        max_length=400,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy(
            "In GHL: Settings → Private Integrations. It starts with pit- and is never shown again."
        ),
    )

    def __init__(self, user, *args, **options):
        super().__init__(*args, **options)
        mine = Business.objects.administered_by(user)
        self.fields["business"] = forms.ModelChoiceField(mine, label=_("Business"), empty_label=None)


@login_required
@require_safe
def connections(request):
    businesses = _administered(request)
    rows = health.of(access.in_scope(request, Connection.objects, "location__business").administered_by(request.user))
    for row in rows:
        row.words = standing.of(row.connection)
    context = {
        "rows": rows,
        "businesses": businesses,
        "agencies": Agency.objects.administered_by(request.user).prefetch_related("connections__location"),
        "install_waits": installs.waiting_code(request) is not None,
        "troubled": sum(row.needs_someone for row in rows),
        "form": TokenForm(request.user),
        "catching_up": any(row.run for row in rows),
    }
    return answer(request, "integrations/connections.html", context, part="integrations/_connections.html")


@login_required
@require_POST
def start(request):
    """Off to GHL's consent page."""
    business = get_object_or_404(Business.objects.administered_by(request.user), pk=_number(request.POST, "business"))
    return _consent(request, business)


@login_required
@require_POST
def reconnect(request, pk):
    connection = _mine(request, pk)
    return _consent(request, connection.location.business, connection.location)


@login_required
def with_token(request):
    """Connect with a Private Integration Token, or put a new one in the place of the old."""
    _administered(request)
    form = TokenForm(request.user, request.POST or None, initial=request.GET)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            connection = connect.with_token(request.user, values["business"], values["token"], values["location_id"])
        except connect.CannotConnect as refusal:
            form.add_error("token", str(refusal))
        else:
            _begin_sync(connection)
            messages.success(request, _("Connected with the token. Contacts appear within seconds."))
            return redirect("integrations:connections")
    status = 422 if form.errors else 200
    return render(request, "integrations/with_token.html", {"form": form}, status=status)


@login_required
@require_POST
def disconnect(request, pk):
    connect.disconnect(_mine(request, pk))
    messages.success(request, _("Disconnected. Everything read so far stays here, and edits wait until you reconnect."))
    return redirect("integrations:connections")


@login_required
@require_POST
def sync_now(request, pk):
    connection = _mine(request, pk)
    if connection.is_active:
        _begin_sync(connection)
        messages.success(request, _("Reading %(location)s from GHL.") % {"location": connection.location})
    else:
        messages.error(request, _("Reconnect first: GHL does not let us in at the moment."))
    return redirect("integrations:connections")


def _consent(request, business, location=None):
    try:
        return redirect(connect.begin(request.user, business, request.session.session_key, location))
    except connect.CannotConnect as refusal:
        messages.error(request, str(refusal))
        return redirect("integrations:connections")


def _administered(request):
    businesses = list(Business.objects.administered_by(request.user))
    if not businesses:
        raise Http404
    return businesses


def _mine(request, pk):
    return access.administered_or_404(request.user, Connection.objects.select_related("location__business"), pk=pk)


def _begin_sync(connection):
    run = sync.start(connection)
    tasks.ring_run(run)


def _number(data, name):
    value = data.get(name, "")
    if not value.isdecimal():
        raise Http404
    return int(value)
