"""Things that go wrong on purpose. A rule says when, its action says what."""

import itertools
import random
import re
from urllib.parse import parse_qs

from .checks import bearer
from .lies import LIES
from .tricks import drawn

ACTIONS = {
    "delay_ms",  # the answer comes late, a number or [low, high]; the work was done on arrival
    "delay_before_ms",  # the work itself starts late
    "hang_s",  # nothing is done and nothing answered for so long, then the connection is cut
    "status",  # answer this instead of doing anything
    "body",
    "headers",
    "retry_after",  # seconds, for 429; null leaves the header out
    "status_but_created",  # the write takes effect, the answer denies it
    "drop_before",  # the connection is cut, nothing was done
    "drop_after_commit",  # the connection is cut after the write took effect
    "reset",  # true: cut with a TCP reset; before anything was done, unless drop_after_commit stands beside it
    "junk",  # "html": a proxy's page with 200, nothing done; "half": the work done, its answer broken off
    "stale_read",  # reads answer as things stood so many seconds ago, a number or [low, high]
    "lie",  # a list that is empty, truncated, foreign, repeat or wrong_total
    "share",  # for a truncated list: the part of the rows that is left
    "total",  # for a wrong_total
    "move",  # so many edits of the location's contacts right after a list was answered
    "expire_token",  # the access token dies before it is looked at
    "revoke_token",  # that, and its refresh token
}
# Rules that do nothing but these go beside the one that strikes, instead of before it.
SLOWING = {"delay_ms", "delay_before_ms"}
DRAWN = ("delay_ms", "delay_before_ms", "hang_s", "stale_read")
CONDITIONS = {"method", "path", "body_contains", "location", "chance", "seed", "nth", "times"}


class FaultRule:
    def __init__(self, number, seed, match, action):
        strange = [*(set(match) - CONDITIONS), *(set(action) - ACTIONS)]
        if strange:
            raise ValueError(f"Unknown words in the rule: {', '.join(sorted(strange))}")
        if not action:
            raise ValueError("A rule needs an action")
        if action.get("lie", "empty") not in LIES:
            raise ValueError(f"lie must be one of {', '.join(LIES)}")
        if action.get("junk", "html") not in ("html", "half"):
            raise ValueError("junk must be html or half")
        self.id = number
        self.match, self.action = match, action
        self.path = re.compile(match["path"]) if match.get("path") else None
        self.chance = match.get("chance")
        seed = match.get("seed", f"{seed} {number}")
        # Two pairs of dice: how much it strikes must not change whether it strikes next.
        self.luck, self.dice = random.Random(f"luck {seed}"), random.Random(f"fault {seed}")
        self.nth = match.get("nth") or 1
        # 0 or null: until the rule is taken away. One that strikes by chance lasts unless told otherwise.
        self.times = match.get("times", 1 if self.chance is None else 0)
        self.seen = self.fired = 0

    def wants(self, call):
        """Counts the request and says whether the rule would strike it."""
        if not self._fits(call):
            return False
        self.seen += 1
        # Thrown for every request that fits, so that what this rule decides hangs on no other rule.
        is_lucky = self.chance is None or self.luck.random() < self.chance
        return is_lucky and self.seen >= self.nth and not (self.times and self.fired >= self.times)

    def strike(self):
        self.fired += 1
        return {name: drawn(value, self.dice) if name in DRAWN else value for name, value in self.action.items()}

    @property
    def only_slows(self):
        return set(self.action) <= SLOWING

    def _fits(self, call):
        match = self.match
        if match.get("method") and match["method"].upper() != call.method:
            return False
        if self.path and not self.path.search(call.path):
            return False
        if match.get("body_contains") and match["body_contains"].encode() not in call.raw:
            return False
        return not match.get("location") or match["location"] in places_of(call)

    def shape(self):
        return {
            "id": self.id,
            "match": self.match,
            "action": self.action,
            "seen": self.seen,
            "fired": self.fired,
        }


class Faults:
    def __init__(self, seed):
        self.seed, self.rules = seed, []
        self.numbers = itertools.count(1)

    def add(self, match, action):
        self.rules.append(FaultRule(next(self.numbers), self.seed, match, action))
        return self.rules[-1]

    def clear(self, rule_id=None):
        self.rules = [rule for rule in self.rules if rule_id is not None and rule.id != rule_id]

    def striking(self, call):
        """(action, rules): of the first rule that strikes, and of all those that only slow.

        Rules with a chance all throw their dice for each request that fits them. One without a chance does not
        count a request that another has struck.
        """
        struck, slowed = None, []
        for rule in self.rules:
            if rule.only_slows:
                slowed += [rule] if rule.wants(call) else []
            elif (struck is None or rule.chance is not None) and rule.wants(call) and struck is None:
                struck = rule
        if struck is None and not slowed:
            return {}, []
        rules = [*slowed, *([struck] if struck else [])]
        action = {}
        for rule in rules:
            action |= rule.strike()
        return action, rules

    def may_repeat(self):
        return any(rule.action.get("lie") == "repeat" for rule in self.rules)


def places_of(call):
    """The locations a request is about: its token's, and those it names."""
    credentials = call.sandbox.credentials
    token = credentials.tokens.get(bearer(call.headers.get("authorization", "")))
    found = {token.location_id} if token else set()
    form = parse_qs(call.raw.decode(errors="replace")) if call.path.startswith("/oauth/") else {}
    sent = {**(call.json if isinstance(call.json, dict) else {}), **{name: one[0] for name, one in form.items()}}
    for name, grants in (
        ("refresh_token", credentials.refresh_tokens),
        ("refreshToken", credentials.refresh_tokens),
        ("code", credentials.codes),
    ):
        grant = grants.get(str(sent.get(name)))
        found.add(grant.location_id if grant else None)
    found.update((sent.get("locationId"), call.query.get("locationId"), call.query.get("location_id")))
    found.update(part for part in call.path.split("/") if part in call.company.locations)
    return found - {None}
