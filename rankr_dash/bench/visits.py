"""What people look at: for each page a function that comes upon one address of it after another."""

import json
import random
import re
from functools import partial
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Max, Min

from contacts.listing import filters
from contacts.models import Company, Contact, RemoteUser
from rankr_dash.bench import asking, words
from rankr_dash.bench.filling import LONG_HISTORY

LETTERS = "abcdefghijklmnopqrstuvwxyz"
BY_NAME = filters.ORDERS["name"]
ORDERS = ("recent", "quietest", "added", "overdue", "appointment")


def pages(who):
    """{page: function(dice) → address} for somebody, by e-mail address."""
    mine = Contact.objects.present().filter(business__memberships__user__email=who)
    ends = mine.aggregate(least=Min("pk"), most=Max("pk"))
    one = partial(some_contact, mine, ends)
    long = long_ones(mine, ends)
    tags = ["insurance", "new lead", *words.tags_of(0)]
    owners = list(RemoteUser.objects.filter(contacts__isnull=False).distinct().values_list("pk", flat=True)[:30])
    return {
        "list": lambda dice: "/contacts/",
        "list, somewhere below": below,
        **{f"list, {order}": partial(lambda dice, order: listed(sort=order), order=order) for order in ORDERS},
        "view: mine": lambda dice: listed(owner="me"),
        "view: overdue": lambda dice: listed(overdue=1, sort="overdue"),
        "view: no next step": lambda dice: listed(no_next_step=1, sort="quietest"),
        "view: gone quiet": lambda dice: listed(quiet=30, sort="quietest"),
        "list, one tag": lambda dice: listed(tag=dice.choice(tags)),
        "list, a tag of nobody here": lambda dice: listed(tag="campaign05", sort="recent"),
        "list, one owner": lambda dice: listed(owner=dice.choice(owners)),
        "list, upcoming and overdue": lambda dice: listed(upcoming=1, overdue=1, sort="recent"),
        "contact": lambda dice: f"/contacts/{one(dice).pk}/",
        "contact with a long history": lambda dice: f"/contacts/{dice.choice(long)}/",
        "today": lambda dice: "/",
        "tasks": lambda dice: "/tasks/",
        "tasks of everyone": lambda dice: "/tasks/?who=everyone",
        "companies": lambda dice: "/companies/",
        "company": lambda dice: f"/companies/{some_company(mine, dice)}/",
        **{f"search: {kind}": partial(lambda dice, of: listed(q=of(dice)), of=of) for kind, of in typed(one).items()},
    }


def typed(one):
    """Kind of query → function(dice) → what is typed."""

    def of(dice, take):
        while not (text := take(one(dice))):
            pass
        return text

    common = ("james", "mary", "smith", "johnson", "example.com", "roofing", "insurance")
    accents = ("Óscar Ødegård", "oscar odegard", "Núñez", "Müllermann", "Иван", "ČERNOVÁ")
    typos = ("jonhson", "marsiol", "okonkow", "micheal gacria", "smtih", "xiomra")
    return {
        "rare": lambda dice: of(dice, lambda c: c.email),
        "a name": lambda dice: of(dice, lambda c: c.name),
        "common": lambda dice: dice.choice(common),
        "common at the end of the order": lambda dice: dice.choice(("zachary", "yolanda", "xiomara")),
        "common elsewhere": lambda dice: "campaign05",
        "several words": lambda dice: of(dice, lambda c: f"{c.last_name[:4]} {c.first_name} {c.email[-7:]}"),
        "three letters": lambda dice: dice.choice(words.FIRST)[:3],
        "two letters": lambda dice: dice.choice(LETTERS) + dice.choice("aeiou"),
        "one letter": lambda dice: dice.choice(LETTERS),
        "none": lambda dice: "".join(dice.choices("qxzjk", k=9)),
        "wildcards": lambda dice: dice.choice(("%", "_", "100%", "%%%", "a%b", "sm_th", "\\", "*")),
        "200 letters": lambda dice: ("".join(dice.choices(LETTERS + "   ", k=200)) + "x")[:200],
        "accents": lambda dice: dice.choice(accents),
        "phone, as stored": lambda dice: of(dice, lambda c: c.phone),
        "phone, digits": lambda dice: of(dice, lambda c: "".join(filter(str.isdigit, c.phone))),
        "phone, national": lambda dice: of(dice, national),
        "phone, its end": lambda dice: of(dice, lambda c: c.phone[-8:]),
        "typing error": lambda dice: dice.choice(typos),
    }


def listed(**params):
    return f"/contacts/?{urlencode(params)}"


def below(dice):
    return listed(after=BY_NAME.cursor_at(words.first_name(dice).lower(), 1))


def some_contact(mine, ends, dice):
    start = dice.randint(ends["least"], ends["most"])
    return mine.filter(pk__gte=start).order_by("pk").first() or mine.order_by("pk").first()


def long_ones(mine, ends):
    pks = range(ends["least"] // LONG_HISTORY * LONG_HISTORY, ends["most"] + 1, LONG_HISTORY)
    return list(mine.filter(pk__in=list(pks)[-200:]).values_list("pk", flat=True)) or [ends["least"]]


def some_company(mine, dice):
    businesses = mine.order_by().values("business").distinct()
    return dice.choice(Company.objects.filter(location__business__in=businesses).values_list("pk", flat=True)[:200])


def national(contact):
    number = "".join(filter(str.isdigit, contact.phone))[-10:]
    return f"({number[:3]}) {number[3:6]}-{number[6:]}" if number else ""


def plans():
    """Kind of search → the indexes that Postgres uses for it, and how often it reads the whole table instead."""
    handler = asking.Handler(asking.signed_in(asking.LARGE))
    mine = Contact.objects.filter(business__memberships__user__email=asking.LARGE)
    one = partial(some_contact, mine, mine.aggregate(least=Min("pk"), most=Max("pk")))
    found = {}
    for kind, of in typed(one).items():
        asked: list[tuple] = []
        handler.ask(listed(q=of(random.Random(1))), watch=lambda *query, asked=asked: asked.append(query))
        searches = [query for query in asked if re.search("search_text.* LIKE", query[0]) and "COUNT(" not in query[0]]
        nodes = [node for sql, params in searches for node in plan(sql, params)]
        found[kind] = {
            "indexes": ", ".join(sorted({node["Index Name"] for node in nodes if "Index Name" in node})),
            "whole table read": sum(
                node["Node Type"] == "Seq Scan" and node["Relation Name"] == Contact._meta.db_table for node in nodes
            ),
        }
    return found


def plan(sql, params=None):
    """All nodes of the plan."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        (told,) = cursor.fetchone()
    top = json.loads(told) if isinstance(told, str) else told
    waiting, nodes = [top[0]["Plan"]], []
    while waiting:
        node = waiting.pop()
        nodes.append(node)
        waiting += node.get("Plans", [])
    return nodes
