"""Many callers at the same moment, each with a connection of its own: one effect, and nothing out of order."""

import threading

import pytest
from django.db import close_old_connections, connection

from contacts.models import Contact
from integrations.models import ErpEvent
from tests.integrations.erp.conftest import event, work

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(acts):
    """What each answers; all begin together."""
    answers, start = [], threading.Barrier(len(acts))

    def run(act):
        close_old_connections()
        start.wait()
        try:
            answers.append(act())
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == len(acts)
    return answers


def test_one_key_sent_by_many_at_once_is_one_event(erp, contact):
    answers = at_once([lambda: erp.ask("POST", "/events", event())] * 12)
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum(not answer.json()["repeated"] for answer in answers) == 1
    at_once([work] * 4)
    assert contact.history.filter(kind="erp_event").count() == 1


def test_batches_with_the_same_keys_in_another_order_do_not_block_one_another(erp, contact):
    keys = [str(number) for number in range(40)]
    bodies = [{"events": [event(key) for key in order]} for order in (keys, keys[::-1]) * 2]
    answers = at_once([lambda body=body: erp.ask("POST", "/events/batch", body) for body in bodies])
    assert {answer.status_code for answer in answers} == {202}
    assert ErpEvent.objects.count() == 40


def test_versions_worked_on_at_once_end_with_the_newest(erp, contact):
    for version in (3, 9, 1, 7, 5):
        body = {
            "reference": "CUST-1",
            "email": contact.email,
            "fields": {"city": f"City {version}"},
            "version": version,
        }
        erp.ask("PUT", "/customers", body)
    at_once([work] * 4)
    contact.refresh_from_db()
    assert contact.city == "City 9"
    assert set(ErpEvent.objects.values_list("outcome", flat=True)) <= {"handled", "superseded"}


def test_two_new_customers_with_one_address_make_one_contact(erp, location):
    for reference in ("CUST-1", "CUST-2"):
        erp.ask("PUT", "/customers", {"reference": reference, "email": "grace@example.com"})
    at_once([work] * 2)
    assert Contact.objects.count() == 1
    assert sorted(ErpEvent.objects.values_list("outcome", flat=True)) == ["handled", "unmatched"]
