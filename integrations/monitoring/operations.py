"""What we were doing, in words, for the error log: "Reading notes of a contact"."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

# (method, path as the client knows it)
WORDS = {
    ("GET", "/contacts/{}"): gettext_noop("Reading a contact"),
    ("POST", "/contacts/"): gettext_noop("Creating a contact"),
    ("PUT", "/contacts/{}"): gettext_noop("Changing a contact"),
    ("DELETE", "/contacts/{}"): gettext_noop("Deleting a contact"),
    ("POST", "/contacts/upsert"): gettext_noop("Saving a contact"),
    ("POST", "/contacts/search"): gettext_noop("Reading contacts"),
    ("GET", "/contacts/"): gettext_noop("Reading contacts"),
    ("GET", "/contacts/business/{}"): gettext_noop("Reading the contacts of a company"),
    ("POST", "/contacts/bulk/business"): gettext_noop("Setting the company of contacts"),
    ("GET", "/contacts/search/duplicate"): gettext_noop("Looking for a contact with the same details"),
    ("POST", "/contacts/{}/tags"): gettext_noop("Adding tags"),
    ("DELETE", "/contacts/{}/tags"): gettext_noop("Removing tags"),
    ("GET", "/contacts/{}/appointments"): gettext_noop("Reading appointments of a contact"),
    ("GET", "/contacts/{}/tasks"): gettext_noop("Reading tasks of a contact"),
    ("POST", "/contacts/{}/tasks"): gettext_noop("Creating a task"),
    ("GET", "/contacts/{}/tasks/{}"): gettext_noop("Reading a task"),
    ("PUT", "/contacts/{}/tasks/{}"): gettext_noop("Changing a task"),
    ("PUT", "/contacts/{}/tasks/{}/completed"): gettext_noop("Ticking a task"),
    ("DELETE", "/contacts/{}/tasks/{}"): gettext_noop("Deleting a task"),
    ("POST", "/locations/{}/tasks/search"): gettext_noop("Reading tasks"),
    ("GET", "/contacts/{}/notes"): gettext_noop("Reading notes of a contact"),
    ("POST", "/contacts/{}/notes"): gettext_noop("Creating a note"),
    ("GET", "/contacts/{}/notes/{}"): gettext_noop("Reading a note"),
    ("PUT", "/contacts/{}/notes/{}"): gettext_noop("Changing a note"),
    ("DELETE", "/contacts/{}/notes/{}"): gettext_noop("Deleting a note"),
    ("GET", "/calendars/"): gettext_noop("Reading the list of calendars"),
    ("GET", "/calendars/events"): gettext_noop("Reading appointments"),
    ("GET", "/calendars/events/appointments/{}"): gettext_noop("Reading an appointment"),
    ("POST", "/calendars/events/appointments"): gettext_noop("Booking an appointment"),
    ("PUT", "/calendars/events/appointments/{}"): gettext_noop("Changing an appointment"),
    ("DELETE", "/calendars/events/{}"): gettext_noop("Deleting an appointment"),
    ("GET", "/locations/{}"): gettext_noop("Reading the location’s settings"),
    ("GET", "/locations/{}/customFields"): gettext_noop("Reading custom fields"),
    ("GET", "/locations/{}/tags"): gettext_noop("Reading the list of tags"),
    ("GET", "/users/"): gettext_noop("Reading the list of users"),
    ("GET", "/businesses/"): gettext_noop("Reading companies"),
}
VERBS = {
    "GET": gettext_noop("Reading %(path)s"),
    "POST": gettext_noop("Sending %(path)s"),
    "PUT": gettext_noop("Changing %(path)s"),
    "PATCH": gettext_noop("Changing %(path)s"),
    "DELETE": gettext_noop("Deleting %(path)s"),
}


def words_for(method, path):
    if (method, path) in WORDS:
        return _(WORDS[method, path])
    return _(VERBS[method]) % {"path": path} if method in VERBS else f"{method} {path}"
