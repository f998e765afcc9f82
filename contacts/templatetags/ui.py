"""What templates say often: icons, people, moments, phone numbers, other people's HTML, links that keep the filters."""

import datetime as dt
import html
import re
import zlib
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import nh3
from django import template
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.html import escape, format_html, linebreaks, urlize
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from lucide.templatetags.lucide import lucide

from contacts import localised
from contacts.details import phones

register = template.Library()

# --- icons and people ---------------------------------------------------------------------------------------------


@register.simple_tag
def icon(name, size=16, label=""):
    """A Lucide icon. Without a label it is decoration and screen readers pass over it."""
    return _icon(str(name), int(size), str(label))


@lru_cache(maxsize=512)
def _icon(name, size, label):
    named = {"role": "img", "aria_label": label} if label else {"aria_hidden": "true"}
    attributes = {"stroke_width": "1.6", "focusable": "false", "class": "icon"} | named
    return lucide(name, size=size, **attributes)


@register.filter
def initials(name):
    """Two letters that stand for a name; a dot for one without letters or figures, such as an emoji."""
    words = [word for word in (re.sub(r"[\W_]", "", part) for part in str(name or "").split()) if word]
    if not words:
        return "·"
    letters = words[0][0] + (words[-1][0] if len(words) > 1 else words[0][1:2])
    return letters.upper()


@register.filter
def hue(name):
    """One of twelve tints, always the same for the same name."""
    return zlib.crc32(str(name or "").strip().casefold().encode()) % 12


@register.simple_tag
def avatar(name, size=20, square=False):
    """Initials on the person's tint. Decoration: the name belongs beside it."""
    return _avatar(str(name or ""), int(size), bool(square))


@lru_cache(maxsize=2048)
def _avatar(name, size, square):
    return format_html(
        '<span class="avatar avatar--{}{} hue-{}" aria-hidden="true">{}</span>',
        size,
        " avatar--square" if square else "",
        hue(name),
        initials(name),
    )


# --- moments ------------------------------------------------------------------------------------------------------


@register.filter
def when(moment, zone=None):
    """Today 14:20; Mon 23 Nov, 10:30; 3 Nov 2025, 09:00. A date has no clock. Here and below as the reader's region
    writes it."""
    return _time(moment, zone, _when)


@register.filter
def day(moment, zone=None):
    """Today; Mon 23 Nov; 3 Nov 2025."""
    return _time(moment, zone, _near_day)


@register.filter
def long_day(moment, zone=None):
    """Today, Monday 23 November; Friday 20 November; Friday 21 November 2025."""
    return _time(moment, zone, _long_day)


@register.filter
def clock(moment, zone=None):
    """14:20"""
    return _time(moment, zone, lambda local, now: localised.clock(local))


@register.filter
def ago(moment, zone=None):
    """3 min ago; 5 h ago; 2 days ago; in 3 h; from a month on the date."""
    return _time(moment, zone, _ago)


@register.filter
def late(due, zone=None):
    """How late something due is: "4 days late", "2 h late", and nothing while there is time."""
    due = _as_moment(due)
    if due is None:
        return ""
    local, now = _local(due, zone)
    if not isinstance(local, dt.datetime):
        days = (now.date() - local).days
        return _("%(time)s late") % {"time": _days(days)} if days > 0 else ""
    if local >= now:
        return ""
    days = (now.date() - local.date()).days
    return _("%(time)s late") % {"time": _days(days) if days else _span(now - local)}


@register.simple_tag
def other_clock(zone):
    """ "Chicago time", where the clock there shows another hour than the reader's own; else nothing."""
    now = timezone.now()
    if now.astimezone(_zone(zone)).utcoffset() == timezone.localtime(now).utcoffset():
        return ""
    return _("%(place)s time") % {"place": str(zone).rsplit("/", 1)[-1].replace("_", " ")}


def _time(value, zone, wording):
    moment = _as_moment(value)
    if moment is None:
        return ""
    local, now = _local(moment, zone)
    full = localised.long_day_and_year(_date(local))
    if isinstance(local, dt.datetime):
        full = f"{full}, {localised.clock(local)} {local:%Z}"
        mine = timezone.localtime(moment)
        if mine.utcoffset() != local.utcoffset():
            full = _("%(there)s (%(here)s by your clock)") % {"there": full, "here": _when(mine, timezone.localtime())}
    # By hand, for a page has a hundred of them: only the words may hold anything to escape.
    words = f'title="{html.escape(full)}">{html.escape(wording(local, now))}'
    return SafeString(f'<time datetime="{moment.isoformat()}" {words}</time>')


def _as_moment(value):
    if isinstance(value, str):
        try:
            value = parse_datetime(value) or parse_date(value)
        except ValueError:
            return None
    if isinstance(value, dt.datetime) and timezone.is_naive(value):
        return timezone.make_aware(value)
    return value if isinstance(value, dt.date) else None


def _local(moment, zone):
    zone = _zone(zone)
    now = timezone.now().astimezone(zone)
    return (moment.astimezone(zone) if isinstance(moment, dt.datetime) else moment), now


def _zone(zone):
    if isinstance(zone, dt.tzinfo):
        return zone
    try:
        return ZoneInfo(str(zone)) if zone else timezone.get_current_timezone()
    except (ZoneInfoNotFoundError, ValueError):
        return timezone.get_current_timezone()


def _when(local, now):
    near = _near_day(local, now)
    if not isinstance(local, dt.datetime):
        return near
    pattern = _("%(day)s %(clock)s") if _days_off(local, now) in NEAR else _("%(day)s, %(clock)s")
    return pattern % {"day": near, "clock": localised.clock(local)}


NEAR = {-1: gettext_lazy("Yesterday"), 0: gettext_lazy("Today"), 1: gettext_lazy("Tomorrow")}


def _near_day(local, now):
    days_off = _days_off(local, now)
    if near := NEAR.get(days_off):
        return str(near)
    date = _date(local)
    # Around New Year the nearest months still read without a year.
    if date.year == now.year or abs(days_off) < 60:
        return localised.day(date)
    return localised.day_and_year(date)


def _long_day(local, now):
    date = _date(local)
    words = localised.long_day(date) if date.year == now.year else localised.long_day_and_year(date)
    near = NEAR.get(_days_off(local, now))
    return f"{near}, {words}" if near else words


def _days_off(local, now):
    return (_date(local) - now.date()).days


def _ago(local, now):
    if not isinstance(local, dt.datetime):
        return _near_day(local, now)
    passed = now - local
    if abs(passed) >= dt.timedelta(days=30):
        return _near_day(local, now)
    if abs(passed) < dt.timedelta(seconds=45):
        return _("just now")
    if passed > dt.timedelta(0):
        return _("%(time)s ago") % {"time": _span(passed)}
    return _("in %(time)s") % {"time": _span(-passed)}


def _span(length):
    minutes = max(1, round(length.total_seconds() / 60))
    if minutes < 60:
        return _("%(count)s min") % {"count": minutes}
    if minutes < 24 * 60:
        return _("%(count)s h") % {"count": minutes // 60}
    return _days(minutes // (24 * 60))


def _days(count):
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": localised.number(count)}


def _date(local):
    return local.date() if isinstance(local, dt.datetime) else local


# --- sentences of ours ------------------------------------------------------------------------------------------------


@register.filter
def said(sentence):
    """A sentence that a row keeps, in the language of whoever reads it; one that GHL said stays as it was said."""
    return _(str(sentence or ""))


# --- numbers ----------------------------------------------------------------------------------------------------------


@register.filter
def thousands(number):
    """12,402"""
    return localised.number(number) if isinstance(number, int) else number


# --- phone numbers ------------------------------------------------------------------------------------------------


@register.filter
def phone(number, country="US"):
    """The way people of that country write it; with the country code when it belongs to another; untouched if odd."""
    return phones.readable(str(number or ""), country)


# --- what others wrote --------------------------------------------------------------------------------------------

# No images: they would tell the sender who read the note and when. No ids or classes: they could imitate our pages.
# fmt: off
KEPT_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5",
    "h6", "hr", "i", "ins", "li", "mark", "ol", "p", "pre", "s", "small", "span", "strike", "strong", "sub", "sup",
    "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}
# fmt: on
note_html = nh3.Cleaner(
    tags=KEPT_TAGS,
    clean_content_tags={"script", "style", "title", "noscript", "template"},
    attributes={"a": {"href", "title"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}, "ol": {"start"}},
    # A table that is wider than its column scrolls, which takes a key press somewhere in it.
    set_tag_attribute_values={"a": {"target": "_blank"}, "table": {"tabindex": "0"}},
    url_schemes={"http", "https", "mailto"},
    # An address without a scheme would lead into our own pages.
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
    strip_comments=True,
)
LOOKS_LIKE_HTML = re.compile(
    rf"</?(?:{'|'.join(sorted(KEPT_TAGS))}|script|style|img|font|center|svg|iframe|body|html)\b[^<>]*>|&[a-z#0-9]+;",
    re.I,
)


@register.filter
def safe_html(text):
    """A note's body, harmless. Plain text keeps its lines and gets its links; HTML keeps words, lists and links."""
    text = str(text or "").strip()
    if not text:
        return ""
    if not LOOKS_LIKE_HTML.search(text):
        text = linebreaks(urlize(escape(text), nofollow=True))
    return mark_safe(note_html.clean(text))  # noqa: S308 (cleaned by the line's own allow-list)


# --- form controls ------------------------------------------------------------------------------------------------


@register.filter
def as_control(field):
    """The control of a bound field with our class; a placeholder that only repeats the label goes."""
    widget = field.field.widget
    own = "check" if field.widget_type == "checkbox" else "input"
    attrs = {"class": f"{own} {widget.attrs.get('class', '')}".strip()}
    if str(field.label).casefold() in str(widget.attrs.get("placeholder", "")).casefold():
        attrs["placeholder"] = False
    return field.as_widget(attrs=attrs)


# --- links that keep the filters ----------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def query_string(context, **changes):
    """The page's query with some names changed; None or "" takes a name out, a list writes it several times."""
    query = context["request"].GET.copy()
    if "after" not in changes:
        query.pop("after", None)  # the place in the old list means nothing in the new one
    for name, value in changes.items():
        if value is None or value == "" or value == []:
            query.pop(name, None)
        elif isinstance(value, (list, tuple, set)):
            query.setlist(name, [str(one) for one in value])
        else:
            query[name] = str(value)
    return _query(query)


@register.simple_tag(takes_context=True)
def query_without(context, name, value=None):
    """The page's query without one name, or without one of the values of that name."""
    query = context["request"].GET.copy()
    query.pop("after", None)
    kept = [one for one in query.getlist(name) if value is not None and one != str(value)]
    query.setlist(name, kept) if kept else query.pop(name, None)
    return _query(query)


def _query(query):
    # "?" alone, not an empty href: it leads to the page without filters rather than to the same address.
    return "?" + query.urlencode()
