"""A first sync and one with nothing to do: how near to the least number of requests and to the rate limit's floor."""

import math
import resource
import time
from threading import Thread

from django.db import connection as database

from contacts.models import Appointment, Contact, HistoryEvent, Note, Task
from integrations.management.commands.sync import wait_for
from integrations.reading import sync
from rankr_dash.bench.rig import Rig, wait_until

CALENDARS, COMPANY_PAGE = 4, 100
LISTED = (Contact, Task, Note, Appointment, HistoryEvent)


def measure(contacts, window_s, latency_ms):
    with Rig(contacts, window_s, latency_ms) as rig:
        connection = rig.connect()
        listed = Watch(connection.location_id, contacts)
        begun = time.monotonic()
        run = wait_for(sync.start(connection))
        took = time.monotonic() - begun
        listed.join()
        rate = rig.sandbox.get("rate", location=connection.location.remote_id)["keys"][0]
        least = least_requests(rig.sandbox.get("state"), contacts)
        floor = window_s * (math.ceil(rate["requests"] / 100) - 1)
        before = rows_written()
        again = wait_for(sync.start(connection))
        return {
            **{str(model._meta.verbose_name_plural): model.objects.count() for model in LISTED[:4]},
            "outcome": run.outcome,
            "requests": rate["requests"],
            "requests at least (settings+pages+notes)": least,
            "requests ÷ minimum": round(rate["requests"] / least, 4),
            "429 received": rate["refused"],
            "most requests in any window": rate["highest"],
            "seconds": round(took, 1),
            "seconds at least at GHL's limit": floor,
            "time ÷ floor": round(took / floor, 3) if floor else None,
            "seconds until all contacts are listed": listed.seconds,
            "requests of a no-change sync": again.requests,
            "business rows written by a no-change sync": rows_written() - before,
            "peak memory MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }


def least_requests(state, contacts):
    """What GHL's API allows at best: settings, pages, calendars, and the notes of one contact at a time."""
    pages = math.ceil(state["businesses"] / COMPANY_PAGE) + math.ceil(contacts / 500) + state["tasks"] // 500 + 1
    return 5 + pages + CALENDARS + contacts


class Watch(Thread):
    """Notes when all contacts of a location can be listed."""

    def __init__(self, location_id, contacts):
        super().__init__(daemon=True)
        self.location_id, self.contacts, self.seconds = location_id, contacts, None
        self.begun = time.monotonic()
        self.start()

    def run(self):
        wait_until(lambda: Contact.objects.filter(location_id=self.location_id).count() >= self.contacts)
        self.seconds = round(time.monotonic() - self.begun, 2)
        database.close()


def rows_written():
    """Inserts, updates and deletes Postgres has counted in the tables people look at."""
    tables = [model._meta.db_table for model in LISTED]
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables WHERE relname = ANY(%s)", [tables]
        )
        return int(cursor.fetchone()[0] or 0)
