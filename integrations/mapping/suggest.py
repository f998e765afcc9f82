"""Which fields the ERP has been seen to send, and which of the contact's they may be. An admin decides."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from contacts.details import phones
from contacts.details.field_words import as_date
from integrations.mapping import owner_and_quiet
from integrations.mapping.lines import Line, is_empty
from integrations.mapping.preview import last_events
from integrations.mapping.targets import COMPANY, CUSTOM, Target
from integrations.mapping.transforms import STEPS, Around, Unfit

LOOKED_AT = 100  # events
SAMPLES = 5
ALIKE = 0.84
NOT_FIELDS = {"reference", "system", "contact_id", "location", "version", "occurred_at", "fields", "subject", "payload",
              "type", "record", "link"}  # fmt: skip
OWN = {"first_name": "first_name", "last_name": "last_name", "email": "email", "phone": "phone", "company": COMPANY}
ALSO_CALLED = {
    "postal_code": ("zip", "zipcode", "postcode", "plz"), "address": ("street", "street1", "addressline1"),
    "phone": ("mobile", "tel", "telephone", "phonenumber", "mobilephone"), "email": ("mail", "emailaddress"),
    "last_name": ("surname", "familyname", "lastname"), "first_name": ("givenname", "firstname", "forename"),
    "date_of_birth": ("birthday", "dob", "birthdate"), "website": ("url", "homepage", "web"),
    "state": ("province", "region", "county"), "city": ("town",), "time_zone": ("timezone", "tz"),
    "owner": ("accountmanager", "salesrep", "salesperson", "responsible", "keyaccount"),
    "dnd": ("donotdisturb", "donotcontact", "nocontact", "optout"),
    COMPANY: ("company", "organisation", "organization", "firm"),
}  # fmt: skip


@dataclass
class Seen:
    """A field of the ERP with values it has had lately."""

    way: str
    samples: list[Any] = field(default_factory=list)
    count: int = 0

    @property
    def sample(self) -> str:
        return str(self.samples[0]) if self.samples else ""


@dataclass(frozen=True)
class Suggestion:
    line: Line
    target: Target
    sample: str


def starting_lines(business: Any, targets: Mapping[str, Target]) -> list[Line]:
    """What goes by its name today, as lines, so that nothing is lost with the first mapping."""
    lines = [Line(name, contact, empty="clear") for name, contact in OWN.items()]
    named = {
        name.casefold(): key for key, one in targets.items() if _goes_by_name(one) for name in (_bare(key), one.label)
    }
    ways: dict[str, str] = {}
    for seen in seen_fields(business):
        key = named.get(seen.way.removeprefix("fields.").casefold(), "")
        if seen.way.startswith("fields.") and key and key not in OWN.values():
            ways.setdefault(key, seen.way)
    return lines + [Line(ways[key], key, empty="clear") for key in targets if key in ways]


def _goes_by_name(target):
    return not target.is_tag and target.control not in owner_and_quiet.CONTROLS


def seen_fields(business: Any) -> list[Seen]:
    """Of the last events: a customer's own fields, `fields.…` and `payload.…`."""
    found: dict[str, Seen] = {name: Seen(name) for name in OWN}
    for event in reversed(last_events(business, LOOKED_AT)):
        for way, value in _ways(event.body):
            seen = found.setdefault(way, Seen(way))
            seen.count += 1
            if not is_empty(value) and value not in seen.samples and len(seen.samples) < SAMPLES:
                seen.samples.append(value)
    own, others = list(found.values())[: len(OWN)], list(found.values())[len(OWN) :]
    return own + sorted(others, key=lambda one: one.way)


def suggestions(seen: Iterable[Seen], lines: Sequence[Line], targets: Mapping[str, Target]) -> list[Suggestion]:
    """For what is not mapped yet, the field of the contact it is called most like, if its values fit."""
    mapped = {line.erp for line in lines}
    written = {line.contact for line in lines if line.goes_in}
    found = []
    for one in seen:
        if one.way in mapped or not (one.samples or one.way in OWN):
            continue
        free = [target for target in targets.values() if not target.is_tag and target.key not in written]
        best = max(free, key=lambda target: _likeness(one.way, target), default=None)
        if best is None or _likeness(one.way, best) < ALIKE:
            continue
        steps = _steps_for(best, one.samples)
        if steps is not None:
            line = Line(one.way, best.key, steps=steps)
            found.append(Suggestion(line, best, one.sample))
            written.add(best.key)
    return found


# --- names ------------------------------------------------------------------------------------------------------------


def _ways(body, before="", depth=0):
    for name, value in body.items():
        way = f"{before}{name}"
        is_list_of_texts = isinstance(value, list) and all(isinstance(one, str) for one in value)
        if isinstance(value, dict):
            if depth < 5 and (before or name in ("fields", "payload")):
                yield from _ways(value, f"{way}.", depth + 1)
        elif (before or _is_field(name, body)) and (is_list_of_texts or not isinstance(value, list)):
            yield way, value


def _is_field(name, body):
    return name not in NOT_FIELDS and "subject" not in body


def _bare(key):
    return key.removeprefix(CUSTOM).removeprefix("contact.")


def _plain(name):
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def _likeness(way, target):
    last = _plain(way.rsplit(".", 1)[-1])
    if way in OWN:
        return float(OWN[way] == target.key)
    if last in ALSO_CALLED.get(target.key, ()):
        return 0.95
    names = {_plain(_bare(target.key)), _plain(target.label)}
    return max(SequenceMatcher(None, last, name).ratio() for name in names) if last else 0.0


# --- values -----------------------------------------------------------------------------------------------------------


def _steps_for(target, samples):
    """The first few steps that make all samples fit, or None when none do."""
    for steps in _ways_to(target, samples):
        try:
            results = [Line("x", target.key, steps=steps).ahead(one, Around(phones.DEFAULT_REGION)) for one in samples]
        except Unfit:
            continue
        if not any(target.objection(one) for one in results):
            return steps
    return None


def _ways_to(target, samples):
    yield ()
    if target.control == "tel":
        yield (STEPS["phone"]({}),)
    elif target.control == "date" and not all(as_date(one) for one in samples):
        yield from ((STEPS["date"]({"form": form}),) for form in STEPS["date"].settings[0].suggestions)
    elif target.control in ("number", "money"):
        yield from ((STEPS["number"]({"decimal": sign}),) for sign in ".,")
    elif target.control in ("select", "many"):
        options = {option.casefold(): option for option in target.options}
        listed = [word for one in samples for word in (one if isinstance(one, list) else [one])]
        table = {str(word): options[str(word).casefold()] for word in listed if str(word).casefold() in options}
        if table:
            yield (STEPS["lookup"]({"table": table, "otherwise": "refuse"}),)
    else:
        yield (STEPS["trim"]({}),)
