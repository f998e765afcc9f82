"""A few of the fault table's accidents, in every build. `make faults` runs all of it.

Left out is what another test of ours does anyway: tests/processes (26, 27, 28, 30), tests/convergence (12, 35, 36, 37),
tests/test_secrets.py (6), tests/test_bench.py (32, 38), tests/integrations (5, 11, 15, 16, 20, 21, 22),
tests/ghl (33, 34).
"""

import json
import os
import subprocess
import sys

import pytest

from tests.sandbox_control import ROOT

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

NUMBERS = ("1", "2", "9", "10", "18", "19+25", "31")


@pytest.fixture(scope="module")
def rows(request, tmp_path_factory):
    """The rows of the cases that were asked for, in one run on servers of its own: a case may stop them."""
    wanted = [item.callspec.params["number"] for item in request.session.items if item.path == request.path]
    file = tmp_path_factory.mktemp("faults") / "faults.json"
    run = subprocess.run(
        [sys.executable, "-m", "tests.faults", "--quick", "--only", ",".join(wanted), "--json", str(file)],
        cwd=ROOT, env=os.environ.copy(), capture_output=True, text=True,
    )  # fmt: skip
    assert file.exists(), run.stdout + run.stderr
    return {row["case"]: row for row in json.loads(file.read_text())["cases"]}


@pytest.mark.parametrize("number", NUMBERS)
def test_a_few_of_each_fault_lose_and_double_nothing(number, rows):
    row = rows[number]
    assert row["verdict"] == "ok", json.dumps(row, indent=1)
