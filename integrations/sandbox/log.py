"""What was asked, and what came of it. The log is how a test proves that nothing was done twice."""

import hashlib
import re
from collections import defaultdict, deque
from itertools import islice


class RequestLog:
    def __init__(self, keep):
        self.entries = deque(maxlen=keep)
        self.last = 0

    def write(self, call, status, at, dropped=None, fault=None, rules=()):
        self.last += 1
        token = call.token
        entry = {
            "index": self.last,
            "time": at,
            "method": call.method,
            "path": call.path,
            "operation": call.operation.name if call.operation else None,
            "query": call.query,
            "version": call.version or None,
            "token_kind": token.kind if token else None,
            "app": token.app if token else None,
            "location": (token.location_id if token else None) or (call.location.id if call.location else None),
            # Whose budget it is counted against: a location, or a company.
            "counted": call.rate_key[1] if call.rate_key else None,
            "status": status,
            "committed": call.committed,
            # The ledger: each record it made, changed or deleted, as {"kind", "act", "id"}.
            "wrote": call.wrote,
            # Equal for requests that ask for the same thing: how a doubled write is found.
            "key": call.headers.get("idempotency-key") or request_key(call),
            "dropped": dropped,
            "fault": fault or None,
            "rules": list(rules),
            # pending, delivered, cut (by a fault), gone (the client had left)
            "answer": "cut" if dropped else "pending",
        }
        self.entries.append(entry)
        return entry

    def since(self, index):
        """An iterator over the entries after that number."""
        # Entries are numbered without gaps, so the wanted ones are at the end.
        wanted = max(0, min(len(self.entries), self.last - index))
        return islice(self.entries, len(self.entries) - wanted, None)


def wanted_by(query):
    """A test for entries: path (a pattern), method, location, operation, status, answer, writes, kind, act, record."""
    tests = []
    if query.get("path"):
        tests.append(lambda entry, pattern=re.compile(query["path"]): pattern.search(entry["path"]))
    for name in ("method", "location", "operation", "app", "answer", "key"):
        if query.get(name):
            tests.append(lambda entry, name=name: entry[name] == query[name])
    if query.get("status"):
        tests.append(lambda entry: str(entry["status"]) == query["status"])
    if query.get("writes"):
        tests.append(lambda entry: entry["committed"])
    asked = {"kind": query.get("kind"), "act": query.get("act"), "id": query.get("record")}
    asked = {name: value for name, value in asked.items() if value}
    if asked:
        tests.append(
            lambda entry: any(all(one[name] == value for name, value in asked.items()) for one in entry["wrote"])
        )
    return lambda entry: all(test(entry) for test in tests)


def ledger(entries):
    """For each record the requests wrote: by kind and id, which request made, changed and deleted it."""
    found = {}
    for entry in entries:
        for one in entry["wrote"]:
            line = found.setdefault(
                (one["kind"], one["id"]),
                {"kind": one["kind"], "id": one["id"], "location": entry["location"]}
                | {"made": [], "changed": [], "deleted": []},
            )
            line[one["act"]].append(entry["index"])
    return list(found.values())


def rates(entries, window_s):
    """For each app on each location: how much it asked for, and the most in any window of that length."""
    by_key = defaultdict(list)
    for entry in entries:
        if entry["counted"]:
            by_key[entry["app"], entry["counted"]].append(entry)
    return [rate(app, place, asked, window_s) for (app, place), asked in by_key.items()]


def rate(app, place, asked, window_s):
    times = sorted(entry["time"] for entry in asked)
    injected = sum(entry["status"] == 429 and bool((entry["fault"] or {}).get("status")) for entry in asked)
    return {
        "app": app,
        "location": place,
        "requests": len(asked),
        "refused": sum(entry["status"] == 429 for entry in asked) - injected,
        "refused_by_rule": injected,
        # Everything that arrived, refused or not; a client that keeps the limit stays at or below it.
        "highest": highest(times, window_s),
        "highest_accepted": highest(sorted(one["time"] for one in asked if one["status"] != 429), window_s),
        "first": times[0],
        "last": times[-1],
    }


def highest(times, window_s):
    """The most of these times in any sliding window. Two just that far apart are not in the same one."""
    most = first = 0
    for last, time in enumerate(times):
        while first < last and times[first] <= time - window_s:
            first += 1
        most = max(most, last - first + 1)
    return most


def request_key(call):
    digest = hashlib.sha256(f"{call.method} {call.path.rstrip('/')} {sorted(call.query.items())} ".encode())
    digest.update(call.raw)
    return digest.hexdigest()[:16]
