"""A web server, and pages of people who have signed in already."""

from functools import partial

import pytest

from tests import workers
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
    """Signs somebody in within one browser: `sign_in(context, user)`."""
    return partial(workers.sign_in, url=app.url)
