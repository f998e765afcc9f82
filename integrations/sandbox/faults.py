"""Things that go wrong on purpose. A rule says when, its action says what."""

import itertools
import re

ACTIONS = {
    "delay_ms",  # the answer comes late; the work was done on arrival
    "delay_before_ms",  # the work itself starts late
    "status",  # answer this instead of doing anything
    "body",
    "headers",
    "retry_after",  # seconds, for 429; null leaves the header out
    "status_but_created",  # the write takes effect, the answer denies it
    "drop_before",  # the connection is cut, nothing was done
    "drop_after_commit",  # the connection is cut after the write took effect
    "stale_read",  # reads answer as things stood so many seconds ago
    "expire_token",  # the access token dies before it is looked at
    "revoke_token",  # that, and its refresh token
}
CONDITIONS = {"method", "path", "body_contains", "nth", "times"}


class FaultRule:
    numbers = itertools.count(1)

    def __init__(self, match, action):
        strange = [*(set(match) - CONDITIONS), *(set(action) - ACTIONS)]
        if strange:
            raise ValueError(f"Unknown words in the rule: {', '.join(sorted(strange))}")
        if not action:
            raise ValueError("A rule needs an action")
        self.id = next(self.numbers)
        self.match, self.action = match, action
        self.path = re.compile(match["path"]) if match.get("path") else None
        self.nth = match.get("nth") or 1
        # 0 or null: until the rule is taken away.
        self.times = match.get("times", 1)
        self.seen = self.fired = 0

    def fires(self, call):
        """Counts the request and says whether the rule strikes it."""
        if not self._fits(call):
            return False
        self.seen += 1
        if self.seen < self.nth or (self.times and self.fired >= self.times):
            return False
        self.fired += 1
        return True

    def _fits(self, call):
        match = self.match
        if match.get("method") and match["method"].upper() != call.method:
            return False
        if self.path and not self.path.search(call.path):
            return False
        return not (match.get("body_contains") and match["body_contains"].encode() not in call.raw)

    def shape(self):
        return {
            "id": self.id,
            "match": self.match,
            "action": self.action,
            "seen": self.seen,
            "fired": self.fired,
        }


class Faults:
    def __init__(self):
        self.rules = []

    def add(self, match, action):
        self.rules.append(FaultRule(match, action))
        return self.rules[-1]

    def clear(self, rule_id=None):
        self.rules = [rule for rule in self.rules if rule_id is not None and rule.id != rule_id]

    def striking(self, call):
        """The action of the first rule that fires; the others do not count this request."""
        for rule in self.rules:
            if rule.fires(call):
                return rule.action
        return {}
