"""The people of a seeded location, the ugly rows among them."""

from datetime import date, timedelta

from . import seed_words as words
from .moments import DAY_MS
from .store import new_hex_id, new_id

NEW_SIGNATURE = {"source": "WEB_USER", "channel": "APP", "sourceId": "sandbox"}


class Crowd:
    def __init__(self, location, chance, now, normalised):
        self.location, self.chance, self.now, self.normalised = location, chance, now, normalised
        self.emails, self.phones = set(), set()
        self.users = list(location.users.rows)
        self.businesses = []

    def people(self, size):
        self.businesses = [self.business(number) for number in range(max(1, size // 8))] if size else []
        contacts = [self.person() for _ in range(size)]
        # Small accounts stay pretty, so that a test can count on the first rows.
        if size >= 30:
            for contact, ugliness in zip(contacts[5::3], self.ugly(), strict=False):
                contact.update(ugliness)
                for name in [name for name, value in contact.items() if value is None]:
                    del contact[name]
        return contacts

    def business(self, number):
        stem, kind = self.chance.choice(words.COMPANY_STEMS), self.chance.choice(words.COMPANY_KINDS)
        city, state, postal = self.chance.choice(words.PEOPLE["US"][2])
        added = self.now - self.chance.randint(30, 900) * DAY_MS
        slug = f"{stem}-{number}".lower()
        return self.location.businesses.put(
            {
                "id": new_hex_id(self.chance),
                "name": f"{stem} {kind}",
                "phone": f"+1312555{self.chance.randint(100, 199):04d}",
                "email": f"office@{slug}.example",
                "website": f"https://{slug}.example",
                "address": self.street(),
                "city": city,
                "state": state,
                "postalCode": postal,
                "country": "US",
                "description": f"{kind} in {city}",
                "locationId": self.location.id,
                "createdAt": added,
                "updatedAt": added,
            }
        )

    def person(self):
        chance = self.chance
        country = chance.choices(list(words.COUNTRY_WEIGHTS), list(words.COUNTRY_WEIGHTS.values()))[0]
        firsts, lasts, cities, phones, zone = words.PEOPLE[country]
        first, last = chance.choice(firsts), chance.choice(lasts)
        city, state, postal = chance.choice(cities)
        added = self.now - chance.randint(0, 900 * 24 * 60) * 60_000 - chance.randint(1, 59_999)
        contact = {
            "id": new_id(chance),
            "locationId": self.location.id,
            "type": chance.choices(["lead", "customer"], [3, 1])[0],
            "firstName": first,
            "lastName": last,
            "email": self.email(first, last),
            "phone": self.phone(phones, country),
            "address1": self.street() if chance.random() < 0.8 else None,
            "city": city,
            "state": state or None,
            "postalCode": postal,
            "country": country,
            "timezone": zone if chance.random() < 0.5 else None,
            "source": chance.choice(words.SOURCES),
            "assignedTo": chance.choice([*self.users, None]),
            "dnd": chance.random() < 0.04,
            "dndSettings": {},
            "inboundDndSettings": {},
            "tags": sorted(chance.sample(words.TAGS, chance.choice([0, 1, 1, 2, 2, 3, 5]))),
            "customFields": self.custom_fields(),
            "additionalEmails": [],
            "additionalPhones": [],
            "followers": chance.sample(self.users, chance.choice([0, 0, 0, 1, 2])),
            "dateAdded": added,
            "dateUpdated": chance.randint(added, self.now),
            "createdBy": NEW_SIGNATURE | {"timestamp": added},
        }
        if contact["dnd"]:
            off = {"status": "active", "message": "Asked not to be called", "code": "103"}
            contact["dndSettings"] = dict.fromkeys(("Call", "Email", "SMS"), off)
        if chance.random() < 0.35 and self.businesses:
            business = chance.choice(self.businesses)
            contact |= {"businessId": business["id"], "companyName": business["name"]}
        if chance.random() < 0.3:
            contact["dateOfBirth"] = (date(1945, 1, 1) + timedelta(days=chance.randint(0, 21_000))).isoformat()
        if chance.random() < 0.05:
            contact["additionalEmails"] = [{"email": self.email(first, last + "home")}]
        if chance.random() < 0.05:
            contact["additionalPhones"] = [{"phone": self.phone(phones, country) or "+13125550100"}]
        if chance.random() < 0.2:
            contact["attributionSource"] = {
                "url": "https://northgate.example/free-inspection",
                "sessionSource": "Paid Search",
                "campaign": "spring",
                "utmSource": "google",
            }
        return {name: value for name, value in contact.items() if value is not None}

    def email(self, first, last):
        """Unique, as a location that allows no duplicates needs it."""
        name = f"{first}.{last}".lower().replace("'", "").encode("ascii", "ignore").decode().strip(".") or "contact"
        host = self.chance.choice(["example.com", "example.org", "mail.example", "example.net"])
        address, number = f"{name}@{host}", 1
        while address in self.emails:
            number += self.chance.randint(1, 40)
            address = f"{name}{number}@{host}"
        self.emails.add(address)
        return address

    def phone(self, patterns, country):
        """In one of the country's own ways of writing, kept in E.164; some people have none."""
        if self.chance.random() < 0.08:
            return None
        for _ in range(6):
            typed = self.chance.choice(patterns).format(d=self.chance.randint(0, 9), n=self.chance.randint(0, 99))
            number = self.normalised(typed, country)
            if number not in self.phones:
                break
        else:
            # The reserved numbers are used up in a large account: any other will do.
            number = f"{number[:-7]}{self.chance.randint(0, 9_999_999):07d}"
            while number in self.phones:
                number = f"{number[:-7]}{self.chance.randint(0, 9_999_999):07d}"
        self.phones.add(number)
        return number

    def street(self):
        return f"{self.chance.randint(11, 9800)} {self.chance.choice(words.STREETS)}"

    def custom_fields(self):
        filled = []
        for field, (_, _, kind, values, model) in zip(self.location.custom_fields, words.CUSTOM_FIELDS, strict=True):
            if model != "contact" or self.chance.random() > 0.3:
                continue
            filled.append({"id": field["id"], "value": self.custom_value(kind, values)})
        return filled

    def custom_value(self, kind, values):
        if kind in ("NUMERICAL", "MONETORY"):
            return self.chance.randint(*values)
        if kind == "DATE":
            day = date.fromtimestamp(self.now / 1000) + timedelta(days=self.chance.randint(*values))
            return day.isoformat()
        if kind in ("MULTIPLE_OPTIONS", "CHECKBOX"):
            return sorted(self.chance.sample(values, self.chance.randint(1, min(3, len(values)))))
        return self.chance.choice(values)

    def ugly(self):
        """Rows that break layouts and careless code. None takes a field away."""
        bare = dict.fromkeys(
            [
                "firstName",
                "lastName",
                "email",
                "phone",
                "address1",
                "city",
                "state",
                "postalCode",
                "source",
                "timezone",
            ]
        ) | {"tags": [], "customFields": []}
        return [
            {
                "firstName": "Wolfeschlegelsteinhausen" * 2,
                "lastName": "Bergerdorffwelchevoralternwarengewissenhaft"[:42],
            },
            bare | {"phone": "+13125550148"},
            bare | {"email": "only.an.address@example.com"},
            {"firstName": "محمد", "lastName": "الأحمدي"},
            {"firstName": "נועה", "lastName": "בן־דוד"},
            {"tags": sorted({*words.TAGS, *(f"campaign {number:02d}" for number in range(35))})},
            {"firstName": "<b>Robert</b>", "lastName": 'O\'Drop; -- "quoted"'},
            {"firstName": "Zoë 🦄", "lastName": None, "companyName": "  Spaces & Sons  "},
            {"firstName": "JOSÉ", "lastName": "de la CRUZ y Muñoz-Ñandú", "city": "San Luis Potosí"},
        ]
