import pytest

from manage import needs_services


@pytest.mark.parametrize(
    "command, starts_them",
    [
        ("migrate", True),
        ("shell", True),
        ("demo", True),
        ("runserver 8001", True),
        ("makemigrations --check", True),
        ("check --database default", True),
        ("check", False),
        ("collectstatic --noinput", False),
        ("sandbox --port 8800", False),
        ("migrate --help", False),
        ("help migrate", False),
        ("--version", False),
        ("", False),
    ],
)
def test_only_commands_that_need_services_start_them(command, starts_them, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert needs_services(command.split()) is starts_them


def test_given_addresses_are_used_and_nothing_is_started(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/rankr")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere")
    assert needs_services(["migrate"]) is False
