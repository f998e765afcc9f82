"""Texts of pages ready for translation: none stands in a template, a script or a style where makemessages is blind."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.template.base import Lexer, TokenType

TEMPLATES = Path(settings.BASE_DIR) / "templates"
STATIC = Path(settings.BASE_DIR) / "static"

# The same in every language.
NAMES = {"Rankr", "GHL", "min", "Enter", "Escape", "Process", "Content-Type"}
SPOKEN = {
    "alt",
    "aria-label",
    "data-announce",
    "data-label",
    "data-less",
    "data-more",
    "data-none",
    "label",
    "placeholder",
    "title",
}
UNREAD = {"script", "style", "code", "kbd", "pre", "svg"}
# Their quoted words are addresses, names of templates and what is compared, not texts.
SILENT = {"block", "elif", "extends", "get_current_language", "if", "load", "static", "url"}

WORD = re.compile(r"[^\W\d_]{2,}")
QUOTED = re.compile(r"""(_\()?(?:"([^"]*)"|'([^']*)')""")
BEGINS = re.compile(r"[A-Z][a-z]+(\W|$)")
SENTENCE = re.compile(rf"^{BEGINS.pattern}|[A-Za-z]{{2,}} [a-z]{{2,}}")
LONG_SENTENCE = re.compile(rf"^{BEGINS.pattern}|^\w.*[A-Za-z]{{2,}} [a-z]{{2,}} [a-z]{{2,}}")  # no selector


def words_in(text):
    return [] if text in NAMES else [word for word in WORD.findall(text) if word not in NAMES]


class Page(HTMLParser):
    """What a person would read or hear of a page."""

    def __init__(self):
        super().__init__()
        self.texts = []
        self.around = []

    def handle_starttag(self, tag, attrs):
        if tag in UNREAD:
            self.around.append(tag)
        for name, value in attrs:
            may_speak = name == "value" or name.startswith("data-")
            is_spoken = name in SPOKEN or (may_speak and BEGINS.match(value or ""))
            if is_spoken and words_in(value or ""):
                self.texts.append(f"{name}={value.strip()}")

    def handle_endtag(self, tag):
        if self.around and self.around[-1] == tag:
            self.around.pop()

    def handle_data(self, data):
        if not self.around and words_in(data):
            self.texts.append(" ".join(data.split()))


def untranslated(source, is_html=True):
    """The texts of a template that stand outside of translate and blocktranslate. … is where a variable would be."""
    found, rest, until = [], [], ""
    for token in Lexer(source).tokenize():
        name = token.contents.split()[0] if token.contents.strip() else ""
        if until:
            until = "" if token.token_type == TokenType.BLOCK and name == until else until
        elif token.token_type == TokenType.TEXT:
            rest.append(token.contents)
        elif token.token_type == TokenType.BLOCK and name in ("blocktranslate", "comment"):
            until = f"end{name}"
        elif token.contents == "block frame_class":
            until = "endblock"
        elif token.token_type in (TokenType.VAR, TokenType.BLOCK) and name not in ("translate", *SILENT):
            rest.append("…" if token.token_type == TokenType.VAR else "")
            literals = (one[1] or one[2] for one in QUOTED.findall(token.contents) if not one[0])
            found += [text for text in literals if SENTENCE.search(text)]
            found += [token.contents] if "|pluralize" in token.contents else []
    if not is_html:
        lines = "".join(rest).splitlines()
        return found + [line for line in lines if words_in(re.sub(r"\S*[/?]\S*", "", line))]
    page = Page()
    page.feed("".join(rest))
    page.close()
    return found + page.texts


def test_every_text_of_a_template_can_be_translated():
    left = {}
    for path in sorted(TEMPLATES.rglob("*.*")):
        if found := untranslated(path.read_text(), path.suffix == ".html"):
            left[path.relative_to(TEMPLATES).as_posix()] = found
    assert left == {}, "Wrap these in {% translate %} or {% blocktranslate %}, or in _() inside of a tag."


def literals_of(script):
    code = re.sub(r"(?:^|\s)//[^\n]*|/\*.*?\*/", "", script, flags=re.DOTALL)
    return [literal[1:-1] for literal in re.findall(r""""[^"\n]*"|'[^'\n]*'|`[^`]*`""", code)]


def test_scripts_hold_no_texts():
    """What they say stands in templates/ui/_words.html, or with the element that says it."""
    left = {}
    for path in sorted((STATIC / "js").glob("*.js")):
        if found := [text for text in literals_of(path.read_text()) if LONG_SENTENCE.search(text) and words_in(text)]:
            left[path.name] = found
    assert left == {}


def test_the_words_that_scripts_ask_for_are_there():
    there = set(re.findall(r"data-([\w-]+)=", (TEMPLATES / "ui/_words.html").read_text()))
    scripts = [path.read_text() for path in (STATIC / "js").glob("*.js")]
    asked = {
        re.sub("([A-Z])", lambda capital: f"-{capital[1].lower()}", name)
        for script in scripts if re.search(r"import .*\bwords\b|const words = .*dataset", script)
        for name in re.findall(r"\bwords\.([a-zA-Z]+)", script)
    }  # fmt: skip
    assert asked
    assert asked <= there


def test_styles_hold_no_texts():
    left = {}
    for path in sorted((STATIC / "css").rglob("*.css")):
        contents = re.findall(r"content:([^;}]*)", path.read_text())
        literals = [literal for content in contents for literal in re.findall(r'"([^"]*)"', content)]
        if found := [literal for literal in literals if words_in(literal)]:
            left[path.name] = found
    assert left == {}


@pytest.mark.parametrize(
    "source",
    [
        "<p>Nothing is late.</p>",
        "<p>{{ count }} overdue</p>",
        '<button aria-label="Close">{% icon "x" %}</button>',
        '<button aria-label="Close {{ name }}"></button>',
        '<input value="Follow up">',
        '{% include "ui/_toast.html" with text="Task done" %}',
        '{{ name|default:"No owner" }}',
        "{{ task.completed|yesno:'Task done,Task is open' }}",
        "{% translate 'task' %}{{ count|pluralize }}",
        "{% if here %}Here{% endif %}",
    ],
)
def test_a_text_without_a_tag_is_found(source):
    assert untranslated(source)


@pytest.mark.parametrize(
    "source",
    [
        '<p class="Big">{% translate "Nothing is late." %}</p>',
        "<p>{% blocktranslate count n=count %}{{ n }} task{% plural %}{{ n }} tasks{% endblocktranslate %}</p>",
        '<button aria-label="{% translate "Close" %}" title="{{ name }}">×</button>',
        '{% include "ui/_toast.html" with text=_("Task done") level="error" %}',
        '{{ at|date:"j F Y" }} · GHL <kbd>Ctrl</kbd> {# words #}',
        '{% if name == "Theirs" %}{% url "contacts:today" %}{% endif %}<script>const a = "Words of it";</script>',
    ],
)
def test_nothing_else_is_taken_for_one(source):
    assert untranslated(source) == []
