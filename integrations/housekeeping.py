"""What has served its purpose is removed, people's data in raw webhooks above all."""

from datetime import timedelta

from django.utils import timezone

from integrations.models import ConnectAttempt, Delivery, InboundEvent, SyncRun

KEPT = {
    "reads of one contact": timedelta(days=2),
    "connect attempts": timedelta(days=1),
    "webhooks": timedelta(days=30),  # long enough to answer "did GHL tell us?", and GHL repeats one within hours
    "deliveries": timedelta(days=90),
}


def tidy():
    """{what: rows removed}. Nothing unfinished is touched."""
    now = timezone.now()
    old = {
        "reads of one contact": SyncRun.objects.filter(
            kind=SyncRun.Kind.CONTACT, finished_at__lt=now - KEPT["reads of one contact"]
        ),
        "connect attempts": ConnectAttempt.objects.filter(created_at__lt=now - KEPT["connect attempts"]),
        "webhooks": InboundEvent.objects.filter(finished_at__lt=now - KEPT["webhooks"]),
        "deliveries": Delivery.objects.filter(finished_at__lt=now - KEPT["deliveries"]),
    }
    return {what: rows.delete()[0] for what, rows in old.items()}
