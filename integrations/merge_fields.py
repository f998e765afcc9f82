"""Texts with merge fields, as admins write them: "Invoice {{ event.number }} of {{ contact.first_name }} is overdue".

The language is Liquid, made for texts of people one does not know: it can reach nothing but the values it is given.
A value that is not there is written as nothing.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _
from liquid import BoundTemplate, Environment
from liquid.exceptions import LiquidError, LiquidSyntaxError, ResourceLimitError

from contacts.details.fields import fields_of
from contacts.models import Contact

LONGEST = 10_000  # letters of a text as written, and as filled in


class BadText(ValueError):
    """A text that cannot be filled in; the message says why, to whoever wrote it."""


class _Language(Environment):
    loop_iteration_limit = 1000
    local_namespace_limit = LONGEST
    output_stream_limit = LONGEST


_language = _Language()
for _tag in ("include", "render"):  # there is nothing to include
    del _language.tags[_tag]


def fill_in(text: str, scope: Mapping[str, Any]) -> str:
    """The text with the values of `scope` put in. BadText where that is impossible."""
    if "{" not in text:
        return text
    try:
        return _parsed(text).render(**scope)
    except LiquidError as error:
        raise BadText(_said(error)) from None


def check(text: str) -> None:
    """BadText where this is no such text at all, whatever the values."""
    _parsed(text)


def names_in(text: str) -> list[str]:
    """The merge fields of a text, as ways into its scope: ["contact.first_name", "event.number"]."""
    found = (segment for many in _parsed(text).analyze().globals.values() for segment in many)
    return sorted({".".join(str(part) for part in variable.segments) for variable in found})


def about(contact: Contact) -> dict[str, Any]:
    """What a text may say of a contact: its fields in words, custom ones by their key without "contact."."""
    custom = {f"custom-{one.pk}": one for one in contact.location.custom_fields.all()}
    told: dict[str, Any] = {"name": str(contact), "tags": list(contact.tags), "id": contact.remote_id or ""}
    told["owner"] = str(contact.owner) if contact.owner else ""
    for field in fields_of(contact):
        one = custom.get(field.slug)
        told[one.key.removeprefix("contact.") if one else field.key] = str(field.words or "")
    return told


@lru_cache(maxsize=1000)
def _parsed(text: str) -> BoundTemplate:
    if len(text) > LONGEST:
        raise BadText(_("This text is too long: at most %(most)d letters.") % {"most": LONGEST})
    try:
        parsed = _language.from_string(text)
    except LiquidError as error:
        raise BadText(_said(error)) from None
    if unknown := sorted(set(parsed.analyze().filters) - set(_language.filters)):
        raise BadText(_("After the “|” nothing is called %(name)s.") % {"name": unknown[0]})
    return parsed


def _said(error: LiquidError) -> str:
    if isinstance(error, ResourceLimitError):
        return _("This text becomes too long when it is filled in.")
    if isinstance(error, LiquidSyntaxError):
        return _("The braces do not fit together: %(what)s.") % {"what": _plain(error)}
    return _("This text cannot be filled in: %(what)s.") % {"what": _plain(error)}


def _plain(error: LiquidError) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
