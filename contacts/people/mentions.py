"""Naming a colleague in a note or a task: "@Dana Whitlock". Members of the Business find it on Today."""

import re
from dataclasses import dataclass

from django.utils.text import Truncator

from contacts import access
from contacts.details.note_text import plain_text
from contacts.models import Mention, RemoteUser, User

SHOWN = 10
EXCERPT = 160


@dataclass(frozen=True)
class Person:
    name: str
    email: str = ""
    user_id: int | None = None  # None for who works only in GHL, and so hears nothing from us


def people_of(contact):
    """Who can be named: the members of the Business first, then who works in the location in GHL."""
    members = User.objects.filter(memberships__business=contact.business_id, is_active=True).order_by("name", "pk")
    people = [Person(str(one), one.email, one.pk) for one in members]
    known = {person.name.casefold() for person in people}
    in_ghl = RemoteUser.objects.filter(location=contact.location_id, is_active=True, user=None).exclude(name="")
    return [*people, *(Person(one.name, one.email) for one in in_ghl if one.name.casefold() not in known)]


def names_in(people):
    """A pattern for an @ with one of these names behind it; None for nobody."""
    words = sorted({" ".join(person.name.split()) for person in people}, key=len, reverse=True)
    names = "|".join(re.escape(one).replace(r"\ ", r"\s+") for one in words if one)
    return re.compile(rf"(?<!\w)@({names})(?!\w)", re.I) if names else None


def keep_names(record, by):
    """Keep the mentions of a note or task in line with its text: new ones wait to be seen, removed ones no more."""
    text = text_of(record)
    named = named_in(text, record.contact) if "@" in text else []
    record.mentions.filter(seen_at=None).exclude(user__in=named).delete()
    of = {"contact": record.contact, record.KIND: record, "made_by": by}
    Mention.objects.bulk_create([Mention(user_id=pk, **of) for pk in named if pk != by.pk], ignore_conflicts=True)


def text_of(record):
    """What a person reads of it: of a task its title before its details."""
    return " · ".join(filter(None, (record.title if record.KIND == "task" else "", plain_text(record.body))))


def named_in(text, contact):
    """The members of the Business that the text names. Two of one name are both meant."""
    people = people_of(contact)
    pattern = names_in(people)
    if pattern is None:
        return []
    found = {" ".join(match[1].split()).casefold() for match in pattern.finditer(text)}
    return [one.user_id for one in people if one.user_id and " ".join(one.name.split()).casefold() in found]


def waiting_for(request):
    """What names the person who asks and was not looked at yet, newest first, each with its `excerpt`."""
    rows = access.in_scope(request, Mention.objects, "contact__business").unseen()
    rows = rows.prefetch_related("contact__business", "contact__location", "note", "task", "made_by")  # mostly none
    found = list(rows.order_by("-pk")[:SHOWN])
    for one in found:
        one.excerpt = Truncator(" ".join(text_of(one.task or one.note).split())).chars(EXCERPT)
    return found
