"""A clock that is wrong, and an index that is late by another time for each record."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from integrations.sandbox.config import Config
from integrations.sandbox.tables import LateIndex

from .test_webhooks import mailbox, next_one  # noqa: F401  the fixture


def test_all_of_its_dates_are_off_by_the_same(account, mailbox):  # noqa: F811
    account.settings(clock_skew_s=-3600, webhook_url=mailbox.url)
    answer = account.ask("POST", f"/contacts/{account.contact}/notes", {"body": "x"})
    added = datetime.fromisoformat(answer.json()["note"]["dateAdded"])
    told = datetime.fromisoformat(next_one(mailbox)["timestamp"])
    header = parsedate_to_datetime(answer.headers["Date"])
    expected = datetime.now(UTC) - timedelta(hours=1)
    assert all(abs(moment - expected) < timedelta(minutes=1) for moment in (added, told, header))


def test_tokens_live_as_long_as_they_say_whatever_the_clock(account):
    account.settings(clock_skew_s=200_000)
    tokens = account.token(grant_type="authorization_code", code=account.known["code"]).json()
    account.use(tokens["access_token"])
    assert account.ask("GET", f"/contacts/{account.contact}").ok


def test_records_become_visible_in_another_order_than_they_were_made():
    index = LateIndex(Config(lag_s=[0, 10]))
    for number in range(20):
        index.note(str(number), {"id": str(number)}, now=1)
    assert [entry[2] for entry in sorted(index.waiting)] != [str(number) for number in range(20)]
    assert set(index.visible()) == {str(number) for number in range(20)}


def test_an_older_version_never_covers_a_newer_one():
    for seed in range(20):
        index = LateIndex(Config(lag_s=[0, 10], seed=seed))
        for version in range(5):
            index.note("a", {"version": version}, now=1)
        index.note("b", {"version": 0}, now=1)
        index.note("b", None, now=1)
        assert index.visible() == {"a": {"version": 4}}


def test_the_lag_can_be_lifted_while_records_wait(account):
    account.settings(lag=[30, 60])
    made = account.create(firstName="Late")
    assert made["id"] not in {row["id"] for row in account.search()["contacts"]}
    account.settings(lag=0)
    assert made["id"] in {row["id"] for row in account.search()["contacts"]}
