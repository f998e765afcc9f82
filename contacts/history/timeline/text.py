"""Words in a history: found without regard to case and accents, and marked where they stand."""

import html
import re
import unicodedata

from django.db.models import Case, F, Func, Q, TextField, When
from django.db.models.functions import Cast
from django.utils.html import escape
from django.utils.safestring import mark_safe

from contacts.history.timeline.words import PEOPLE, Names
from contacts.models import Contact, RemoteUser

STROKES = str.maketrans("ØøŁłĐđ", "OoLlDd")
# The signs above and below letters: Latin, Greek and Cyrillic; Hebrew; Arabic.
ACCENTS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670"
ACCENT = re.compile(f"[{ACCENTS}]")


def fold(text):
    """As the database folds in Folded."""
    text = unicodedata.normalize("NFKD", text.translate(STROKES).replace("ß", "ss"))
    return ACCENT.sub("", text).lower()


class Folded(Func):
    template = (
        "lower(regexp_replace(normalize(replace(translate(%(expressions)s, 'ØøŁłĐđ', 'OoLlDd'), 'ß', 'ss'), NFKD),"
        f" '[{ACCENTS}]', '', 'g'))"
    )
    output_field = TextField()


class WithoutTags(Func):
    template = "replace(replace(regexp_replace(%(expressions)s, '<[^>]*>', ' ', 'g'), '&nbsp;', ' '), '&amp;', '&')"
    output_field = TextField()


class Values(Func):
    """The words and numbers within a JSON column: neither its keys, nor ids that nobody reads."""

    template = (
        "jsonb_path_query_array(%(expressions)s - ARRAY['owner_remote_id','assignee_remote_id','author_remote_id',"
        "'company_remote_id','calendar_remote_id'], '$.** ? (@.type() == \"string\" || @.type() == \"number\")')"
    )
    output_field = TextField()


class Spaced(Func):
    """One after another with a space between, without those that are null."""

    template = "concat_ws(' ', %(expressions)s)"
    output_field = TextField()


def holding(events, location, query):
    """The events in which every word of the query stands somewhere."""
    note = Spaced("note__title", WithoutTags(F("note__body")))
    note = Case(When(note__deleted_at=None, then=note), output_field=TextField())  # what was deleted is not told
    values = Cast(Values("changes"), TextField())
    titles = ("task__title", "appointment__title", "title", "detail", "reason", "user__name", "actor_name")
    events = events.alias(words=Folded(Spaced(note, *titles, values)))
    people = dict(RemoteUser.objects.filter(location=location).values_list("remote_id", "name"))
    customs = dict(location.custom_fields.values_list("remote_id", "name"))
    for word in fold(query).split():
        events = events.filter(Q(words__contains=word) | _about(word, people, customs, Names(location, [])))
    return events


def _about(word, people, customs, names):
    """Changes of a field of that name, and of who is responsible to somebody of that name."""
    found = Q()
    for key in Contact.VALUES:
        if word in fold(names.label(key)):
            found |= Q(changes__has_key=key)
    for remote_id, name in customs.items():
        if word in fold(name):
            found |= Q(changes__custom_values__0__has_key=remote_id) | Q(changes__custom_values__1__has_key=remote_id)
    for remote_id, name in people.items():
        if word in fold(name):
            for key in PEOPLE:
                found |= Q(**{f"changes__{key}__contains": [remote_id]})
    return found


# --- marks ------------------------------------------------------------------------------------------------------------

TAG = re.compile(r'(<[^>"]*(?:"[^"]*"[^>"]*)*>)')  # a > within quotes ends no tag


def marked(text, query):
    """Escaped, with <mark> around each word of the query."""
    return mark_safe(_wrapped(str(text), spans_of(str(text), query), "<mark>", "</mark>"))  # noqa: S308 (escaped piecewise)


def marked_html(clean, query="", names=None):
    """The same for HTML that is harmless already; the names of people after an @ are set off."""
    if not query and names is None:
        return mark_safe(clean)  # noqa: S308 (cleaned by the caller)
    parts = TAG.split(str(clean))
    for at in range(0, len(parts), 2):  # text; tags stand between
        words = html.unescape(parts[at])
        if query and (spans := spans_of(words, query)):
            parts[at] = _wrapped(words, spans, "<mark>", "</mark>")
        elif names is not None and (spans := [match.span() for match in names.finditer(words)]):
            parts[at] = _wrapped(words, spans, '<b class="mention">', "</b>")
    return mark_safe("".join(parts))  # noqa: S308 (only our own tags are added, the pieces are escaped)


def spans_of(text, query):
    """Where the words stand in the text, by its own letters: folding may make one letter two, or none."""
    folded, places = [], []
    for place, letter in enumerate(text):
        plain = fold(letter)
        folded.append(plain)
        places += [place] * len(plain)
    whole = "".join(folded)
    spans = []
    for word in set(fold(query).split()):
        at = whole.find(word)
        while at != -1:
            spans.append((places[at], places[at + len(word) - 1] + 1))
            at = whole.find(word, at + len(word))
    return sorted(spans)


def _wrapped(text, spans, before, after):
    pieces, end = [], 0
    for start, stop in spans:
        if start < end:  # two words overlap
            continue
        pieces += [escape(text[end:start]), before, escape(text[start:stop]), after]
        end = stop
    return "".join([*pieces, escape(text[end:])])
