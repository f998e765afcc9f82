from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from contacts import access
from contacts.forms.people import BusinessForm
from contacts.models import Business, Invitation, Role
from contacts.people import invitations


@require_safe
@never_cache
def invitation(request, token):
    """The link of the mail. Its secret goes into the session, and the person on to an address without it."""
    found = Invitation.objects.open().filter(token=token).first()
    if found is None:
        return render(request, "contacts/invited_gone.html", status=410)
    invitations.keep(request, found)
    return redirect("contacts:invited")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def invited(request):
    """Say what the invitation is about; let the person it is for accept it with POST."""
    found = invitations.kept(request)
    if found is None:
        return render(request, "contacts/invited_gone.html", status=410)
    is_theirs = request.user.is_authenticated and found.is_for(request.user)
    if request.method != "POST" or not is_theirs:
        status = 403 if request.method == "POST" else 200
        return render(request, "contacts/invited.html", {"invitation": found, "is_theirs": is_theirs}, status=status)
    if not invitations.accept(request, found, request.user):
        return render(request, "contacts/invited_gone.html", status=410)
    look_at(request, found.business)
    messages.success(request, _("Welcome to %(business)s.") % {"business": found.business})
    return redirect("contacts:today")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new_business(request):
    """Found a business and be its admin. Also where somebody without any business learns how to get into one."""
    form = BusinessForm(request.POST or None, label_suffix="")
    if request.method == "POST" and form.is_valid():
        business = Business.objects.create(name=form.cleaned_data["name"])
        business.join(request.user, Role.ADMIN)
        look_at(request, business)
        words = _("%(business)s is set up. Connect its GHL account to see its contacts.")
        messages.success(request, words % {"business": business})
        return redirect("contacts:today")
    return render(request, "contacts/new_business.html", {"form": form}, status=422 if form.errors else 200)


def look_at(request, business):
    """Choose the business in the top bar, unless the person was looking at all of theirs on purpose."""
    if access.current_business(request) is not None:
        request.session[access.SESSION_KEY] = business.pk
