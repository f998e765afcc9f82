from django import template
from django.utils.translation import gettext as _

from contacts.details import fields, phones

register = template.Library()


@register.filter
def word(row, key):
    """What a row says in the column of a custom field."""
    return getattr(row, "custom", {}).get(key, "")


@register.filter
def phone_of(contact):
    """As people write it where the contact lives."""
    return phones.readable(contact.phone, fields.region_of(contact))


@register.filter
def how_long(seconds):
    """1 s; 40 s; 12 min; 3 h."""
    if seconds < 90:
        return _("%(count)s s") % {"count": max(1, round(seconds))}
    minutes = round(seconds / 60)
    return (
        _("%(count)s min") % {"count": minutes} if minutes < 90 else _("%(count)s h") % {"count": round(minutes / 60)}
    )
