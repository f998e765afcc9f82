"""What a seeded location has before its first contact: users, calendars, fields, tags, a pipeline."""

import re

from . import seed_words as words
from .moments import DAY_MS, iso
from .routes.calendars import DEFAULTS
from .store import new_id


def furnished(location, company, place, chance, now):
    location.record.update(record_of(location.id, company, place, now, chance))
    location.pipelines = [pipeline(location, chance)]
    users(location, company, chance)
    calendars(location, chance, now)
    custom_fields(location, chance, now)
    for name, value in words.CUSTOM_VALUES:
        location.custom_values.put(
            {
                "id": new_id(chance),
                "documentType": "field",
                "fieldKey": f"{{{{ custom_values.{key(name)} }}}}",
                "name": name,
                "value": value,
                "locationId": location.id,
            }
        )
    for name in words.TAGS:
        location.tags.put({"id": new_id(chance), "name": name, "locationId": location.id})
    return location


def record_of(location_id, company, place, now, chance):
    name, street, city, state, postal, zone = place
    slug = key(name).replace("_", "")
    address = {"address": street, "city": city, "state": state, "country": "US", "postalCode": postal}
    reach = {"website": f"https://{slug}.example", "timezone": zone, "email": f"office@{slug}.example"}
    return {
        "id": location_id,
        "companyId": company.id,
        "name": name,
        "domain": f"{slug}.example",
        **address,
        **reach,
        "logoUrl": "",
        "phone": "+13125550100",
        "firstName": "Rosalind",
        "lastName": "Meyer",
        "currency": "USD",
        "brandId": new_id(chance),
        "snapshotId": "",
        "dateAdded": iso(now - 1_100 * DAY_MS),
        "defaultEmailService": "leadconnector",
        "isAgencySubAccount": False,
        "automaticMobileAppInvite": False,
        "business": {"name": name, **address, **reach},
        "social": dict.fromkeys(
            [
                "blogRss",
                "facebookUrl",
                "foursquare",
                "googlePlacesId",
                "googlePlus",
                "instagram",
                "linkedIn",
                "pinterest",
                "twitter",
                "yelp",
                "youtube",
            ],
            "",
        ),
        "settings": {
            "allowDuplicateContact": False,
            "allowDuplicateOpportunity": False,
            "allowFacebookNameMerge": False,
            "disableContactTimezone": False,
            "contactUniqueIdentifiers": ["email", "phone"],
            "crmSettings": {"deSyncOwners": True, "syncFollowers": {"contact": False, "opportunity": False}},
            "saasSettings": {
                "saasMode": "not_activated",
                "twilioRebilling": {"enabled": False, "markup": 10},
            },
        },
        "permissions": dict.fromkeys(words.LOCATION_PERMISSIONS, True),
    }


def pipeline(location, chance):
    names = ["New lead", "Inspection", "Estimate sent", "Signed", "Installed"]
    stages = [{"id": new_id(chance), "name": name, "position": place} for place, name in enumerate(names)]
    return {"id": new_id(chance), "name": "Roofing jobs", "stages": stages, "locationId": location.id}


def users(location, company, chance):
    for first, last, role in words.USERS:
        location.users.put(user(location, first, last, role, chance))


def user(location, first, last, role, chance):
    return {
        "id": new_id(chance),
        "name": f"{first} {last}",
        "firstName": first,
        "lastName": last,
        "email": f"{first.lower()}@{location.record['domain']}",
        "phone": f"+1312555{chance.randint(100, 199):04d}",
        "extension": "",
        "deleted": False,
        "totpEnabled": False,
        "lcPhone": {},
        "platformLanguage": "en_US",
        "permissions": dict.fromkeys(words.PERMISSIONS, role == "admin") | {"contactsEnabled": True},
        "scopes": ["contacts.write", "calendars/events.write"],
        "scopesAssignedToOnly": ["contacts.write"],
        "roles": {
            "type": "account",
            "role": role,
            "locationIds": [location.id],
            "restrictSubAccount": False,
        },
    }


def calendars(location, chance, now):
    group = new_id(chance)
    people = list(location.users.rows)
    hours = [{"openHour": 8, "openMinute": 0, "closeHour": 18, "closeMinute": 0}]
    for place, (name, kind, minutes, active) in enumerate(words.CALENDARS):
        team = chance.sample(people, 1 if kind == "event" else 3)
        calendar = {
            **DEFAULTS,
            "id": new_id(chance),
            "locationId": location.id,
            "name": name,
            "description": "",
            "calendarType": kind,
            "slotDuration": minutes,
            "isActive": active,
            "eventType": "RoundRobin_OptimizeForAvailability",
            "eventColor": ["#039be5", "#33b679", "#f4511e", "#8e24aa"][place % 4],
            "widgetType": "default",
            "widgetSlug": key(name).replace("_", "-"),
            "slotBuffer": 0,
            "preBuffer": 0,
            "openHours": [{"daysOfTheWeek": [day], "hours": hours} for day in range(1, 6)],
            "teamMembers": [
                {
                    "userId": user_id,
                    "priority": 0.5,
                    "selected": True,
                    "isZoomAdded": "false",
                    "locationConfigurations": [{"kind": "custom", "location": "", "position": 0}],
                }
                for user_id in team
            ],
            "dateAdded": now - 1_000 * DAY_MS,
            "dateUpdated": now - 400 * DAY_MS,
        }
        if place in (0, 3):
            calendar["groupId"] = group
        location.calendars.put(calendar)


def custom_fields(location, chance, now):
    parents = {}
    for place, (group, name, kind, values, model) in enumerate(words.CUSTOM_FIELDS):
        parent = parents.setdefault(group, new_id(chance))
        field = {
            "id": new_id(chance),
            "name": name,
            "model": model,
            "fieldKey": f"{model}.{key(name)}",
            "placeholder": "",
            "dataType": kind,
            "position": 50 * place,
            "documentType": "field",
            "parentId": parent,
            "locationId": location.id,
            "dateAdded": now - 900 * DAY_MS,
            "standard": False,
        }
        if kind in ("SINGLE_OPTIONS", "MULTIPLE_OPTIONS", "RADIO", "CHECKBOX"):
            field["picklistOptions"] = values
        location.custom_fields.put(field)


def key(name):
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_")
