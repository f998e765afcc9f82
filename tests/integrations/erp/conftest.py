"""Northgate's ERP, which has a key; and Initech's, which has another."""

import json
import time
from dataclasses import dataclass

import pytest
from django.test import Client

from contacts.models import Business
from integrations.erp import signature
from integrations.matching import arrivals
from integrations.models import ApiKey, ErpEvent, Scope
from rankr_dash.shared_redis import shared_redis


@dataclass
class Erp:
    """Speaks to the API as an ERP does. `work()` lets the worker do all that is due."""

    token: str
    key: ApiKey
    secret: str

    def ask(self, method, path, body=None, **headers):
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}"} | headers
        return Client().generic(method, f"/api/v1{path}", body or b"", "application/json", headers=headers)

    def get(self, path):
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def send(self, path, body, method="POST", **headers):
        """What came of it, once the worker has been at it."""
        answer = self.ask(method, path, body, **headers)
        assert answer.status_code == 202, answer.content
        work()
        return self.became(answer.json()["id"])

    def became(self, event_id):
        return self.get(f"/events/{event_id}")

    def signed(self, method, path, body=b"", secret=None, at=None, **changed):
        at = str(int(time.time()) if at is None else at)
        signed = signature.sign(secret or self.secret, at, method, f"/api/v1{path}", body)
        headers = {signature.KEY: self.key.prefix, signature.TIMESTAMP: at, signature.SIGNATURE: signed} | changed
        return Client().generic(method, f"/api/v1{path}", body, "application/json", headers=headers)


def work():
    for pk in arrivals.waiting():
        arrivals.handle(pk)


def event(key="evt-1", **more):
    """Invoice 8841 paid, by Marisol."""
    told = {
        "type": "invoice.paid",
        "occurred_at": "2026-11-20T14:00:00Z",
        "subject": {"reference": "CUST-1042", "email": "marisol@example.com"},
        "title": "Invoice 8841 paid",
        "detail": "$12,400.00",
        "payload": {"invoice": "8841", "amount": 12400},
        "idempotency_key": key,
    }
    return {name: value for name, value in (told | more).items() if value is not None}


def key_of(business, scopes=tuple(Scope.values)):
    key, token, secret = ApiKey.objects.make(business, "Northwind ERP", scopes, None)
    return Erp(token, key, secret)


@pytest.fixture(autouse=True)
def no_requests_counted():
    shared_redis().flushdb()


@pytest.fixture
def erp(northgate):
    return key_of(northgate)


@pytest.fixture
def strange_erp(cy):
    """Initech's."""
    return key_of(Business.objects.get(name="Initech"))


@pytest.fixture
def events():
    return ErpEvent.objects.order_by("pk")
