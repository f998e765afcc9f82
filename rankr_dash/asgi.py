import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rankr_dash.settings")
os.environ.setdefault("DATABASE_POOL", "8")
application = get_asgi_application()
