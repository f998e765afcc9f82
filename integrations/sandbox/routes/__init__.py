"""Importing this package registers every path the sandbox answers."""

from . import (  # noqa: F401
    appointments,
    bulk,
    businesses,
    calendars,
    contact_search,
    contacts,
    fields_and_values,
    locations,
    notes,
    oauth,
    opportunities,
    tags,
    tasks,
    users,
)
