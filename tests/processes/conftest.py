import pytest

from tests.workers import NoGhl, Processes


@pytest.fixture
def web(tmp_path):
    with Processes(NoGhl, tmp_path, DATABASE_POOL="2") as processes:
        processes.server = processes.start_web()
        yield processes
