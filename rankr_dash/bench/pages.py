"""Every page alone, then with twenty people at work during a sync and webhooks, over as many contacts as you like."""

import sys
import time

from django.core.management import call_command
from django.db import connection

from rankr_dash.bench import asking, filling, first_paint, load, visits


def measure(contacts, compare, requests, seconds):
    figures = {}
    if compare:
        alone_there, _ = alone_with(compare, requests)
        call_command("flush", interactive=False, verbosity=0)
    alone, filled = alone_with(contacts, requests)
    figures |= filled
    for scope, pages in alone.items():
        figures[f"alone, {scope}"] = pages
        if compare:
            figures[f"alone, {scope}, p95 over that of {compare:,} contacts"] = {
                page: ratio(of["p95 ms"], alone_there[scope][page]["p95 ms"]) for page, of in pages.items()
            }
    figures["plans of searches"] = visits.plans()
    figures["first paint"] = first_paint.weigh(asking.signed_in(asking.LARGE))
    if seconds:
        figures["20 people, a sync and webhooks"] = load.measure(seconds, contacts)
    return figures


def alone_with(contacts, requests):
    """({scope: {page: figures}}, what it took to fill the database)."""
    begun = time.monotonic()
    filling.fill(contacts)
    took = round(time.monotonic() - begun)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database()) / 1048576")
        size = int(cursor.fetchone()[0])
    filled = {"contacts": contacts, "filled in s": took, "database MB": size}
    say(filled)
    return {"the large business": each(asking.LARGE, requests), "all twenty": each(asking.ALL, requests)}, filled


def each(who, requests):
    """{page: figures}"""
    found = {}
    for page, visit in visits.pages(who).items():
        found[page] = asking.repeatedly(visit, asking.signed_in(who), requests)
        say(page, found[page])
    return found


def say(*words):
    """How far it is, while it takes its time; the table comes at the end."""
    print(*words, file=sys.stderr, flush=True)


def ratio(here, there):
    return round(here / there, 2) if there else None
