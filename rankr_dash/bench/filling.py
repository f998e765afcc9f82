"""A database as it looks after years: twenty businesses, one of which has half of all contacts.

The same number of contacts gives the same rows. Contacts go in by COPY, since what they are searched by is made in
Python; what hangs on them is made by Postgres itself out of their ids. Indexes are built afterwards.
"""

import json
import random
from contextlib import contextmanager
from datetime import timedelta
from itertools import accumulate

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.utils import timezone

from contacts.listing import search
from contacts.models import (
    Appointment,
    Business,
    Calendar,
    Company,
    Contact,
    HistoryEvent,
    Location,
    Membership,
    Note,
    RemoteUser,
    Role,
    SearchWord,
    Tag,
    Task,
    User,
)
from rankr_dash.bench import words

SEED = 77
BUSINESSES = 20
USERS = 20
FILLED = (Contact, Company, Task, Note, Appointment, HistoryEvent)
ZONES = ("America/Chicago", "America/New_York", "Europe/Berlin", "Europe/London", "Europe/Lisbon")
LONG_HISTORY = 2_500  # one contact of so many has a very long one


def fill(contacts):
    dice = random.Random(SEED)
    now = timezone.now()
    locations = make_locations(dice)
    make_users(locations)
    with loading():
        make_contacts(contacts, locations, dice, now)
        make_what_hangs_on_them()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


@contextmanager
def loading():
    """Without indexes and foreign keys, which are quicker to build once than row by row."""
    tables = [model._meta.db_table for model in FILLED]
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND indexname NOT IN "
            "(SELECT conname FROM pg_constraint WHERE contype IN ('p', 'u'))",
            [tables],
        )
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        yield
        for _, definition in indexes:
            cursor.execute(definition)
        cursor.execute("SET session_replication_role = DEFAULT")


# --- the frame --------------------------------------------------------------------------------------------------------


def make_locations(dice):
    """[(location, its share of all contacts)]. The large business has two."""
    weights = [20.0, *(1 / (place + 1) for place in range(1, BUSINESSES))]
    weights[0] = sum(weights[1:])
    shares = [weight / sum(weights) for weight in weights]
    found = []
    for number, share in enumerate(shares):
        business = Business.objects.create(name=words.business(number))
        parts = (0.8, 0.2) if number == 0 else (1.0,)
        for part, of_it in enumerate(parts):
            now = timezone.now()
            location = Location.objects.create(
                business=business, remote_id=f"loc{number:03}{part}", name=f"{business.name} {part + 1}",
                time_zone=ZONES[number % len(ZONES)], contacts_checked_at=now, tasks_checked_at=now,
                notes_checked_at=now, appointments_checked_at=now,
            )  # fmt: skip
            found.append((location, share * of_it))
            people = 30 if number == 0 else 6
            RemoteUser.objects.bulk_create(
                RemoteUser(location=location, remote_id=f"user{location.pk}-{n}", name=words.person(dice))
                for n in range(people)
            )
            Tag.objects.bulk_create(Tag(location=location, name=tag) for tag in words.tags_of(number))
            Calendar.objects.create(location=location, remote_id=f"cal{location.pk}", name="Visits")
    return found


def email(number):
    """Users 0 to 3 are members of all businesses, 4 to 13 of the large one, the others of a small one each."""
    return f"bench{number}@example.com"


def make_users(locations):
    businesses = list(Business.objects.order_by("pk"))
    for number in range(USERS):
        user = User.objects.create_user(email(number), None, name=f"Bench {number}")
        mine = businesses if number < 4 else businesses[:1] if number < 14 else [businesses[number - 12]]
        for business in mine:
            Membership.objects.create(user=user, business=business, role=Role.MANAGER)
        for location, _ in locations:
            if location.business in mine:
                free = location.remote_users.filter(user=None).order_by("pk").first()
                RemoteUser.objects.filter(pk=free.pk if free else None).update(user=user)


# --- contacts, by COPY ------------------------------------------------------------------------------------------------


def make_contacts(count, locations, dice, now):
    fields = [field for field in Contact._meta.concrete_fields if not field.primary_key]
    names = ", ".join(f'"{field.column}"' for field in fields)
    places = [Place(location, dice) for location, _ in locations]
    edges = list(accumulate(share for _, share in locations))
    make_companies(places, [share * count for _, share in locations])
    known = set()
    with connection.cursor() as cursor, cursor.copy(f"COPY {Contact._meta.db_table} ({names}) FROM STDIN") as copy:
        for number in range(count):
            place = dice.choices(places, cum_weights=edges)[0]
            contact = place.contact(number, now)
            contact.index()
            known |= {(contact.business_id, word) for word in search.letters_of(contact.search_text)}
            copy.write_row([plain(field, contact) for field in fields])
    SearchWord.objects.bulk_create((SearchWord(business_id=b, word=w) for b, w in sorted(known)), batch_size=5000)


def plain(field, row):
    value = getattr(row, field.attname)
    return json.dumps(value) if isinstance(field, models.JSONField) else value


class Place:
    """What the contacts of one location are made of."""

    def __init__(self, location, dice):
        self.location, self.dice = location, dice
        self.owners = list(location.remote_users.values_list("pk", flat=True))
        self.tags = list(location.tags.order_by("pk").values_list("name", flat=True))
        self.companies = []

    def contact(self, number, now):
        dice = self.dice
        first, last = words.first_name(dice), words.last_name(dice)
        added = now - timedelta(minutes=dice.randrange(60, 60 * 24 * 1500))
        active = now - (now - added) * dice.random() ** 2
        contact = Contact(
            location=self.location, remote_id=f"con{number:09}", first_name=first, last_name=last,
            email=words.email(dice, first, last, number), phone=words.phone(dice), source="bench",
            owner_id=dice.choice(self.owners) if dice.random() < 0.9 else None,
            tags=sorted(set(dice.choices(self.tags, k=dice.choice((0, 1, 1, 2, 3, 5))))) if self.tags else [],
            remote_created_at=added, remote_updated_at=active, created_at=added, updated_at=active,
            last_activity_at=active, city=words.city(dice), custom_values={"cf1": words.city(dice)},
        )  # fmt: skip
        if self.companies and dice.random() < 0.3:
            contact.company = dice.choice(self.companies)
            contact.company_name = contact.company.name
        return contact


def make_companies(places, counts):
    for place, count in zip(places, counts, strict=True):
        place.companies = Company.objects.bulk_create(
            (
                Company(location=place.location, remote_id=f"co{place.location.pk}-{n}", name=words.company(place.dice))
                for n in range(max(1, int(count / 40)))
            ),
            batch_size=2000,
        )


# --- what hangs on them, by Postgres ----------------------------------------------------------------------------------

# Spread evenly over 0…1, and always the same for the same id.
CHANCE = """CREATE OR REPLACE FUNCTION pg_temp.chance(id bigint, salt int) RETURNS float LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(id, salt) & 1048575) / 1048576.0 $$"""
# So many for each contact that the average is `mean` and a few have many.
SEVERAL = "generate_series(1, floor(-ln(1.0001 - pg_temp.chance(c.id, {salt})) * {mean} + {floor})::int) n"
KEY = "c.id * 1000 + n"


def make_what_hangs_on_them():
    a_while_ago = f"now() - interval '1 day' * 900 * power(pg_temp.chance({KEY}, 12), 2)"
    some_day = f"now() + interval '1 minute' * (pg_temp.chance({KEY}, 13) * 172800 - 115200)"
    somebody = "people.ids[1 + (pg_temp.chance(c.id, 14) * (cardinality(people.ids) - 1))::int]"
    people = " JOIN pg_temp.people ON people.location_id = c.location_id"
    with connection.cursor() as cursor:
        cursor.execute(CHANCE)
        cursor.execute(
            "CREATE TEMP TABLE people AS SELECT location_id, array_agg(id ORDER BY id) ids "
            "FROM contacts_remoteuser GROUP BY 1"
        )
    hang(Task, people, 5, 0.6, {
        "remote_id": f"'t' || ({KEY})", "assignee_id": somebody, "due_at": some_day,
        "completed": f"pg_temp.chance({KEY}, 15) < 0.6", "completed_at": a_while_ago, "created_at": a_while_ago,
        "title": "(ARRAY['Call back', 'Send the offer', 'Check the roof', 'Ask about insurance'])[1 + n % 4]",
    })  # fmt: skip
    hang(Note, people, 6, 0.8, {
        "remote_id": f"'n' || ({KEY})", "author_id": somebody, "created_at": a_while_ago,
        "body": "'Spoke about the estimate, wants to wait until the insurance has answered. ' || c.last_name",
        "pinned": f"pg_temp.chance({KEY}, 16) < 0.02", "remote_added_at": a_while_ago,
    })  # fmt: skip
    hang(Appointment, people, 7, 0.3, {
        "remote_id": f"'a' || ({KEY})", "assignee_id": somebody, "title": "'Roof walk'", "starts_at": some_day,
        "ends_at": f"{some_day} + interval '1 hour'", "status": "'confirmed'", "created_at": a_while_ago,
    })  # fmt: skip
    make_history()


def hang(model, joined, salt, mean, values):
    several = SEVERAL.format(salt=salt, mean=mean, floor=0.5)
    values = {"contact_id": "c.id", "location_id": "c.location_id", "updated_at": "c.updated_at"} | values
    insert(model, values, f"contacts_contact c{joined} CROSS JOIN LATERAL {several}")


def make_history():
    of = {"contact_id": "c.id", "location_id": "c.location_id", "actor_kind": "'person'", "actor_name": "'Dana Holt'"}
    for kind, model, at in (
        ("note_added", Note, "created_at"), ("task_added", Task, "created_at"), ("task_done", Task, "completed_at"),
        ("appointment_booked", Appointment, "created_at"),
    ):  # fmt: skip
        where = "WHERE c.completed" if kind == "task_done" else ""
        own = {"contact_id": "c.contact_id", f"{model.KIND}_id": "c.id"}
        row = of | own | {"kind": f"'{kind}'", "happened_at": f"c.{at}", "created_at": f"c.{at}"}
        insert(HistoryEvent, row, f"{model._meta.db_table} c {where}")
    added = {"kind": "'contact_added'", "happened_at": "c.remote_created_at", "actor_kind": "'ghl'"}
    insert(HistoryEvent, of | added, "contacts_contact c")
    many = f"CASE WHEN c.id % {LONG_HISTORY} = 0 THEN 800 ELSE (pg_temp.chance(c.id, 8) * 1.4)::int END"
    changed = {
        "kind": "'contact_changed'", "happened_at": "c.remote_created_at + (now() - c.remote_created_at) * n / 1000",
        "changes": """jsonb_build_object('city', jsonb_build_array('Springfield', c.city))""",
    }  # fmt: skip
    insert(HistoryEvent, of | changed, f"contacts_contact c CROSS JOIN LATERAL generate_series(1, {many}) n")


def insert(model, values, source):
    """INSERT … SELECT; a column that is not named gets its model default."""
    columns = {field.column: default_of(field) for field in model._meta.concrete_fields if not field.primary_key}
    columns |= values
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({names}) SELECT {', '.join(columns.values())} FROM {source}"  # noqa: S608
        )


def default_of(field):
    value = field.get_default()
    if isinstance(field, models.DateTimeField):
        return "now()" if value or not field.null else "NULL"
    if isinstance(field, models.JSONField):
        return f"'{json.dumps(value)}'"
    if isinstance(field, ArrayField):
        return "'{}'"
    if value is None:
        return "NULL"
    return str(value).lower() if isinstance(value, bool) else f"'{value}'"
