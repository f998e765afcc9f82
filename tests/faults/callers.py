"""Forked processes that all do the same thing when told, as many web and worker processes would."""

import multiprocessing
import os
import signal

from django.db import connections

fork = multiprocessing.get_context("fork")


class Callers:
    """`act(argument)` runs in each; what it returns comes back, or the name of what it raised."""

    def __init__(self, count, act):
        connections.close_all()  # a connection shared by two processes is garbage in both
        self.lines, self.processes = [], []
        for number in range(count):
            here, there = fork.Pipe()
            process = fork.Process(target=_serve, args=(there, act, number), daemon=True)
            process.start()
            there.close()
            self.lines.append(here)
            self.processes.append(process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.join()

    def begin(self, argument=None):
        for line in self.lines:
            line.send(argument)

    def answers(self, seconds=300):
        """[(True, what act returned) or (False, what it raised)], None for one that died or hangs."""
        return [_heard(line, seconds) for line in self.lines]

    def all(self, argument=None, seconds=300):
        self.begin(argument)
        return self.answers(seconds)

    def kill(self, number):
        os.kill(self.processes[number].pid, signal.SIGKILL)
        self.processes[number].join()


def _heard(line, seconds):
    try:
        return line.recv() if line.poll(seconds) else None
    except (EOFError, OSError):
        return None


def _serve(line, act, number):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            argument = line.recv()
        except EOFError:
            return
        try:
            answer = True, act(argument)
        except Exception as trouble:
            answer = False, f"{type(trouble).__name__}: {trouble}"[:200]
        line.send(answer)
