"""Words of the contact page that are worked out from a row."""

from django import template

from contacts import access, badges
from contacts.models import Change

register = template.Library()

register.filter("cost", badges.cost_of)
register.filter("give_up", badges.give_up_words)
register.filter("sides", badges.sides_of)
register.filter("exchange", badges.exchange_words)


@register.filter
def undoable_by(change, user):
    """Whether an Undo button belongs beside this change."""
    goes = change.state in (Change.State.CONFIRMED, *Change.UNSETTLED) or change.undoes_id
    return bool(goes) and not change.is_undecided and access.may_undo(user, change)
