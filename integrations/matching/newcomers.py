"""Follows the contacts: whom the ERP's strangers turn out to be, once somebody has come or has changed an address."""

import time
from collections import defaultdict
from functools import partial, reduce
from operator import or_

from django.db.models import Q
from django.db.models.functions import Upper

from contacts.details import phones
from contacts.details.fields import region_of
from contacts.models import Contact, CustomField, ExternalId, HistoryEvent
from contacts.models.contact import Digits
from integrations.matching import strangers, who
from integrations.models import ErpEvent, Feed, Matching, Stranger
from integrations.models.erp_event import hold

AT_ONCE = 500  # lines of history
AT_MOST = 500  # strangers that are looked at for them: whoever is left waits for the next line about them, or a person
IN_A_ROW_S = 3
Kind = HistoryEvent.Kind
# Somebody deleted may leave one where there were two.
TELLING = (Kind.CONTACT_ADDED, Kind.CONTACT_CHANGED, Kind.CONTACT_RESTORED, Kind.CONTACT_DELETED)


def follow():
    """Link the strangers who are found now. The events to ring for, one of each."""
    until = time.monotonic() + IN_A_ROW_S
    due: list[int] = []
    while time.monotonic() < until:
        businesses = Stranger.objects.for_machines().values("business")
        lines = HistoryEvent.objects.filter(kind__in=TELLING, location__business__in=businesses)
        if not Feed.read("newcomers", lines, partial(_take, due), AT_ONCE):
            break
    return due


def _take(due, pks):
    lines = HistoryEvent.objects.filter(pk__in=pks).only("contact", "changes")
    contacts = Contact.objects.select_related("location").in_bulk({line.contact_id for line in lines})
    by_business = defaultdict(list)
    for line in lines:
        if contact := contacts.get(line.contact_id):
            by_business[contact.business_id].append((contact, line.changes))
    for business, told in by_business.items():
        due += [event for one in _maybe(business, told) if (event := _look_again(one))]


def _maybe(business, told):
    """The strangers who may be one of these contacts, or may have been one as it was before."""
    emails, numbers, values = set(), set(), set()
    fields = _fields_of(business)
    for contact, changes in told:
        emails |= {contact.email.upper(), *(str(each).upper() for each in changes.get("email", ()) if each)}
        for phone in {contact.phone, *(each for each in changes.get("phone", ()) if each)} - {""}:
            numbers |= set(phones.digits_of(phones.e164(phone, region_of(contact))))
        for held in (contact.custom_values, *(each for each in changes.get("custom_values", ()) if each)):
            values |= {str(held[field]) for field in fields & set(held)}
    links = ExternalId.objects.filter(contact__in={contact.pk for contact, _ in told}, kind="contact")
    references = values - {"", "None"} | set(links.values_list("value", flat=True))
    waiting = Stranger.objects.for_machines().filter(business=business).exclude(system="@contact")
    waiting = waiting.alias(as_upper=Upper("email"), digits=Digits("phone"))
    alike = Q(as_upper__in=emails - {""}) | Q(digits__in=numbers) | Q(reference__in=references)
    return waiting.filter(alike).select_related("business").order_by("pk")[:AT_MOST]


def _fields_of(business):
    """The ids of the custom field that holds the ERP's reference, if it is asked for one."""
    matching = Matching.objects.filter(business=business).first()
    if matching is None or Matching.By.FIELD not in matching.order or not matching.field:
        return set()
    return set(CustomField.objects.of_business(business).filter(key=matching.field).values_list("remote_id", flat=True))


def _look_again(stranger):
    """An event to ring for when it is clear now who they are. As if what waits had just come."""
    with hold(stranger):
        if not Stranger.objects.for_machines().filter(pk=stranger.pk).exists() or _is_named(stranger):
            return None
        finding = who.recognise_by(stranger, who.Hints.of_stranger(stranger))
        if finding.contact is None:
            if finding.reason != stranger.reason:
                Stranger.objects.filter(pk=stranger.pk).update(reason=finding.reason)
            return None
        if not finding.is_linked and stranger.has_reference:
            ExternalId.give(finding.contact, stranger.system, stranger.reference)
        return strangers.due_again(stranger)


def _is_named(stranger):
    """The ERP has told our own id of them, which is nobody's: an address does not outweigh that."""
    told = ErpEvent.objects.about(stranger).waiting()
    ways = ("body__subject__contact_id__gt", "body__customer__contact_id__gt", "body__contact_id__gt")
    return told.filter(reduce(or_, (Q(**{way: 0}) for way in ways))).exists()
