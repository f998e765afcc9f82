"""Sends every action to a server that judges it by GHL's own files: Prism from npm, or any other such server."""

import json
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from integrations.catalogue import entries, samples
from integrations.catalogue.checking import OUR_LOCATION
from integrations.catalogue.values import build
from integrations.ghl import errors
from integrations.ghl.transport import Transport

STARTS_WITHIN_S = 120


def files_of(folder):
    """(file, operations that come from it): v2 first, v3 for what asks for v3."""
    for version in ("", "v3"):
        for file in sorted((Path(folder) / "apps" / version).glob("*.json")):
            group = file.stem.removesuffix("-v3")
            mine = [
                each
                for each in entries.operations().values()
                if each.group == group and (each.version == "v3") == (version == "v3")
            ]
            if mine:
                yield file, mine


def refusals(url, operations, whole=False):
    """(operation, why) of those that the server does not accept."""
    transport = Transport(url, token=lambda rejected=None: "mock", timeout=20, retries=0)
    for operation in operations:
        request = build(operation, samples.values_for(operation, whole), OUR_LOCATION)
        try:
            transport.request(
                request.method, request.path, params=request.params or None, json=_as_told(operation, request.json),
                safe=True, template=request.template, version=request.version or None,
            )  # fmt: skip
        except errors.BadAnswer as answer:
            if not answer.status or answer.status >= 300:
                yield operation, str(answer)
        except errors.GhlError as error:
            yield operation, f"{error} {error.body}"
    transport.close()


def _as_told(operation, body):
    """The body as the file has it where the file is wrong: an object where GHL takes a text."""
    parts = (operation.body or {}).get("properties", {})
    if not isinstance(body, dict):
        return body
    return {name: {} if parts.get(name, {}).get("told") == "object" else value for name, value in body.items()}


def prism():
    """The command, or None where it is not installed."""
    return shutil.which("prism")


@contextmanager
def server_of(file, command):
    """Prism for one file, on a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    run = [command, "mock", "-h", "127.0.0.1", "-p", str(port), str(file)]
    process = subprocess.Popen(run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port, process):
    end = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"The mock server did not start (it ended with {process.poll()}).")


def excerpt(why):
    return json.dumps(why[:300])[1:-1]
