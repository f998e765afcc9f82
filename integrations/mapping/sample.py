"""What a draft is shown for while somebody writes it: a real event, or a contact of their choice."""

import json
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from contacts.models import Contact, Location
from integrations.mapping.lines import Line
from integrations.mapping.preview import TELLING, BadData, pasted
from integrations.mapping.suggest import OWN, seen_fields
from integrations.matching import acts, who
from integrations.models import ErpEvent, FieldMapping


@dataclass(frozen=True)
class Sample:
    """`text` is the test data that is shown for a chosen contact, as it stands in its box; `problem` what is wrong with
    it. `is_chosen`: somebody has chosen the contact."""

    event: ErpEvent | None
    contact: Contact | None
    is_chosen: bool = False
    text: str = ""
    problem: str = ""


def of_event(event: ErpEvent) -> Sample:
    """For the contact it is about or would become."""
    contact = who.recognise(event).contact or event.contact
    if contact is None:
        try:
            place = acts.location_of(event)
        except acts.CannotApply:
            place = Location.objects.filter(business=event.business_id).first()
        contact = Contact(location=place) if place else None
    return Sample(event, contact)


def of_contact(version: FieldMapping, contact: Contact, lines: list[Line], text: str = "") -> Sample:
    """For what the ERP told of them last; where it has told nothing, or `text` is given, for that test data."""
    last = contact.erp_events.filter(kind__in=TELLING, business=version.business_id).order_by("-pk").first()
    if last is not None and not text:
        return Sample(last, contact, True)
    text = text or example(version.business, lines, contact)
    try:
        events = pasted(version.business, text)
    except BadData as bad:
        return Sample(None, contact, True, text, str(bad))
    return (
        Sample(events[0], contact, True, text) if events else Sample(None, contact, True, text, _("Nothing is here."))
    )


def example(business: Any, lines: list[Line], contact: Contact) -> str:
    """A customer with all that the lines ask for: with values the ERP has sent lately, where it has."""
    known = {one.way: one.samples[0] for one in seen_fields(business) if one.samples}
    told: dict[str, Any] = {"first_name": contact.first_name, "last_name": contact.last_name}
    fields: dict[str, Any] = {}
    for line in lines:
        if line.goes_in and line.erp in OWN:
            told[line.erp] = getattr(contact, OWN[line.erp])
        elif line.goes_in and line.erp and not line.erp.startswith("payload."):
            fields[line.erp.removeprefix("fields.")] = known.get(line.erp, "")
    return json.dumps({**told, **({"fields": fields} if fields else {})}, indent=1, ensure_ascii=False)
