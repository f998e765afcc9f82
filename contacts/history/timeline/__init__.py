"""A contact's history as lines to read: who did what, what it was and what it is now, what led to what."""

from contacts.history.timeline.lines import Line, lines_of
from contacts.history.timeline.query import NEWEST, Asked, days_of, page, people_of
from contacts.history.timeline.words import DONE, STATUS, Names, actor_of, status_words

__all__ = [
    "DONE", "NEWEST", "STATUS", "Asked", "Line", "Names", "actor_of", "days_of", "lines_of", "page", "people_of",
    "status_words",
]  # fmt: skip
