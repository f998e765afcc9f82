"""One address, two readers: a browser gets the page, htmx the part of it that changes."""

from contextvars import ContextVar

from django.shortcuts import render
from django.utils.cache import patch_vary_headers

# A cache (the browser's own too, on Back) must not hand the part to someone who asked for the page.
VARY = ["HX-Request", "HX-Boosted", "HX-History-Restore-Request"]

# The tab of a browser that is being answered, by the name it gave itself; empty for a plain form, and for a worker.
asking_tab = ContextVar("asking_tab", default="")


def wants_part(request):
    """Whether htmx asks in order to swap a part. Boosted links and Back ask for the whole page."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        and headers.get("HX-Boosted") != "true"
        and headers.get("HX-History-Restore-Request") != "true"
    )


def answer(request, template, context=None, part=None, status=200):
    """The whole `template`, or `part` when htmx wants one."""
    chosen = part if part and wants_part(request) else template
    response = render(request, chosen, context, status=status)
    patch_vary_headers(response, VARY)
    return response
