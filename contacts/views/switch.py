from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from contacts import access


@require_POST
@login_required
def switch_business(request):
    """Look at one business, or with an empty value at all of mine."""
    chosen = request.POST.get("business", "")
    if chosen:
        business = next((b for b in access.businesses_of(request) if str(b.pk) == chosen), None)
        if business is None:
            raise Http404
        request.session[access.SESSION_KEY] = business.pk
    else:
        request.session.pop(access.SESSION_KEY, None)
    return redirect(_next(request))


def _next(request):
    """Back to where the switch was used, as long as that is a page of ours."""
    target = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        return target
    return "contacts:today"
