"""Webhooks: what GHL tells an app about changes, signed with the sandbox's own key.

Nothing is sent until `webhook_url` is set. The signature is Ed25519 over the raw body, in X-GHL-Signature.
"""

import asyncio
import base64
import hashlib
import json
import urllib.error
import urllib.request
import uuid
from collections import deque

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .contact_shapes import full_name
from .moments import iso, now_ms

TRIES = {"retry_on_429": 7, "retry_on_any": 13}
CONTACT_FIELDS = """address1 city companyName country source dnd email firstName lastName phone postalCode state tags
website assignedTo customFields dateOfBirth""".split()  # noqa: SIM905  a list of words reads better as words


class Webhooks:
    def __init__(self, sandbox):
        self.sandbox = sandbox
        # From the seed, so that a client configured once stays configured.
        secret = hashlib.sha256(f"webhook key {sandbox.config.seed}".encode()).digest()
        self.key = Ed25519PrivateKey.from_private_bytes(secret)
        self.deliveries = deque(maxlen=5_000)
        self.tasks = set()
        self.held_back = []
        for location in sandbox.company.locations.values():
            location.watcher = self.changed

    @property
    def public_key(self):
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def changed(self, location, kind, old, new):
        if not self.sandbox.config.webhook_url:
            return
        for payload in EVENTS[kind](old, new):
            self.emit({"type": payload.pop("type"), "locationId": location.id, **payload})

    def installed(self, token):
        if not self.sandbox.config.webhook_url:
            return
        payload = {"type": "INSTALL", "companyId": token.company_id, "userId": token.user_id, "installType": "Location"}
        self.emit(payload | ({"locationId": token.location_id} if token.location_id else {}))

    def emit(self, payload):
        config, credentials = self.sandbox.config, self.sandbox.credentials
        tricks = config.webhook_tricks
        payload = {
            **payload,
            "appId": credentials.app_id,
            "versionId": credentials.version_id,
            "webhookId": str(uuid.uuid4()),
            "timestamp": iso(now_ms()),
        }
        if "thin_tasks" in tricks and payload["type"] == "TaskCreate":
            payload.pop("contactId", None)
            payload.pop("body", None)
        if "drop" in tricks:
            self._note(payload, "dropped")
            return payload
        if "reverse" in tricks and not self.held_back:
            self.held_back.append(payload)
            return payload
        queue = [payload, *self.held_back] * (2 if "duplicate" in tricks else 1)
        self.held_back.clear()
        task = asyncio.get_running_loop().create_task(self._deliver_all(queue))
        # A task nobody holds may vanish before it is done.
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return payload

    async def _deliver_all(self, queue):
        for payload in queue:
            await self._deliver(payload)

    async def _deliver(self, payload):
        config = self.sandbox.config
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        for number in range(TRIES[config.webhook_policy]):
            if number:
                await asyncio.sleep(config.webhook_retry_s)
            status = await asyncio.to_thread(post, config.webhook_url, body, self.signature(body))
            self._note(payload, status)
            is_done = status is not None and 200 <= status < 300
            if is_done or (config.webhook_policy == "retry_on_429" and status != 429):
                return

    def signature(self, body):
        return base64.b64encode(self.key.sign(body)).decode()

    def _note(self, payload, status):
        known = ("type", "id", "locationId", "webhookId", "timestamp")
        self.deliveries.append({name: payload[name] for name in known if name in payload} | {"status": status})


def post(url, body, signature):
    """The status of the answer, or None when nobody answered."""
    headers = {"Content-Type": "application/json", "X-GHL-Signature": signature}
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as refusal:
        return refusal.code
    except OSError:
        return None


def contact_events(old, new):
    contact = new or old
    payload = {name: contact[name] for name in CONTACT_FIELDS if name in contact}
    payload |= {"id": contact["id"], "name": full_name(contact), "dateAdded": iso(contact["dateAdded"])}
    if old is None or new is None:
        yield {"type": "ContactCreate" if old is None else "ContactDelete", **payload}
        return
    tags, dnd = old["tags"] != new["tags"], ("dnd", "dndSettings")
    if tags:
        yield {"type": "ContactTagUpdate", **payload}
    if any(old.get(name) != new.get(name) for name in dnd):
        yield {"type": "ContactDndUpdate", **payload, "dndSettings": new.get("dndSettings") or {}}
    if any(old.get(name) != new.get(name) for name in CONTACT_FIELDS if name not in ("tags", "dnd")):
        yield {"type": "ContactUpdate", **payload}


def note_events(old, new):
    """No author, title, colour or pin: whoever needs them reads the note."""
    note = new or old
    payload = {name: note[name] for name in ("id", "body", "contactId")}
    yield {"type": _verb("Note", old, new), **payload, "dateAdded": iso(note["dateAdded"])}


def task_events(old, new):
    """There is no TaskUpdate: edits of a task, and its reopening, are told to nobody."""
    task = new or old
    completed = old is not None and new is not None and new["completed"] and not old["completed"]
    if old is not None and new is not None and not completed:
        return
    payload = {name: task.get(name) for name in ("id", "assignedTo", "body", "contactId", "title")}
    kind = "TaskComplete" if completed else _verb("Task", old, new)
    yield {"type": kind, **payload, "dateAdded": iso(task["dateAdded"]), "dueDate": iso(task["dueDate"])}


def appointment_events(old, new):
    one = new or old
    names = (
        "id",
        "title",
        "calendarId",
        "contactId",
        "groupId",
        "appointmentStatus",
        "assignedUserId",
        "users",
        "source",
    )
    appointment = {name: one.get(name) for name in names} | {"address": one.get("address") or ""}
    appointment |= {name: iso(one[name]) for name in ("startTime", "endTime", "dateAdded", "dateUpdated")}
    gone = new is not None and new.get("deleted")
    kind = "AppointmentDelete" if gone else _verb("Appointment", old, new)
    yield {"type": kind, "appointment": appointment}


def _verb(noun, old, new):
    return noun + ("Create" if old is None else "Delete" if new is None else "Update")


EVENTS = {
    "contacts": contact_events,
    "notes": note_events,
    "tasks": task_events,
    "appointments": appointment_events,
}
