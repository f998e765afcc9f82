"""A sandbox in a process of its own, as benches and other tests hold it."""

import pytest
import requests

from integrations.sandbox.process import SandboxProcess


@pytest.fixture(scope="module")
def sandbox():
    process = SandboxProcess("--contacts", "10", "--rate", "0", "--lag-s", "0")
    yield process
    process.stop()


def test_it_answers_as_soon_as_it_is_there(sandbox):
    assert sandbox.credentials["location_id"] in sandbox.get("state")["locations"]


def test_edits_that_fail_are_not_passed_over(sandbox):
    made = sandbox.edits({"values": {"firstName": "Ana"}}, kind="contact", action="create")
    assert sandbox.records("contacts", id=made[0]["id"])["records"][0]["name"] == "Ana"
    with pytest.raises(ValueError, match="no contacts record"):
        sandbox.edits({"kind": "contact", "action": "delete", "id": "absent"})


def test_a_wrong_word_is_not_passed_over_either(sandbox):
    with pytest.raises(requests.HTTPError, match="unknown setting wrong"):
        sandbox.settings(wrong=1)


def test_webhooks_that_never_settle_are_said_to_be_pending(sandbox):
    with pytest.raises(requests.HTTPError, match="webhook_url is not set"):
        sandbox.emit({"type": "A"})
    sandbox.settings(webhook_url="http://127.0.0.1:9/", webhook_tricks={"delay_s": 60})
    sandbox.emit({"type": "A"})
    with pytest.raises(TimeoutError, match="1 webhooks still pending"):
        sandbox.webhooks_settled(0.1)
    sandbox.reset(contacts=10)
    assert sandbox.webhooks_settled()["fates"] == {"delivered": 0, "given_up": 0, "dropped": 0}


def test_one_that_can_not_start_says_so():
    with pytest.raises(RuntimeError, match="did not start"):
        SandboxProcess("--contacts", "many")
