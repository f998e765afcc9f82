"""Who may see and do what. Querysets answer "see" by `visible_to`; the questions about roles live here."""

from django.shortcuts import get_object_or_404

from contacts.models import Business, Role

SESSION_KEY = "business_id"


def role_in(user, business):
    """staff, manager, admin, or None for a stranger."""
    return business.role_of(user) if user.is_authenticated else None


def is_admin(user, business):
    return role_in(user, business) == Role.ADMIN


def administered_or_404(user, queryset, **lookup):
    """The row when the user administers its Business. Strangers and lesser roles alike find nothing."""
    return get_object_or_404(queryset.administered_by(user), **lookup)


def current_business(request):
    """The Business chosen in the top bar, or None for all that the user may see."""
    return next((b for b in businesses_of(request) if b.pk == request.session.get(SESSION_KEY)), None)


def businesses_of(request):
    """The user's businesses, read once per request."""
    if not hasattr(request, "_businesses"):
        request._businesses = list(Business.objects.visible_to(request.user))
    return request._businesses


def in_scope(request, queryset, path="location__business"):
    """The rows this request is about: visible to the user, and of the chosen Business if there is one."""
    rows = queryset.visible_to(request.user)
    business = current_business(request)
    return rows.filter(**{path: business}) if business else rows
