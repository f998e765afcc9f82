"""The bells of the rules. Only bells: whoever works must also look for rows that are due."""

from collections.abc import Sequence
from functools import partial

from django.db import transaction
from django.dispatch import Signal

from integrations.models import OperationRun, RuleRun

runs_waiting = Signal()  # sent after commit, with `pks` of RuleRuns
operation_waiting = Signal()  # sent after commit, with `pk` of an OperationRun


def announce(pks: Sequence[int]) -> None:
    if pks:
        transaction.on_commit(partial(runs_waiting.send, sender=RuleRun, pks=list(pks)))


def announce_operation(pk: int) -> None:
    transaction.on_commit(partial(operation_waiting.send, sender=OperationRun, pk=pk))
