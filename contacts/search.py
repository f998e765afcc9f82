"""The one place that knows how search is indexed.

`search_text` holds everything a contact can be found by, folded: lower case, accents off, phones also as bare digits.
A trigram index answers `LIKE '%word%'` for each word typed.
"""

import re
import unicodedata


def fold(text):
    """Lower case, without accents: "Óscar Ødegård" and "oscar odegard" meet."""
    text = unicodedata.normalize("NFKD", text.replace("Ø", "O").replace("ø", "o").replace("ß", "ss").replace("ł", "l"))
    return "".join(letter for letter in text if not unicodedata.combining(letter)).casefold().strip()


def digits(text):
    return re.sub(r"\D", "", text)


def text_of(contact):
    parts = [contact.first_name, contact.last_name, contact.email, contact.phone, digits(contact.phone)]
    parts += [contact.company_name, *contact.tags]
    if contact.company_id:
        parts.append(contact.company.name)
    return fold(" ".join(part for part in parts if part))


def matching(contacts, query):
    """The contacts that hold every word of the query. A word of digits and phone signs is matched as digits."""
    text = fold(query)
    phone = digits(text)
    if phone and re.fullmatch(r"[\d\s()+./-]+", text):
        return contacts.filter(search_text__contains=phone.lstrip("0") or phone)
    for word in text.split():
        contacts = contacts.filter(search_text__contains=word)
    return contacts
