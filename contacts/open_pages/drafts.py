"""What has been typed and not sent: kept on the server, so that it survives leaving, signing out and a crash."""

from functools import cached_property

from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.translation import gettext as _

from contacts.details.note_text import fingerprint, plain_text
from contacts.models import Change, Draft
from contacts.models.draft import LONGEST
from contacts.templatetags.ui import clock, when


class TooLong(Exception):
    """Nobody types so much by hand."""

    def __init__(self):
        words = _("This is too long to be kept as a draft: %(longest)s letters fit.")
        super().__init__(words % {"longest": f"{LONGEST:,}"})


class Drafts:
    """One person's drafts about one contact, read once when they are first asked for."""

    def __init__(self, user, contact):
        self.user, self.contact = user, contact

    @cached_property
    def rows(self):
        if self.user is None:
            return []
        return list(Draft.objects.filter(user=self.user, contact=self.contact).order_by("-saved_at"))

    def of(self, kind):
        return next((one for one in self.rows if one.kind == kind and one.note_id is None), None)

    def of_note(self, note):
        return next((one for one in self.rows if one.note_id == note.pk), None)

    @property
    def note(self):
        return self.of(Draft.Kind.NOTE)

    @property
    def task(self):
        return self.of(Draft.Kind.TASK)

    @property
    def call(self):
        return self.of(Draft.Kind.CALL)

    @property
    def latest_kind(self):
        return next((one.kind for one in self.rows if one.note_id is None), "")


def save(user, contact, kind, values):
    """The draft as it is now, or None where nothing is typed any more."""
    texts = {name: clean(values.get(name, "")) for name in Draft.NAMES[kind]}
    if not any(texts[name].strip() for name in Draft.TYPED[kind]):
        clear(user, contact, kind)
        return None
    fresh = {"texts": texts, "saved_at": timezone.now()}
    return Draft.objects.update_or_create(user=user, contact=contact, kind=kind, note=None, defaults=fresh)[0]


def save_edit(user, note, body, base):
    """The same for an edit of a note. Text that says what the note says is no edit."""
    body = clean(body)
    if body.strip() == plain_text(note.body).strip() or not body.strip():
        clear_edit(user, note)
        return None
    fresh = {"texts": {"body": body}, "base": base[:64], "saved_at": timezone.now(), "contact": note.contact}
    fresh["kind"] = Draft.Kind.NOTE
    return Draft.objects.update_or_create(user=user, note=note, defaults=fresh)[0]


def clean(text):
    if len(text) > LONGEST:
        raise TooLong
    return text.replace("\x00", "").replace("\r\n", "\n")


def clear(user, contact, kind):
    Draft.objects.filter(user=user, contact=contact, kind=kind, note=None).delete()


def clear_edit(user, note):
    Draft.objects.filter(user=user, note=note).delete()


def is_behind(draft, note):
    """Whether somebody has changed the note since this edit of it was begun."""
    return bool(draft.base) and draft.base != fingerprint(note.body)


def put_back(user, change):
    """What was taken back just after it was sent is a draft again, above what has been typed since."""
    if change.verb != Change.Verb.CREATE or change.made_by_id != user.pk or change.kind not in ("note", "task"):
        return None
    kind, texts = change.kind, {name: str(change.values.get(name) or "") for name in ("title", "body")}
    if kind == Change.Kind.NOTE:
        texts = {"body": plain_text(texts["body"])}
    since = Drafts(user, change.contact).of(kind)
    if since:
        texts = {name: "\n\n".join(filter(None, [text, since.texts.get(name, "")])) for name, text in texts.items()}
    return save(user, change.contact, kind, texts)


def said(draft):
    """Draft saved 14:18"""
    if draft is None:
        return ""
    is_today = timezone.localdate(draft.saved_at) == timezone.localdate()
    saved_at = clock(draft.saved_at) if is_today else when(draft.saved_at)
    return strip_tags(_("Draft saved %(when)s") % {"when": saved_at})
