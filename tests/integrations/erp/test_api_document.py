"""The document at /api/v1/openapi.json keeps its word, whatever is sent. The same cases in every run."""

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from integrations.api import doors
from integrations.api.app import api

pytestmark = pytest.mark.django_db

EXAMPLES = 5
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
OPERATIONS = [
    (method, path)
    for path, methods in api.get_openapi_schema(path_prefix="")["paths"].items()
    for method in sorted(methods)
]


@pytest.fixture(autouse=True)
def one_connection(db):
    """A request of a real server ends with its connection to the database; this test's transaction must outlive it.

    Django's test client puts it back, so the cases do not come after one of its requests.
    """
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def document(db):
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application(), config=SchemathesisConfig())


@pytest.mark.parametrize("method, path, mode", [
    (method, path, mode) for method, path in OPERATIONS for mode in schemathesis.GenerationMode
    if mode == schemathesis.GenerationMode.POSITIVE or "{" not in path  # such an address would be another one
])  # fmt: skip
def test_every_answer_is_one_the_document_promises(method, path, mode, document, erp, contact, monkeypatch):
    monkeypatch.setattr(doors, "count", lambda key: None)
    operation = document[f"/api/v1{path}"][method.upper()]

    @seed(20261123)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case):
        answer = case.call(headers={"Authorization": f"Bearer {erp.token}"})
        assert answer.status_code != 401
        case.validate_response(answer, checks=CHECKS)

    holds()


def test_the_document_names_both_ways_in(client):
    told = client.get("/api/v1/openapi.json").json()
    assert set(told["components"]["securitySchemes"]) == {"ApiKeyToken", "SignedRequest"}
    for methods in told["paths"].values():
        for operation in methods.values():
            assert operation["security"]
            assert {"401", "403", "422", "429", "503"} <= set(operation["responses"])
