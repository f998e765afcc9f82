"""Our rows beside GHL's records: what is missing here, what is too much, what is old."""

from contacts.models import Appointment, Contact, Note, Task


def apart(sandbox, location):
    """{"missing": […], "extra": […], "stale": […]} over contacts, notes, tasks and appointments of one location."""
    found = {"missing": [], "extra": [], "stale": []}
    for kind, here, there in (
        ("contacts", contacts_here, contact_there),
        ("notes", notes_here, note_there),
        ("tasks", tasks_here, task_there),
        ("appointments", appointments_here, appointment_there),
    ):
        ours = here(location)
        rows = sandbox.records(kind, location_id=location.remote_id)["records"]
        theirs = {row["id"]: there(row) for row in rows if not row.get("deleted")}
        found["missing"] += [f"{kind} {pk}" for pk in theirs.keys() - ours.keys()]
        found["extra"] += [f"{kind} {pk}" for pk in ours.keys() - theirs.keys()]
        found["stale"] += [
            f"{kind} {pk}: {ours[pk]} for {theirs[pk]}" for pk in theirs.keys() & ours.keys() if ours[pk] != theirs[pk]
        ]
    return found


def counted(found):
    """missing/extra/stale, as the table writes it."""
    return "/".join(str(len(found[word])) for word in ("missing", "extra", "stale"))


def only(kind, found):
    return {word: [one for one in ones if one.startswith(kind)] for word, ones in found.items()}


def without(kind, found):
    return {word: [one for one in ones if not one.startswith(kind)] for word, ones in found.items()}


def told(found, most=5):
    return [f"{word}: {one}" for word, ones in found.items() for one in ones[:most]]


def contacts_here(location):
    rows = Contact.objects.filter(location=location, deleted_at=None, remote_id__isnull=False)
    return {
        row.remote_id: (row.first_name, row.last_name, row.email.lower(), row.city, tuple(sorted(row.tags)))
        for row in rows.iterator()
    }


def contact_there(row):
    words = [row.get(name) or "" for name in ("firstName", "lastName", "email", "city")]
    return words[0], words[1], words[2].lower(), words[3], tuple(sorted(tag.lower() for tag in row.get("tags") or []))


def notes_here(location):
    rows = Note.objects.filter(location=location, deleted_at=None, contact__deleted_at=None, remote_id__isnull=False)
    return {row.remote_id: (row.contact.remote_id, row.body) for row in rows.select_related("contact")}


def note_there(row):
    return row["contactId"], row["body"].replace("\x00", "")  # Postgres has no such character


def tasks_here(location):
    rows = Task.objects.filter(location=location, deleted_at=None, contact__deleted_at=None, remote_id__isnull=False)
    return {row.remote_id: (row.contact.remote_id, row.title, row.completed) for row in rows.select_related("contact")}


def task_there(row):
    return row["contactId"], row["title"].replace("\x00", ""), bool(row.get("completed"))


def appointments_here(location):
    rows = Appointment.objects.filter(
        location=location, deleted_at=None, contact__deleted_at=None, remote_id__isnull=False
    )
    return {row.remote_id: (row.contact.remote_id, row.title, row.status) for row in rows.select_related("contact")}


def appointment_there(row):
    return row["contactId"], row["title"].replace("\x00", ""), row["appointmentStatus"].lower()
