"""What a person chose for themselves: the page, and two of its choices that other pages offer too."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from contacts.forms.preferences import PreferencesForm
from contacts.models import User
from rankr_dash.htmx import wants_part


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def preferences(request):
    mine = User.objects.get(pk=request.user.pk)  # a refused form must not colour the frame around it
    form = PreferencesForm(request.POST if request.method == "POST" else None, instance=mine, request=request)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("contacts:preferences")
    return render(request, "contacts/preferences.html", {"form": form}, status=422 if form.is_bound else 200)


@require_POST
@login_required
def theme(request):
    chosen = request.POST.get("theme", "")
    if chosen not in User.Theme.values:
        return HttpResponseBadRequest(_("There is no such theme."))
    return kept(request, theme=chosen)


@require_POST
@login_required
def single_keys(request):
    return kept(request, single_keys=bool(request.POST.get("single_keys")))


def kept(request, **values):
    User.objects.filter(pk=request.user.pk).update(**values)
    return HttpResponse(status=204) if wants_part(request) else redirect("contacts:preferences")
