"""More people than the web server may have connections to the database."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from django.db import connection as database
from django.db import transaction

from tests.workers import cookies_of, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes, pytest.mark.timeout(180)]


def test_who_finds_no_connection_free_is_asked_to_try_again(web, ana, contact):
    cookies = cookies_of(ana)

    def open_page(_):
        return requests.get(f"{web.url}{contact.get_absolute_url()}?tab=x", cookies=cookies, timeout=60)

    with ThreadPoolExecutor(4) as people:
        with transaction.atomic(), database.cursor() as cursor:
            cursor.execute("LOCK TABLE contacts_contact IN ACCESS EXCLUSIVE MODE")
            answers = [people.submit(open_page, number) for number in range(4)]
            wait_until(lambda: sum(answer.done() for answer in answers) >= 2)
            refused = [answer.result() for answer in answers if answer.done()]
        waited = [answer.result() for answer in answers if answer.result() not in refused]
    for page in refused:
        assert (page.status_code, page.headers["Retry-After"]) == (503, "10")
        assert "very busy" in page.text and f'href="{contact.get_absolute_url()}?tab=x"' in page.text
    assert [page.status_code for page in waited] == [200, 200]
