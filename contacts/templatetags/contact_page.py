"""Words of the contact page that are worked out from a row."""

from django import template

from contacts import badges

register = template.Library()

register.filter("cost", badges.cost_of)
register.filter("give_up", badges.give_up_words)
