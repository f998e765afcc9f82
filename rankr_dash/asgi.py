import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rankr_dash.settings")
os.environ.setdefault("DATABASE_POOL", "8")
django = get_asgi_application()

from contacts.open_pages.listening import hub  # noqa: E402 (apps must be there)


async def application(scope, receive, send):
    hub().open()  # before anything is read for a page: what changes from here on the page will hear
    await django(scope, receive, send)
