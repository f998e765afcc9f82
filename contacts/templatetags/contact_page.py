"""Words of the contact page that are worked out from a row."""

from django import template
from django.utils.html import format_html

from contacts import access, badges
from contacts.day.through import bar_of
from contacts.history.timeline import text
from contacts.models import Change
from contacts.open_pages import drafts
from contacts.templatetags.ui import when

register = template.Library()

register.filter("cost", badges.cost_of)
register.filter("give_up", badges.give_up_words)
register.filter("sides", badges.sides_of)
register.filter("exchange", badges.exchange_words)
register.filter("draft_said", drafts.said)
register.filter("marked", text.marked)


@register.inclusion_tag("contacts/_through.html", takes_context=True)
def through_bar(context, contact):
    """The queue this contact was opened by, if any; it costs nothing else."""
    request = context["request"]
    return {"request": request, "csrf_token": context.get("csrf_token"), **bar_of(request, contact.pk)}


@register.filter
def undoable_by(change, user):
    """Whether an Undo button belongs beside this change."""
    goes = change.state in (Change.State.CONFIRMED, *Change.UNSETTLED) or change.undoes_id
    return bool(goes) and not change.is_undecided and access.may_undo(user, change)


@register.simple_tag
def step_time(moment, of, zone):
    """The second, and the day where it is not that of the line."""
    there = moment.astimezone(zone)
    if there.date() != of.astimezone(zone).date():
        return when(moment, zone)
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), f"{there:%H:%M:%S}")
