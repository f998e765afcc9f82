"""What others do, in the same rig, so that a figure of ours can be compared with one."""

import contextlib
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import requests

VERSION = {"Version": "2021-07-28"}


# --- creations --------------------------------------------------------------------------------------------------------


def naive_creations(rig, fates, rules):
    """Posts a note, and posts it again after a timeout, a cut or a 5xx: what an HTTP library's retry does."""
    sandbox = rig.sandbox
    keys = sandbox.credentials
    ones = [
        SimpleNamespace(kind="Note", marker=f"Naive {number:04}.", fates=drawn) for number, drawn in enumerate(fates)
    ]
    sandbox.faults(*[rule for one in ones for rule in rules(one)])
    headers = VERSION | {"Authorization": f"Bearer {keys['private_integration_token']}"}
    url = f"{sandbox.url}/contacts/{keys['contact_id']}/notes"

    def post(one):
        for _ in range(8):
            try:
                answer = requests.post(url, json={"body": one.marker}, headers=headers, timeout=1.5)
            except requests.RequestException:
                continue
            if answer.status_code == 429:
                time.sleep(1)
            elif answer.status_code < 500:
                return answer.ok
        return False

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(post, ones))
    sandbox.no_faults()
    notes = [note["body"] for note in sandbox.records("notes", contact_id=keys["contact_id"])["records"]]
    there = [notes.count(one.marker) for one in ones]
    return {
        "of": len(ones),
        "duplicates": sum(max(0, number - 1) for number in there),
        "missing": there.count(0),
        "said failed though there": sum(not ok and bool(n) for ok, n in zip(said, there, strict=True)),
    }


# --- refreshing -------------------------------------------------------------------------------------------------------


def refresh_race(rig, rival, count, delays):
    """The same race for a rival that keeps its tokens in Redis."""
    from tests.faults.callers import Callers

    sandbox = rig.sandbox
    made = sandbox.post("tokens", {"action": "create_location"})
    store = Store(rig.services.valkey.url)
    store.put(made)
    score = {
        "rounds": len(delays),
        "invalid_grant seen": 0,
        "callers without a working token": 0,
        "connections lost": 0,
    }

    def ask(_):
        token = rival(sandbox, Store(rig.services.valkey.url)).valid_token()
        return _api(sandbox, made["location_id"], token)

    with Callers(count, ask) as crowd:
        for seconds in delays:
            sandbox.post("tokens", {"action": "expire", "token": store.get()["access_token"]})
            store.expire()
            delay = {"delay_ms": round(seconds * 1000)}
            sandbox.faults({"match": {"method": "POST", "path": "/oauth/token", "times": 0}, "action": delay})
            since = rig.requests_so_far()
            heard = crowd.all(seconds=120)
            sandbox.no_faults()
            tries = [entry["status"] for entry in sandbox.log(since=since, path="/oauth/token")["entries"]]
            score["invalid_grant seen"] += sum(status != 200 for status in tries)
            score["callers without a working token"] += sum(answer != (True, 200) for answer in heard)
            if _api(sandbox, made["location_id"], store.get()["access_token"]) != 200:
                score["connections lost"] += 1
                store.put(sandbox.post("tokens", {"action": "create_location"}))
    return score


class Store:
    """Both tokens and whether they are due, in one Redis hash."""

    def __init__(self, url):
        import redis

        self.redis = redis.Redis.from_url(url, decode_responses=True)

    def get(self):
        return self.redis.hgetall("rival")

    def put(self, pair):
        kept = {"access_token": pair["access_token"], "refresh_token": pair["refresh_token"], "due": ""}
        self.redis.hset("rival", mapping=kept)

    def expire(self):
        self.redis.hset("rival", "due", "yes")


class WithoutLock:
    """As the official SDK: whoever finds the token expired refreshes it and stores what comes."""

    def __init__(self, sandbox, store):
        self.sandbox, self.store = sandbox, store

    def valid_token(self):
        kept = self.store.get()
        return self.refreshed(kept) if kept["due"] else kept["access_token"]

    def refreshed(self, kept):
        keys = self.sandbox.credentials
        form = {
            "client_id": keys["client_id"],
            "client_secret": keys["client_secret"],
            "grant_type": "refresh_token",
            "refresh_token": kept["refresh_token"],
            "user_type": "Location",
        }
        answer = requests.post(f"{self.sandbox.url}/oauth/token", data=form, headers=VERSION, timeout=60)
        answer.raise_for_status()
        self.store.put(answer.json())
        return answer.json()["access_token"]


def plain_lock(ttl):
    """As a well-known integration platform: a Redis lock that lives `ttl`, waited for a little longer, read again
    after either, and released by a plain delete, whoever holds it by then."""

    class PlainLock(WithoutLock):
        def valid_token(self):
            kept = self.store.get()
            if not kept["due"]:
                return kept["access_token"]
            until = time.monotonic() + ttl * 1.2
            while not self.store.redis.set("rival-lock", "1", nx=True, px=round(ttl * 1000)):
                if time.monotonic() > until:
                    kept = self.store.get()
                    if kept["due"]:
                        raise TimeoutError("the lock was not released in time")
                    return kept["access_token"]
                time.sleep(0.05)
            try:
                kept = self.store.get()
                return self.refreshed(kept) if kept["due"] else kept["access_token"]
            finally:
                self.store.redis.delete("rival-lock")

    return PlainLock


def _api(sandbox, location_id, token):
    headers = VERSION | {"Authorization": f"Bearer {token}"}
    return requests.get(f"{sandbox.url}/locations/{location_id}", headers=headers, timeout=30).status_code


# --- the rate ---------------------------------------------------------------------------------------------------------

BUCKET = """
local bucket = redis.call('HMGET', KEYS[1], 'level', 'at')
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local full, refill = tonumber(ARGV[1]), tonumber(ARGV[2])
local level = tonumber(bucket[1]) or full
level = math.min(full, level + (now - (tonumber(bucket[2]) or now)) * refill)
local taken = 0
if level >= 1 then level = level - 1; taken = 1 end
redis.call('HSET', KEYS[1], 'level', level, 'at', string.format('%.6f', now))
return taken
"""


def token_bucket(rig, key, path, limit, window, seconds):
    """The usual reading of "100 in 10 s": a bucket of 100, refilled by 10 a second, shared exactly through Redis."""
    import redis

    take = redis.Redis.from_url(rig.services.valkey.url).register_script(BUCKET)
    end = time.monotonic() + seconds
    with requests.Session() as session:
        session.headers.update(VERSION | {"Authorization": f"Bearer {key}"})
        while time.monotonic() < end:
            if take(keys=[f"bucket:{key}"], args=[limit, limit / window]):
                session.get(rig.sandbox.url + path, timeout=30)
            else:
                time.sleep(0.02)


# --- webhooks ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def answers_503(database_url):
    """A receiver that stores in Postgres and answers 503 while it cannot: (its address, the ids it has stored)."""
    import psycopg

    with psycopg.connect(database_url, autocommit=True) as line:
        line.execute("CREATE TABLE IF NOT EXISTS rival_events (id text)")
        line.execute("TRUNCATE rival_events")

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                with psycopg.connect(database_url, autocommit=True, connect_timeout=2) as line:
                    line.execute("INSERT INTO rival_events VALUES (%s)", [event["webhookId"]])
                status = 200
            except psycopg.Error:
                status = 503
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    def stored():
        with psycopg.connect(database_url) as line:
            return {row[0] for row in line.execute("SELECT id FROM rival_events")}

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", stored
    finally:
        server.shutdown()
        server.server_close()
