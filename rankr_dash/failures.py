"""What a person sees when an answer could not be made."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error as broken

RETRY_AFTER_S = 10


def server_error(request):
    """503 while the database is away or has no connection to spare, which passes; 500 for whatever else went wrong.

    Nothing here may need the database.
    """
    if not isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return broken(request)
    again = request.get_full_path() if request.method == "GET" else ""
    page = render_to_string("503.html", {"again": again})
    return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER_S), "Cache-Control": "no-store"})
