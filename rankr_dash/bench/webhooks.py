"""What GHL waits for our answer to a webhook, and how soon the change it told of can be seen."""

import time

from contacts.models import Contact
from integrations.models import InboundEvent, SyncRun
from rankr_dash.bench.rig import Rig, spread, wait_until


def measure(contacts, events, per_second, latency_ms):
    """`events` edits inside the pretend GHL, each announced by webhook, `per_second` of them a second."""
    with Rig(contacts, 10.0, latency_ms) as rig:
        rig.start_workers()
        rig.start_web()
        connection = rig.connect()
        wait_until(lambda: not SyncRun.objects.unfinished().exists())
        rig.sandbox.settings(webhook_url=f"{rig.url}/webhooks/ghl/")
        people = list(Contact.objects.filter(location=connection.location).order_by("pk"))
        edited = {}
        begun = time.monotonic()
        for number in range(events):
            time.sleep(max(0.0, begun + number / per_second - time.monotonic()))
            person = people[number % len(people)]
            city = f"Bench {number}"
            edited[city] = (person.pk, time.time())
            rig.sandbox.edit("contact", "update", person.remote_id, city=city)
        wait_until(lambda: rig.sandbox.get("webhooks", wait=10, limit=0)["pending"] == 0)
        wait_until(lambda: not InboundEvent.objects.filter(finished_at=None).exists())
        wait_until(lambda: not SyncRun.objects.unfinished().exists())
        newest = {pk: (city, at) for city, (pk, at) in edited.items()}
        seen = Contact.objects.in_bulk(list(newest))
        told = rig.sandbox.get("webhooks")["deliveries"]
        tries = [one for delivery in told for one in delivery["tries"]]
        return {
            "webhooks": len(told),
            "a second": per_second,
            "answers other than 200": sum(one["status"] != 200 for one in tries),
            "acknowledged": spread([one["ms"] / 1000 for one in tries]),
            "changes not seen": sum(seen[pk].city != city for pk, (city, _) in newest.items()),
            "changed in GHL to row written": spread(
                [seen[pk].updated_at.timestamp() - at for pk, (_, at) in newest.items()]
            ),
        }
