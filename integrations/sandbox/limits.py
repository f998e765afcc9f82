"""100 requests per 10 s and 200,000 per day, for each app on each location."""

from collections import defaultdict, deque

from .answers import Answer
from .moments import DAY_MS


class Limits:
    def __init__(self, config):
        self.config = config
        self.accepted = defaultdict(deque)
        self.daily = defaultdict(int)

    def take(self, key, now):
        """True when the request is let through. Refused ones do not count."""
        if not self.config.rate:
            return True
        window = self._window(key, now)
        if len(window) >= self.config.rate or self.daily[key, _day(now)] >= self.config.daily:
            return False
        window.append(now)
        self.daily[key, _day(now)] += 1
        return True

    def headers(self, key, now):
        used = len(self._window(key, now)) if key else 0
        today = self.daily[key, _day(now)] if key else 0
        rate = self.config.rate or 100
        return {
            "x-ratelimit-max": str(rate),
            "x-ratelimit-interval-milliseconds": str(int(self.config.window_s * 1000)),
            "x-ratelimit-remaining": str(max(0, rate - used)),
            "x-ratelimit-limit-daily": str(self.config.daily),
            "x-ratelimit-daily-remaining": str(max(0, self.config.daily - today)),
            "x-ratelimit-daily-reset": str(DAY_MS - int(now * 1000) % DAY_MS),
        }

    def refusal(self, key, now):
        window = self._window(key, now)
        answer = Answer({"statusCode": 429, "message": "Too Many Requests"}, 429)
        if self.config.retry_after:
            full = len(window) >= self.config.rate
            wait = window[0] + self.config.window_s - now if full else DAY_MS / 1000 - now % (DAY_MS / 1000)
            answer.headers["retry-after"] = str(max(1, int(-(-wait // 1))))
        return answer

    def _window(self, key, now):
        window = self.accepted[key]
        while window and window[0] <= now - self.config.window_s:
            window.popleft()
        return window


def _day(now):
    return int(now // 86_400)
