"""Looks after one worker from inside: ends it when it hears nothing or has broken, and when it stops, it stops in time.

A worker whose connection to the broker broke in silence lives on and never works again (celery#8091, #10205). So it is
judged by what it hears: when nothing came in, it rings for itself through the broker. Whoever started it starts it
anew.
"""

import logging
import os
import signal
import threading
import time

from billiard import active_children
from celery import bootsteps, current_app
from celery.platforms import EX_FAILURE
from celery.signals import task_received, worker_ready, worker_shutting_down
from celery.utils.nodenames import worker_direct
from celery.worker import state
from django.conf import settings
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

LOOKS = 4  # in a row without a sound: counted, not timed, so that a machine that slept is not taken for deaf
DEAF = 75  # the exit status: try again
LAST_WORDS_S = 5.0  # for the processes of the pool to give their rows back


class Watchdog(threading.Thread):
    def __init__(self, hostname, slots):
        super().__init__(name="watchdog", daemon=True)
        self.hostname, self.slots = hostname, slots
        self.heard = threading.Event()
        self.silent = 0

    def run(self):
        while True:
            time.sleep(settings.WORKER_DEAF_AFTER_S / LOOKS)
            self.look()

    def look(self):
        if self.heard.is_set() or not self.has_room():
            self.heard.clear()
            self.silent = 0
        elif self.silent >= LOOKS:
            log.critical("%s does not hear the broker any more: ending, to be started anew", self.hostname)
            hand_over()
            os._exit(DEAF)
        # While the broker is away for us too, there is nothing to be heard.
        self.silent = self.silent + 1 if self.ring() else 0

    def has_room(self):
        """A worker with all hands full takes no messages, and is right not to."""
        waiting = len(state.reserved_requests) - len(state.active_requests)
        return waiting < self.slots

    def ring(self):
        try:
            current_app.tasks["rankr_dash.listen"].apply_async(queue=worker_direct(self.hostname), retry=False)
        except (OperationalError, RedisError, OSError):
            return False
        return True


def hand_over():
    """Ask the pool's processes to end now: each gives its row back, so that nobody has to wait for the lease."""
    children = active_children()
    for child in children:
        child.terminate()
    end = time.monotonic() + LAST_WORDS_S
    for child in children:
        child.join(max(0.0, end - time.monotonic()))
    for child in children:
        if child.is_alive():
            os.kill(child.pid, signal.SIGKILL)


@worker_ready.connect
def keep_watch(sender, **_):
    if not any(isinstance(thread, Watchdog) for thread in threading.enumerate()):
        dog = Watchdog(sender.hostname, sender.controller.concurrency)
        task_received.connect(lambda **_: dog.heard.set(), weak=False)
        dog.start()


class EndWhenBroken(bootsteps.StartStopStep):
    """After an error that Celery cannot recover from it would wait for its pool, and nobody would do the work."""

    def close(self, worker):
        if worker.exitcode == EX_FAILURE:
            log.critical("%s has broken: ending, to be started anew", worker.hostname)
            hand_over()
            os._exit(EX_FAILURE)


@worker_shutting_down.connect
def let_go_in_time(how, **_):
    """After a polite request to stop, running tasks may end by themselves, but not for ever."""
    if how == "Warm":
        timer = threading.Timer(settings.WORKER_STOP_S, hand_over)
        timer.daemon = True
        timer.start()
