"""What of a contact no box of its page holds as one value: who owns it, and whether it is not to be disturbed."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contacts.details.fields import Field
from contacts.models import Contact, RemoteUser
from integrations.mapping.transforms import Unfit

GROUP = gettext_noop("Contact")
OWNER, QUIET = "owner", "dnd"
LABELS = {OWNER: (gettext_noop("Owner"), "owner"), QUIET: (gettext_noop("Do not disturb"), "yes_no")}
CONTROLS = ("owner", "yes_no")
YES = ("yes", "y", "true", "1", "on")
NO = ("no", "n", "false", "0", "off")


def fields_of(contact: Contact) -> Iterator[tuple[str, Field]]:
    """(key in a mapping, field). Nobody has said anything of a contact that may be disturbed."""
    for key, value in ((OWNER, contact.owner), (QUIET, contact.dnd or None)):
        label, control = LABELS[key]
        name = "owner_remote_id" if key == OWNER else key  # as the history calls it
        yield key, Field(name, name, _(label), _(GROUP), control, value)


def read(contact: Contact, control: str, value: Any) -> Any:
    """What the contact's field takes; Unfit says why not."""
    text = str(value if value is not None else "").strip()
    if control == "owner":
        return _user(contact, text) if text else None
    return is_yes(text) if text else False


def is_yes(text: str) -> bool:
    if text.casefold() in YES:
        return True
    if text.casefold() in NO:
        return False
    raise Unfit(_("“%(value)s” is neither yes nor no.") % {"value": text})


def _user(contact, text):
    """By the e-mail address, else by a name that only one of them has."""
    users = list(RemoteUser.objects.filter(location=contact.location_id, is_active=True))
    wanted = text.casefold()
    found = [one for one in users if one.email.casefold() == wanted] if "@" in text else []
    found = found or [one for one in users if one.name.casefold() == wanted]
    if len(found) > 1:
        raise Unfit(_("Several GHL users of this location are called “%(name)s”: send the e-mail.") % {"name": text})
    if not found:
        raise Unfit(_("No GHL user of this location is “%(name)s”.") % {"name": text})
    return found[0]


def known_owners(business: Any) -> tuple[str, ...]:
    """What an owner can be named by, the names first."""
    users = RemoteUser.objects.filter(location__business=business, is_active=True).values_list("name", "email")
    return tuple(dict.fromkeys(word for named in zip(*users, strict=True) for word in named if word))


def objection(control: str, options: tuple[str, ...], value: str) -> str:
    """Why no location could take this, or ""."""
    if control == "owner":
        is_known = value.casefold() in {one.casefold() for one in options}
        return "" if is_known else _("No GHL user of this business is called that.")
    try:
        is_yes(value)
    except Unfit as why:
        return str(why)
    return ""


def told(field: Field, is_on_its_way: bool) -> Any:
    """As the ERP is told: the owner's e-mail or name; yes or no as a word where steps follow."""
    if isinstance(field.value, RemoteUser):
        return field.value.email or field.value.name
    if field.control == "owner":
        return ""
    return ("yes" if field.value else "no") if is_on_its_way else bool(field.value)


def save(values: dict[str, Any], field: Field, value: Any) -> None:
    values[OWNER if field.control == "owner" else QUIET] = value
