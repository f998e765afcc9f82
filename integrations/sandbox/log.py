"""What was asked. The log is how a test proves that nothing was sent twice."""

import hashlib
import re
from collections import deque


class RequestLog:
    def __init__(self, keep=200_000):
        self.entries = deque(maxlen=keep)
        self.last = 0

    def write(self, call, status, at, dropped=None, fault=None):
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
            "location": token.location_id if token else None,
            "status": status,
            "committed": call.committed,
            # Equal for requests that ask for the same thing: how a doubled write is found.
            "key": call.headers.get("idempotency-key") or request_key(call),
            "dropped": dropped,
            "fault": fault or None,
        }
        self.entries.append(entry)
        return entry

    def since(self, index, path=None, method=None):
        # Entries are numbered without gaps, so the wanted ones are at the end.
        wanted = max(0, min(len(self.entries), self.last - index))
        newest = [self.entries[place] for place in range(len(self.entries) - wanted, len(self.entries))]
        pattern = re.compile(path) if path else None
        return [
            entry
            for entry in newest
            if (pattern is None or pattern.search(entry["path"])) and method in (None, entry["method"])
        ]


def request_key(call):
    digest = hashlib.sha256(f"{call.method} {call.path.rstrip('/')} {sorted(call.query.items())} ".encode())
    digest.update(call.raw)
    return digest.hexdigest()[:16]
