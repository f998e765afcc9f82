import os
import signal
import subprocess
import sys

import pytest

from rankr_dash.embedded import die_with_parent, tethered

from .conftest import until

SPEAKING = [sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)"]
PARENT = """
import subprocess, sys
sys.path.append(sys.argv[1])
import embedded
child = subprocess.Popen(sys.argv[2:], preexec_fn=embedded.die_with_parent(9))
child.wait()
"""


def is_there(pid):
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(shown) and not shown.startswith("Z")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the tether does it")
def test_a_child_dies_with_its_killed_parent():
    package = os.path.dirname(die_with_parent.__code__.co_filename)
    command = [sys.executable, "-c", PARENT, os.path.dirname(package), *SPEAKING]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    parent.kill()
    until(lambda: not is_there(child))
    parent.communicate()


def test_a_tethered_command_dies_when_the_rope_is_cut():
    wrapper = subprocess.Popen(tethered(SPEAKING), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    child = int(wrapper.stdout.readline())
    wrapper.communicate()  # closes stdin, as the death of its parent would
    assert not is_there(child)


def test_a_tethered_command_hears_signals_and_its_status_is_passed_on():
    trap = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(7)); print(1, flush=True); time.sleep(600)"
    command = tethered([sys.executable, "-c", trap])
    wrapper = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    wrapper.stdout.readline()
    wrapper.send_signal(signal.SIGTERM)
    assert wrapper.wait(10) == 7
    wrapper.communicate()
