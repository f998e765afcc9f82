"""Who may see and do what. Querysets answer "see" by `visible_to`; the questions about roles live here."""

from datetime import timedelta

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone

from contacts.models import Business, Change, Membership, RemoteUser, Role

SESSION_KEY = "business_id"
UNDO_FOR = timedelta(hours=24)
DECIDERS = (Role.MANAGER, Role.ADMIN)


def role_in(user, business):
    """staff, manager, admin, or None for a stranger."""
    return business.role_of(user) if user.is_authenticated else None


def is_admin(user, business):
    return role_in(user, business) == Role.ADMIN


def administered_or_404(user, queryset, **lookup):
    """The row when the user administers its Business. Strangers and lesser roles alike find nothing."""
    return get_object_or_404(queryset.administered_by(user), **lookup)


def may_undo(user, change):
    """One's own for a day, and anybody's for managers and admins. What has not been sent yet anyone may take back."""
    if change.verb == Change.Verb.DELETE and change.state == Change.State.QUEUED:
        return True
    if change.made_by_id == user.pk and change.created_at > timezone.now() - UNDO_FOR:
        return True
    roles = user.__dict__.setdefault("_roles", {})  # read once per request
    if change.business_id not in roles:
        roles[change.business_id] = role_in(user, change.business)
    return roles[change.business_id] in DECIDERS


def may_undo_bulk(user, action):
    """The same for something done to many at once; over all of one's businesses it is one's own."""
    if action.made_by_id == user.pk and action.created_at > timezone.now() - UNDO_FOR:
        return True
    return action.business is not None and role_in(user, action.business) in DECIDERS


def decided_by(user):
    """The businesses where this user may decide about everyone's edits."""
    return Business.objects.filter(memberships__user=user, memberships__role__in=DECIDERS)


def decides(request):
    """Whether there is any such business."""
    return any(membership.role in DECIDERS for membership in memberships_of(request))


def managed_or_404(request):
    """The businesses this request is about that the user is manager or admin of; lesser roles find nothing.

    Of the chosen one alone when it is among them.
    """
    businesses = [mine.business for mine in memberships_of(request) if mine.role in DECIDERS]
    if not businesses:
        raise Http404
    chosen = current_business(request)
    return [chosen] if chosen in businesses else businesses


def current_business(request):
    """The Business chosen in the top bar, or None for all that the user may see."""
    return next((b for b in businesses_of(request) if b.pk == request.session.get(SESSION_KEY)), None)


def memberships_of(request):
    """The user's memberships with their businesses, by name, read once per request."""
    if not hasattr(request, "_memberships"):
        mine = Membership.objects.filter(user=request.user.pk).select_related("business")  # nobody's, of a stranger
        request._memberships = list(mine.order_by("business"))
    return request._memberships


def businesses_of(request):
    """All that the user is a member of."""
    return [membership.business for membership in memberships_of(request)]


def businesses_in_scope(request):
    """The chosen Business, else all that the user may see: [] for a stranger."""
    business = current_business(request)
    return [business] if business else businesses_of(request)


def me_in_ghl(request):
    """Who the user is in GHL within the chosen business, else in all: primary keys.

    Compared with these, an assignee is found by an index; by way of `assignee__user` everybody's tasks are read.
    """
    return list(me_by_location(request).values())


def me_by_location(request):
    """The same by location, read once per request."""
    if not hasattr(request, "_me_in_ghl"):
        mine = RemoteUser.objects.filter(user=request.user, location__business__in=businesses_in_scope(request))
        request._me_in_ghl = dict(mine.values_list("location", "pk"))
    return request._me_in_ghl


def in_scope(request, queryset, path="location__business"):
    """The rows this request is about: visible to the user, and of the chosen Business if there is one."""
    rows = queryset.visible_to(request.user)
    business = current_business(request)
    return rows.filter(**{path: business}) if business else rows
