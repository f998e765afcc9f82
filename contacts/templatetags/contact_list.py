from django import template

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
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{round(minutes / 60)} h"
