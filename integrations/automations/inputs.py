"""The boxes of a trigger's or an action's form, as data: a page draws them, and `check` reads what comes back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from contacts.models import Business, Calendar, RemoteUser, Tag
from integrations import merge_fields

MOST_CHOICES = 500


@dataclass(frozen=True)
class Input:
    """One box. `kind` is text, long, number, choice, choices (a list of several), tags (a list), time or pairs; offered
    is an id that is chosen by its name where GHL lists them (`offered` says which list), else typed.

    `takes_fields`: merge fields like {{ event.number }} may stand in it. `choices(business)` are (value, words); where
    merge fields are taken too, they only suggest. `kind` pairs is a list of {"field", "value"}.
    """

    name: str
    label: Any
    kind: str = "text"
    required: bool = False
    help: Any = ""
    default: Any = ""
    takes_fields: bool = True
    choices: Callable[[Business], list[tuple[str, Any]]] | None = None
    offered: str = ""

    def check(self, value: Any, business: Business) -> str:
        """What is wrong with it, or ""."""
        if value in ("", None, [], {}):
            return _("%(name)s is missing.") % {"name": self.label} if self.required else ""
        try:
            for text in texts_in(value):
                merge_fields.check(text)
        except merge_fields.BadText as bad:
            return f"{self.label}: {bad}"
        if self.kind == "number" and not _is_number(value, self.takes_fields):
            return _("%(name)s: write a whole number.") % {"name": self.label}
        return self._check_choice(value, business)

    def _check_choice(self, value, business):
        if self.choices is None or self.kind not in ("choice", "choices"):
            return ""
        known = {each for each, _words in self.choices(business)}
        for each in value if isinstance(value, list) else [value]:
            if each not in known and not (self.takes_fields and "{{" in str(each)):
                return _("%(name)s: choose one from the list.") % {"name": self.label}
        return ""

    def word_for(self, value: Any, business: Business | None) -> str:
        """The value as people read it within a sentence."""
        if self.kind == "choice" and value in (OWNER, NOBODY):
            return _("the contact’s owner") if value == OWNER else _("nobody")
        if self.choices and business:
            return str(dict(self.choices(business)).get(value, value))
        return str(value)


def texts_in(value: Any) -> list[str]:
    """Every text in it, however deep."""
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts_in(each)]
    if isinstance(value, list):
        return [text for each in value for text in texts_in(each)]
    return [value] if isinstance(value, str) else []


def _is_number(value, takes_fields):
    text = str(value).strip()
    return (takes_fields and "{{" in text) or (text.isascii() and text.isdigit() and len(text) < 10)


# --- what can be chosen -----------------------------------------------------------------------------------------------

OWNER, NOBODY = "owner", "nobody"


def people(business: Business) -> list[tuple[str, Any]]:
    """The contact's owner, or anybody who works in a location of the business, by address: the same in all of them."""
    rows = RemoteUser.objects.filter(location__business=business, is_active=True).order_by("name", "pk")
    known = {key_of(one): str(one) for one in rows[:MOST_CHOICES]}
    return [(OWNER, _("The contact’s owner")), (NOBODY, _("Nobody")), *known.items()]


def key_of(remote_user: RemoteUser) -> str:
    """Somebody in GHL, in words that mean the same person in every location of the business."""
    return f"email:{remote_user.email.lower()}" if remote_user.email else f"ghl:{remote_user.remote_id}"


def colleagues(business: Business) -> list[tuple[str, Any]]:
    """Who can be told something: members of the business."""
    members = business.memberships.filter(user__is_active=True).select_related("user").order_by("user__name", "pk")
    known = [(f"user:{one.user_id}", str(one.user)) for one in members[:MOST_CHOICES]]
    return [(OWNER, _("The contact’s owner")), ("admins", _("All admins")), ("managers", _("All managers")), *known]


def tags(business: Business) -> list[tuple[str, Any]]:
    names = Tag.objects.filter(location__business=business).order_by("name").values_list("name", flat=True)
    return [(name, name) for name in dict.fromkeys(names[:MOST_CHOICES])]


def calendars(business: Business) -> list[tuple[str, Any]]:
    rows = Calendar.objects.filter(location__business=business, is_active=True).select_related("location")
    several = business.locations.count() > 1
    return [(one.remote_id, f"{one} ({one.location})" if several else str(one)) for one in rows[:MOST_CHOICES]]
