"""A location as it stood a while ago: what has changed since is laid over what is."""

import time

from .tables import LateIndex, Table


class PastLocation:
    """Answers like the location it was made from, and is made in no time, however large that is."""

    def __init__(self, location, seconds):
        self.location, self.moment = location, time.time() - seconds

    def __getattr__(self, name):
        value = getattr(self.location, name)
        if isinstance(value, Table):
            value = PastTable(value, self.moment)
        elif isinstance(value, LateIndex):
            index = LateIndex(self.location.config)
            index.load((self.contacts if name == "contact_index" else self.tasks).rows)
            value = index
        setattr(self, name, value)
        return value

    def duplicate_of(self, email=None, phone=None, besides=None):
        for identifier in self.settings["contactUniqueIdentifiers"] or ["email", "phone"]:
            value = (email or "").lower() if identifier == "email" else phone
            index = self.location.by_email if identifier == "email" else self.location.by_phone
            for contact_id in [*index.get(value, ()), *self.contacts.before] if value else ():
                contact = self.contacts.get(contact_id)
                if contact and contact_id != besides and (contact.get(identifier) or "").lower() == value.lower():
                    return contact, identifier
        return None, None


class PastTable:
    def __init__(self, table, moment):
        self.table, self.before = table, table.changed_since(moment)
        self.changes = table.changes

    def __len__(self):
        return len(self.rows)

    def __iter__(self):
        return iter(self.rows.values())

    @property
    def rows(self):
        rows = dict(self.table.rows)
        for record_id, record in self.before.items():
            if record is None:
                rows.pop(record_id, None)
            else:
                rows[record_id] = record
        return rows

    def get(self, record_id):
        return self.before[record_id] if record_id in self.before else self.table.get(record_id)

    def of(self, parent_id):
        now = self.table.of(parent_id)
        if not self.before:
            return now
        key = self.table.parent_key
        stayed = [record for record in now if record["id"] not in self.before]
        return stayed + [record for record in self.before.values() if record and record[key] == parent_id]
