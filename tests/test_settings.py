"""A wrong setting stops the start with a sentence that names it, and never repeats a secret."""

import base64
import os
import runpy
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from integrations import crypto
from tests.sandbox_control import ROOT

KEY = base64.b64encode(b"k" * 32).decode()
SHORT = base64.b64encode(b"short").decode()
HTTPS = {
    "PUBLIC_URL": "https://dash.example.com",
    "SECRET_KEY": "x7Qm" * 15 + "longer than fifty letters",
    "ENCRYPTION_KEYS": f"2026a:{KEY}",
    "DATABASE_URL": "postgres://rankr:hunter2@127.0.0.1:9/rankr",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "EMAIL_URL": "submission://rankr:hunter2@mail.example.com:587",
}
UNTOUCHED = ("PATH", "HOME", "LANG", "TMPDIR")


@pytest.fixture
def start(monkeypatch):
    """Read the settings anew in an environment that holds nothing else."""

    def read(**environment):
        for name in os.environ:
            if name not in UNTOUCHED:
                monkeypatch.delenv(name)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "rankr_dash" / "settings.py"))

    return read


def manage(*command, **environment):
    kept = {name: value for name, value in os.environ.items() if name in UNTOUCHED}
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT, env=kept | environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


# --- it works ---------------------------------------------------------------------------------------------------------


def test_nothing_need_be_set_for_development(start):
    read = start()
    assert read["PUBLIC_URL"] == "http://127.0.0.1:8000"
    assert read["SECRET_KEY"]
    assert read["DEBUG"] is False
    assert not read["SESSION_COOKIE_SECURE"]
    assert {"127.0.0.1", "localhost"} <= set(read["ALLOWED_HOSTS"])


def test_the_secrets_of_a_checkout_outlive_a_restart(start):
    first, second = start(), start()
    assert first["SECRET_KEY"] == second["SECRET_KEY"]
    assert first["ENCRYPTION_KEYS"] == second["ENCRYPTION_KEYS"]


def test_a_public_address_is_served_over_https_only(start):
    read = start(**HTTPS)
    assert read["SESSION_COOKIE_SECURE"]
    assert read["CSRF_COOKIE_SECURE"]
    assert read["ALLOWED_HOSTS"] == ["dash.example.com"]
    assert read["CSRF_TRUSTED_ORIGINS"] == ["https://dash.example.com"]
    assert read["SECURE_HSTS_SECONDS"] >= 31_536_000


def test_django_has_nothing_to_say_about_a_deployment():
    said = manage("check", "--deploy", "--fail-level", "WARNING", **HTTPS)
    assert said.returncode == 0, said.stderr


def test_two_client_secrets_may_be_valid_during_a_rotation(start):
    assert start(GHL_CLIENT_SECRET="new,old")["GHL_CLIENT_SECRETS"] == ["new", "old"]


# --- it does not ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, value", [
    ("DATABASE_URL", "mysql://rankr:hunter2@127.0.0.1/rankr"),
    ("DATABASE_URL", "postgres://rankr:hunter2@127.0.0.1:port/rankr"),
    ("DATABASE_URL", ""),
    ("REDIS_URL", "http://127.0.0.1"),
    ("REDIS_URL", "redis://:hunter2@127.0.0.1:port/0"),
    ("REDIS_URL", ""),
    ("PUBLIC_URL", "dash.example.com"),
    ("PUBLIC_URL", "https://"),
    ("PUBLIC_URL", ""),
    ("EMAIL_URL", "pigeon://rankr:hunter2@mail.example.com"),
    ("EMAIL_URL", "smtp://rankr:hunter2@mail.example.com:port"),
    ("EMAIL_URL", "mail.example.com"),
    ("DEBUG", "perhaps"),
    ("LOG_LEVEL", "LOUD"),
    ("GHL_TIMEOUT_S", "soon"),
    ("GHL_TIMEOUT_S", "0"),
    ("GHL_TIMEOUT_S", "nan"),
    ("GHL_RATE_LIMIT", "many"),
    ("GHL_RATE_LIMIT", "1.5"),
    ("GHL_RATE_LIMIT", "0"),
    ("GHL_RATE_WINDOW_S", "-10"),
    ("SYNC_EVERY_S", "often"),
    ("SWEEP_EVERY_S", "0"),
    ("UNDO_S", "a while"),
    ("WORK_LEASE_S", "x"),
    ("WORK_LEASE_S", "inf"),
])  # fmt: skip
def test_a_wrong_value_names_its_setting(name, value, start):
    with pytest.raises(ImproperlyConfigured, match=name) as stop:
        start(**{name: value})
    assert "hunter2" not in str(stop.value)
    assert stop.value.__suppress_context__ or stop.value.__context__ is None, "the cause would be printed too"


@pytest.mark.parametrize("seconds", [{"WORK_LEASE_S": "30"}, {"GHL_TIMEOUT_S": "40"}])
def test_a_lease_outlives_the_slowest_request(seconds, start):
    with pytest.raises(ImproperlyConfigured, match=r"WORK_LEASE_S .* GHL_TIMEOUT_S"):
        start(**seconds)


@pytest.mark.parametrize("name", ["SECRET_KEY", "ENCRYPTION_KEYS"])
@pytest.mark.parametrize("missing", [None, ""])
def test_a_public_address_needs_secrets_of_its_own(name, missing, start):
    environment = {key: value for key, value in HTTPS.items() if key != name or missing is not None}
    if missing is not None:
        environment[name] = missing
    with pytest.raises(ImproperlyConfigured, match=f"{name} is missing"):
        start(**environment)


@pytest.mark.parametrize("keys", [
    "2026a",
    f":{KEY}",
    KEY,
    f"2026a:{SHORT}",
    "2026a:not base64",
    f"2026a:{KEY},2025b:{SHORT}",
    f"2026a:{KEY},2026a:{KEY}",
])  # fmt: skip
def test_a_key_that_cannot_seal_is_named_and_not_shown(keys, settings):
    settings.ENCRYPTION_KEYS = keys.split(",")
    with pytest.raises(ImproperlyConfigured, match="ENCRYPTION_KEYS is not usable") as stop:
        crypto.key_ring()
    assert KEY not in str(stop.value)


@pytest.mark.parametrize("name, value", [
    ("ENCRYPTION_KEYS", f"2026a:{SHORT}"),
    ("GHL_RATE_LIMIT", "unlimited"),
])  # fmt: skip
def test_every_process_stops_at_the_start(name, value):
    """Not only pages: what loads Django at all, as the worker and the web server do."""
    said = manage("check", **HTTPS | {name: value})
    assert said.returncode != 0
    assert f"{name} is not usable" in said.stderr
    assert value not in said.stderr
    loaded = subprocess.run(
        [sys.executable, "-c", "import rankr_dash.asgi"], cwd=ROOT, capture_output=True, text=True, timeout=60,
        env={"PATH": os.environ["PATH"], **HTTPS, name: value},
    )  # fmt: skip
    assert f"{name} is not usable" in loaded.stderr.splitlines()[-1]
