"""The account: one company, its locations, and everything in them."""

import random
import string

from .past import PastLocation
from .tables import LateIndex, Table

ALPHABET = string.ascii_letters + string.digits


class Location:
    """One sub-account."""

    def __init__(self, config, record):
        self.config = config
        self.id = record["id"]
        self.record = record
        self.contact_index = LateIndex(config)
        self.task_index = LateIndex(config)
        self.by_email, self.by_phone = {}, {}
        self.contacts = Table(on_change=self._contact_changed)
        self.notes = Table("contactId")
        self.tasks = Table("contactId", on_change=self._task_changed)
        self.appointments = Table("contactId")
        self.appointment_notes = Table("appointmentId")
        self.calendars = Table()
        self.users = Table()
        self.custom_fields = Table()
        self.custom_values = Table()
        self.tags = Table()
        self.businesses = Table()
        self.opportunities = Table("contactId")
        self.pipelines = []
        # Told of every change, with the table's name: webhooks listen here.
        self.watcher = None
        for kind, table in self.tables().items():
            table.on_change = self._telling(kind, table.on_change)

    @property
    def timezone(self):
        return self.record["timezone"]

    @property
    def settings(self):
        return self.record["settings"]

    def tables(self):
        return {name: value for name, value in vars(self).items() if isinstance(value, Table)}

    def changes(self):
        return sum(table.changes for table in self.tables().values())

    def duplicate_of(self, email=None, phone=None, besides=None):
        """(contact, matching field) by the location's own order of identifiers."""
        for identifier in self.settings["contactUniqueIdentifiers"] or ["email", "phone"]:
            value, index = ((email or "").lower(), self.by_email) if identifier == "email" else (phone, self.by_phone)
            for contact_id in index.get(value, ()) if value else ():
                if contact_id != besides:
                    return self.contacts.get(contact_id), identifier
        return None, None

    def know_tags(self, names):
        """A tag put on a contact enters the dictionary."""
        known = {tag["name"] for tag in self.tags}
        for name in names:
            if name not in known:
                self.tags.put({"id": new_id(), "name": name, "locationId": self.id})

    def forget_contact(self, contact_id):
        """GHL takes notes and tasks along; appointments stay readable, marked deleted."""
        for note in self.notes.of(contact_id):
            self.notes.remove(note["id"])
        for task in self.tasks.of(contact_id):
            self.tasks.remove(task["id"])
        for appointment in self.appointments.of(contact_id):
            self.appointments.change(appointment["id"], deleted=True, dateUpdated=self.config.now_ms())
        for opportunity in self.opportunities.of(contact_id):
            self.opportunities.remove(opportunity["id"])
        self.contacts.remove(contact_id)

    def settle_indexes(self):
        """After seeding: everything is visible at once."""
        self.contact_index.waiting.clear()
        self.contact_index.load(self.contacts.rows)
        self.task_index.waiting.clear()
        self.task_index.load(self.tasks.rows)

    def load(self, rows):
        """Fill an empty location, rows by id for each table, without telling anyone."""
        for name, table in self.tables().items():
            table.load(rows.get(name, {}))
        for contact in self.contacts:
            self._find_by(contact)
        self.settle_indexes()

    def rewound(self, seconds):
        """The same location as it stood some seconds ago, to be read only."""
        return PastLocation(self, seconds)

    def _telling(self, kind, on_change):
        def tell(old, new):
            on_change(old, new)
            if self.watcher is not None:
                self.watcher(self, kind, old, new)

        return tell

    def _contact_changed(self, old, new):
        self.contact_index.note((new or old)["id"], new)
        if old is not None:
            self._find_by(old, forget=True)
        if new is not None:
            self._find_by(new)

    def _find_by(self, contact, forget=False):
        for index, value in (
            (self.by_email, (contact.get("email") or "").lower()),
            (self.by_phone, contact.get("phone")),
        ):
            if not value:
                continue
            if forget:
                index.get(value, {}).pop(contact["id"], None)
            else:
                index.setdefault(value, {})[contact["id"]] = True

    def _task_changed(self, old, new):
        self.task_index.note((new or old)["id"], new)


class Company:
    def __init__(self, company_id, name):
        self.id, self.name = company_id, name
        self.locations = {}

    @property
    def first(self):
        return next(iter(self.locations.values()))

    def changes(self):
        return sum(location.changes() for location in self.locations.values())

    def location_with(self, kind, record_id):
        """The location that holds a record, whoever asks."""
        for location in self.locations.values():
            if getattr(location, kind).get(record_id) is not None:
                return location
        return None

    def user(self, user_id):
        location = self.location_with("users", user_id)
        return location.users.get(user_id) if location else None


class Ids:
    """Where the ids of new records come from: nobody can guess them, unless a test wants the same ones again."""

    chance = random.SystemRandom()

    @classmethod
    def draw_from(cls, seed):
        cls.chance = random.SystemRandom() if seed is None else random.Random(f"ids {seed}")


def new_id(chance=None, length=20):
    return "".join((chance or Ids.chance).choices(ALPHABET, k=length))


def new_hex_id(chance=None):
    return f"{(chance or Ids.chance).getrandbits(96):024x}"
