"""Made-up names and the like, as unevenly spread as real ones, with accents and every way to write a phone number.

No list is long, for the same words shall be as common among a million contacts as among ten thousand.
"""

# ruff: noqa: SIM905
from itertools import accumulate

FIRST = (
    "James Mary Michael Patricia Robert Jennifer John Linda David Elizabeth William Barbara Richard Susan Joseph "
    "Jessica Thomas Karen Christopher Sarah Charles Lisa Daniel Nancy Matthew Sandra Anthony Betty Mark Ashley Donald "
    "Emily Steven Kimberly Andrew Margaret Paul Donna Joshua Michelle Kenneth Carol Kevin Amanda Brian Melissa "
    "Marisol Óscar Zoë Łukasz José Chloé Jürgen Søren Ana Renée Nikolaos Иван Ольга Mónica Güneş Seán Élodie Björn "
    "Raúl Inês Tomáš Noémie Anaïs Agnieszka Xiomara Quentin Ursula Yolanda Zachary"
).split()
STEMS = (
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodrigu Martin Hernand Lop Gonzal Wils Anders Thom Taylor "
    "Moor Jacks Lee Per Thomps Whit Harr Sanch Clark Ramir Lewis Robins Walk Young All King Wright Scott Torr Nguy "
    "Hill Flor Gre Ødegård Núñ Müll Dvoř Čern Kowal Petr Okonk Hald Whitl Castañ Bergström Lefèvr Ó'Bri Zimmerm"
).split()
ENDS = ("", "s", "ez", "son", "er", "mann", "en", "ski", "ová", "well", "field", "ton", "berg", "wood", "ley", "ard")
CITIES = "Springfield Chicago Austin Tulsa Berlin Porto Leeds Málaga Gdańsk Århus Boise Provo Macon Salem".split()
TRADES = "Roofing Dental Solar Plumbing Realty Fitness Law Insurance Windows Gutters Landscaping Painting".split()
DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com", "post.example.org")
SHARED_TAGS = ("insurance", "new lead", "customer", "do not call", "newsletter", "quote sent", "won", "lost")


def _uneven(count):
    """The second is half as common as the first, the third a third…"""
    return list(accumulate(1 / place for place in range(1, count + 1)))


_FIRST, _STEMS, _ENDS = _uneven(len(FIRST)), _uneven(len(STEMS)), _uneven(len(ENDS))


def first_name(dice):
    return dice.choices(FIRST, cum_weights=_FIRST)[0]


def last_name(dice):
    return dice.choices(STEMS, cum_weights=_STEMS)[0] + dice.choices(ENDS, cum_weights=_ENDS)[0]


def person(dice):
    return f"{first_name(dice)} {last_name(dice)}"


def city(dice):
    return dice.choice(CITIES)


def company(dice):
    return f"{last_name(dice)} {dice.choice(TRADES)} {dice.randrange(1000)}"


def business(number):
    return f"{STEMS[number]} {TRADES[number % len(TRADES)]} Group"


def tags_of(number):
    """Some words are everybody's, some only one business uses."""
    return [*SHARED_TAGS, *(f"{TRADES[number % len(TRADES)].lower()} {n}" for n in range(20)), f"campaign{number:02}"]


def email(dice, first, last, number):
    if dice.random() < 0.12:
        return ""
    name = f"{first}.{last}{number % 9973}".lower().encode("ascii", "ignore").decode().replace("'", "")
    return f"{name.strip('.')}@{dice.choice(DOMAINS)}"


def phone(dice):
    """Mostly as GHL keeps them; some as somebody typed them, some of another country."""
    kind = dice.random()
    area, middle, end = dice.randrange(201, 990), dice.randrange(200, 1000), dice.randrange(10_000)
    if kind < 0.1:
        return ""
    if kind < 0.7:
        return f"+1{area}{middle}{end:04}"
    if kind < 0.78:
        return f"({area}) {middle}-{end:04}"
    if kind < 0.84:
        return f"{area}.{middle}.{end:04}"
    if kind < 0.92:
        return f"+49 17{area % 10} {middle}{end:04}"
    return f"+44 20 7{middle} {end:04}"
