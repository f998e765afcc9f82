"""What a web process hears of changes: one subscription to Redis, shared by all the streams it serves."""

import asyncio
import contextlib
import json
import logging
import math
import random
import signal
import time
from collections import deque
from weakref import WeakKeyDictionary

from asgiref.sync import iscoroutinefunction
from django.utils.decorators import sync_and_async_middleware
from redis.exceptions import RedisError

from contacts.open_pages import live
from rankr_dash.shared_redis import listening_redis

log = logging.getLogger(__name__)

PULSE_S = 10  # after so much silence Redis is asked whether it is there
LATELY = 1000  # announcements kept for pages that are still on their way
CLOCKS_S = 0.5  # the machines that show a page and that announce may differ by so much
MOST_WAITING = 200  # announcements a slow reader may be behind before it is told to look at everything
MOST_STREAMS = 20  # of one person in one process; tabs of one browser share one
WAITS_S = (0.5, 10)


class Stream:
    """One reader: who it is, which businesses it may hear of, what waits to be sent."""

    def __init__(self, user_pk, businesses):
        self.user_pk, self.businesses = user_pk, set(businesses)
        self.waiting = asyncio.Queue()
        self.must_check = False  # somebody has joined or left: look at once whether this reader still may

    def tell(self, kind, data):
        if self.waiting.qsize() >= MOST_WAITING:
            while not self.waiting.empty():
                self.waiting.get_nowait()
            self.waiting.put_nowait(("missed", {}))
        self.waiting.put_nowait((kind, data))

    def hear(self, message):
        if message["business"] in self.businesses:
            self.must_check |= "team" in message["kinds"]
            self.tell("change", message)

    def end(self, reason):
        self.tell("over", {"reason": reason})


class Hub:
    def __init__(self):
        self.streams = []
        self.is_on = False
        self.was_tried = asyncio.Event()  # whether anything can be heard is known
        self.lately = deque(maxlen=LATELY)  # announcements, with the moment they came `at` (seconds since 1970)
        self.knows_since = math.inf  # no announcement since then is missing there
        self.listener = None
        self.complained_at = float("-inf")

    def open(self):
        """Hear from now on, as long as the server runs: what changes while the first page is on its way, too."""
        if self.listener is None or self.listener.done():
            self.listener = asyncio.create_task(self.listen())

    def join(self, stream):
        own = [one for one in self.streams if one.user_pk == stream.user_pk]
        if len(own) >= MOST_STREAMS:
            own[0].end("enough")
            self.streams.remove(own[0])
        self.streams.append(stream)
        end_with_the_server(self)
        self.open()

    def leave(self, stream):
        with contextlib.suppress(ValueError):
            self.streams.remove(stream)

    def end(self):
        """The server stops: it waits for its streams, and their readers come back to its successor."""
        for stream in self.streams:
            stream.end("restart")

    def missed_by(self, stream, since):
        """What a page cannot have heard that shows how things stood then; it looks itself where nobody knows."""
        if not self.is_on:
            return
        if since - CLOCKS_S < self.knows_since:
            stream.tell("missed", {})
            return
        for message in self.lately:
            if message["at"] > since - CLOCKS_S:
                stream.hear(message)

    # --- the line to Redis --------------------------------------------------------------------------------------------

    async def listen(self):
        shortest, longest = WAITS_S
        wait = shortest
        try:
            while True:
                client = listening_redis()
                try:
                    async with client.pubsub() as line:
                        await line.psubscribe(live.channel("*"))
                        async for message in heard(line):
                            if message["type"] == "psubscribe":
                                wait = shortest
                                self.turn(True)
                            elif message["type"] == "pmessage":
                                self.spread(json.loads(message["data"]))
                except (RedisError, OSError, ValueError) as trouble:
                    self.complain(trouble)
                finally:
                    with contextlib.suppress(RedisError, OSError):
                        await client.aclose()
                self.turn(False)
                await asyncio.sleep(wait * random.uniform(0.5, 1))
                wait = min(wait * 2, longest)
        finally:
            self.is_on = False
            self.was_tried.clear()

    def spread(self, message):
        message["at"] = round(time.time(), 3)
        self.lately.append(message)
        if len(self.lately) == LATELY:  # the one before the first may be gone
            self.knows_since = max(self.knows_since, self.lately[0]["at"])
        for stream in self.streams:
            stream.hear(message)

    def turn(self, is_on):
        """Pages ask by themselves while nothing can be heard."""
        is_first = not self.was_tried.is_set()
        self.was_tried.set()
        self.knows_since = time.time() if is_on else math.inf
        # Subscribed a second time: the client has mended its line by itself, and what was said meanwhile nobody heard.
        news = ("missed", {}) if is_on and self.is_on else ("ready", {"on": is_on})
        if is_on or self.is_on:
            self.is_on = is_on
            for stream in [] if is_first else self.streams:
                stream.tell(*news)

    def complain(self, trouble):
        if time.monotonic() - self.complained_at > live.COMPLAIN_EVERY_S:
            self.complained_at = time.monotonic()
            log.warning("nothing can be heard of changes: %s", type(trouble).__name__)


async def heard(line):
    """Messages as they come. ConnectionError when Redis is gone without a word."""
    is_asked = False
    while True:
        message = await line.get_message(timeout=PULSE_S)
        if message is not None:
            is_asked = False
            yield message
        elif is_asked:
            raise ConnectionError("Redis is silent")
        else:
            is_asked = True
            await line.ping()


@sync_and_async_middleware
def from_the_first_page(get_response):
    """The line is open before anything is read for a page, so that the page can hear of all that changes since."""
    if not iscoroutinefunction(get_response):
        return get_response

    async def answer(request):
        hub().open()
        return await get_response(request)

    return answer


_hubs = WeakKeyDictionary()


def hub():
    """The hub of this event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]


def end_with_the_server(hub):
    """uvicorn waits for open answers before it stops, and says so to nobody: hear the signal it hears, too."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)
        if not callable(before) or getattr(before, "ends_streams", False):
            continue

        def stop(number, frame, before=before):
            with contextlib.suppress(RuntimeError):  # the loop is no more
                loop.call_soon_threadsafe(hub.end)
            before(number, frame)

        stop.ends_streams = True
        with contextlib.suppress(ValueError):  # not the main thread, so no server of this kind
            signal.signal(number, stop)
