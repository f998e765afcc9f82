"""The Celery app. Tasks only ring the bell: rows in Postgres hold the work."""

import os

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rankr_dash.settings")
app = Celery("rankr_dash")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.task(name="rankr_dash.listen")
def listen():
    """That it was heard is all there is to it."""


@worker_init.connect
def watch(**_):
    from rankr_dash import watchdog  # which listens to the worker's signals

    app.steps["worker"].add(watchdog.EndWhenBroken)
