"""A note's body as text to edit. GHL keeps HTML; people here write plain text."""

import hashlib
import html
import re

from contacts.templatetags.ui import LOOKS_LIKE_HTML

LONG = 700  # letters, or
MANY_LINES = 9  # lines: from there a note is shown in part
ENDS_A_LINE = re.compile(r"<br\s*/?>|</(?:p|div|li|h[1-6]|tr|blockquote|pre)\s*>", re.I)
FORMATTING = re.compile(r"<(?:a|b|strong|i|em|u|s|ul|ol|table|h[1-6]|blockquote|pre|code|mark|img)\b", re.I)
UNSEEN = re.compile(r"<(script|style)\b.*?</\1\s*>", re.I | re.S)


def plain_text(body):
    if not LOOKS_LIKE_HTML.search(body):
        return body
    text = ENDS_A_LINE.sub("\n", UNSEEN.sub("", re.sub(r"\s*\n\s*", " ", body)))
    lines = [line.strip() for line in html.unescape(re.sub(r"<[^>]*>", "", text)).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def loses_formatting(body):
    return bool(LOOKS_LIKE_HTML.search(body) and FORMATTING.search(body))


def is_long(body):
    text = plain_text(body)
    return len(text) > LONG or text.count("\n") >= MANY_LINES


def fingerprint(body):
    """Says whether a text is still the one that somebody has seen."""
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()[:32]
