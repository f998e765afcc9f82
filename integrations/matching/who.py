"""Which contact a customer of the ERP is."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from contacts.details import phones
from contacts.details.fields import region_of
from contacts.models import Contact, CustomField, ExternalId
from integrations.models import Matching, Stranger

UNLINKED = gettext_lazy("Somebody has taken the link of this customer away, so a person says who it is.")
MOST = 20  # contacts with the same phone digits that are compared in full


@dataclass(frozen=True)
class Hints:
    """What the ERP told of a customer besides the reference."""

    name: str = ""
    email: str = ""
    phone: str = ""
    company: str = ""
    contact_id: int | None = None

    @classmethod
    def of_stranger(cls, stranger):
        return cls(stranger.name, stranger.email, stranger.phone, stranger.company)

    @classmethod
    def of(cls, event):
        """A customer tells of itself; everything else of its subject."""
        told = event.body.get("subject") or event.body.get("customer") or event.body
        names = (told.get("first_name") or "", told.get("last_name") or "")
        return cls(
            name=told.get("name") or " ".join(names).strip(),
            email=told.get("email") or "",
            phone=told.get("phone") or "",
            company=told.get("company") or "",
            contact_id=told.get("contact_id"),
        )


@dataclass(frozen=True)
class Finding:
    """The contact, or why there is none in words. `is_nobody`: not even several were found."""

    contact: Contact | None = None
    reason: str = ""
    is_nobody: bool = False
    is_linked: bool = False


def find(event):
    """The contact this event is about: by the stored link, else by the first of the business's ways that finds any.

    Who is found gets the link, so that the next event finds them whatever has become of their address.
    """
    finding = recognise(event)
    if finding.contact and not finding.is_linked and not event.system.startswith("@"):
        ExternalId.give(finding.contact, event.system, event.reference)
    return finding


def recognise(event):
    """The same, storing nothing."""
    return recognise_by(event, Hints.of(event))


def recognise_by(one, hints):
    """Of an ErpEvent or a Stranger, by what the ERP has told of it."""
    linked = link_of(one)
    if linked:
        if linked.contact.deleted_at is None:
            return Finding(linked.contact, is_linked=True)
        return Finding(reason=_("The contact linked to this customer has been deleted."))
    about = {"business": one.business_id, "system": one.system, "reference": one.reference}
    if Stranger.objects.filter(**about, is_by_hand=True).exists():
        return Finding(reason=str(UNLINKED))
    return _look(one, hints)


def link_of(one):
    """The stored link of the customer an ErpEvent or a Stranger is about, or None."""
    links = ExternalId.objects.filter(business_id=one.business_id, kind="contact")
    links = links.filter(system=one.system, value=one.reference)
    return links.select_related("contact__location", "contact__business").first()


def present(business_id):
    return Contact.objects.present().of_business(business_id).select_related("location", "business")


def _look(event, hints):
    contacts = present(event.business_id)
    if hints.contact_id:
        found = contacts.filter(pk=hints.contact_id).first()
        return Finding(found) if found else Finding(reason=_("No contact of this business has the id that was given."))
    matching = Matching.of(event.business)
    for way in matching.order:
        found, words = _WAYS[way](contacts, event, hints, matching) if way in _WAYS else ([], "")
        if len(found) == 1:
            return _unless_taken(found[0], event, words)
        if found:
            several = ngettext("%(n)d contact has %(what)s.", "%(n)d contacts have %(what)s.", len(found))
            return Finding(reason=several % {"n": len(found), "what": words})
    return Finding(reason=_("No contact has this reference, e-mail address or phone number."), is_nobody=True)


def _unless_taken(contact, event, words):
    """Two customers of the ERP who share an address are not made one person by a machine."""
    others = ExternalId.objects.filter(contact=contact, kind="contact", system=event.system)
    if event.system.startswith("@") or not others.exclude(value=event.reference).exists():
        return Finding(contact)
    taken = _("%(name)s has %(what)s, but is linked to another customer of the ERP already.")
    return Finding(reason=taken % {"name": contact.name, "what": words})


def _by_email(contacts, event, hints, matching):
    return list(contacts.with_email(hints.email)[:MOST]), _("this e-mail address")


def _by_phone(contacts, event, hints, matching):
    """Typed in whatever way; without a country's code it is of the country of the contact's location."""
    found = []
    for region in _regions(event.business) if hints.phone else ():
        number = phones.e164(hints.phone, region)
        alike = contacts.with_phone(number)[:MOST] if number else ()
        found += [one for one in alike if one not in found and phones.e164(one.phone, region_of(one)) == number]
    return found, _("this phone number")


def _regions(business):
    return dict.fromkeys(phones.region_of(location) for location in business.locations.all())


def _by_field(contacts, event, hints, matching):
    """The custom field that holds the ERP's own reference, in each location under an id of its own."""
    fields = CustomField.objects.of_business(event.business_id).filter(key=matching.field) if matching.field else ()
    found = []
    for field in fields:
        for value in _spellings(event.reference):
            held = contacts.filter(location=field.location_id, custom_values__contains={field.remote_id: value})
            found += [one for one in held[:MOST] if one not in found]
    return found, _("this reference in the custom field")


def _spellings(reference):
    """A field of figures holds a number where the ERP says a text."""
    yield reference
    if reference.isascii() and reference.isdigit() and len(reference) < 16 and str(int(reference)) == reference:
        yield int(reference)


_WAYS = {Matching.By.EMAIL: _by_email, Matching.By.PHONE: _by_phone, Matching.By.FIELD: _by_field}
