"""A believable account, the same for the same seed; only its dates move along with today."""

import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from . import seed_words as words
from .moments import DAY_MS
from .phones import normalised
from .seed_people import Crowd
from .seed_setup import furnished
from .store import Company, Location, new_id

PLACES = [
    ("Northgate Roofing", "1840 N Elston Avenue", "Chicago", "IL", "60642", "America/Chicago"),
    ("Brightline Solar", "77 Harbor Street", "Milwaukee", "WI", "53202", "America/Chicago"),
]
SMALL = 40
LEASE = {"past": 400, "future": 60}


def seeded_company(config):
    chance = random.Random(f"account {config.seed}")
    now = int(config.now * 1000) if config.now else config.now_ms()
    company = Company(new_id(chance), "Lakefront Marketing Group")
    for number, place in enumerate(PLACES):
        # One source of chance for each location: the size of the first must not change the second.
        own = random.Random(f"location {number} {config.seed}")
        seeded_location(config, company, place, own, now, config.contacts if number == 0 else SMALL)
    return company


def seeded_location(config, company, place, chance, now, size):
    location = furnished(Location(config, {"id": new_id(chance)}), company, place, chance, now)
    company.locations[location.id] = location
    Seeding(location, chance, now).fill(size)
    location.settle_indexes()
    for table in location.tables().values():
        table.history.clear()
    return location


class Seeding:
    def __init__(self, location, chance, now):
        self.location, self.chance, self.now = location, chance, now
        self.zone = ZoneInfo(location.timezone)
        self.today = datetime.fromtimestamp(now / 1000, self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        self.users = list(location.users.rows)

    def fill(self, size):
        crowd = Crowd(self.location, self.chance, self.now, normalised)
        contacts = crowd.people(size)
        for contact in contacts:
            self.location.contacts.put(contact)
        if not contacts:
            return
        self.notes(contacts, size * 3 // 2)
        self.tasks(contacts, size)
        self.appointments(contacts, size // 2)
        self.opportunities(contacts, size * 3 // 10)

    def notes(self, contacts, count):
        ugly = self.ugly_notes()
        for number in range(count):
            contact = self.somebody(contacts)
            body = ugly[number] if number < len(ugly) and count >= 30 else self.sentence(words.NOTES, contact)
            note = {
                "id": new_id(self.chance),
                "contactId": contact["id"],
                "body": body,
                "userId": self.chance.choice([*self.users, None]),
                "dateAdded": self.since(contact),
                "pinned": self.chance.random() < 0.05,
            }
            if self.chance.random() < 0.1:
                note |= {
                    "title": "Site visit",
                    "color": self.chance.choice(["#fde68a", "#bfdbfe", "#fecaca"]),
                }
            self.location.notes.put(note)

    def ugly_notes(self):
        long_one = " ".join(self.chance.choice(words.NOTES[0].split()) for _ in range(4_000))
        return [
            '<p>Pasted from an e-mail.</p><script>window.stolen = 1</script><img src=x onerror="window.stolen = 1">',
            f"<p>{long_one}</p>",
            "<p>לקוח חדש, לחזור מחר</p>",
            "&lt;b&gt;not bold&lt;/b&gt; & \u0000-free 5 < 6",
        ]

    def tasks(self, contacts, count):
        for number in range(count):
            contact = self.somebody(contacts)
            # A quarter overdue, some today, most to come; the completed ones lie mostly behind.
            days = self.chance.choice([-30, -9, -3, -1, 0, 0, 1, 2, 4, 7, 14, 30])
            due = self.today + timedelta(days=days, hours=self.chance.choice([8, 9, 12, 15, 17]))
            added = self.since(contact)
            title = "🔨🏠" if number == 3 and count >= 30 else self.sentence(words.TASKS, contact)
            completed = self.chance.random() < (0.6 if days < 0 else 0.1)
            task = {
                "id": new_id(self.chance),
                "contactId": contact["id"],
                "title": title,
                "body": self.chance.choice(words.TASK_BODIES),
                "dueDate": int(due.timestamp() * 1000),
                "completed": completed,
                "assignedTo": self.chance.choice([*self.users, None]),
                "dateAdded": added,
                "dateUpdated": added + (self.now - added) // 2 if completed else added,
            }
            self.location.tasks.put(task)

    def appointments(self, contacts, count):
        calendars = list(self.location.calendars)
        for _ in range(count):
            contact, calendar = self.somebody(contacts), self.chance.choice(calendars)
            days = self.chance.randint(-LEASE["past"], LEASE["future"])
            if self.chance.random() < 0.15:
                days = self.chance.randint(-1, 3)
            starts = self.today + timedelta(days=days)
            # Wall-clock time in the location's zone, whatever the season.
            starts = starts.replace(hour=self.chance.randint(8, 17), minute=self.chance.choice([0, 15, 30]))
            ms = int(starts.timestamp() * 1000)
            statuses = words.STATUSES_PAST if ms < self.now else words.STATUSES_TO_COME
            user_id = self.chance.choice(calendar["teamMembers"])["userId"]
            added = min(self.now, ms) - self.chance.randint(1, 20) * DAY_MS
            self.location.appointments.put(
                {
                    "id": new_id(self.chance),
                    "contactId": contact["id"],
                    "calendarId": calendar["id"],
                    "groupId": calendar.get("groupId"),
                    "title": self.chance.choice(words.APPOINTMENT_TITLES),
                    "appointmentStatus": self.chance.choice(statuses),
                    "assignedUserId": user_id,
                    "users": [user_id],
                    "address": contact.get("address1") or "",
                    "startTime": ms,
                    "endTime": ms + calendar["slotDuration"] * 60_000,
                    "dateAdded": added,
                    "dateUpdated": added,
                    "source": self.chance.choice(["calendar_page", "booking_widget", "third_party"]),
                }
            )

    def opportunities(self, contacts, count):
        pipeline = self.location.pipelines[0]
        for _ in range(count):
            contact = self.somebody(contacts)
            added = self.since(contact)
            self.location.opportunities.put(
                {
                    "id": new_id(self.chance),
                    "contactId": contact["id"],
                    "name": f"{contact.get('lastName') or 'Somebody'} – {self.chance.choice(words.JOBS)}",
                    "monetaryValue": self.chance.randint(8, 400) * 100,
                    "pipelineId": pipeline["id"],
                    "pipelineStageId": self.chance.choice(pipeline["stages"])["id"],
                    "status": self.chance.choice(["open", "open", "won", "lost", "abandoned"]),
                    "assignedTo": self.chance.choice(self.users),
                    "source": self.chance.choice(words.SOURCES),
                    "createdAt": added,
                    "updatedAt": added,
                }
            )

    def somebody(self, contacts):
        """Some people have much going on, most have little."""
        place = int(len(contacts) * self.chance.random() ** 1.3)
        return contacts[place]

    def since(self, contact):
        return self.chance.randint(contact["dateAdded"], self.now)

    def sentence(self, sentences, contact):
        first = contact.get("firstName") or "them"
        return self.chance.choice(sentences).format(first=first, day=self.chance.choice(words.DAYS))
