"""Webhooks: sent, signed with the sandbox's own key, tried again as the policy says, and every try remembered.

Nothing is sent until `webhook_url` is set. The signature is Ed25519 over the raw body, in X-GHL-Signature.
"""

import asyncio
import base64
import hashlib
import itertools
import json
import time
import uuid
from collections import Counter, OrderedDict, deque

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .announcements import EVENTS, UNDOCUMENTED
from .moments import iso
from .postman import Postman
from .tricks import Tricks, checked

TRIES = {"retry_on_429": 7, "retry_on_any": 13}
# How long held-back events wait for more to be shuffled with.
QUIET_S = 0.3
TOLD_APART = ("type", "id", "locationId", "companyId", "webhookId", "timestamp")


class Delivery:
    """One event on its way to the app."""

    numbers = itertools.count(1)

    def __init__(self, payload, seal="own", doubled=False):
        self.number = next(self.numbers)
        self.payload, self.seal, self.doubled = payload, seal, doubled
        self.tries = []
        self.fate = "pending"

    @property
    def about(self):
        """What tells it from others; an appointment has its id one level down."""
        nested = self.payload.get("appointment")
        found = {"id": nested.get("id")} if isinstance(nested, dict) else {}
        return found | {name: self.payload[name] for name in TOLD_APART if self.payload.get(name) is not None}

    def shape(self):
        last = self.tries[-1]["status"] if self.tries else None
        return self.about | {"number": self.number, "doubled": self.doubled, "seal": self.seal, "fate": self.fate,
                        "status": last, "tries": self.tries}  # fmt: skip


class Webhooks:
    def __init__(self, sandbox):
        self.sandbox = sandbox
        # From the seed, so that a client configured once stays configured.
        secret = hashlib.sha256(f"webhook key {sandbox.config.seed}".encode()).digest()
        self.key = Ed25519PrivateKey.from_private_bytes(secret)
        self.keys = {"own": self.key, "other": Ed25519PrivateKey.from_private_bytes(secret[::-1])}
        self.rsa_key = None
        self.tricks = Tricks(sandbox.config.seed)
        self.postman = Postman()
        self.known = deque(maxlen=sandbox.config.log_keep)
        self.pending = OrderedDict()
        self.fates, self.answers = Counter(), Counter()
        self.queue, self.held_back = deque(), []
        self.sending, self.held_since = 0, 0.0
        self.tasks, self.timers = set(), set()
        self.settled = asyncio.Event()
        self.is_over = False

    @property
    def public_key(self):
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    @property
    def rsa_public_key(self):
        """None until something was signed the old way."""
        key = self.rsa_key and self.rsa_key.public_key()
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode() if key else None

    def changed(self, location, kind, old, new):
        if not self.sandbox.config.webhook_url or kind not in EVENTS:
            return
        for payload in EVENTS[kind](location, old, new):
            if payload["type"] not in UNDOCUMENTED or self.sandbox.config.undocumented_webhooks:
                # In the events of a location itself, `id` is the location.
                place = {} if kind == "location" else {"locationId": location.id}
                self.emit({"type": payload.pop("type"), **place, **payload})

    def installed(self, location_id, company_id, user_id):
        kind = "Location" if location_id else "Company"
        payload = {"type": "INSTALL", "companyId": company_id, "userId": user_id, "installType": kind}
        self.tell(payload | ({"locationId": location_id} if location_id else {}))

    def tell(self, payload):
        if self.sandbox.config.webhook_url:
            self.emit(payload)

    def emit(self, payload, tricks=None, seal="own"):
        """Sends it, unless a trick says otherwise. seal: own, other, unsigned, na or rsa."""
        words = checked(self.sandbox.config.webhook_tricks if tricks is None else tricks)
        credentials = self.sandbox.credentials
        payload = {
            "appId": credentials.app_id,
            "versionId": credentials.version_id,
            "webhookId": str(uuid.uuid4()),
            "timestamp": iso(self.sandbox.config.now_ms()),
            **payload,
        }
        if payload.get("type") == "TaskCreate" and self.tricks.strikes("thin_tasks", words):
            payload.pop("contactId", None)
            payload.pop("body", None)
        if self.tricks.strikes("drop", words):
            self._end(self._know(Delivery(payload, seal)), "dropped")
            return payload
        deliveries = [Delivery(payload, seal)]
        if self.tricks.strikes("duplicate", words):
            deliveries.append(Delivery(payload, seal, doubled=True))
        for delivery in deliveries:
            self._know(delivery)
            if int(words.get("reorder") or 0) > 1:
                self._hold_back(delivery, int(words["reorder"]), words)
            else:
                self._send_after(self.tricks.delay(words), delivery)
        return payload

    async def wait_until_settled(self, seconds):
        if self.pending:
            self.settled.clear()
            try:
                await asyncio.wait_for(self.settled.wait(), seconds)
            except TimeoutError:
                return False
        return True

    def report(self, wanted, limit):
        """Counts of all there ever was, and the newest deliveries that are wanted."""
        found = [delivery for delivery in self.known if wanted(delivery)]
        return {
            "pending": len(self.pending),
            "fates": {"delivered": 0, "given_up": 0, "dropped": 0, **self.fates},
            "answers": {str(answer): count for answer, count in self.answers.items()},
            "deliveries": [delivery.shape() for delivery in (found[-limit:] if limit else [])],
        }

    def forget(self):
        self.known = deque((one for one in self.known if one.fate == "pending"), maxlen=self.known.maxlen)
        self.fates.clear()
        self.answers.clear()

    def stop(self):
        """The account is gone: nothing more is sent."""
        self.is_over = True
        self.queue.clear()
        for timer in self.timers:
            timer.cancel()
        self.postman.close()

    def _know(self, delivery):
        self.known.append(delivery)
        self.pending[delivery.number] = delivery
        return delivery

    def _hold_back(self, delivery, within, words):
        self.held_back.append((delivery, words))
        if len(self.held_back) >= within:
            self._let_go()
        elif len(self.held_back) == 1:
            self._later(QUIET_S, self._let_go_when_quiet)
        self.held_since = time.monotonic()

    def _let_go_when_quiet(self):
        rest = self.held_since + QUIET_S - time.monotonic()
        if self.held_back and rest > 0.01:
            self._later(rest, self._let_go_when_quiet)
        else:
            self._let_go()

    def _let_go(self):
        held, self.held_back = self.tricks.shuffled(self.held_back), []
        for delivery, words in held:
            self._send_after(self.tricks.delay(words), delivery)

    def _send_after(self, seconds, delivery):
        if seconds > 0:
            self._later(seconds, self._queue, delivery)
        else:
            self._queue(delivery)

    def _later(self, seconds, act, *args):
        def then():
            self.timers.discard(timer)
            if not self.is_over:
                act(*args)

        timer = asyncio.get_running_loop().call_later(seconds, then)
        self.timers.add(timer)

    def _queue(self, delivery):
        self.queue.append(delivery)
        if self.sending < self.sandbox.config.webhook_concurrency:
            self.sending += 1
            task = asyncio.get_running_loop().create_task(self._send_some())
            # A task nobody holds may vanish before it is done.
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _send_some(self):
        try:
            while self.queue and not self.is_over:
                await self._try(self.queue.popleft())
        finally:
            self.sending -= 1

    async def _try(self, delivery):
        config = self.sandbox.config
        body = json.dumps(delivery.payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        headers = {"Content-Type": "application/json", **self._seal(delivery.seal, body)}
        began, at = time.monotonic(), self.sandbox.clock()
        answer = await self.postman.post(config.webhook_url, headers, body, config.webhook_timeout_s)
        took = round((time.monotonic() - began) * 1000, 1)
        delivery.tries.append({"at": at, "status": answer, "ms": took})
        self.answers[answer] += 1
        if isinstance(answer, int) and 200 <= answer < 300:
            return self._end(delivery, "delivered")
        most = config.webhook_tries or TRIES[config.webhook_policy]
        if len(delivery.tries) >= most or (config.webhook_policy == "retry_on_429" and answer != 429):
            return self._end(delivery, "given_up")
        pause = config.webhook_retry_s
        if config.webhook_policy == "retry_on_any":
            pause *= config.webhook_backoff ** (len(delivery.tries) - 1)
        self._later(self.tricks.spread(pause, config.webhook_jitter), self._queue, delivery)

    def _end(self, delivery, fate):
        delivery.fate = fate
        self.fates[fate] += 1
        self.pending.pop(delivery.number, None)
        if not self.pending:
            self.settled.set()

    def _seal(self, seal, body):
        if seal == "unsigned":
            return {}
        if seal == "na":
            return {"X-GHL-Signature": "N/A"}
        if seal == "rsa":
            self.rsa_key = self.rsa_key or rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
            signature = self.rsa_key.sign(body, padding.PKCS1v15(), hashes.SHA256())
            return {"x-wh-signature": base64.b64encode(signature).decode()}
        return {"X-GHL-Signature": base64.b64encode(self.keys[seal].sign(body)).decode()}
