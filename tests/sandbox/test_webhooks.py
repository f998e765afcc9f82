import base64
import http.server
import json
import queue
import socket
import threading

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key


@pytest.fixture
def mailbox():
    """A little server that keeps what is posted to it and answers the statuses it was given."""
    inbox, statuses = queue.Queue(), []
    inbox.headers, inbox.connections = [], set()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(statuses.pop(0) if statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            inbox.headers.append(self.headers)
            inbox.connections.add(self.client_address)
            inbox.put((self.headers["X-GHL-Signature"], body))

        def log_message(self, *words):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    inbox.statuses, inbox.url = statuses, f"http://127.0.0.1:{server.server_port}/hook"
    yield inbox
    server.shutdown()


def settled(account):
    return account.control("GET", "webhooks", wait=8)


def next_one(mailbox):
    return json.loads(mailbox.get(timeout=5)[1])


def test_a_change_is_told_and_signed(account, mailbox):
    account.settings(webhook_url=mailbox.url)
    made = account.create(firstName="Ana", email="hook@x.example")
    signature, body = mailbox.get(timeout=5)
    key = load_pem_public_key(account.control("GET", "webhooks")["public_key"].encode())
    key.verify(base64.b64decode(signature), body)
    told = json.loads(body)
    assert (told["type"], told["id"], told["locationId"]) == ("ContactCreate", made["id"], account.location)
    assert {"webhookId", "timestamp", "appId", "versionId"} <= set(told)


def test_notes_are_told_thinly_and_task_edits_not_at_all(account, mailbox):
    account.settings(webhook_url=mailbox.url)
    path = f"/contacts/{account.contact}"
    account.post(f"{path}/notes", {"body": "x", "title": "T", "userId": account.known["user_id"]})
    told = next_one(mailbox)
    assert told["type"] == "NoteCreate" and not {"userId", "title", "pinned"} & set(told)
    body = {"title": "t", "dueDate": "2026-12-01T10:00:00Z", "completed": False}
    task = account.post(f"{path}/tasks", body)["task"]
    account.put(f"{path}/tasks/{task['id']}", {"title": "other"})
    account.put(f"{path}/tasks/{task['id']}/completed", {"completed": True})
    account.delete(f"{path}/tasks/{task['id']}")
    told = {next_one(mailbox)["type"] for _ in range(3)}
    assert told == {"TaskCreate", "TaskComplete", "TaskDelete"}


@pytest.mark.parametrize("policy, status, tries", [("retry_on_429", 429, 2), ("retry_on_any", 500, 2)])
def test_a_refused_webhook_comes_again(account, mailbox, policy, status, tries):
    account.settings(webhook_url=mailbox.url, webhook_policy=policy, webhook_retry_s=0)
    mailbox.statuses.append(status)
    account.delete(f"/contacts/{account.contact}/tags", {"tags": ["none"]})
    account.post(f"/contacts/{account.contact}/tags", {"tags": ["told twice"]})
    assert len({next_one(mailbox)["webhookId"] for _ in range(tries)}) == 1


def test_a_webhook_answered_429_is_tried_until_it_is_taken(account, mailbox):
    account.settings(webhook_url=mailbox.url, webhook_retry_s=0.05, webhook_jitter=0)
    mailbox.statuses += [429, 429]
    account.control("POST", "emit", {"payload": {"type": "A"}})
    told = settled(account)
    assert [one["status"] for one in told["deliveries"][0]["tries"]] == [429, 429, 200]
    assert told["fates"]["delivered"] == 1 and told["answers"] == {"429": 2, "200": 1}


@pytest.mark.parametrize("status", [500, 302, 404])
def test_any_other_refusal_is_final_and_remembered(account, mailbox, status):
    account.settings(webhook_url=mailbox.url, webhook_retry_s=0.01)
    mailbox.statuses.append(status)
    account.control("POST", "emit", {"payload": {"type": "A", "id": "x"}})
    told = settled(account)
    assert (told["deliveries"][0]["fate"], told["deliveries"][0]["status"]) == ("given_up", status)
    assert told["answers"] == {str(status): 1}


def test_an_app_that_never_takes_a_webhook_is_given_up(account, mailbox):
    account.settings(webhook_url=mailbox.url, webhook_retry_s=0.01, webhook_jitter=0)
    mailbox.statuses += [429] * 20
    account.control("POST", "emit", {"payload": {"type": "A"}})
    delivery = settled(account)["deliveries"][0]
    assert (delivery["fate"], len(delivery["tries"])) == ("given_up", 7)


def test_an_app_that_is_away_is_said_to_be(account):
    account.settings(webhook_url="http://127.0.0.1:9/hook")
    account.control("POST", "emit", {"payload": {"type": "A"}})
    assert settled(account)["answers"] == {"refused": 1}


def test_an_app_that_does_not_answer_in_time_has_lost_it(account):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        account.settings(webhook_url=f"http://127.0.0.1:{silent.getsockname()[1]}/", webhook_timeout_s=0.2)
        account.control("POST", "emit", {"payload": {"type": "A"}})
        assert settled(account)["answers"] == {"timeout": 1}


def test_a_share_of_webhooks_is_dropped_and_doubled_the_same_each_time(account, mailbox):
    def round_of():
        account.reset()
        account.settings(webhook_url=mailbox.url, webhook_tricks={"drop": 0.2, "duplicate": 0.3})
        account.control("POST", "emit", {"payloads": [{"type": "A", "id": str(number)} for number in range(200)]})
        told = settled(account)
        return told["fates"], [(one["id"], one["fate"], one["doubled"]) for one in told["deliveries"]]

    fates, deliveries = round_of()
    assert 20 < fates["dropped"] < 60 and fates["delivered"] > 170
    assert round_of() == (fates, deliveries)


def test_webhooks_can_be_doubled_and_thinned(account, mailbox):
    account.settings(webhook_url=mailbox.url, webhook_tricks={"duplicate": 1.0, "thin_tasks": 1.0})
    body = {"title": "t", "dueDate": "2026-12-01T10:00:00Z", "completed": False}
    account.post(f"/contacts/{account.contact}/tasks", body)
    first, second = next_one(mailbox), next_one(mailbox)
    assert first == second and "contactId" not in first


def test_webhooks_come_out_of_order_within_bounds(account, mailbox):
    account.settings(webhook_url=mailbox.url, webhook_tricks={"reorder": 10}, webhook_concurrency=1)
    account.control("POST", "emit", {"payloads": [{"type": "A", "id": number} for number in range(25)]})
    assert settled(account)["fates"]["delivered"] == 25, "the last ones are let go when nothing more comes"
    came = [next_one(mailbox)["id"] for _ in range(25)]
    assert came != sorted(came) and sorted(came[:10]) == list(range(10)) and sorted(came[10:20]) == list(range(10, 20))


def test_webhooks_can_be_late(account, mailbox):
    account.settings(webhook_url=mailbox.url, webhook_tricks={"delay_s": [0.2, 0.3]})
    account.control("POST", "emit", {"payload": {"type": "A"}})
    assert account.control("GET", "webhooks")["pending"] == 1
    assert settled(account)["fates"]["delivered"] == 1


def test_a_misspelt_trick_is_refused(account):
    answer = account.http.post(f"{account.base}/__sandbox__/settings", json={"webhook_tricks": ["drop"]}, timeout=10)
    assert answer.status_code == 400 and "duplicate" in answer.json()["error"]


def test_any_payload_can_be_sent(account, mailbox):
    account.settings(webhook_url=mailbox.url)
    account.control("POST", "emit", {"payload": {"type": "UNINSTALL", "locationId": account.location}})
    told = next_one(mailbox)
    assert told["type"] == "UNINSTALL" and told["webhookId"]
    account.control("POST", "emit", {"payload": {"type": "X", "webhookId": "mine", "timestamp": "then", "appId": "a"}})
    told = next_one(mailbox)
    assert (told["webhookId"], told["timestamp"], told["appId"]) == ("mine", "then", "a")


def test_what_is_given_as_null_is_sent_as_null(account, mailbox):
    account.settings(webhook_url=mailbox.url)
    account.control("POST", "emit", {"payload": {"type": "X", "webhookId": None, "contactId": None}})
    told = next_one(mailbox)
    assert told["webhookId"] is None and told["contactId"] is None and told["appId"]


def test_a_delivery_of_an_appointment_is_found_by_its_id(account, mailbox):
    account.settings(webhook_url=mailbox.url)
    made = account.control(
        "POST", "edit", {"kind": "appointment", "action": "create", "values": {"contactId": account.contact}}
    )["record"]
    settled(account)
    assert len(account.control("GET", "webhooks", id=made["id"])["deliveries"]) == 1
    assert account.control("GET", "webhooks", id="other")["deliveries"] == []


def test_tricks_can_be_for_one_call(account, mailbox):
    account.settings(webhook_url=mailbox.url)
    account.control("POST", "emit", {"payload": {"type": "A"}, "tricks": {"drop": 1.0}})
    account.control("POST", "emit", {"payload": {"type": "B"}})
    told = settled(account)
    assert [(one["type"], one["fate"]) for one in told["deliveries"]] == [("A", "dropped"), ("B", "delivered")]


def test_a_webhook_can_carry_a_strangers_signature_or_none(account, mailbox):
    account.settings(webhook_url=mailbox.url)
    key = load_pem_public_key(account.control("GET", "webhooks")["public_key"].encode())
    account.control("POST", "emit", {"payload": {"type": "A"}, "key": "other"})
    signature, body = mailbox.get(timeout=5)
    with pytest.raises(InvalidSignature):
        key.verify(base64.b64decode(signature), body)
    account.control("POST", "emit", {"payload": {"type": "A"}, "unsigned": True})
    assert mailbox.get(timeout=5)[0] is None
    account.control("POST", "emit", {"payload": {"type": "A"}, "unsigned": "N/A"})
    assert mailbox.get(timeout=5)[0] == "N/A"


def test_a_webhook_can_be_signed_the_old_way_only(account, mailbox):
    account.settings(webhook_url=mailbox.url)
    account.control("POST", "emit", {"payload": {"type": "A"}, "rsa_only": True})
    signature, body = mailbox.get(timeout=5)
    key = load_pem_public_key(account.control("GET", "webhooks")["rsa_public_key"].encode())
    assert signature is None
    key.verify(base64.b64decode(mailbox.headers[-1]["x-wh-signature"]), body, PKCS1v15(), SHA256())


def test_many_webhooks_share_few_connections(account, mailbox):
    account.settings(webhook_url=mailbox.url, webhook_concurrency=4)
    account.control("POST", "emit", {"payloads": [{"type": "A"}] * 300})
    assert settled(account)["fates"]["delivered"] == 300
    assert len(mailbox.connections) <= 12


def test_a_reset_sends_nothing_more(account, mailbox):
    account.settings(webhook_url=mailbox.url, webhook_tricks={"delay_s": 0.1})
    account.control("POST", "emit", {"payload": {"type": "A"}})
    account.reset()
    account.settings(webhook_url=mailbox.url, webhook_tricks={})
    account.control("POST", "emit", {"payload": {"type": "B"}, "tricks": {"delay_s": 0.2}})
    settled(account)
    assert next_one(mailbox)["type"] == "B" and mailbox.empty()
