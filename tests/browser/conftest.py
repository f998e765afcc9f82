"""A web server, and pages of people who have signed in already."""

import pytest
from django.conf import settings
from django.test import Client

from tests.workers import Processes


@pytest.fixture
def app(sandbox_process, tmp_path):
    processes = Processes(sandbox_process, tmp_path)
    processes.start_web()
    yield processes
    processes.kill()
    processes.log.close()


@pytest.fixture
def sign_in(app):
    """Signs somebody in within one browser, without the form."""

    def sign_in(context, user):
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": app.url}])

    return sign_in
