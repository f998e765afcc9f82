from django import template
from django.utils.translation import gettext as _

from contacts.details import fields, phones

register = template.Library()


class CaseNode(template.Node):
    def __init__(self, subject, cases, otherwise):
        self.subject, self.cases, self.otherwise = subject, cases, otherwise
        self.nodelist = template.NodeList([node for nodes in (*cases.values(), otherwise) for node in nodes])

    def render(self, context):
        return self.cases.get(self.subject.resolve(context), self.otherwise).render(context)


@register.tag
def case(parser, token):
    """{% case key %}{% of "owner" %}…{% of "tags" %}…{% otherwise %}…{% endcase %}

    A chain of if and elif compares with each in turn, and the cells of a list are hundreds.
    """
    _, subject = token.split_contents()
    parser.parse(("of",))  # nothing but white space
    cases, mark = {}, parser.next_token()
    while mark.split_contents()[0] == "of":
        key = mark.split_contents()[1].strip('"')
        cases[key] = parser.parse(("of", "otherwise"))
        mark = parser.next_token()
    otherwise = parser.parse(("endcase",))
    parser.delete_first_token()
    return CaseNode(parser.compile_filter(subject), cases, otherwise)


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
