"""One running sandbox: its account, its keys, and everything it remembers about requests."""

import contextlib
import time

from . import routes  # noqa: F401  registers the paths
from .answers import Refused
from .checks import identify, permit, route
from .faults import Faults
from .limits import Limits
from .log import RequestLog
from .oauth import Credentials
from .seed import seeded_company
from .state import Keeper
from .store import Ids
from .webhooks import Webhooks

# Medians measured against the real API, in milliseconds.
REALISTIC_MS = {"search": 80, "task_write": 2_100, "oauth": 224, "read": 59, "write": 300}
CHANGEABLE = {
    "lag_s": "lag",
    "grace_s": "grace",
    "latency_ms": "latency_ms",
    "rate": "rate",
    "window_s": "window_s",
    "daily": "daily",
    "retry_after": "retry_after",
    "create_status": "create_status",
    "access_token_lifetime_s": "access_token_lifetime",
    "code_lifetime_s": "code_lifetime",
    "webhook_url": "webhook_url",
    "webhook_policy": "webhook_policy",
    "webhook_retry_s": "webhook_retry_s",
    "webhook_jitter": "webhook_jitter",
    "webhook_backoff": "webhook_backoff",
    "webhook_tries": "webhook_tries",
    "webhook_timeout_s": "webhook_timeout_s",
    "webhook_concurrency": "webhook_concurrency",
    "webhook_tricks": "webhook_tricks",
    "undocumented_webhooks": "undocumented_webhooks",
    "install_webhook": "install_webhook",
    "bulk_install": "bulk_install",
    "clock_skew_s": "clock_skew_s",
}


class Sandbox:
    def __init__(self, config, state=None):
        # Settings change as it runs; what it was started with is what a reset returns to.
        self.started_with = config
        self.keeper = Keeper(self, state) if state else None
        self.webhooks = None
        config = config.changed()
        account = self.keeper.open(config) if self.keeper else None
        self.start(config, account)
        if self.keeper:
            self.keeper.begin(is_new=account is None)

    def start(self, config, account=None):
        if self.webhooks:
            self.webhooks.stop()
        self.config = config
        Ids.draw_from(config.seed if config.same_ids else None)
        if account:
            self.company, self.credentials = account
        else:
            self.company = seeded_company(config)
            self.credentials = Credentials(config, self.company, config.seed)
        self.limits = Limits(config)
        self.faults = Faults(config.seed)
        self.log = RequestLog(config.log_keep)
        self.webhooks = Webhooks(self)
        self.noted_write = self.is_quiet = False
        self.wrote = None
        for location in self.company.locations.values():
            location.watcher = self.changed

    @staticmethod
    def clock():
        return time.time()

    def changed(self, location, kind, old, new):
        """Every change of every record comes by here."""
        if self.wrote is not None:
            gone = new is None or (new.get("deleted") and not (old or {}).get("deleted"))
            act = "made" if old is None else "deleted" if gone else "changed"
            self.wrote.append({"kind": kind, "act": act, "id": (new or old)["id"]})
        if not self.is_quiet:
            self.webhooks.changed(location, kind, old, new)

    @contextlib.contextmanager
    def quiet(self, wanted=True):
        """Nobody is told of what is changed meanwhile."""
        before, self.is_quiet = self.is_quiet, wanted or self.is_quiet
        try:
            yield
        finally:
            self.is_quiet = before

    def announce_install(self, grant):
        """INSTALL for what a code stands for, once."""
        if grant.announced or self.config.install_webhook == "off":
            return
        grant.announced = True
        self.webhooks.installed(grant.location_id or grant.chosen, grant.company_id, grant.user_id)

    def answer(self, call):
        """The answer to one API request. Nothing here waits, so no other request sees it half done."""
        self.noted_write = False
        self.wrote = call.wrote
        try:
            operation = route(call)
            if operation.access != "none":
                identify(call)
                if not self.limits.take(call.rate_key, self.clock()):
                    return self.limits.refusal(call.rate_key, self.clock())
                permit(call)
            answer = operation.answer(call)
        except Refused as refusal:
            answer = refusal.answer
        finally:
            self.wrote = None
        if answer.status is None:
            answer.status = self.config.create_status
        call.committed = self.noted_write or bool(call.wrote)
        return answer

    def latency(self, call):
        """Seconds this request takes."""
        if self.config.latency_ms != "realistic":
            return float(self.config.latency_ms) / 1000
        group = call.operation.group if call.operation else "api"
        kind = group if group in REALISTIC_MS else "read" if call.method == "GET" else "write"
        return REALISTIC_MS[kind] / 1000

    def settings(self):
        return {word: getattr(self.config, name) for name, word in CHANGEABLE.items()} | {
            "strict": self.config.strict,
            "redirect_uris": self.credentials.redirect_uris,
        }
