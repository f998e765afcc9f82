"""What a mapping would do, shown before it does anything: nothing is written and nothing is sent."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Func, IntegerField
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import ValidationError

from contacts.models import Contact, Location
from integrations.erp import payloads
from integrations.mapping import applying
from integrations.mapping.lines import read_all
from integrations.matching import acts, who
from integrations.models import ErpEvent, FieldMapping

MOST = 200  # events of one dry run
LONGEST = 500_000  # letters of pasted test data
LARGEST = 100_000  # bytes of one event that is read beside many others
TELLING = (ErpEvent.Kind.CUSTOMER, ErpEvent.Kind.EVENT)
KINDS = {
    "create": gettext_lazy("New contact"),
    "update": gettext_lazy("Changed"),
    "same": gettext_lazy("Nothing to change"),
    "skip": gettext_lazy("Left out"),
    "invalid": gettext_lazy("Cannot be taken"),
}
REQUESTS_TO_CREATE, REQUESTS_TO_CHANGE, REQUESTS_TO_TAG = 2, 3, 2  # with looking before and reading back


class BadData(ValueError):
    """Test data that cannot be read; the message says why."""


@dataclass
class Difference:
    label: str
    old: str
    new: str


@dataclass
class Row:
    """What becomes of one event. `sentence` says why where nothing does."""

    event: Any
    kind: str
    contact: Contact | None = None
    sentence: str = ""
    differences: list[Difference] = field(default_factory=list)
    add: list[str] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    requests: int = 0

    @property
    def words(self) -> str:
        return str(KINDS[self.kind])

    @property
    def title(self) -> str:
        """Whom or what it is about."""
        told = self.event.body
        name = f"{told.get('first_name') or ''} {told.get('last_name') or ''}".strip()
        if self.event.kind == ErpEvent.Kind.EVENT:
            return told.get("title") or acts.in_words(self.event.type)
        return name or told.get("company") or self.event.reference


@dataclass
class Preview:
    rows: list[Row]

    @property
    def counts(self) -> list[tuple[str, str, int]]:
        """(kind, its words, how many)"""
        return [(kind, str(words), sum(row.kind == kind for row in self.rows)) for kind, words in KINDS.items()]

    @property
    def requests(self) -> int:
        return sum(row.requests for row in self.rows)

    @property
    def tags(self) -> tuple[int, int]:
        return sum(len(row.add) for row in self.rows), sum(len(row.remove) for row in self.rows)

    @property
    def in_trouble(self) -> int:
        """How many have a value that cannot be taken, though others of theirs are."""
        return sum(bool(row.troubles) and row.kind != "invalid" for row in self.rows)


def last_events(business: Any, count: int) -> list[ErpEvent]:
    """The last real ones that may tell of fields, in the order they happened; without those of enormous size."""
    size = Func("body", function="pg_column_size", output_field=IntegerField())
    events = ErpEvent.objects.filter(business=business, kind__in=TELLING).alias(size=size).filter(size__lt=LARGEST)
    events = events.order_by("-pk").select_related("business")[: min(count, MOST)]
    return sorted(events, key=lambda one: (one.occurred_at, one.version or 0, one.pk))


def pasted(business: Any, text: str) -> list[ErpEvent]:
    """Events of JSON as the API takes it: a customer or an event, or a list of them. BadData says why not."""
    if len(text) > LONGEST:
        raise BadData(_("This is too much at once: at most %(most)d letters.") % {"most": LONGEST})
    try:
        told = payloads.read(text.encode())
    except payloads.Unreadable as bad:
        raise BadData(_at_line(text) or str(bad)) from None
    told = told if isinstance(told, list) else [told]
    if not told or len(told) > MOST:
        raise BadData(_("Paste between 1 and %(most)d customers or events.") % {"most": MOST})
    return [_event(business, number, one) for number, one in enumerate(told, 1)]


def dry_run(mapping: FieldMapping, events: Iterable[ErpEvent]) -> Preview:
    """By the code that does it, on contacts in memory: each event meets them as the one before would have left them."""
    run = _Run(mapping)
    return Preview([run.row(event) for event in events])


class _Run:
    def __init__(self, mapping):
        self.mapping, self.lines = mapping, read_all(mapping.lines)
        self.places = {
            one.pk: one
            for one in Location.objects.filter(business=mapping.business_id).prefetch_related("custom_fields")
        }
        self.contacts, self.customers = {}, {}

    def row(self, event):
        if event.outcome == ErpEvent.Outcome.SUPERSEDED:
            return Row(event, "skip", sentence=_("A newer version had come before."))
        try:
            contact, why = self._contact_of(event)
        except acts.CannotApply as refused:
            return Row(event, "invalid", sentence=str(refused))
        if contact is None and why is None:
            return self._new(event)
        if contact is None:
            return Row(event, "skip", sentence=why)
        return self._changed(event, contact)

    def _contact_of(self, event):
        """(contact, "") or (None, why not), or (None, None) for a customer who is nobody yet."""
        customer = (event.system, event.reference)
        if customer in self.customers:
            return self.customers[customer], ""
        finding = who.recognise(event)
        if finding.contact is None:
            is_new = finding.is_nobody and event.kind == ErpEvent.Kind.CUSTOMER
            return (None, None) if is_new else (None, finding.reason)
        found = self.contacts.setdefault(finding.contact.pk, finding.contact)
        found.location = self.places.get(found.location_id, found.location)
        self.customers[customer] = found
        return found, ""

    def _new(self, event):
        try:
            location = acts.location_of(event)
            contact, mapped = acts.imagined(event, self.places.get(location.pk, location), self.mapping)
        except acts.CannotApply as refused:
            blank = Contact(location=next(iter(self.places.values()), None))
            troubles = applying.values_for(event.body, blank, self.mapping).troubles if self.places else []
            return Row(event, "invalid", sentence=str(refused), troubles=troubles)
        blank = Contact(location=contact.location)
        results = applying.results_of(event.body, blank, self.lines)
        self.customers[event.system, event.reference] = contact
        row = Row(event, "create", contact, requests=REQUESTS_TO_CREATE, troubles=mapped.troubles)
        return _with_differences(row, results, mapped)

    def _changed(self, event, contact):
        results = applying.results_of(event.body, contact, self.lines)
        mapped = applying.gathered(contact, results)
        kind = "update" if mapped.values or mapped.tags else "invalid" if mapped.troubles else "same"
        row = _with_differences(Row(event, kind, contact, troubles=mapped.troubles), results, mapped)
        if kind == "same":
            row.sentence = _why_nothing(results)
        if contact.pk and kind == "update":  # what was only now made goes along with its creation
            row.requests = REQUESTS_TO_CHANGE * bool(mapped.values)
            row.requests += REQUESTS_TO_TAG * (bool(mapped.tags.add) + bool(mapped.tags.remove))
            if not contact.location.is_editable:
                row.kind, row.requests = "invalid", 0
                row.sentence = contact.location.not_editable_because or _("This connection is read-only.")
        acts.take(mapped, contact)
        return row


def _with_differences(row, results, mapped):
    row.differences = [
        Difference(one.into.label, one.old_words, one.words) for one in results if one.state == "taken" and one.into
    ]
    row.add, row.remove = mapped.tags.add, mapped.tags.remove
    return row


def _why_nothing(results):
    kept = [one for one in results if one.state == "kept" and one.sentence]
    if kept:
        return f"{kept[0].into.label}: {kept[0].sentence}"
    if all(one.state == "absent" for one in results):
        return _("None of its fields is mapped.")
    return _("It says what stands here already.")


# --- test data --------------------------------------------------------------------------------------------------------


def _event(business, number, told):
    if not isinstance(told, dict):
        raise BadData(_("No %(number)d is no object with fields.") % {"number": number})
    is_event = "subject" in told or "type" in told
    shape = payloads.EventIn if is_event else payloads.CustomerIn
    try:
        read = shape.model_validate({"reference": f"TEST-{number}", **told} if not is_event else told)
    except ValidationError as wrong:
        first = payloads.fields_in(wrong.errors(include_url=False, include_input=False))[0]
        words = _("No %(number)d, %(field)s: %(message)s")
        raise BadData(words % {"number": number, "field": first["field"], "message": first["message"]}) from None
    system, reference = payloads.identity(read.subject if isinstance(read, payloads.EventIn) else read)
    kind = ErpEvent.Kind.EVENT if is_event else ErpEvent.Kind.CUSTOMER
    return ErpEvent(
        business=business, kind=kind, type=getattr(read, "type", "customer.sent"), system=system, reference=reference,
        occurred_at=read.occurred_at or timezone.now(), version=read.version,
        body=read.model_dump(mode="json", exclude={"idempotency_key"}),
    )  # fmt: skip


def _at_line(text):
    try:
        json.loads(text)
    except json.JSONDecodeError as bad:
        return _("Line %(line)d: this is not JSON.") % {"line": bad.lineno}
    except (ValueError, RecursionError):
        return ""
    return ""
