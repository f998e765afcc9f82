"""POST /contacts/search: filters, free text, sort and cursors over what the index shows."""

import json
from functools import partial
from operator import itemgetter

from .answers import bad_request, invalid
from .contact_shapes import full_name
from .moments import parsed_ms

LONGEST_VALUE = 75
DEEPEST_PAGE = 10_000
EXACT = {"eq", "not_eq", "exists", "not_exists"}
WORDY = EXACT | {"contains", "not_contains"}
DATED = {"range", "exists", "not_exists"}
OPERATORS = WORDY | {"range", "nested"}


def _plain(name):
    return lambda contact, location: contact.get(name)


def _lower(name):
    return lambda contact, location: (contact.get(name) or "").lower() or None


def _business_name(contact, location):
    business = location.businesses.get(contact.get("businessId"))
    return business["name"] if business else None


def _never(contact, location):
    return None


# field: (operators, how to read it from a contact)
FIELDS = {
    "id": ({"eq", "not_eq"}, _plain("id")),
    "contactName": (EXACT, lambda contact, location: full_name(contact) or None),
    "email": (EXACT, _plain("email")),
    "country": (EXACT, _plain("country")),
    "website": (EXACT, _plain("website")),
    "assignedTo": (EXACT, _plain("assignedTo")),
    "timezone": (EXACT, _plain("timezone")),
    "type": (EXACT, _plain("type")),
    "dnd": (EXACT, _plain("dnd")),
    "validEmail": (EXACT, _plain("validEmail")),
    "isValidWhatsapp": (EXACT, _never),
    "followers": (EXACT, _plain("followers")),
    "activeWorkflows": (EXACT, _plain("activeWorkflows")),
    "finishedWorkflows": (EXACT, _plain("finishedWorkflows")),
    "firstNameLowerCase": (WORDY, _lower("firstName")),
    "lastNameLowerCase": (WORDY, _lower("lastName")),
    "phone": (WORDY, _plain("phone")),
    "address": (WORDY, _plain("address1")),
    "city": (WORDY, _plain("city")),
    "state": (WORDY, _plain("state")),
    "postalCode": (WORDY, _plain("postalCode")),
    "businessName": (WORDY, _business_name),
    "companyName": (WORDY, _plain("companyName")),
    "source": (WORDY, _plain("source")),
    "tags": (WORDY, _plain("tags")),
    "dateAdded": (DATED, _plain("dateAdded")),
    "dateUpdated": (DATED, _plain("dateUpdated")),
    "dateOfBirth": (DATED, lambda contact, location: parsed_ms(contact.get("dateOfBirth"))),
    "lastAppointment": (DATED, lambda contact, location: _last_appointment(contact, location)),
    "lastEmailClickedDate": (DATED, _never),
    "lastEmailOpenedDate": (DATED, _never),
}
SORTABLE = {
    "firstNameLowerCase": _lower("firstName"),
    "lastNameLowerCase": _lower("lastName"),
    "businessName": lambda contact, location: (_business_name(contact, location) or "").lower() or None,
    "dateAdded": _plain("dateAdded"),
    "dateUpdated": _plain("dateUpdated"),
    "email": _lower("email"),
    "dnd": _plain("dnd"),
    "source": _lower("source"),
}
NEWEST_FIRST = [{"field": "dateAdded", "direction": "desc"}]


def found(location, filters, query, sort):
    """Matching contacts in order, each with its sort values. Kept until the index changes."""
    rows = location.contact_index.visible()
    remembered = location.contact_index.remembered
    by_id = remembered("by id", lambda: sorted(rows.values(), key=itemgetter("id")))
    if not filters and not query:
        return remembered(
            ("order", json.dumps(sort), location.businesses.changes), lambda: in_order(by_id, sort, location)
        )
    test = matcher(filters, query, location)
    key = ("found", json.dumps([filters, query, sort]), _neighbours(location))
    return remembered(key, lambda: in_order(filter(test, by_id), sort, location))


def _neighbours(location):
    """Filters also read these, so a remembered answer is only good while they stand still."""
    return location.businesses.changes, location.opportunities.changes, location.appointments.changes


def checked_sort(sort):
    if not isinstance(sort, list):
        raise invalid(["sort must be an array"])
    if len(sort) > 2:
        raise invalid(["sort must contain no more than 2 elements"])
    for one in sort:
        if not isinstance(one, dict) or one.get("field") not in SORTABLE:
            raise bad_request(f"Invalid field {one.get('field') if isinstance(one, dict) else one}")
        if one.get("direction", "asc") not in ("asc", "desc"):
            raise invalid(["sort.direction must be one of the following values: asc, desc"])
    return [{"field": one["field"], "direction": one.get("direction", "asc")} for one in sort]


def in_order(contacts, sort, location):
    """[(sort values, contact)] of contacts that come by id; empty values come last whichever way."""
    readers = [SORTABLE[one["field"]] for one in sort]
    entries = [(tuple(read(contact, location) for read in readers), contact) for contact in contacts]
    for place, one in reversed(list(enumerate(sort))):
        filled = [entry for entry in entries if entry[0][place] is not None]
        blank = [entry for entry in entries if entry[0][place] is None]
        # Sorting backwards keeps equal ones in order too, so ids still rise among them.
        filled.sort(key=lambda entry, place=place: entry[0][place], reverse=one["direction"] == "desc")
        entries = filled + blank
    return entries


def start_after(entries, cursor, sort):
    """The place of the first entry beyond the cursor, by bisection."""
    if not isinstance(cursor, list) or len(cursor) != len(sort) + 1:
        raise bad_request("Invalid searchAfter")
    try:
        low, high = 0, len(entries)
        while low < high:
            middle = (low + high) // 2
            if _is_beyond(entries[middle], cursor, sort):
                high = middle
            else:
                low = middle + 1
        return low
    except TypeError:
        raise bad_request("Invalid searchAfter") from None


def _is_beyond(entry, cursor, sort):
    values, contact = entry
    for value, mark, one in zip(values, cursor, sort, strict=False):
        if value == mark:
            continue
        if value is None or mark is None:
            return value is None
        return value < mark if one["direction"] == "desc" else value > mark
    return contact["id"] > cursor[-1]


def matcher(filters, query, location):
    """One function saying whether a contact is wanted."""
    if not isinstance(filters, list):
        raise invalid(["filters must be an array"])
    tests = [_test(one, location) for one in filters]
    if query:
        words = query.lower().split()
        texts = location.contact_index.texts
        tests.append(lambda contact: _has_words(_text_of(contact, texts), words))
    return _every(tests)


def _every(tests):
    def passes(contact):
        for test in tests:  # noqa: SIM110  the plain loop is three times as fast, and this runs for every contact
            if not test(contact):
                return False
        return True

    return tests[0] if len(tests) == 1 else passes


def _any(tests):
    def passes(contact):
        for test in tests:  # noqa: SIM110
            if test(contact):
                return True
        return False

    return passes


def _test(one, location):
    if not isinstance(one, dict):
        raise invalid(["each value in filters must be an object"])
    if "group" in one:
        combine = {"AND": _every, "OR": _any}.get(str(one["group"]).upper())
        if combine is None:
            raise invalid(["group must be one of the following values: AND, OR"])
        return combine([_test(inner, location) for inner in one.get("filters", [])])
    field, operator, value = one.get("field"), one.get("operator"), one.get("value")
    if operator not in OPERATORS:
        raise bad_request(f"Invalid operator {operator}")
    if isinstance(value, str) and len(value) > LONGEST_VALUE:
        raise invalid([f"value must be shorter than or equal to {LONGEST_VALUE} characters"])
    if field == "opportunities":
        return _opportunity_test(one, location)
    operators, read = _field(field, location)
    if operator not in operators:
        raise bad_request(f"Invalid operator {operator} for field {field}")
    if operator == "range":
        low, high = _bounds(value, dated=not str(field).startswith("customFields."))
        return lambda contact: _within(read(contact, location), low, high)
    wanted = frozenset(_folded(item) for item in (value if isinstance(value, list) else [value]))
    return partial(_compare, OPERATION[operator], read, location, wanted)


def _compare(compare, read, location, wanted, contact):
    return compare(read(contact, location), wanted)


def _field(field, location):
    if field in FIELDS:
        return FIELDS[field]
    if isinstance(field, str) and field.startswith("customFields."):
        field_id = field.removeprefix("customFields.")
        if location.custom_fields.get(field_id) is not None:
            return OPERATORS, lambda contact, _: next(
                (one["value"] for one in contact["customFields"] if one["id"] == field_id), None
            )
    raise bad_request(f"Invalid field {field}")


def _opportunity_test(one, location):
    wanted = one.get("filters") or (one.get("value") or {}).get("filters") or []
    for inner in wanted:
        if inner.get("field") not in ("pipelineId", "pipelineStageId", "status"):
            raise bad_request(f"Invalid field {inner.get('field')}")

    def holds(opportunity):
        return all(
            (opportunity[inner["field"]] == inner.get("value")) != (inner.get("operator") == "not_eq")
            for inner in wanted
        )

    return lambda contact: any(holds(opportunity) for opportunity in location.opportunities.of(contact["id"]))


def _folded(value):
    return str(value).strip().lower()


def _values(value):
    """What a field holds, as folded texts; an empty field holds nothing."""
    if value is None or value == "":
        return ()
    return [_folded(item) for item in value] if isinstance(value, list) else (_folded(value),)


def _equal(value, wanted):
    return any(held in wanted for held in _values(value))


def _contains(value, wanted):
    return any(option in held for held in _values(value) for option in wanted)


OPERATION = {
    "eq": _equal,
    "not_eq": lambda value, wanted: not _equal(value, wanted),
    "contains": _contains,
    "not_contains": lambda value, wanted: not _contains(value, wanted),
    "exists": lambda value, wanted: bool(_values(value)),
    "not_exists": lambda value, wanted: not _values(value),
}


def _bounds(value, dated):
    """Both bounds as tests; GHL's guides write {gte, lte, gt, lt}, one copy of them {low, high}."""
    if not isinstance(value, dict) or not value:
        raise invalid(["value must be an object with gte, lte, gt or lt"])
    low = high = None
    for name, bound in value.items():
        number = parsed_ms(bound) if dated or isinstance(bound, str) else bound
        if name not in ("gte", "gt", "lte", "lt", "low", "high") or number is None:
            raise invalid([f"value.{name} is not a valid bound"])
        if name in ("gte", "low"):
            low = (number, True)
        elif name == "gt":
            low = (number, False)
        elif name in ("lte", "high"):
            high = (number, True)
        else:
            high = (number, False)
    return low, high


def _within(value, low, high):
    number = value if type(value) in (int, float) else parsed_ms(value)
    if number is None:
        return False
    if low and not (number >= low[0] if low[1] else number > low[0]):
        return False
    return not high or (number <= high[0] if high[1] else number < high[0])


def _has_words(text, words):
    return all(word in text for word in words)


def _text_of(contact, texts):
    """What free text looks at. Kept until the contact is another record."""
    record, text = texts.get(contact["id"], (None, None))
    if record is not contact:
        more = [one["email"] for one in contact["additionalEmails"]]
        parts = (full_name(contact), contact.get("email"), contact.get("phone"), contact.get("companyName"), *more)
        text = " ".join(part for part in parts if part).lower()
        texts[contact["id"]] = (contact, text)
    return text


def _last_appointment(contact, location):
    return max((one["startTime"] for one in location.appointments.of(contact["id"])), default=None)
