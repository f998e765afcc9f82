"""Signals of the data model.

`change_recorded` is sent after commit, with `change`: somebody edited here and GHL does not know it yet. It is only a
bell. Whoever mirrors contacts must also look for queued rows by itself, since a process may die before it rings.

`bulk_waiting` is sent after commit, with `action`: a BulkAction can be worked on. Again only a bell.

`contact_opened` is sent with `contact`: somebody looks at this person now, so a stale copy is worth a fresh read.
"""

from django.dispatch import Signal

change_recorded = Signal()
bulk_waiting = Signal()
contact_opened = Signal()
