"""The one place that knows how search is indexed.

`search_text` holds everything a contact can be found by, folded: lower case, accents off, phones also as bare digits,
with a space before each word. A trigram index answers `LIKE '%word%'`, and `LIKE '% wo%'` for words too short for that.
Typing errors are looked for among the words a business uses (SearchWord), which are few, never among its contacts.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

from django.apps import apps
from django.contrib.postgres.search import TrigramSimilarity
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from contacts.details import phones

MAX_WORDS = 10  # more hardly narrow a search, and each costs
PHONE = 5  # digits that make a phone number of words without letters
INDEXED = 3  # letters in a row that the index needs to find them anywhere
LEARNT = (4, 40)  # letters of a word that typing errors are looked for in
ALIKE = 0.2  # of the trigrams; what is left is compared letter by letter
CANDIDATES = 40
SIMILAR = 3  # spellings offered for one word

_LETTERS = str.maketrans({
    "Ø": "O", "ø": "o", "ß": "ss", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE",
    "ı": "i", "'": None, "’": None, "ʼ": None,
})  # fmt: skip
_PHONE_SIGNS = re.compile(r"[\d()+./-]+")


def fold(text):
    """Lower case, without accents and apostrophes: "Óscar Ødegård" and "oscar odegard" meet."""
    text = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return "".join(letter for letter in text if not unicodedata.combining(letter)).casefold().strip()


def digits(text):
    return re.sub(r"\D", "", text)


def text_of(contact):
    parts = [contact.first_name, contact.last_name, contact.email, *_phone_words(contact)]
    parts += [contact.company_name, *contact.tags]
    if contact.company_id and contact.company.name != contact.company_name:
        parts.append(contact.company.name)
    return " " + fold(" ".join(part for part in parts if part))


def _phone_words(contact):
    """As typed, as bare digits, and with the country's code where that was left away."""
    if not contact.phone:
        return []
    words = [contact.phone, digits(contact.phone)]
    if not contact.phone.lstrip().startswith("+"):
        words.append(digits(phones.e164(contact.phone, phones.region_of(contact.location))))
    return dict.fromkeys(words)


# --- exactly what was typed -------------------------------------------------------------------------------------------


def matching(contacts, query):
    """The contacts that hold every word of the query. Signs are themselves, never wildcards."""
    words = words_of(query)
    if not words:
        return contacts.none()
    return contacts.filter(reduce(and_, map(_holds, words)))


def words_of(query):
    """The words to look for; what reads like a phone number becomes one word of digits.

    Signs alone are no words: no index finds them.
    """
    words, phone = [], []
    for word in [*fold(query).replace("(0)", "").split(), ""]:
        if _PHONE_SIGNS.fullmatch(word):
            phone.append(word)
        else:
            words += [*_as_phone(phone), word]
            phone = []
    words = [word for word in dict.fromkeys(words) if any(map(str.isalnum, word))]
    return words[:MAX_WORDS]


def _as_phone(words):
    """One word of digits, unless there are too few for a number: "24/7"."""
    number = digits("".join(words))
    return [number.lstrip("0") or number] if len(number) >= PHONE else words


def _holds(word):
    if _longest_run(word) >= INDEXED:
        return Q(search_text__contains=word)
    return Q(search_text__contains=f" {word}")


def _longest_run(word):
    """The most letters or digits in a row."""
    return max(map(len, re.split(r"[\W_]+", word)))


# --- nearly what was typed --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Similar:
    """Contacts for a query with typing errors, and the words that were found instead."""

    words: str
    contacts: QuerySet


def similar(contacts, query, businesses):
    """What was probably meant by a query that finds nothing; None if no word of these businesses comes near.

    `businesses` are those of `contacts`.
    """
    meant = [(word, _spellings(word, businesses)) for word in words_of(query)]
    if not meant or any(not spellings for _, spellings in meant):
        return None
    if all(spellings == [word] for word, spellings in meant):
        return None  # each is right, only nobody has them all
    anyhow = [reduce(or_, map(_holds, spellings)) for _, spellings in meant]
    return Similar(" ".join(" or ".join(one) for _, one in meant), contacts.filter(reduce(and_, anyhow)))


def learn(contacts):
    """Remember the words of these indexed contacts, once they are written."""
    words = {(one.business_id, word) for one in contacts for word in letters_of(one.search_text)}
    if words:
        transaction.on_commit(lambda: _remember(words), robust=True)


def letters_of(text):
    least, most = LEARNT
    return [word for word in re.findall(r"[^\W\d_]+", text) if least <= len(word) <= most]


def _remember(words):
    model = apps.get_model("contacts", "SearchWord")
    # In order, so that two who write the same words never wait for one another.
    rows = [model(business_id=business_id, word=word) for business_id, word in sorted(words)]
    model.objects.bulk_create(rows, batch_size=2000, ignore_conflicts=True)


def _spellings(word, businesses):
    """The word itself if it occurs, or is none to compare; else the words that are nearest to it."""
    if letters_of(word) != [word]:
        parts = re.split(r"([^\W\d_]+)", word)
        if len(parts) < 4:
            return [word]
        # "marisol@exmaple.com": each of its parts may be wrong.
        nearest = [(_spellings(part, businesses) or [part])[0] if part.isalpha() else part for part in parts]
        return ["".join(nearest)]
    known = apps.get_model("contacts", "SearchWord").objects.filter(business__in=businesses)
    if known.filter(word__contains=word).exists():
        return [word]
    distances = {one: _distance_as_typed(word, one) for one in _candidates(known, word)}
    nearest = min(distances.values(), default=99)
    if nearest > _allowed(word):
        return []
    return sorted(one for one, distance in distances.items() if distance == nearest)[:SIMILAR]


def _candidates(known, word):
    alike = known.filter(word__trigram_similar=word).annotate(alike=TrigramSimilarity("word", word))
    alike = alike.order_by("-alike", "word").values_list("word", "alike").distinct()[:CANDIDATES]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL pg_trgm.similarity_threshold = %s", [ALIKE])
        found = [known for known, _ in alike]
        cursor.execute("SET LOCAL pg_trgm.similarity_threshold = DEFAULT")
    return found


def _allowed(word):
    return 1.5 if len(word) < 6 else 2.5


def _distance_as_typed(typed, word):
    """Typing errors between them; of a longer word the beginning may have been meant."""
    beginnings = (word[: len(typed) + more] for more in (-1, 0, 1))
    return min(_distance(typed, word), 0.5 + min(_distance(typed, one) for one in beginnings))


def _distance(one, other):
    """Letters added, left out, changed, or swapped with their neighbour."""
    before, row = [], list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, there in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != there))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == there:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
