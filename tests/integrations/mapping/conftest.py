"""Northgate's own fields, a mapping that is active, and the ERP of the other tests."""

import pytest

from contacts.models import CustomField
from integrations.models import FieldMapping
from tests.integrations.erp.conftest import erp, events, no_requests_counted, strange_erp

__all__ = ["erp", "events", "no_requests_counted", "strange_erp"]

CUSTOMER = {"reference": "CUST-1042", "first_name": "Marisol", "email": "marisol@example.com"}


@pytest.fixture
def fields(location):
    """Tier (Gold, Silver), Since (a date), Limit (an amount)."""
    rows = [("Tier", "SINGLE_OPTIONS", ["Gold", "Silver"]), ("Since", "DATE", []), ("Limit", "MONETORY", [])]
    return {
        name: CustomField.objects.create(
            location=location, remote_id=f"fld{name}", name=name, key=f"contact.{name.lower()}", data_type=kind,
            options=options,
        )
        for name, kind, options in rows
    }  # fmt: skip


@pytest.fixture
def mapped(northgate, ada):
    """Makes these lines the active mapping."""

    def activate(*lines):
        version = FieldMapping.begin(northgate, list(lines), ada)
        assert version.tried(ada, version.mark)
        version.refresh_from_db()
        version.activate(ada)
        return version

    return activate
