"""Streams of a real web server: what they hold, and what becomes of them when it stops."""

import contextlib
import signal

import pytest
import requests

from contacts.open_pages import live
from tests.workers import cookies_of, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes, pytest.mark.timeout(180)]


class Listener:
    def __init__(self, web, cookies):
        self.answer = requests.get(f"{web.url}/live/", cookies=cookies, stream=True, timeout=30)
        self.lines = self.answer.iter_lines()
        self.until("ready")

    def until(self, kind):
        return next(line for line in self.lines if line == f"event: {kind}".encode())


def test_many_streams_leave_the_database_to_others_and_end_with_the_server(web, ana, contact):
    cookies = cookies_of(ana)
    with contextlib.ExitStack() as streams:
        readers = [Listener(web, cookies) for _ in range(8)]
        for reader in readers:
            streams.callback(reader.answer.close)
        page = requests.get(f"{web.url}{contact.get_absolute_url()}", cookies=cookies, timeout=30)
        assert page.status_code == 200 and "Marisol" in page.text

        live.tell(contact.business_id, [contact.pk], ["contact"])
        for reader in readers:
            assert reader.until("change")

        web.server.send_signal(signal.SIGTERM)
        for reader in readers:
            assert reader.until("over")
            list(reader.lines)  # to its end, and that without an error
        wait_until(lambda: web.server.poll() is not None)
        assert web.server.returncode in (0, -signal.SIGTERM)
