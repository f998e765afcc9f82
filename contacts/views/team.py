from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from contacts import access
from contacts.forms.people import InviteForm
from contacts.models import Business, Invitation, LastAdmin, Location, Membership, RemoteUser, Role
from contacts.people import invitations, team
from rankr_dash.htmx import wants_part


@require_safe
@login_required
def team_page(request):
    """The teams of the businesses I administer; of the chosen one when it is among them."""
    return page(request)


@require_POST
@login_required
def invite(request, pk):
    business = access.administered_or_404(request.user, Business.objects, pk=pk)
    form = InviteForm(request.POST, business=business)
    if not form.is_valid():
        return show(request, business, status=422, form=form)
    send(request, business.invite(form.cleaned_data["email"], form.cleaned_data["role"], by=request.user))
    return done(request, business)


@require_POST
@login_required
def invitation_resend(request, pk):
    invitation = mine(request, Invitation, pk)
    if invitation.accepted_at or not invitation.renew():
        words = _("%(email)s has used the invitation meanwhile.")
        messages.error(request, words % {"email": invitation.email})
    else:
        send(request, invitation)
    return done(request, invitation.business)


@require_POST
@login_required
def invitation_withdraw(request, pk):
    invitation = mine(request, Invitation, pk)
    if Invitation.objects.waiting().filter(pk=pk).delete()[0]:
        words = _("The invitation of %(email)s is withdrawn; its link no longer works.")
        messages.success(request, words % {"email": invitation.email})
    else:
        words = _("%(email)s has used the invitation already. Remove the member instead.")
        messages.error(request, words % {"email": invitation.email})
    return done(request, invitation.business)


@require_POST
@login_required
def member_role(request, pk):
    member = mine(request, Membership, pk)
    role = request.POST.get("role", "")
    if role not in Role.values:
        return show(request, member.business, 422, problem_of=member, problem=_("Choose one of the three roles."))
    try:
        member.change_role(role)
    except LastAdmin as refusal:
        return show(request, member.business, 409, problem_of=member, problem=str(refusal))
    except Membership.DoesNotExist:
        raise Http404 from None
    words = _("%(person)s is %(role)s of %(business)s now.")
    messages.success(
        request, words % {"person": member.user, "role": member.get_role_display().lower(), "business": member.business}
    )
    return done(request, member.business)


@require_POST
@login_required
def member_remove(request, pk):
    member = mine(request, Membership, pk)
    try:
        member.end()
    except LastAdmin as refusal:
        return show(request, member.business, 409, problem_of=member, problem=str(refusal))
    except Membership.DoesNotExist:
        raise Http404 from None
    words = _("%(person)s is no longer a member of %(business)s.")
    messages.success(request, words % {"person": member.user, "business": member.business})
    return done(request, member.business)


@require_POST
@login_required
def member_in_ghl(request, pk, location_pk):
    """Say which GHL user a member is in one location. Their tasks there become "mine" to them."""
    member = mine(request, Membership, pk)
    location = access.administered_or_404(request.user, Location.objects, pk=location_pk, business=member.business)
    chosen = None
    if wanted := request.POST.get("remote_user", ""):
        chosen = next((one for one in location.remote_users.all() if str(one.pk) == wanted), None)
        if chosen is None:
            problem = _("%(location)s has no such GHL user any more. Choose again.") % {"location": location}
            return show(request, member.business, 422, problem_of=member, problem=problem)
    if not RemoteUser.objects.belong_to(member.user, location, chosen):
        problem = _("Somebody else is %(ghl_user)s in %(location)s already.")
        problem %= {"ghl_user": chosen, "location": location}
        return show(request, member.business, 409, problem_of=member, problem=problem)
    words = (
        _("%(person)s is %(ghl_user)s in %(location)s now.")
        if chosen
        else _("%(person)s is nobody in %(location)s now.")
    )
    messages.success(request, words % {"person": member.user, "ghl_user": chosen, "location": location})
    return done(request, member.business)


def mine(request, model, pk):
    """A row of a business I administer, or 404."""
    return access.administered_or_404(request.user, model.objects.select_related("business"), pk=pk)


def send(request, invitation):
    if invitations.send(invitation):
        words = _("The invitation is on its way to %(email)s.")
        messages.success(request, words % {"email": invitation.email})
    else:
        words = _("No message could be sent to %(email)s. Copy the link and pass it on.")
        messages.error(request, words % {"email": invitation.email})


def done(request, business):
    """The section as it is now. Whoever is no longer an admin of it has nothing left to look at here."""
    if wants_part(request) and access.is_admin(request.user, business):
        return show(request, business)
    return redirect("contacts:team" if Business.objects.administered_by(request.user) else "contacts:today")


def show(request, business, status=200, **details):
    """One business' section for htmx, else the whole page with this business in its present state."""
    if wants_part(request):
        context = {"team": team.of(business, request.user, **details)}
        return render(request, "contacts/_team_business.html", context, status=status)
    return page(request, status, {business.pk: details})


def page(request, status=200, details=None):
    businesses = list(Business.objects.administered_by(request.user))
    if not businesses:
        raise Http404
    if details is None and (chosen := access.current_business(request)) in businesses:
        businesses = [chosen]
    teams = [team.of(business, request.user, **(details or {}).get(business.pk, {})) for business in businesses]
    return render(request, "contacts/team.html", {"teams": teams}, status=status)
