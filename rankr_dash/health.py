from django.db import connection
from django.http import HttpResponse


def healthz(request):
    """200 when pages can be served: the database answers. Redis being away slows us down but stops nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")
