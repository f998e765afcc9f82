"""Whom an action means: the contact's owner, or somebody by address, whatever the location."""

from typing import Any

from django.utils.translation import gettext as _

from contacts.models import Contact, RemoteUser, Role, User
from integrations.automations.actions.base import CannotDo
from integrations.automations.inputs import NOBODY, OWNER


def in_ghl(value: str, contact: Contact) -> RemoteUser | None:
    """The person of the contact's location; None for nobody, or for the owner of a contact without one."""
    kind, _colon, which = value.partition(":")
    if value in ("", NOBODY):
        return None
    if value == OWNER:
        return contact.owner
    rows = RemoteUser.objects.filter(location=contact.location_id, is_active=True)
    wanted: dict[str, Any] = {"remote_id": which} if kind == "ghl" else {"email__iexact": which or value}
    found = rows.filter(**wanted).first()
    if found is None:
        words = _("Nobody in %(location)s has the address %(who)s.")
        raise CannotDo(words % {"location": contact.location, "who": which or value})
    return found


def of_ours(value: str, contact: Contact) -> list[User]:
    """Members of the business who are to be told something. CannotDo where that is nobody."""
    members = User.objects.filter(memberships__business=contact.business_id, is_active=True)
    if value == OWNER:
        owner = contact.owner
        if owner is None:
            raise CannotDo(_("The contact has no owner."))
        found = list(members.filter(pk=owner.user_id)) if owner.user_id else []
        if not found:
            raise CannotDo(_("%(who)s is no member here, so nobody could be told.") % {"who": owner})
        return found
    if value in ("admins", "managers"):
        roles = [Role.ADMIN] if value == "admins" else [Role.MANAGER]
        found = list(members.filter(memberships__business=contact.business_id, memberships__role__in=roles))
    else:
        found = list(members.filter(pk=int(value.removeprefix("user:") or 0)))
    if not found:
        raise CannotDo(_("There is nobody to tell: the person is no member any more."))
    return found
