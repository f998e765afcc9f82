"""Two contacts side by side: what differs, what may be copied over, and which of them to keep."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from contacts.badges import Badges
from contacts.details.fields import Field, fields_of

TAGS = "tags"
REACH = ("email", "phone")  # what GHL lets no two contacts of a location share, where duplicates are not allowed


@dataclass
class Side:
    contact: object
    field: Field | None = None
    change: object = None  # how far an edit of it has come
    why_not: str = ""  # why nothing may be copied to here
    words: str = ""

    @property
    def takes_a_copy(self):
        return not self.why_not


@dataclass
class Row:
    slug: str
    label: str
    left: Side
    right: Side

    @property
    def differs(self):
        return self.left.words.casefold() != self.right.words.casefold()


def rows_of(one, other):
    """What is known of at least one of two contacts, field by field."""
    badges = {contact.pk: Badges(contact) for contact in (one, other)}
    theirs = {_meant(field): field for field in fields_of(other)}
    rows = []
    for field in fields_of(one):
        match = theirs.get(_meant(field))
        if field.is_empty and (match is None or match.is_empty):
            continue
        left = Side(one, field, badges[one.pk].of_field(field), why_not(one, field, match), field.words)
        right = Side(other, match)
        if match is None:
            left.why_not = right.why_not = _("The other GHL account has no such field.")
        else:
            right = Side(other, match, badges[other.pk].of_field(match), why_not(other, match, field), match.words)
        rows.append(Row(field.slug, field.label, left, right))
    return [*rows, *_tags(one, other, badges)]


def match_of(field, contact):
    """The field of another contact that means the same."""
    return next((one for one in fields_of(contact) if _meant(one) == _meant(field)), None)


def why_not(contact, field, source):
    """Why the source's value may not be written here; "" when it may."""
    if field is None or source is None:
        return _("The other GHL account has no such field.")
    if not contact.is_editable:
        return _(contact.location.not_editable_because) or _("This contact cannot be changed.")
    if field.is_fixed:
        return field.reason
    if source.is_empty:
        return _("There is nothing to copy.")
    if field.key in REACH and not contact.location.allow_duplicates:
        return _("GHL keeps it on one contact only: it goes along when they are merged.")
    return ""


def _meant(field):
    """What makes fields of two contacts the same: within a location its id, between two locations its name and kind."""
    return (field.control, field.label.casefold()) if field.is_custom else field.key


def _tags(one, other, badges):
    if not one.tags and not other.tags:
        return []
    nothing = _("There is nothing to copy.")
    left, right = (
        Side(
            contact, change=badges[contact.pk].tags, words=", ".join(contact.tags),
            why_not="" if contact.is_editable and set(source.tags) - set(contact.tags) else nothing,
        )
        for contact, source in ((one, other), (other, one))
    )  # fmt: skip
    return [Row(TAGS, _("Tags"), left, right)]


# --- which to keep ----------------------------------------------------------------------------------------------------


@dataclass
class Weight:
    notes: int
    tasks: int
    appointments: int

    @property
    def total(self):
        return self.notes + self.tasks + self.appointments


def weight_of(contact):
    """What hangs on a contact."""
    kinds = (contact.notes, contact.tasks, contact.appointments)
    return Weight(*(rows.present().count() for rows in kinds))


def keep_which(one, other, weights):
    """(the contact that had better stay, why)."""
    heavier, lighter = sorted((one, other), key=lambda contact: -weights[contact.pk].total)
    if weights[heavier.pk].total > weights[lighter.pk].total:
        return heavier, _("more notes, tasks and appointments hang on it")
    older = min((one, other), key=lambda contact: contact.remote_created_at or contact.created_at)
    return older, _("it is the older one")
