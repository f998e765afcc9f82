import base64
import http.server
import json
import queue
import threading

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key


@pytest.fixture
def mailbox():
    """A little server that keeps what is posted to it and answers the statuses it was given."""
    inbox, statuses = queue.Queue(), []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(statuses.pop(0) if statuses else 200)
            self.end_headers()
            inbox.put((self.headers["X-GHL-Signature"], body))

        def log_message(self, *words):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    inbox.statuses, inbox.url = statuses, f"http://127.0.0.1:{server.server_port}/hook"
    yield inbox
    server.shutdown()


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


def test_webhooks_can_be_doubled_and_thinned(account, mailbox):
    account.settings(webhook_url=mailbox.url, webhook_tricks=["duplicate", "thin_tasks"])
    body = {"title": "t", "dueDate": "2026-12-01T10:00:00Z", "completed": False}
    account.post(f"/contacts/{account.contact}/tasks", body)
    first, second = next_one(mailbox), next_one(mailbox)
    assert first == second and "contactId" not in first


def test_any_payload_can_be_sent(account, mailbox):
    account.settings(webhook_url=mailbox.url)
    account.control("POST", "webhooks", {"payload": {"type": "UNINSTALL", "locationId": account.location}})
    assert next_one(mailbox)["type"] == "UNINSTALL"
