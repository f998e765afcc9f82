"""A web server, and pages of people who have signed in already."""

import pytest
from django.conf import settings
from django.test import Client

from tests.workers import Processes


@pytest.fixture
def app(sandbox_process, tmp_path):
    with Processes(sandbox_process, tmp_path) as processes:
        processes.start_web()
        yield processes


@pytest.fixture
def app_at_work(synced, sandbox, tmp_path):
    """With a worker, so that what is asked for is done, over a location that was read."""
    with Processes(sandbox, tmp_path) as processes:
        processes.start_worker(pool="threads", concurrency=4)
        processes.start_web()
        yield processes


@pytest.fixture
def sign_in(app):
    """Signs somebody in within one browser, without the form."""

    def sign_in(context, user):
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": app.url}])

    return sign_in
