"""The app with work in it that ends its worker, for a worker started with -A tests.processes.poison.

An incident for the reason "exit" takes its process with it; one for the reason "loop" never ends, and does not listen
to the polite limit.
"""

import os
from datetime import timedelta

import django
from billiard.exceptions import SoftTimeLimitExceeded

from rankr_dash.celery import app  # noqa: F401, what -A looks for

django.setup()

from contacts.models import leased  # noqa: E402
from integrations import tasks  # noqa: E402

work = leased.Leased.work


def poisoned(row, act, give_up):
    spoilt = {"exit": lambda: os._exit(1), "loop": spin}.get(getattr(row, "reason", ""), act)
    return work(row, spoilt, give_up)


def spin():
    while True:
        try:
            while True:
                pass
        except SoftTimeLimitExceeded:
            continue


leased.Leased.work = poisoned
leased.STRUCK_WAIT = timedelta(milliseconds=100)
tasks.tell_incident.soft_time_limit, tasks.tell_incident.time_limit = 1, 2
