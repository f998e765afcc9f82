"""What an open page hears and asks by itself."""

import asyncio
import json
import math
import random
import time
from types import SimpleNamespace

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user
from django.contrib.auth.decorators import login_required
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections
from django.http import HttpResponse, HttpResponseBadRequest, StreamingHttpResponse
from django.shortcuts import render
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from contacts.models import Business
from contacts.open_pages import presence
from contacts.open_pages.listening import Stream, hub
from contacts.views.acts import contact_or_404

BEAT_S = 20  # a proxy must not take the stream for dead, and the page must notice when it is
CHECK_EVERY_S = 60  # so long somebody who was signed out or removed may hear on, that is: ids
STREAM = "text/event-stream"


@require_safe
@login_required
async def live(request):
    """Announcements of what changes in the reader's businesses, as they come.

    The answer lasts for hours, so nothing that others need is held meanwhile: no database connection above all.
    """
    user = await request.auser()
    businesses = await sync_to_async(businesses_of)(user)
    await sync_to_async(let_go)()
    if request.method == "HEAD":
        return HttpResponse(content_type=STREAM)
    stream = Stream(user.pk, businesses)
    since = moment(request.GET.get("since"))
    response = StreamingHttpResponse(events(stream, request.session.session_key, since), content_type=STREAM)
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


async def events(stream, session_key, since):
    ear = hub()
    ear.join(stream)
    checked_at = time.monotonic()
    try:
        await ear.was_tried.wait()
        # Not all at the same moment after a restart.
        yield f"retry: {random.randint(1000, 4000)}\n\n" + event("ready", {"on": ear.is_on})
        ear.missed_by(stream, since)
        while True:
            try:
                kind, data = await asyncio.wait_for(stream.waiting.get(), BEAT_S)
            except TimeoutError:
                kind, data = "beat", {"on": ear.is_on}
            if stream.must_check or time.monotonic() - checked_at > CHECK_EVERY_S:
                stream.must_check, checked_at = False, time.monotonic()
                businesses = await sync_to_async(businesses_now, thread_sensitive=False)(session_key, stream.user_pk)
                if businesses is None:
                    kind, data = "over", {"reason": "signed out"}
                elif kind == "change" and data["business"] not in businesses:
                    kind, data = "beat", {"on": ear.is_on}
                stream.businesses = businesses or set()
            yield event(kind, data)
            if kind == "over":
                return
    finally:
        ear.leave(stream)


def let_go():
    """Give this thread's database connection back; a transaction belongs to whoever has begun it."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


def event(kind, data):
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n"


def businesses_of(user):
    return set(Business.objects.visible_to(user).values_list("pk", flat=True))


def businesses_now(session_key, user_pk):
    """The businesses that somebody may hear of by now; None for one who is signed out. It leaves no connection open."""
    try:
        user = get_user(SimpleNamespace(session=SessionStore(session_key)))
        return businesses_of(user) if user.pk == user_pk else None
    finally:
        let_go()


def moment(text):
    """Seconds since 1970; who says nothing hears from now on."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return math.inf


@require_safe
@login_required
def rail(request):
    """The rail again, for its numbers. Which page is open the page itself knows."""
    return render(request, "ui/_rail.html")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def editing(request, pk):
    """Who else edits something of this contact. A POST says that I do, or with `done` that I no longer do."""
    contact = contact_or_404(request, pk)
    if request.method == "POST":
        record = request.POST.get("record", "")
        if not presence.RECORD.fullmatch(record):
            return HttpResponseBadRequest()
        (presence.leave if request.POST.get("done") else presence.enter)(contact, record, request.user)
    found, look_again_s = presence.others(contact, request.user)
    lines = [(record, words_of(record, names)) for record, names in sorted(found.items())]
    context = {"contact": contact, "editing": lines, "look_again_s": look_again_s}
    return render(request, "contacts/_contact_editing.html", context)


def words_of(record, names):
    kinds = {"note": _("this note"), "task": _("this task"), "field": _("this field")}
    what = kinds.get(record.split(":")[0], _("this"))
    who = {"who": get_text_list(names, _("and")), "what": what}
    return ngettext("%(who)s is editing %(what)s.", "%(who)s are editing %(what)s.", len(names)) % who
