"""The contacts of a list, as its filter stands in an address: "tag=vip&owner=none"."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from contacts.access import SESSION_KEY
from contacts.listing.filters import ContactFilter
from contacts.models import Business, Contact, Role


def contacts_of(business: Business, query: str, now: datetime | None = None) -> Any:
    """The contacts of a list's filter, all of this business."""
    return list_of(business, query).apply(Contact.objects.of_business(business), now)


def list_of(business: Business, query: str) -> ContactFilter:
    """Read as an admin of the business would see it, whoever that is: within a business all see the same."""
    admin = business.memberships.filter(role=Role.ADMIN, user__is_active=True).select_related("user").first()
    user = admin.user if admin else SimpleNamespace(is_authenticated=False)
    request: Any = SimpleNamespace(user=user, session={SESSION_KEY: business.pk}, _businesses=[business])
    return ContactFilter.from_params(QueryDict(query), request)


def check(business: Business, query: str) -> str:
    """What is wrong with it, or ""."""
    found = list_of(business, query)
    if found.problems:
        return found.problems[0]
    if any(name.rpartition(".")[2] == "owner" and value == "me" for name, value in found.pairs()):
        return _("A rule has no “me”: choose the owner by name.")
    return _("Narrow the list down: without a filter all contacts would be meant.") if found.is_empty else ""


def in_words(business: Business, query: str) -> str:
    """owner is Dana and tag is insurance, or source is Web"""
    found = list_of(business, query)
    groups = [_(" and ").join(f"{chip.lead} {chip.value}" for chip in chips) for chips in found.sentence()]
    text = [_("text matches “%(text)s”") % {"text": found.q}] if found.q else []
    return _(", or ").join([*text, *groups])
