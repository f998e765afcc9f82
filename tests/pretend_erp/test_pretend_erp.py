"""The pretend ERP of the demo and our web server, over HTTP: what one tells, the other hears, both ways."""

import re
import socket
import subprocess
import sys
import time

import pytest
import requests
from django.conf import settings as django_settings

from contacts.models import ExternalId, Note
from integrations.demo import introduce
from integrations.erp import webhook_signature
from integrations.matching import arrivals
from integrations.models import ApiKey, ErpEvent, OutgoingDelivery, OutgoingHook
from integrations.outgoing import sending, telling
from integrations.pretend_erp.standard_webhooks import is_genuine

pytestmark = pytest.mark.django_db(transaction=True)


class PretendErp:
    def __init__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "integrations.pretend_erp", "--port", str(port)]
        self.process = subprocess.Popen(command, cwd=django_settings.BASE_DIR)
        until = time.monotonic() + 60
        while True:
            try:
                requests.get(self.url, timeout=5)
                break
            except requests.ConnectionError:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError("the pretend ERP did not start") from None
                time.sleep(0.05)  # there is no event to wait for before a port is open

    def press(self, what, customer="", **more):
        """Press a button as a browser would; the page it leads to."""
        form = {"what": what, "customer": customer, **more}
        answer = requests.post(f"{self.url}/press", data=form, timeout=30)
        assert answer.status_code == 200
        return answer.text

    @property
    def latest(self):
        return requests.get(f"{self.url}/latest", timeout=30).text


@pytest.fixture
def erp():
    started = PretendErp()
    yield started
    started.process.kill()
    started.process.wait()


@pytest.fixture
def introduced(erp, live_server, northgate, ada, contact):
    """Northgate's, with a key and the secret of a hook, as the demo does it."""
    telling.follow()
    introduce(erp.url, live_server.url, northgate, ada)
    return erp


def work():
    for pk in arrivals.waiting():
        arrivals.handle(pk)
    telling.follow()
    for pk in sending.waiting():
        sending.deliver(pk)


def customer_of(contact):
    return f"CUST-{1000 + contact.pk}"


def test_its_customers_are_contacts_of_ours(introduced, contact):
    page = requests.get(introduced.url, timeout=10).text
    assert contact.name in page and customer_of(contact) in page
    assert "nobody there knows them yet" in page, "and one for the unmatched inbox"


def test_a_button_tells_us_and_shows_what_became_of_it(introduced, contact):
    introduced.press("invoice_paid", customer_of(contact))
    assert "queued" in introduced.latest
    work()
    event = ErpEvent.objects.get()
    assert (event.type, event.contact, event.outcome) == ("invoice.paid", contact, "handled")
    assert {"number", "amount", "currency", "due_date", "link"} <= set(event.body["payload"])
    assert "handled" in introduced.latest
    assert ExternalId.objects.get().value == customer_of(contact)


@pytest.mark.parametrize("what", ["invoice_overdue", "order_shipped"])
def test_each_kind_of_event_is_in_order(introduced, contact, what):
    introduced.press(what, customer_of(contact))
    work()
    assert ErpEvent.objects.get().outcome == "handled"


def test_the_same_sent_again_happens_once(introduced, contact):
    introduced.press("invoice_paid", customer_of(contact))
    key = re.search(r'name="key" value="([^"]+)"', introduced.latest)[1]
    assert "nothing happened twice" in introduced.press("again", key=key)
    assert ErpEvent.objects.count() == 1


def test_somebody_nobody_knows_waits_to_be_matched(introduced):
    introduced.press("invoice_paid", "CUST-9001")
    work()
    assert ErpEvent.objects.get().outcome == "unmatched"
    assert "unmatched" in introduced.latest


def test_a_new_customer_becomes_a_contact(introduced, location):
    introduced.press("new_customer")
    work()
    kinds = list(ErpEvent.objects.order_by("pk").values_list("type", "outcome"))
    assert kinds == [("customer.sent", "handled"), ("customer.created", "handled")]


def test_what_a_person_does_here_is_heard_there_with_its_signature_checked(introduced, contact, ana):
    contact.edit(by=ana, city="Chicago")
    work()
    heard = introduced.latest
    assert "contact.updated" in heard and contact.name in heard and "by Ana" in heard
    assert "signature checked" in heard and "not valid" not in heard


def test_a_note_of_the_erp_is_mirrored_both_ways(introduced, contact, ana):
    introduced.press("add_note", customer_of(contact))
    work()
    note = Note.objects.get()
    note.edit(by=ana, body="Sent it by e-mail instead.")
    work()
    assert "Sent it by e-mail instead." in introduced.latest and "ours, changed there" in introduced.latest


def test_while_it_pretends_to_be_down_nothing_is_lost(introduced, contact, ana):
    assert "pretends to be down" in introduced.press("down")
    contact.edit(by=ana, city="Chicago")
    work()
    assert OutgoingDelivery.objects.get().state == "retrying" and OutgoingHook.objects.get().failing_since
    introduced.press("down")
    OutgoingDelivery.objects.all().send_again()
    OutgoingHook.objects.get().wake()
    work()
    assert OutgoingDelivery.objects.get().state == "delivered" and "contact.updated" in introduced.latest


def test_a_forged_webhook_is_turned_away(introduced):
    forged = {"webhook-id": "msg_1", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,AAAA"}
    answer = requests.post(f"{introduced.url}/webhooks/rankr", data=b"{}", headers=forged, timeout=10)
    assert answer.status_code == 401 and "signature not valid" in introduced.latest


def test_a_demo_started_again_has_one_key_and_one_hook(introduced, live_server, northgate, ada):
    introduce(introduced.url, live_server.url, northgate, ada)
    assert ApiKey.objects.valid().count() == 1 and OutgoingHook.objects.count() == 1


@pytest.mark.parametrize("change", [{"webhook-timestamp": "1"}, {"webhook-id": "msg_other"}, {"webhook-signature": ""}])
def test_two_halves_that_know_nothing_of_each_other_agree(change):
    secret, now = webhook_signature.new_secret(), int(time.time())
    headers = webhook_signature.headers([webhook_signature.new_secret(), secret], "msg_1", now, b"{}")
    assert is_genuine(secret, headers, b"{}")
    assert not is_genuine(secret, headers | change, b"{}") and not is_genuine(secret, headers, b"{} ")
