"""Who may be the same person as a contact: in the other businesses one sees, and beside it as a duplicate."""

from dataclasses import dataclass, field
from difflib import SequenceMatcher

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contacts import access
from contacts.details import phones
from contacts.details.fields import region_of
from contacts.listing import search
from contacts.models import Contact, Task, Verdict

MOST = 20  # looked at for each reason
SHOWN = 8
NEARLY = 0.85  # how alike two names read: Jon Halden and John Halden
BEGINNING = 4  # letters of each word of a name that a similar one shares
# Reason → how much it says.
EMAIL, PHONE = gettext_noop("Same e-mail"), gettext_noop("Same phone number")
NAME_AND_COMPANY, NAME, SIMILAR = (
    gettext_noop("Same name and company"),
    gettext_noop("Same name"),
    gettext_noop("Similar name"),
)
WEIGHTS = {EMAIL: 100, PHONE: 90, NAME_AND_COMPANY: 60, NAME: 30, SIMILAR: 15}


@dataclass
class Candidate:
    contact: Contact
    reasons: list = field(default_factory=list)
    open_tasks: int = 0

    @property
    def weight(self):
        return sum(WEIGHTS[reason] for reason in self.reasons)

    @property
    def why(self):
        first, *rest = (_(reason) for reason in self.reasons)
        return ", ".join([first, *(reason[0].lower() + reason[1:] for reason in rest)])


# --- in other businesses ----------------------------------------------------------------------------------------------


def elsewhere(request, contact):
    """(linked, suggested) in the other businesses this person sees. What lies in any other is not even counted."""
    others = [business.pk for business in access.businesses_of(request) if business.pk != contact.business_id]
    if not others:
        return [], []
    there = Contact.objects.present().filter(business__in=others).select_related("business", "location")
    verdicts = {verdict.other_than(contact).pk: verdict.word for verdict in _verdicts(request.user, contact)}
    same = [pk for pk, word in verdicts.items() if word == Verdict.Word.SAME]
    linked = [Candidate(one) for one in there.filter(pk__in=same).order_by("business__name", "pk")] if same else []
    suggested = [one for one in with_reach(there, contact) if one.contact.pk not in verdicts][:SHOWN]
    _count_tasks([*linked, *suggested])
    return linked, suggested


def _verdicts(user, contact):
    return Verdict.objects.visible_to(user).about(contact).select_related("first", "second")


def _count_tasks(candidates):
    rows = {one.contact.pk: one for one in candidates}
    if rows:
        tasks = Task.objects.present().filter(contact__in=rows, completed=False).order_by().values("contact")
        for counted in tasks.annotate(count=Count("pk")):
            rows[counted["contact"]].open_tasks = counted["count"]


# --- duplicates -------------------------------------------------------------------------------------------------------


def duplicates(user, contact):
    """Who in the same business may be the same person, the likeliest first; not whom somebody has decided about."""
    there = Contact.objects.visible_to(user).present().filter(business=contact.business_id).exclude(pk=contact.pk)
    found = likely(there.select_related("location", "company"), contact)
    decided = {verdict.other_than(contact).pk for verdict in _verdicts(user, contact)} if found else set()
    return [one for one in found if one.contact.pk not in decided][:SHOWN]


def likely(contacts, contact):
    """Who of these may be the same person as this contact, which may be one nobody has saved; the likeliest first."""
    found = {one.contact.pk: one for one in with_reach(contacts, contact)}
    for other, reason in _with_name(contacts, contact):
        found.setdefault(other.pk, Candidate(other)).reasons.append(reason)
    return sorted(found.values(), key=lambda one: (-one.weight, -one.contact.last_activity_at.timestamp()))


def with_reach(contacts, contact):
    """Who of these has the contact's e-mail address, or its phone number in whatever format."""
    found = {}
    for other in contacts.with_email(contact.email)[:MOST]:
        found[other.pk] = Candidate(other, [EMAIL])
    if number := phones.e164(contact.phone, region_of(contact)):
        for other in contacts.with_phone(number)[:MOST]:
            if phones.e164(other.phone, region_of(other)) == number:
                found.setdefault(other.pk, Candidate(other)).reasons.append(PHONE)
    return sorted(found.values(), key=lambda one: -one.weight)


def _with_name(contacts, contact):
    name = search.fold(f"{contact.first_name} {contact.last_name}")
    words = [word for word in name.split() if len(word) > 1]
    if len(words) < 2:  # half the world is called Maria
        return
    company = search.fold(contact.company_name)
    for other in contacts.filter(sort_name=name)[:MOST]:
        is_colleague = company and search.fold(other.company_name) == company
        yield other, NAME_AND_COMPANY if is_colleague else NAME
    alike = contacts.exclude(sort_name=name)
    for word in words:
        alike = alike.filter(search_text__contains=f" {word[:BEGINNING]}")
    for other in alike[: MOST * 3]:
        theirs = search.fold(f"{other.first_name} {other.last_name}")
        if SequenceMatcher(None, name, theirs).ratio() >= NEARLY:
            yield other, SIMILAR
