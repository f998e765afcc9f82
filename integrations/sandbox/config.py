"""Everything that can be set when the sandbox starts, and most of it again while it runs."""

from dataclasses import dataclass, field, replace

from .moments import now_ms
from .tricks import checked

DAY_SECONDS = 86_400


@dataclass
class Config:
    host: str = "127.0.0.1"
    port: int = 9477
    contacts: int = 2_000
    seed: int = 1
    # One fixed delay for every request, or "realistic" for the medians measured against the real API.
    latency_ms: float | str = 0
    rate: int = 100  # requests per window, 0 lifts both limits
    window_s: float = 10
    daily: int = 200_000
    strict: bool = False
    grace_s: float = 30
    lag_s: float | list = 2  # how late the search index is; [low, high] draws for each change
    clock_skew_s: float = 0  # its dates are off by so much
    retry_after: bool = True
    create_status: int = 201
    access_token_lifetime_s: int = 86_399
    code_lifetime_s: int = 600
    redirect_uris: list = field(default_factory=list)
    webhook_url: str = ""
    webhook_policy: str = "retry_on_429"  # or "retry_on_any"
    webhook_retry_s: float = 600
    webhook_jitter: float = 0.1  # the part by which a pause may be longer or shorter
    webhook_backoff: float = 2  # under retry_on_any, each pause is so many times the one before
    webhook_tries: int = 0  # 0: as many as the policy allows
    webhook_timeout_s: float = 10
    webhook_concurrency: int = 40
    # {"drop": 0.1, "duplicate": 0.2, "reorder": 20, "thin_tasks": 1, "delay_s": [0, 2]}
    webhook_tricks: dict = field(default_factory=dict)
    undocumented_webhooks: bool = False  # UserUpdate and UserDelete, which no page of GHL's names
    install_webhook: str = "before"  # the code is exchanged; or "after", or "off"
    bulk_install: bool = False  # choosing one location yields a company token that lists none
    log_keep: int = 200_000
    # None: now. Tests pin it so that two seeded accounts can be compared.
    now: float | None = None
    same_ids: bool = False  # new records get the same ids each time, which only a test of repeatable stories may want

    def __post_init__(self):
        checked(self.webhook_tricks)
        if self.strict:
            self.grace_s, self.retry_after = 0, False

    def now_ms(self):
        """The sandbox's own time, which may be wrong."""
        return now_ms() + round(self.clock_skew_s * 1000)

    def changed(self, **values):
        known = {name: value for name, value in values.items() if name in self.__dataclass_fields__}
        return replace(self, **known)


def add_arguments(parser):
    """The same words for `python -m integrations.sandbox` and `manage.py sandbox`."""
    parser.add_argument("--host", default=Config.host)
    parser.add_argument("--port", type=int, default=Config.port)
    parser.add_argument("--contacts", type=int, default=Config.contacts, help="contacts in the first location")
    parser.add_argument("--seed", type=int, default=Config.seed, help="the same seed gives the same account")
    parser.add_argument("--state", metavar="FILE", help="keep the account and its keys in FILE from start to start")
    parser.add_argument("--latency-ms", default="0", help="delay per request, or 'realistic'")
    parser.add_argument("--rate", type=int, default=Config.rate, help="requests per window; 0 lifts the limit")
    parser.add_argument("--window-s", type=float, default=Config.window_s)
    parser.add_argument("--lag-s", type=float, default=Config.lag_s, help="how late the search index is")
    parser.add_argument("--redirect-uri", action="append", default=[], help="a further registered redirect URI")
    parser.add_argument("--webhook-url", default="", help="where to post webhooks")
    parser.add_argument(
        "--strict",
        action="store_true",
        help="refresh tokens die at first use, redirect URIs match exactly, no Retry-After on 429",
    )


def config_from(options):
    latency = options["latency_ms"]
    return Config(
        host=options["host"],
        port=options["port"],
        contacts=options["contacts"],
        seed=options["seed"],
        latency_ms=latency if latency == "realistic" else float(latency),
        rate=options["rate"],
        window_s=options["window_s"],
        lag_s=options["lag_s"],
        redirect_uris=list(options["redirect_uri"]),
        webhook_url=options["webhook_url"],
        strict=options["strict"],
    )
