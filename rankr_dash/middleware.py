"""Chores of every htmx answer, so that views need not think of them; and a way past all chores for machines."""

from functools import partial
from urllib.parse import urlencode, urlsplit

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.messages import get_messages
from django.shortcuts import resolve_url
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.utils.cache import patch_vary_headers
from django.utils.decorators import sync_and_async_middleware
from django.utils.http import url_has_allowed_host_and_scheme

from rankr_dash.htmx import VARY, asking_tab, wants_part

MACHINES = ("/webhooks/", "/api/", "/static/")  # of static files only the stylesheet has a view


@sync_and_async_middleware
def machines_first(get_response):
    """What is made for people (hosts, sessions, sign-in) may redirect, refuse or ask a database that is away.

    A webhook that gets such an answer is lost for good, and its signature says all there is to know. So it goes
    straight to its view.
    """
    if iscoroutinefunction(get_response):

        async def answer(request):
            view = view_of_machine(request)
            return await (sync_to_async(view)(request) if view else get_response(request))

    else:

        def answer(request):
            view = view_of_machine(request)
            return view(request) if view else get_response(request)

    return answer


def view_of_machine(request):
    if not request.path_info.startswith(MACHINES):
        return None
    try:
        found = resolve(request.path_info)
    except Resolver404:
        return None
    return partial(found.func, *found.args, **found.kwargs) if found.kwargs else found.func


class HtmxChores:
    """Redirects move the page instead of landing inside a part; messages travel along as toasts."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        before = asking_tab.set(request.headers.get("X-Tab", "")[:40])
        try:
            response = self.get_response(request)
        finally:
            asking_tab.reset(before)
        if not response.streaming:
            patch_vary_headers(response, VARY)
        if not wants_part(request):
            return response
        if response.status_code in (301, 302, 303, 307, 308) and response.has_header("Location"):
            return move_the_page(request, response)
        if carries_html(response):
            append_toasts(request, response)
        return response


def move_the_page(request, response):
    """Turn a redirect, which htmx would follow into the part, into one the browser makes. Cookies stay on it."""
    target = response["Location"]
    del response["Location"]
    if is_sign_in(target):
        # Back to the page the person sees, not to the part it was asking for.
        target = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': page_of(request)})}"
    response.status_code = 200
    response.reason_phrase = "OK"
    response.content = b""
    response["HX-Redirect"] = target
    return response


def is_sign_in(target):
    return urlsplit(target).path == resolve_url(settings.LOGIN_URL)


def page_of(request):
    """The address in the person's browser, if it is one of ours."""
    current = request.headers.get("HX-Current-URL", "")
    if not url_has_allowed_host_and_scheme(current, {request.get_host()}, require_https=request.is_secure()):
        return resolve_url(settings.LOGIN_REDIRECT_URL)
    parts = urlsplit(current)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path or "/"


def carries_html(response):
    return (
        not response.streaming
        and response.status_code not in (204, 205, 304)
        and response.get("Content-Type", "").startswith("text/html")
        and not response.has_header("HX-Redirect")
        and not response.has_header("HX-Location")
        and not response.has_header("HX-Refresh")
    )


def append_toasts(request, response):
    """Put waiting messages into the toast corner. A part that shows them itself has already emptied the list."""
    messages = list(get_messages(request))
    if messages:
        toasts = render_to_string("ui/_toasts_oob.html", {"messages": messages}, request=request)
        response.content += toasts.encode(response.charset)
