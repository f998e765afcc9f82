"""The Celery app. Tasks only ring the bell: rows in Postgres hold the work."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rankr_dash.settings")
app = Celery("rankr_dash")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
