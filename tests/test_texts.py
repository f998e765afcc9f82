"""Words that people read are ready for translation, and only what is shown is translated, never what is kept."""

import ast
import re
from pathlib import Path

import pytest
from django.utils import timezone, translation
from django.utils.translation import gettext

from contacts.models import HistoryEvent, Note
from tests.translating import speak_german

ROOT = Path(__file__).resolve().parent.parent
MARKS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext"}
SPOKEN_NAMES = {"label", "help_text", "empty_label"}
REFUSALS = {
    "ValidationError", "NotEditable", "NotUndoable", "Unclear", "CannotPlan", "CannotConnect",
}  # fmt: skip


def sources():
    for room in ("contacts", "integrations"):
        paths = sorted((ROOT / room).rglob("*.py"))
        yield from (path for path in paths if not {"migrations", "sandbox", "management"} & set(path.parts))


def trees():
    for path in sources():
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def called(node):
    function = node.func if isinstance(node, ast.Call) else None
    return getattr(function, "id", None) or getattr(function, "attr", None)


def spoken(tree):
    """The expressions whose text is shown to people, as far as their place tells."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from (word.value for word in node.keywords if word.arg in SPOKEN_NAMES)
            if getattr(getattr(node.func, "value", None), "id", "") == "messages" or called(node) == "add_error":
                yield from node.args[1:]
            elif called(node) in REFUSALS:
                yield from node.args[:1]
            elif called(node) == "append" and getattr(getattr(node.func, "value", node), "attr", "") == "problems":
                yield from node.args
            yield from (word.value for word in node.keywords if word.arg == "error_messages")
        elif isinstance(node, ast.Dict):
            named = zip(node.keys, node.values, strict=True)
            yield from (value for key, value in named if isinstance(key, ast.Constant) and key.value == "said")
        elif isinstance(node, ast.ClassDef) and any(getattr(base, "attr", "") == "TextChoices" for base in node.bases):
            members = [one.value for one in node.body if isinstance(one, ast.Assign)]
            yield from (one.elts[1] for one in members if isinstance(one, ast.Tuple))


def unmarked(expression):
    """The words in it that no translator would ever see."""
    if called(expression) in MARKS:
        return
    if isinstance(expression, ast.JoinedStr):
        texts = [part.value for part in expression.values if isinstance(part, ast.Constant)]
        if re.search(r"[a-z]{2}", "".join(texts)):
            yield ast.unparse(expression)
    elif isinstance(expression, ast.Constant):
        if isinstance(expression.value, str) and re.match(r"[A-Z][a-z]|.*[a-z] ", expression.value):
            yield expression.value
    elif isinstance(expression, ast.Dict):
        for value in expression.values:
            yield from unmarked(value)
    elif not isinstance(expression, ast.Compare):
        for child in ast.iter_child_nodes(expression):
            yield from unmarked(child)


def test_what_people_read_is_marked():
    assert [(name, words) for name, tree in trees() for one in spoken(tree) for words in unmarked(one)] == []


@pytest.mark.parametrize("line", [
    'messages.success(request, "It is done.")',
    'messages.success(request, f"{name} was added.")',
    'raise NotEditable("It was deleted." if gone else _("It is locked."))',
    'forms.CharField(label="Phone")',
    'forms.CharField(error_messages={"required": "Write something first."})',
    'context = {"said": f"{field} saved"}',
    'class Kind(models.TextChoices):\n    NOTE = "note", "Note"',
])  # fmt: skip
def test_a_forgotten_mark_is_found(line):
    assert [words for one in spoken(ast.parse(line)) for words in unmarked(one)]


@pytest.mark.parametrize("line", [
    'messages.success(request, _("%(name)s was added.") % {"name": person.name})',
    'raise NotEditable(_("It is locked."))',
    'forms.CharField(label=gettext_lazy("Phone"))',
])  # fmt: skip
def test_a_mark_is_seen(line):
    assert [words for one in spoken(ast.parse(line)) for words in unmarked(one)] == []


# --- the marked words -------------------------------------------------------------------------------------------------


def marked():
    """{(words,) or (singular, plural)} of all that is marked in Python."""
    found = set()
    for _name, tree in trees():
        for node in ast.walk(tree):
            if called(node) in MARKS and node.args and isinstance(node.args[0], ast.Constant):
                found.add(tuple(one.value for one in node.args[: 2 if called(node) == "ngettext" else 1]))
    return found


def test_only_whole_texts_are_marked():
    """What is put together before it is marked is found by no translator."""
    wrong = [
        (name, ast.unparse(node))
        for name, tree in trees()
        for node in ast.walk(tree)
        if called(node) in MARKS and node.args and isinstance(node.args[0], ast.JoinedStr | ast.BinOp)
    ]
    assert wrong == []


def test_english_stays_as_it_is_written():
    """Django and allauth have words of their own in British English; none of them may turn ours into others."""
    with translation.override("en-gb"):
        assert [words for words, *_ in marked() if gettext(words) != words] == []


@pytest.fixture
def foreign(settings, tmp_path, monkeypatch):
    """A language in which every word of the code stands in brackets."""
    words = {}
    for each in marked():
        brackets = tuple(f"‹{one}›" for one in each)
        words |= {each: brackets} if len(each) > 1 else {each[0]: brackets[0]}
    speak_german(words, tmp_path, settings, monkeypatch)


@pytest.fixture
def ana_abroad(foreign, as_user, ana):
    ana.language = "de"
    ana.save()
    return as_user(ana)


def test_the_contact_page_is_read_in_another_language(ana_abroad, contact):
    HistoryEvent.objects.create(
        contact=contact, location=contact.location, kind="tags_changed", changes={"tags": [[], ["vip"]]},
        actor_kind="ghl", happened_at=timezone.now(),
    )  # fmt: skip
    page = ana_abroad.get(f"/contacts/{contact.pk}/").content.decode()
    assert "‹added tag vip›" in page and "‹First name›" in page and "‹Contact›" in page


def test_what_is_kept_stays_english(ana_abroad, contact):
    """It is read by others, in languages of their own."""
    said = {"outcome": "Left voicemail", "minutes": "6", "body": ""}
    assert ana_abroad.post(f"/contacts/{contact.pk}/calls/add/", said).status_code == 302
    assert Note.objects.get(contact=contact).title == "Call, 6 min, left voicemail"
    for name in ("first_name", "last_name", "email", "phone"):
        ana_abroad.post(f"/contacts/{contact.pk}/fields/{name}/", {"value": ""})
    contact.refresh_from_db()
    assert "‹" not in contact.sort_name
    kept = HistoryEvent.objects.filter(contact=contact).values_list("actor_name", "title", "detail", "reason")
    assert kept and "‹" not in repr([list(one) for one in kept])
