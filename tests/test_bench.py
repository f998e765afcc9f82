"""That each bench runs and is right about what happened; how fast it was is for its own report."""

import json
import subprocess
import sys

import pytest

from tests.sandbox_control import ROOT

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]


def bench(*arguments):
    command = [sys.executable, "manage.py", "bench", *arguments, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    print(done.stderr[-3000:])  # shown with a test that fails
    assert done.returncode == 0
    return json.loads(done.stdout)


def test_a_first_and_a_second_sync_are_measured():
    figures = bench("sync", "--contacts=60", "--window-s=1", "--latency-ms=0")
    assert figures["outcome"] == "complete"
    assert figures["contacts"] == 60
    assert figures["business rows written by a no-change sync"] == 0
    assert figures["429 received"] == 0
    assert figures["most requests in any window"] <= 100
    assert figures["requests ÷ minimum"] <= 1.5


def test_edits_during_a_sync_are_measured():
    figures = bench("writes", "--contacts=60", "--count=1", "--window-s=1", "--latency-ms=5")
    assert [each["confirmed"] for each in figures.values()] == [1, 1, 1]
    assert [each["429 received"] for each in figures.values()] == [0, 0, 0]


def test_webhooks_are_measured():
    figures = bench("webhooks", "--contacts=20", "--count=10", "--window-s=1", "--latency-ms=5")
    assert figures["webhooks"] == 10
    assert figures["answers other than 200"] == 0
    assert figures["changes not seen"] == 0


def test_what_an_erp_tells_is_followed_into_ghl():
    figures = bench("erp", "--contacts=20", "--count=30", "--window-s=1", "--latency-ms=5")
    assert figures["sent, with repetitions"] == 33
    assert (figures["lost"], figures["doubled"], figures["429 received"]) == (0, 0, 0)


def test_pages_are_measured_alone_and_under_load():
    figures = bench("pages", "--contacts=600", "--requests=1", "--seconds=3")
    for scope in ("alone, the large business", "alone, all twenty"):
        assert {page: of["errors"] for page, of in figures[scope].items() if of["errors"]} == {}
        assert figures[scope]["search: rare"]["queries"] != "0 to 0"
    assert figures["20 people, a sync and webhooks"]["errors"] == 0
    assert figures["20 people, a sync and webhooks"]["webhooks"] > 0
    assert figures["first paint"]["CSS kB"] > 1 and figures["first paint"]["JS kB"] > 1
