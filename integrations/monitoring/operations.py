"""What we were doing, in words, for the error log: "Reading notes of a contact"."""

# (method, path as the client knows it)
WORDS = {
    ("GET", "/contacts/{}"): "Reading a contact",
    ("POST", "/contacts/"): "Creating a contact",
    ("PUT", "/contacts/{}"): "Changing a contact",
    ("DELETE", "/contacts/{}"): "Deleting a contact",
    ("POST", "/contacts/upsert"): "Saving a contact",
    ("POST", "/contacts/search"): "Reading contacts",
    ("GET", "/contacts/"): "Reading contacts",
    ("GET", "/contacts/business/{}"): "Reading the contacts of a company",
    ("POST", "/contacts/bulk/business"): "Setting the company of contacts",
    ("GET", "/contacts/search/duplicate"): "Looking for a contact with the same details",
    ("POST", "/contacts/{}/tags"): "Adding tags",
    ("DELETE", "/contacts/{}/tags"): "Removing tags",
    ("GET", "/contacts/{}/appointments"): "Reading appointments of a contact",
    ("GET", "/contacts/{}/tasks"): "Reading tasks of a contact",
    ("POST", "/contacts/{}/tasks"): "Creating a task",
    ("GET", "/contacts/{}/tasks/{}"): "Reading a task",
    ("PUT", "/contacts/{}/tasks/{}"): "Changing a task",
    ("PUT", "/contacts/{}/tasks/{}/completed"): "Ticking a task",
    ("DELETE", "/contacts/{}/tasks/{}"): "Deleting a task",
    ("POST", "/locations/{}/tasks/search"): "Reading tasks",
    ("GET", "/contacts/{}/notes"): "Reading notes of a contact",
    ("POST", "/contacts/{}/notes"): "Creating a note",
    ("GET", "/contacts/{}/notes/{}"): "Reading a note",
    ("PUT", "/contacts/{}/notes/{}"): "Changing a note",
    ("DELETE", "/contacts/{}/notes/{}"): "Deleting a note",
    ("GET", "/calendars/"): "Reading the list of calendars",
    ("GET", "/calendars/events"): "Reading appointments",
    ("GET", "/calendars/events/appointments/{}"): "Reading an appointment",
    ("POST", "/calendars/events/appointments"): "Booking an appointment",
    ("PUT", "/calendars/events/appointments/{}"): "Changing an appointment",
    ("DELETE", "/calendars/events/{}"): "Deleting an appointment",
    ("GET", "/locations/{}"): "Reading the location’s settings",
    ("GET", "/locations/{}/customFields"): "Reading custom fields",
    ("GET", "/locations/{}/tags"): "Reading the list of tags",
    ("GET", "/users/"): "Reading the list of users",
    ("GET", "/businesses/"): "Reading companies",
}
VERBS = {"GET": "Reading", "POST": "Sending", "PUT": "Changing", "PATCH": "Changing", "DELETE": "Deleting"}


def words_for(method, path):
    return WORDS.get((method, path)) or f"{VERBS.get(method, method)} {path}"
