"""One readable list of decisions. Every value has a development default; a wrong one stops the start."""

import base64
import contextlib
import importlib.util
import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key
from environs import Env, EnvError
from kombu import Queue

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent
LOCAL_DIR = BASE_DIR / ".local"


def setting(read, name, default, meaning):
    """The value of one environment variable, or a sentence that names it."""
    try:
        return read(name, default)
    except (EnvError, ValueError) as error:
        raise ImproperlyConfigured(f"{name} is not usable: {meaning} ({type(error).__name__}).") from None


def amount(read, name, default, meaning):
    """A number above zero."""
    number = setting(read, name, default, meaning)
    if number <= 0:
        raise ImproperlyConfigured(f"{name} is not usable: {meaning}, more than 0.")
    return number


def package_folder(name):
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ImproperlyConfigured(f"The Python package {name} is missing: run make install.")
    return Path(spec.submodule_search_locations[0])


def development_secret(name, make):
    """A secret made once for this checkout, so that sign-ins and sealed tokens outlive a restart."""
    file = LOCAL_DIR / name
    if not file.exists():
        LOCAL_DIR.mkdir(mode=0o700, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # another process was first: its secret counts
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as out:
                out.write(make())
    return file.read_text().strip()


# --- where we are -------------------------------------------------------------------------------------------------
DEBUG = setting(env.bool, "DEBUG", False, "write true or false")
PUBLIC_URL = setting(env.str, "PUBLIC_URL", "http://127.0.0.1:8000", "").rstrip("/")
if not PUBLIC_URL.startswith(("http://", "https://")):
    raise ImproperlyConfigured("PUBLIC_URL must be the address people type, with http:// or https://.")
IS_HTTPS = PUBLIC_URL.startswith("https://")
PUBLIC_HOST = PUBLIC_URL.split("://", 1)[1].split("/", 1)[0]
ALLOWED_HOSTS = [
    PUBLIC_HOST.rsplit(":", 1)[0],
    *setting(env.list, "ALLOWED_HOSTS", [], "write names separated by commas"),
]
if not IS_HTTPS:
    ALLOWED_HOSTS += ["127.0.0.1", "localhost", "testserver"]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
# How many proxies of ours stand before the app: sign-in limits count the address the outermost of them saw.
ALLAUTH_TRUSTED_PROXY_COUNT = setting(env.int, "TRUSTED_PROXY_COUNT", 0, "write how many, for example 1")

SECRET_KEY = env.str("SECRET_KEY", "") or (
    development_secret("secret_key", get_random_secret_key) if not IS_HTTPS else ""
)
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is missing: a public address needs a long random value of its own.")

# Newest first: the first key seals, all keys open. `manage.py rotate_keys` seals everything again with the first.
ENCRYPTION_KEYS = setting(env.list, "ENCRYPTION_KEYS", [], "write id:base64key pairs separated by commas")
if not ENCRYPTION_KEYS:
    if IS_HTTPS:
        raise ImproperlyConfigured(
            "ENCRYPTION_KEYS is missing: write at least one id:key, key being 32 bytes in base64."
        )
    ENCRYPTION_KEYS = [
        development_secret("encryption_key", lambda: "dev:" + base64.b64encode(secrets.token_bytes(32)).decode())
    ]

# --- data -----------------------------------------------------------------------------------------------------------
# manage.py puts the embedded services here when the environment names none; a command that needs neither gets these.
DATABASE_URL = env.str("DATABASE_URL", "postgres://nobody@127.0.0.1:9/none")
REDIS_URL = env.str("REDIS_URL", "redis://127.0.0.1:9/0")
if not DATABASE_URL.startswith(("postgres://", "postgresql://")):
    raise ImproperlyConfigured("DATABASE_URL must start with postgres://: Rankr keeps its data in Postgres only.")
if not REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
    raise ImproperlyConfigured("REDIS_URL must start with redis://.")
setting(lambda *_: urlsplit(REDIS_URL).port, "REDIS_URL", None, "write redis://:password@host:port/0")
DATABASES = {
    "default": setting(env.dj_db_url, "DATABASE_URL", DATABASE_URL, "write postgres://user:password@host:port/name")
}
# Under ASGI each request has a thread of its own, so what it leaves open goes back to a pool that all share. Workers
# have a connection for as long as a task takes.
DATABASES["default"]["CONN_MAX_AGE"] = 0
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("OPTIONS", {})["connect_timeout"] = 3
# Pages read few rows: to compile a query takes longer than to run it.
DATABASES["default"]["OPTIONS"].setdefault("options", "-c jit=off")
DATABASE_POOL = setting(env.int, "DATABASE_POOL", 0, "write how many connections the web server may keep")
if DATABASE_POOL:
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": DATABASE_POOL, "timeout": 3}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {
        "BACKEND": "rankr_dash.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 1},  # seconds a sign-in waits for it
    }
}

# --- the parts --------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "allauth",
    "allauth.account",
    "rankr_dash",
    "contacts",
    "integrations",
]
MIDDLEWARE = [
    "rankr_dash.middleware.machines_first",
    "contacts.open_pages.listening.from_the_first_page",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "contacts.frame.middleware.as_they_read",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "rankr_dash.middleware.HtmxChores",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "rankr_dash.urls"
ASGI_APPLICATION = "rankr_dash.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "rankr_dash.context.csp_nonce",
                "contacts.frame.context.frame",
            ],
            "builtins": ["contacts.templatetags.ui"],
        },
    },
]
LANGUAGE_CODE = "en"
# Those the texts are translated into: locale/README.md says how to add one.
LANGUAGES = [("en", "English")]
USE_I18N = len(LANGUAGES) > 1  # looking up hundreds of texts to find no translation is a tenth of every page
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static", ("fonts/inter", package_folder("fontpkg_inter") / "files")]
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = DEBUG

# --- who may come in --------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "contacts.User"
SILENCED_SYSTEM_CHECKS = [
    "auth.W004",  # e-mail is unique whatever its case, by a constraint on Lower(email) that Django overlooks
    "security.W008",  # the proxy sends http to https; /healthz must answer on this machine without it
    "security.W021",  # a browser's preload list is for the owner of the domain to ask for
]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "contacts:today"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_ADAPTER = "contacts.people.accounts.Adapter"
ACCOUNT_SIGNUP_FORM_CLASS = "contacts.forms.people.SignupForm"
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if IS_HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
GHL_MARKETPLACE_BASE = env.str("GHL_MARKETPLACE_BASE", "https://marketplace.gohighlevel.com").rstrip("/")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        # Connect is a form that leads on to GHL's consent page.
        "form-action": ["'self'", GHL_MARKETPLACE_BASE],
        "frame-ancestors": ["'none'"],
    }
}

# --- mail -------------------------------------------------------------------------------------------------------------
EMAIL = setting(env.dj_email_url, "EMAIL_URL", "console://", "write submission://user:password@host:587")
if "EMAIL_BACKEND" not in EMAIL:
    raise ImproperlyConfigured("EMAIL_URL is not usable: write submission://user:password@host:587.")
EMAIL_BACKEND = EMAIL["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = EMAIL.get("EMAIL_HOST", ""), EMAIL.get("EMAIL_PORT", 25)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = EMAIL.get("EMAIL_HOST_USER", ""), EMAIL.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS, EMAIL_USE_SSL = EMAIL.get("EMAIL_USE_TLS", False), EMAIL.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10  # seconds: a page waits for the mail server
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Rankr Dashboard <no-reply@localhost>")

# --- GoHighLevel ------------------------------------------------------------------------------------------------------
GHL_API_BASE = env.str("GHL_API_BASE", "https://services.leadconnectorhq.com").rstrip("/")
GHL_CLIENT_ID = env.str("GHL_CLIENT_ID", "")
# Two may be valid while the secret is being rotated: separate them with a comma, newest first.
GHL_CLIENT_SECRETS = setting(env.list, "GHL_CLIENT_SECRET", [], "write one secret, or two separated by a comma")
GHL_SCOPES = setting(env.list, "GHL_SCOPES", [], "write scopes separated by commas")  # empty: all we can use
# PEM, one or several; without it the key HighLevel publishes. Empty would let in nobody, so it stops the start.
GHL_WEBHOOK_PUBLIC_KEYS = env.str("GHL_WEBHOOK_PUBLIC_KEYS", None)
# Verified webhooks wait here while the database is away.
WEBHOOK_SPOOL = env.str("WEBHOOK_SPOOL", str(LOCAL_DIR / "spool"))
GHL_TIMEOUT_S = amount(env.float, "GHL_TIMEOUT_S", 20.0, "write seconds, for example 20")
GHL_RATE_LIMIT = amount(env.int, "GHL_RATE_LIMIT", 100, "write how many requests GHL allows in a window")
GHL_RATE_WINDOW_S = amount(env.float, "GHL_RATE_WINDOW_S", 10.0, "write the window in seconds")
# A lease must outlive the slowest honest request, so that nobody else takes up work that is still being done.
WORK_LEASE_S = amount(env.float, "WORK_LEASE_S", 60.0, "write seconds, for example 60")
if WORK_LEASE_S <= GHL_TIMEOUT_S * 1.5:
    raise ImproperlyConfigured("WORK_LEASE_S must be more than one and a half times GHL_TIMEOUT_S.")
GHL_DAILY_LIMIT = amount(env.int, "GHL_DAILY_LIMIT", 200_000, "write how many requests GHL allows in a day")
GHL_PAGE = amount(env.int, "GHL_PAGE", 500, "write rows a page, at most 500")
# GHL lists notes contact by contact only: each is looked at again within so many days, for so much of a day's requests.
NOTES_AUDIT_DAYS = amount(env.float, "NOTES_AUDIT_DAYS", 7.0, "write days, for example 7")
NOTES_AUDIT_PERCENT = amount(env.float, "NOTES_AUDIT_PERCENT", 20.0, "write a percentage, for example 20")
SLICE_S = amount(env.float, "SLICE_S", 20.0, "write the seconds after which a long sync makes room for others")
# A read may show what was there a moment ago: so long we look before we believe that something has not arrived.
GHL_SETTLE_S = setting(env.float, "GHL_SETTLE_S", 12.0, "write the seconds that GHL's reads may lag behind")
SYNC_EVERY_S = amount(env.float, "SYNC_EVERY_S", 180.0, "write seconds between two incremental syncs")
SWEEP_EVERY_S = amount(env.float, "SWEEP_EVERY_S", 10.0, "write seconds between two sweeps for due work")
ERP_RATE_LIMIT = amount(env.int, "ERP_RATE_LIMIT", 600, "write how many requests a minute one API key may make")
# What admins enter as an ERP's address must be in the world outside; on one's own machine it may be a pretend ERP.
WEBHOOKS_TO_LOOPBACK = setting(env.bool, "WEBHOOKS_TO_LOOPBACK", not IS_HTTPS, "write true or false")
UNDO_S = setting(env.float, "UNDO_S", 8.0, "write the seconds a delete can be undone before it is sent")

# --- background work --------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# Without a copy in Redis of each message until it is taken: nobody needs it (see ACKS_LATE), and while Redis is away,
# kombu 5.7's try to put those copies back takes the whole worker down.
CELERY_BROKER_TRANSPORT_OPTIONS = {"ack_emulation": False, "socket_timeout": 5, "socket_connect_timeout": 5}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_ACKS_LATE = False  # rows, not messages, remember the work; the sweeper rings again
CELERY_TASK_PUBLISH_RETRY = False  # a lost ring is rung again by the sweeper; a page never waits for the broker
# Who is waiting decides: a person at a page, GHL's news, or nobody in particular. A long read must not hold up an edit.
CELERY_TASK_QUEUES = [Queue("people"), Queue("events"), Queue("bulk")]
CELERY_TASK_DEFAULT_QUEUE = "events"
CELERY_TASK_ROUTES = {
    "integrations.tasks.push_delivery": {"queue": "people"},
    "integrations.tasks.push_in_bulk": {"queue": "bulk"},
    "contacts.tasks.work_bulk": {"queue": "people"},
    "integrations.tasks.run_operation": {"queue": "people"},
    "integrations.tasks.read_offers": {"queue": "people"},
    "integrations.tasks.deliver_outgoing": {"queue": "bulk"},
    "integrations.tasks.read_contact": {"queue": "people"},
    "integrations.tasks.renew_connection": {"queue": "people"},
    "integrations.tasks.renew_agency": {"queue": "people"},
    "integrations.tasks.tell_incident": {"queue": "people"},
    "integrations.tasks.sweep": {"queue": "people"},
    "integrations.tasks.work_sync": {"queue": "bulk"},
    "integrations.tasks.tidy": {"queue": "bulk"},
}
# Seconds after which a task is asked to end, and after which its process is killed. The row outlives both.
CELERY_TASK_SOFT_TIME_LIMIT, CELERY_TASK_TIME_LIMIT = 180, 210
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A process ends after so many tasks, or when it has grown to so many KB, to give back what a large read once took.
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000
CELERY_WORKER_DIRECT = True  # a queue of each worker's own: rankr_dash/watchdog.py
WORKER_DEAF_AFTER_S = amount(env.float, "WORKER_DEAF_AFTER_S", 60.0, "write seconds, for example 60")
WORKER_STOP_S = amount(env.float, "WORKER_STOP_S", 25.0, "write the seconds a stopping worker may finish its work in")
# After an absence of all workers the clock's old messages are thrown away. Generous, since machines' clocks differ.
_OLD = {"expires": 600}
CELERY_BEAT_SCHEDULE = {
    "ring-due-work": {"task": "integrations.tasks.sweep", "schedule": SWEEP_EVERY_S, "options": _OLD},
    "take-in-what-waits": {"task": "integrations.tasks.catch_up", "schedule": SWEEP_EVERY_S, "options": _OLD},
    "tell-the-erp": {"task": "integrations.tasks.tell_outgoing", "schedule": SWEEP_EVERY_S, "options": _OLD},
    "follow-contacts": {"task": "integrations.tasks.follow_contacts", "schedule": SWEEP_EVERY_S, "options": _OLD},
    "follow-rules": {"task": "integrations.tasks.follow_rules", "schedule": SWEEP_EVERY_S, "options": _OLD},
    "tick-rules": {"task": "integrations.tasks.tick_rules", "schedule": 60.0, "options": {"expires": 55}},
    "tidy-up": {"task": "integrations.tasks.tidy", "schedule": 6 * 3600.0, "options": _OLD},
    "remind": {"task": "contacts.tasks.remind", "schedule": 60.0, "options": {"expires": 55}},
    "start-due-syncs": {
        "task": "integrations.tasks.start_due_syncs",
        "schedule": min(SYNC_EVERY_S, 30.0),
        "options": _OLD,
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "rankr_dash.logs.WithoutRows", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {
        "handlers": ["console"],
        "level": setting(env.log_level, "LOG_LEVEL", "INFO", "write DEBUG, INFO or WARNING"),
    },
    "loggers": {
        # Each ring twice, and nothing but its name: what became of the work stands in the rows.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        # These print bearer tokens and bodies at debug level.
        "requests_oauthlib": {"level": "WARNING"},
        "oauthlib": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
    },
}

# Error reports, without anything about people: see rankr_dash/sentry.py.
SENTRY_DSN = env.str("SENTRY_DSN", "")
if SENTRY_DSN:
    from rankr_dash import sentry

    try:
        sentry.start(SENTRY_DSN)
    except ValueError:
        raise ImproperlyConfigured("SENTRY_DSN is not usable: copy it from Sentry's project settings.") from None
