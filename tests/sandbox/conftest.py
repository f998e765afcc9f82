import socket
import threading
import time

import pytest
import uvicorn

from integrations.sandbox.app import create_app
from integrations.sandbox.config import Config

from .account import Account


@pytest.fixture(scope="session")
def sandbox_address():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = create_app(Config(port=port, contacts=60, rate=0, lag_s=0))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", date_header=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(5)


@pytest.fixture
def account(sandbox_address):
    return Account(sandbox_address)
