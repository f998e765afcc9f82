"""Records of one kind. A record is never changed in place, so what it was stays readable."""

import random
import time
from collections import deque
from heapq import heappop, heappush

from .tricks import drawn


class Table:
    """Records by id, in the order they were made; `of(parent)` for those of one contact."""

    def __init__(self, parent_key=None, on_change=None):
        self.rows = {}
        self.parent_key = parent_key
        self.by_parent = {}
        self.on_change = on_change or (lambda old, new: None)
        self.history = deque(maxlen=100_000)
        self.changes = 0

    def __len__(self):
        return len(self.rows)

    def __iter__(self):
        return iter(self.rows.values())

    def get(self, record_id):
        return self.rows.get(record_id)

    def of(self, parent_id):
        return [self.rows[record_id] for record_id in self.by_parent.get(parent_id, ())]

    def put(self, record):
        old = self.rows.get(record["id"])
        self._remember(record["id"], old)
        if self.parent_key:
            if old is not None and old[self.parent_key] != record[self.parent_key]:
                self._leave(old)
            self.by_parent.setdefault(record[self.parent_key], {})[record["id"]] = True
        self.rows[record["id"]] = record
        self.on_change(old, record)
        return record

    def change(self, record_id, **values):
        return self.put({**self.rows[record_id], **values})

    def remove(self, record_id):
        old = self.rows.pop(record_id, None)
        if old is None:
            return None
        self._remember(record_id, old)
        self._leave(old)
        self.on_change(old, None)
        return old

    def changed_since(self, moment):
        """By id, what each record was at that time (epoch seconds) that has changed since; None where it was not."""
        before = {}
        for changed_at, record_id, record in reversed(self.history):
            if changed_at <= moment:
                break
            before[record_id] = record
        return before

    def load(self, rows):
        """Fill an empty table without telling anyone."""
        for record_id, record in rows.items():
            self.rows[record_id] = record
            if self.parent_key:
                self.by_parent.setdefault(record[self.parent_key], {})[record_id] = True

    def _leave(self, record):
        if self.parent_key:
            self.by_parent.get(record[self.parent_key], {}).pop(record["id"], None)

    def _remember(self, record_id, before):
        self.changes += 1
        self.history.append((time.time(), record_id, before))


class LateIndex:
    """What a search sees: every change arrives `lag` seconds after it was made."""

    def __init__(self, config):
        self.config = config
        self.rows = {}
        self.waiting = []
        self.noted = 0
        self.shown = {}
        self.dice = random.Random(f"lag {config.seed}")
        self.version = 0
        self.cache = {}
        self.texts = {}

    def note(self, record_id, record, now=None):
        now = time.time() if now is None else now
        self.noted += 1
        heappush(self.waiting, (now + drawn(self.config.lag_s, self.dice), self.noted, record_id, record))

    def visible(self):
        """The rows a search may see now."""
        now = time.time()
        # A lag that was lowered while changes waited counts for them too.
        while self.waiting and (self.waiting[0][0] <= now or not self.config.lag_s):
            _, number, record_id, record = heappop(self.waiting)
            # With a lag that differs from change to change, an old version may come after a newer one.
            if self.shown.get(record_id, 0) > number:
                continue
            self.shown[record_id] = number
            if record is None:
                self.rows.pop(record_id, None)
            else:
                self.rows[record_id] = record
            self.version += 1
        if not self.waiting:
            self.shown.clear()
        return self.rows

    def remembered(self, key, build):
        """The answer of build() until the next change becomes visible."""
        if self.cache.get("version") != self.version or len(self.cache) > 64:
            self.cache = {"version": self.version}
        if key not in self.cache:
            self.cache[key] = build()
        return self.cache[key]

    def load(self, rows):
        self.rows = dict(rows)
        self.version += 1
