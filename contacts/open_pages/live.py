"""Telling open pages that something has changed: what it is about, by ids, and never what it says.

`tell` costs a transaction nothing: once that is in, a thread of this process gathers for a moment what was told and
hands it to Redis, one channel for each Business. An announcement may be lost while Redis is away. Pages that hear
nothing ask again by themselves, only later; so nothing here fails, and nobody waits.
"""

import atexit
import json
import logging
import os
import threading
import time
from collections import defaultdict
from functools import partial

from django.db import connection, transaction
from redis.exceptions import RedisError

from rankr_dash.htmx import asking_tab
from rankr_dash.shared_redis import hasty_redis

log = logging.getLogger(__name__)

# What can have changed. The first five are what a line of history is about: `HistoryEvent.group`.
KINDS = ("contact", "tags", "note", "task", "appointment", "state", "editing", "team")
MOST = 1000  # ids in one announcement; above it says "many"
GATHER_S, LONGEST_S = 0.05, 0.3  # it waits for a silence of so long, but not for longer than that
TRIES, TRY_AGAIN_S = 4, 1  # a Redis that was slow for a moment; after more, pages have noticed that they hear nothing
COMPLAIN_EVERY_S = 60


def tell(business_id, contacts=(), kinds=(), changes=()):
    """Announce, once the transaction is in, that these kinds of things about these contacts have changed.

    `changes` are the ids of Changes that have moved on. The tab that is being answered knows by itself, and is named.
    """
    if kinds and (contacts or changes or "team" in kinds):
        told = partial(_teller.add, (business_id, asking_tab.get()), tuple(contacts), tuple(kinds), tuple(changes))
        transaction.on_commit(told, robust=True)


def tell_of(changes):
    """Announce that these Changes have moved on."""
    for change in changes:
        tell(change.business_id, [change.contact_id], ["state"], [change.pk])


def channel(business_id):
    return f"live:{connection.settings_dict['NAME']}:{business_id}"


class Teller:
    """Gathers what is told within a moment, so that a bulk edit or a page of a sync is one announcement."""

    def __init__(self):
        self.lock, self.wanted = threading.Lock(), threading.Event()
        self.thread = None
        self.gathered = {}
        self.complained_at = float("-inf")

    def add(self, key, contacts, kinds, changes):
        with self.lock:
            told = self.gathered.setdefault(key, defaultdict(set))
            for name, values in {"contacts": contacts, "kinds": kinds, "changes": changes}.items():
                told[name].update(values)
            if self.thread is None:
                self.thread = threading.Thread(target=self.work, name="live", daemon=True)
                self.thread.start()
        self.wanted.set()

    def work(self):
        while True:
            self.wanted.wait()
            until = time.monotonic() + LONGEST_S
            while self.wanted.is_set() and time.monotonic() < until:
                self.wanted.clear()
                self.wanted.wait(GATHER_S)
            self.publish()

    def publish(self, tries=TRIES):
        """Hand over what was gathered; while Redis is away it is tried a few times and then lost."""
        with self.lock:
            gathered, self.gathered = self.gathered, {}
        for tried in range(1, tries + 1):
            try:
                return hand_over(gathered)
            except (RedisError, OSError) as trouble:
                self.complain(trouble)
            if tried < tries:
                time.sleep(TRY_AGAIN_S)

    def complain(self, trouble):
        if time.monotonic() - self.complained_at > COMPLAIN_EVERY_S:
            self.complained_at = time.monotonic()
            log.warning("open pages could not be told what has changed: %s", type(trouble).__name__)


def hand_over(gathered):
    if not gathered:
        return
    with hasty_redis().pipeline(transaction=False) as pipe:
        for (business_id, tab), told in gathered.items():
            pipe.publish(channel(business_id), json.dumps(announcement(business_id, tab, told)))
        pipe.execute()


def announcement(business_id, tab, told):
    is_many = len(told["contacts"]) > MOST or len(told["changes"]) > MOST
    return {
        "business": business_id,
        "tab": tab,
        "kinds": sorted(told["kinds"]),
        "many": is_many,
        "contacts": [] if is_many else sorted(told["contacts"]),
        "changes": [] if is_many else sorted(told["changes"]),
    }


def _begin():
    global _teller
    _teller = Teller()


_begin()
os.register_at_fork(after_in_child=_begin)  # threads do not come along
atexit.register(lambda: _teller.publish(tries=1))
