from datetime import timedelta

import pytest
from django.utils import timezone

from integrations import housekeeping
from integrations.models import InboundEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def event():
    def make(event_id, **values):
        return InboundEvent.objects.create(event_id=event_id, kind="ContactUpdate", body=b"{}", **values)

    return make


def test_an_old_webhook_goes_a_recent_and_an_unfinished_one_stay(event):
    long_ago = timezone.now() - timedelta(days=31)
    event("old", finished_at=long_ago)
    event("recent", finished_at=timezone.now())
    event("unfinished", received_at=long_ago)
    assert housekeeping.tidy()["webhooks"] == 1
    assert set(InboundEvent.objects.values_list("event_id", flat=True)) == {"recent", "unfinished"}
