"""Do not disturb: on which channels a person may not be reached, since when, and how that is changed."""

import re

from django.db.models import Q
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contacts import localised, wording
from contacts.models import HistoryEvent

EVERY = "all"
CHANNELS = {
    "Call": gettext_noop("calls"), "SMS": "SMS", "Email": gettext_noop("e-mail"), "WhatsApp": "WhatsApp",
    "GMB": "Google", "FB": "Facebook", "RCS": "RCS",
}  # fmt: skip
ONLY_SHOWN = ("RCS",)  # GHL tells of it and takes no change of it
FOR_GOOD = "permanent"
# GHL signs its own changes in the message: Updated by 'Dana' at 2026-11-02T20:20:09.768Z
SIGNED = re.compile(r"\bat (\d{4}-\d\d-\d\dT[\d:.]+Z?)\s*$", re.IGNORECASE)


def off(contact):
    """The channels that are off, `all` standing for every one."""
    closed = [channel for channel in CHANNELS if status_of(contact.dnd_settings, channel) in ("active", FOR_GOOD)]
    return [EVERY, *closed] if contact.dnd else closed


def for_good(contact):
    """Those that nobody can open again from here."""
    settings = contact.dnd_settings
    return [
        one for one in CHANNELS if status_of(settings, one) == FOR_GOOD or (one in ONLY_SHOWN and one in off(contact))
    ]


def status_of(settings, channel):
    setting = (settings or {}).get(channel)
    return str(setting.get("status") or "") if isinstance(setting, dict) else ""


def words(contact):
    """No SMS since 2 Nov; No calls or e-mail; nothing while every channel is open."""
    closed = off(contact)
    if not closed:
        return ""
    sentence = closed_words(closed)
    date = since(contact, closed)
    if date is None:
        return sentence
    is_this_year = date.year == contact.location.today().year
    date = localised.day_and_month(date) if is_this_year else localised.day_and_year(date)
    return _("%(closed)s since %(date)s") % {"closed": sentence, "date": date}


def closed_words(closed):
    """Do not disturb; No calls or e-mail"""
    if EVERY in closed:
        return _("Do not disturb")
    return _("No %(channels)s") % {"channels": channel_words(closed)}


def settings_words(settings):
    """Of a contact's channels as they were at some time: no SMS or e-mail; every channel."""
    closed = [channel for channel in CHANNELS if status_of(settings, channel) in ("active", FOR_GOOD)]
    return _("no %(channels)s") % {"channels": channel_words(closed)} if closed else _("every channel")


def channel_words(channels):
    return wording.one_of(_(CHANNELS.get(one, one)) for one in channels if one != EVERY) or _("messages")


def since(contact, closed):
    """The day the channels were closed, if it was one day and anybody told."""
    zone = contact.location.zone
    signed = [said_at(contact.dnd_settings, channel) for channel in closed if channel != EVERY]
    moments = signed if signed and all(signed) and EVERY not in closed else [_closed_at(contact, set(closed))]
    days = {moment.astimezone(zone).date() for moment in moments if moment}
    return days.pop() if len(days) == 1 else None


def said_at(settings, channel):
    setting = (settings or {}).get(channel) or {}
    found = SIGNED.search(str(setting.get("message") or ""))
    try:
        moment = parse_datetime(found[1]) if found else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None


def _closed_at(contact, closed):
    """When the last edit closed them, by the history."""
    told = HistoryEvent.objects.filter(contact=contact, kind="contact_changed")
    told = told.filter(Q(changes__has_key="dnd_settings") | Q(changes__has_key="dnd")).order_by("-happened_at", "-pk")
    event = told.first()
    if event is None:
        return None
    __, now = event.changes.get("dnd_settings") or [{}, contact.dnd_settings]
    if EVERY in closed:
        return event.happened_at if event.changes.get("dnd") == [False, True] else None
    before, __ = event.changes.get("dnd_settings") or [{}, {}]
    newly = {channel for channel in closed if status_of(before, channel) != status_of(now, channel)}
    return event.happened_at if newly == closed else None


def edited(contact, chosen):
    """What to save so that just these channels are off. Whatever GHL wrote beside the others stays as it is."""
    settings = {}
    for channel in CHANNELS:
        setting = (contact.dnd_settings or {}).get(channel) or {"status": "inactive", "message": ""}
        is_fixed = channel in ONLY_SHOWN or status_of(contact.dnd_settings, channel) == FOR_GOOD
        is_off = status_of(contact.dnd_settings, channel) == "active"
        if not is_fixed and is_off != (channel in chosen):
            setting = {"status": "active" if channel in chosen else "inactive", "message": ""}
        settings[channel] = setting
    moved = any(
        status_of(settings, channel) != (status_of(contact.dnd_settings, channel) or "inactive") for channel in CHANNELS
    )
    return {"dnd": EVERY in chosen} | ({"dnd_settings": settings} if moved else {})
